"""What people do with experiments: begin one, start, pause, stop and decide it, promote its winner, plan the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from core import (
    TRANSITIONS,
    USUAL_SPREAD_PERCENT,
    CloudburstError,
    Core,
    Experiment,
    ExperimentAnalysis,
    ExperimentError,
    History,
    Issue,
    ModelVariant,
    Plan,
    Rollout,
    Stage,
    TrafficSplitStrategy,
    UnitKey,
    Verdict,
    plan,
)
from ui import admin, components
from ui.experiment_tables import STAGES, STRATEGIES
from ui.language import say
from ui.training import gate_table
from ui.words import heads, plain

CONTROL, CHALLENGER, NOBODY = "control", "challenger", "nobody"
#: Key of the session that remembers what the gate said of a winner.
VERDICT = "experiment verdict"
BY_TIME, BY_EVIDENCE = "by time", "by evidence"
#: Steps of one click; "grow" is the rollout's own.
STEPS = {"start": ":material/play_arrow:", "pause": ":material/pause:", "stop": ":material/stop:"}
#: The monsoon, June to September.
SEASON_DAYS = 122
WHY = "Why (stands in the ledger)"


@st.fragment
def create(core: Core, now: Issue, history: History) -> None:
    """Let somebody who may do so define an experiment between two stored versions."""
    with st.popover(say("New experiment"), icon=":material/add:"):
        who = admin.allowed(core, "new experiment")
        if who is None:
            return
        names = [v.version for v in history.versions if v.refused is None]
        if len(names) < 2:
            st.info(
                say("There are no two versions yet: train a challenger on the page Models."), icon=":material/science:"
            )
            return
        asked = _asked(names, history.serves)
        draft = st.checkbox(say("As a draft: define it, start it later"), key="experiment draft")
        if st.button(say("Create"), type="primary", key="experiment create"):
            _created(core, now, (who, asked), draft)


def _asked(names: list[str], serves: str | None) -> dict[str, Any]:
    """Ask for the definition of an experiment."""
    said: dict[str, Any] = {}
    said["id"] = st.text_input(
        say("Name"), key="experiment id", max_chars=64, help=say("Letters, digits, '_', '-' and '.'.")
    )
    said["why"] = st.text_input(
        say("What is it to find out? (stands in the ledger)"), key="experiment why", max_chars=200
    )
    control = st.selectbox(
        say("Control: what the other is held against"),
        names,
        components.position_of(names, serves),
        key="experiment control",
    )
    challenger = st.selectbox(say("Challenger"), [n for n in names if n != control], key="experiment challenger")
    strategy = st.selectbox(
        say("Who is shown the challenger"),
        list(STRATEGIES),
        1,
        key="experiment strategy",
        format_func=lambda strategy: say(STRATEGIES[strategy]),
    )
    said["strategy"], percent = strategy, 50.0
    if strategy is TrafficSplitStrategy.GRADUAL_ROLLOUT:
        said["rollout"] = _rollout()
    elif strategy is not TrafficSplitStrategy.RANDOM:
        percent = st.slider(say("Share of the challenger, %"), 0.0, 100.0, 50.0, 1.0, key="experiment percent")
    said["variants"] = (
        ModelVariant(CONTROL, version=control, traffic_percentage=100 - percent),
        ModelVariant(CHALLENGER, version=challenger, traffic_percentage=percent),
    )
    said["unit"] = st.selectbox(
        say("Assigned as a whole"), list(UnitKey), key="experiment unit", format_func=lambda unit: say(unit.value),
        help=say("A station keeps its variant for a day, or for good; or a whole region, or a user does."),
    )  # fmt: skip
    alarm = st.number_input(say("A warning is given from, %"), 0.1, 99.0, 5.0, 0.5, key="experiment alarm")
    return said | {"alarm": alarm / 100}


def _rollout() -> dict[str, Any]:
    """Ask how the share of a challenger grows."""
    how = st.radio(
        say("It grows"), [BY_TIME, BY_EVIDENCE], horizontal=True, key="experiment rollout", format_func=say,
        captions=[say("after so many days"), say("once the evidence excludes that it is worse in practice")],
    )  # fmt: skip
    steps = st.text_input(say("Steps, %"), "10, 30, 50, 100", key="experiment steps")
    days = Rollout.step_days
    if how == BY_TIME:
        days = st.number_input(say("Days for a step"), 1.0, 90.0, Rollout.step_days, 1.0, key="experiment step days")
    return {"percent": steps, "step_days": days, "by_evidence": how == BY_EVIDENCE}


def _created(core: Core, now: Issue, asked: tuple[str, dict[str, Any]], draft: bool) -> None:
    who, said = asked
    try:
        if "rollout" in said:
            said["rollout"] = Rollout(**said["rollout"] | {"percent": percentages(said["rollout"]["percent"])})
        experiment = Experiment(
            created_at=core.clock(),
            created_by=who,
            source=core.lifecycle.source,
            region_id=now.forecast.region.id,
            **said,
        )
        core.experiments.create(replace(experiment, why=experiment.why.strip()), draft=draft)
    except CloudburstError as error:
        components.refusal(error)
        return
    st.rerun()


def percentages(text: str) -> tuple[float, ...]:
    """Return the steps of a rollout as they were typed.

    Raises
    ------
    ExperimentError
        If one of them is no number.
    """
    try:
        return tuple(
            float(part.strip().removesuffix("%")) for part in text.replace(";", ",").split(",") if part.strip()
        )
    except ValueError:
        raise ExperimentError(f"{text!r} are no percentages.", hint="Write them like 10, 30, 50, 100.") from None


@st.fragment
def change(core: Core, one: ExperimentAnalysis) -> None:
    """Let somebody who may do so start, pause, stop or decide an experiment, with a reason."""
    allowed = [step for step in STEPS if one.stage in TRANSITIONS[step][0]]
    decidable = one.stage in TRANSITIONS["decide"][0]
    if not allowed and not decidable:
        return
    with st.popover(say("Start, pause, stop or decide"), icon=":material/tune:"):
        who = admin.allowed(core, "experiment")
        if who is None:
            return
        why = st.text_input(say(WHY), key="experiment step why", max_chars=200)
        with st.container(horizontal=True):
            for step in allowed:
                if st.button(say(step).capitalize(), icon=STEPS[step], key=f"experiment {step}", help=_leads_to(step)):
                    _stepped(core, one, step, (who, why))
        if decidable:
            _decide(core, one, (who, why))


def _leads_to(step: str) -> str:
    return say("From then on {stages}.", stages=say(STAGES[TRANSITIONS[step][1]][1]))


def _stepped(core: Core, one: ExperimentAnalysis, step: str, by: tuple[str, str]) -> None:
    try:
        core.experiments.step(one.experiment.id, step, *by)
    except CloudburstError as error:
        components.refusal(error)
        return
    st.rerun()


def _decide(core: Core, one: ExperimentAnalysis, by: tuple[str, str]) -> None:
    """Let the experiment be ended with a decision; what the records say stands beside it."""
    st.caption(
        say(
            "The records say: **{value}**. {text} You may decide otherwise, with a reason.",
            value=say(one.status.value),
            text=plain(say(one.text)),
        )
    )
    names = [NOBODY, *(v.variant_id for v in one.experiment.variants)]
    suggested = components.position_of(names, one.winner.winner_variant)
    labels = {v.variant_id: f"{v.variant_id}: {v.model}" for v in one.experiment.variants}
    winner = st.selectbox(
        say("Winner"), range(len(names)), suggested, key="experiment winner",
        format_func=lambda i: labels.get(names[i], say("nobody")) if i else say("nobody"),
    )  # fmt: skip
    if st.button(say("Decide"), type="primary", icon=":material/gavel:", key="experiment decide"):
        try:
            core.experiments.decide(one.experiment.id, names[winner] if winner else None, *by)
        except CloudburstError as error:
            components.refusal(error)
            return
        st.rerun()


def promote(core: Core, one: ExperimentAnalysis) -> None:
    """Let the winner of a decided experiment serve, where the gate agrees; show what the gate said."""
    winner = one.winner.winner_variant
    if (
        one.stage is not Stage.DECIDED
        or winner in (None, one.experiment.control.variant_id)
        or not one.experiment.source
    ):
        return
    with st.popover(say("Promote the winner"), icon=":material/rocket_launch:"):
        who = admin.allowed(core, "promote winner")
        if who is None:
            return
        st.caption(
            say("The gate looks at it once more, on the newest data; where every rule is met, it serves from then on.")
        )
        why = st.text_input(say(WHY), key="promote winner why", max_chars=200)
        if st.button(say("Let {winner} serve", winner=winner), type="primary", key="promote winner"):
            _promoted(core, one, who, why)


def _promoted(core: Core, one: ExperimentAnalysis, who: str, why: str) -> None:
    try:
        with st.spinner(say("The gate looks at it ...")):
            verdict = core.promote_winner(one.experiment.id, who, why)
    except CloudburstError as error:
        components.refusal(error)
        return
    st.session_state[VERDICT] = (one.experiment.id, verdict)
    st.rerun()


def verdict(one: ExperimentAnalysis) -> None:
    """Show what the gate said when the winner was to be promoted in this session."""
    name, said = st.session_state.get(VERDICT, ("", Verdict(())))
    if name != one.experiment.id:
        return
    reasons = "  \n".join(plain(say(reason)) for reason in said.reasons)
    if said.promote:
        st.success(
            say("**The winner serves.** It met every rule.  \n{reasons}", reasons=reasons),
            icon=":material/check_circle:",
        )
    else:
        st.warning(
            say("**The winner does not serve: the gate kept what serves.**  \n{reasons}", reasons=reasons),
            icon=":material/block:",
        )
    rules = [{"name": rule.name, "met": rule.met, "text": rule.text} for rule in said.rules]
    if rules:
        st.dataframe(heads(gate_table(rules)), hide_index=True)


@st.fragment
def planner(analyses: tuple[ExperimentAnalysis, ...]) -> None:
    """Say how long an experiment takes until it finds a difference, if there is one."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = {
            name: st.number_input(label, low, high, value, step, key=f"plan {name}", help=help_text, width=215)
            for name, label, (low, high, value, step), help_text in _questions()
        }
    found = plan(**asked, confidence=95.0)
    with st.container(horizontal=True):
        for label, value in planned(found).items():
            st.metric(say(label), value, border=True, width=215)
    st.caption(
        say(
            "A challenger whose Brier score is {difference_percent:g} % smaller is found in {power:g} of 100 "
            "experiments of this length, with 95 % confidence, however often you look. Looking once, at the end, "
            "takes fewer days; but then you may not look before.",
            difference_percent=asked["difference_percent"],
            power=asked["power"],
        )
    )
    rates = [c.events / c.days for one in analyses for c in one.contrasts if c.days]
    if rates:
        st.caption(
            say(
                "The experiments here have had {rates:.1f} to {rates_2:.1f} events a day.",
                rates=min(rates),
                rates_2=max(rates),
            )
        )


def _questions() -> tuple[tuple[str, str, tuple[float, float, float, float], str], ...]:
    """Return what the plan depends on: name, label, (least, most, default, step) and what it means."""
    spread = say(
        "Standard deviation of one day's gain, in percent of the control's Brier score. The default is what models "
        "that learned from overlapping years of 80 gauges showed; models that differ more vary more."
    )
    return (
        (
            "difference_percent",
            say("Difference to find, %"),
            (0.1, 50.0, 2.0, 0.5),
            say("Gain in the Brier score that matters."),
        ),
        (
            "events_per_day",
            say("Events a day"),
            (0.01, 1000.0, 5.0, 1.0),
            say("Cases with the event, over all stations."),
        ),
        (
            "season_days",
            say("Days of a season"),
            (1.0, 366.0, float(SEASON_DAYS), 1.0),
            say("The monsoon: June to September."),
        ),
        (
            "power",
            say("Power, %"),
            (1.0, 99.9, 80.0, 5.0),
            say("How often a true difference of this size is to be found."),
        ),
        ("spread_percent", say("Spread of a day, %"), (0.1, 100.0, USUAL_SPREAD_PERCENT, 0.1), spread),
    )


def planned(found: Plan) -> dict[str, str]:
    """Return a plan in words."""
    never = say("more than 100 years")
    return {
        "Days": never if found.days is None else f"{found.days:,}",
        "Events": "–" if found.events is None else f"{found.events:,}",
        "Seasons": "–" if found.seasons is None else f"{found.seasons:.1f}",
        "Days, looking once": f"{found.days_for_one_look:,}",
    }
