"""Trainings on the page: begin one, watch it, cancel it, and read how the last one ended."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import ALGORITHMS, CloudburstError, Core, History, Issue, RunState, RunStatus, Trigger
from ui import admin, components
from ui.language import say
from ui.words import age, heads, local, plain

#: How often a running training is looked at.
TICK_S = 2.0
DAYS = (7, 3650)
SIGNS: dict[RunStatus, tuple[str, str]] = {
    RunStatus.RUNNING: ("⏳", "running"),
    RunStatus.DEPLOYED: ("✓", "the new version serves"),
    RunStatus.KEPT: ("=", "the champion serves on, the challenger forecasts in the shadow"),
    RunStatus.SKIPPED: ("○", "the data are not fit to learn from"),
    RunStatus.FAILED: ("✕", "failed; the champion stays"),
    RunStatus.CANCELLED: ("✕", "cancelled; the champion stays"),
    RunStatus.INTERRUPTED: ("✕", "interrupted; the champion stays"),
}
#: What the gate's rules are called in a table.
MET, BROKEN = "✓ met", "✕ not met"


def panel(core: Core, now: Issue, history: History) -> None:
    """Show the training that runs or ended last, and let another one begin."""
    running = history.training is not None and history.training.running
    st.fragment(_watch, run_every=TICK_S if running else None)(core, now, running)
    if not running:
        _begin(core, now)


def _watch(core: Core, now: Issue, was_running: bool) -> None:
    """Show how far it is; when it has ended, draw the whole page anew."""
    state = core.lifecycle.trainings.state()
    if was_running and (state is None or not state.running):
        st.rerun()
    if state is None:
        st.info(say("Nothing was trained in this house yet."), icon=":material/model_training:")
    elif state.running:
        _progress(core, now, state)
    else:
        ended(now, state)


def _progress(core: Core, now: Issue, state: RunState) -> None:
    since = local(state.begun_at, now.forecast.region, "%d %b %H:%M:%S")
    st.progress(min(state.done, 1.0), text=f"{_what(state)}: {plain(say(state.text))}")
    st.caption(
        say(
            "Running since {since} (process {pid}), begun by {who}{late}.",
            since=since,
            pid=state.pid,
            who=plain(state.request.who),
            late=_late(state),
        )
    )
    if admin.may(core) and st.button(say("Cancel"), icon=":material/cancel:", key="cancel training"):
        core.lifecycle.trainings.cancel(state.run_id)


def _what(state: RunState) -> str:
    first = state.request.trigger is Trigger.FIRST_START
    return (
        say("Making the simulated history")
        if first
        else say("Training {algorithm}", algorithm=plain(state.request.algorithm))
    )


def _late(state: RunState) -> str:
    return (
        say("; it should have begun {late_s} earlier", late_s=age(state.request.late_s)) if state.request.late_s else ""
    )


def ended(now: Issue, state: RunState) -> None:
    """Show how a training ended, with the gate's rules."""
    sign, meaning = SIGNS[state.status]
    when = local(state.ended_at, now.forecast.region)
    what, by = _what(state), plain(state.request.who)
    st.markdown(
        say(
            "**Last: {what}: {sign} {value}** ({meaning}), {when}, by {by}",
            what=what,
            sign=sign,
            value=say(state.status.value),
            meaning=say(meaning),
            when=when,
            by=by,
        )
    )
    for reason in state.reasons:
        st.caption(plain(say(reason)))
    rules = state.metrics.get("gate")
    if rules:
        with st.expander(say("What the gate looked at")):
            st.dataframe(heads(gate_table(rules)), hide_index=True)


def gate_table(rules: list[dict[str, object]]) -> pd.DataFrame:
    """Return one row per rule of the gate."""
    return pd.DataFrame(
        [
            {
                "rule": say(str(rule["name"])),
                "met": say(MET if rule["met"] else BROKEN),
                "found": say(str(rule["text"])),
            }
            for rule in rules
        ]
    )


def _begin(core: Core, now: Issue) -> None:
    with st.popover(say("Retrain"), icon=":material/model_training:"):
        who = admin.allowed(core, "retrain")
        if who is None:
            return
        algorithms = sorted(ALGORITHMS)
        plan = core.lifecycle.plan
        algorithm = st.selectbox(
            say("Algorithm"), algorithms, index=algorithms.index(plan.algorithm), key="retrain with"
        )
        days = st.number_input(say("Days to look back"), *DAYS, value=plan.days_back, key="retrain days")
        why = st.text_input(say("Why (stands in the ledger)"), key="retrain why", max_chars=200)
        if st.button(say("Train a challenger"), type="primary", key="retrain"):
            _start(core, now, who, (algorithm, int(days), why))


def _start(core: Core, now: Issue, who: str, asked: tuple[str, int, str]) -> None:
    algorithm, days, why = asked
    region = now.forecast.region.id
    try:
        core.lifecycle.retrain(region, who=who, why=why, trigger=Trigger.PAGE, algorithm=algorithm, days_back=days)
    except CloudburstError as error:
        components.refusal(error)
        return
    st.rerun()
