"""The life of the models on the page: who serves, who challenges, every deployment with who, when and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core import (
    MEASURES,
    SHADOW_DAYS,
    CloudburstError,
    Core,
    Deployment,
    DriftReport,
    History,
    Issue,
    Region,
    Scorecard,
    Shadow,
)
from ui import admin, components
from ui.language import say
from ui.training import gate_table
from ui.words import age, day, heads, local, plain

#: Measures of a challenger beside what was shown.
BESIDE = ("brier_skill", "auc", "best_csi", "calibration_slope")


def history(core: Core, now: Issue) -> History:
    """Return the history of the region; where the ledger does not answer, say so and end the page."""
    try:
        return core.histories.of(now.forecast.region.id)
    except CloudburstError as error:
        components.refusal(error)
        st.stop()


def standing(found: History) -> None:
    """Show who serves and who challenges."""
    with st.container(horizontal=True):
        st.metric(say("Serves"), _short(found.serves), help=found.serves or say("nobody"), border=True, width=280)
        deployed = "–" if found.champion is None else str(found.champion.generation)
        st.metric(say("Deployments so far"), deployed, border=True, width=180)
        st.metric(say("Challengers in the shadow"), str(len(found.challengers)), border=True, width=220)
    if found.instead:
        st.error(plain(say(found.instead)), icon=":material/warning:")


def _short(version: str | None) -> str:
    return say("nobody") if version is None else version.replace("_", " ").rsplit(" ", 2)[0]


def shadows(core: Core, now: Issue) -> None:
    """Show how the challengers do on what was really issued, each on the same cases as what was shown."""
    try:
        found = core.histories.shadows(now.forecast.region.id)
    except CloudburstError as error:
        components.refusal(error)
        return
    if not found:
        st.info(say("No challenger forecasts in the shadow."), icon=":material/visibility_off:")
        return
    st.dataframe(heads(shadow_table(found)), hide_index=True)
    st.caption(
        say(
            "Challengers forecast at every refresh, unseen; both are scored on the same windows of the last {days} days"
            " whose truth is known.",
            days=SHADOW_DAYS,
        )
    )


def shadow_table(found: tuple[Shadow, ...]) -> pd.DataFrame:
    """Return one row per challenger and measure: its value beside that of what was shown."""
    rows: list[dict[str, object]] = []
    for one in found:
        row = {"challenger": one.version, "cases": one.cases, "events": one.events}
        if one.challenger is None or one.shown is None:
            rows.append({**row, "measure": say("nothing to score yet")})
            continue
        cards = {"challenger says": one.challenger, "shown": one.shown}
        rows += [
            {**row, "measure": say(MEASURES[name])} | {who: _value(card, name) for who, card in cards.items()}
            for name in BESIDE
        ]
    return pd.DataFrame(rows)


def _value(card: Scorecard, name: str) -> str:
    value = card.measures[name].value
    return say("not available") if value is None else f"{value:.4f}"


def drift(found: History) -> None:
    """Show whether inputs and score have left what was usual for the season and hour."""
    report = found.drift
    if report is None:
        st.info(say("Drift was not looked for yet; the scheduler does so."), icon=":material/troubleshoot:")
        return
    for alarm in report.alarms:
        st.warning(plain(say(alarm)), icon=":material/trending_up:")
    if not report.judged:
        st.info(say("Nothing could be judged yet."), icon=":material/hourglass_empty:")
    elif not report.alarms:
        st.success(say("No drift."), icon=":material/check_circle:")
    st.dataframe(heads(drift_table(report)), hide_index=True)
    reference = say("nothing to compare with")
    if report.reference_begin is not None and report.reference_end is not None:
        reference = say(
            "against {reference_begin} to {reference_end}",
            reference_begin=day(report.reference_begin, "%d %b %Y"),
            reference_end=day(report.reference_end, "%d %b %Y"),
        )
    st.caption(
        say(
            "Days from {begin} to {end}, {reference}, same season and hour; {places} of {places_of} places. Designed "
            "for fewer than one false alarm in 90 days.",
            begin=day(report.begin, "%d %b %Y"),
            end=day(report.end, "%d %b %Y"),
            reference=reference,
            places=report.places,
            places_of=report.places_of,
        )
    )


def drift_table(report: DriftReport) -> pd.DataFrame:
    """Return one row per variable: stability index beside its usual bound, and how near the sums are to an alarm."""
    return pd.DataFrame(
        [
            {
                "variable": one.variable,
                "state": say("not judged")
                if not one.judged
                else (say("▲ drifted") if one.shifts else say("✓ as usual")),
                "stability index, 14 days": _number(one.psi),
                "usual is below": _number(one.psi_usual),
                "share of the alarm's threshold": "–" if one.share is None else f"{one.share:.0%}",
                "in words": " ".join(map(say, one.sentences)) or say(one.text),
            }
            for one in report.variables
        ]
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def ledger(found: History, region: Region) -> None:
    """Show every change of who serves, the newest first, and what the gate said of each."""
    if not found.deployments:
        st.info(say("Nobody was deployed yet: the shipped seed model serves."), icon=":material/history:")
        return
    st.dataframe(heads(deployment_table(found.deployments, region)), hide_index=True)
    judged = {f"{made.generation}: {made.to_version}": made.verdict for made in found.deployments if made.verdict}
    if judged:
        with st.expander(say("What the gate said")):
            chosen = st.selectbox(say("Deployment"), list(judged), key="gate of deployment")
            rules = [{"name": rule.name, "met": rule.met, "text": rule.text} for rule in judged[chosen].rules]
            st.dataframe(heads(gate_table(rules)), hide_index=True)


def deployment_table(deployments: tuple[Deployment, ...], region: Region) -> pd.DataFrame:
    """Return one row per deployment: who, when, why, from, to."""
    return pd.DataFrame(
        [
            {
                "no.": made.generation,
                "when": local(made.at, region, "%d %b %Y %H:%M"),
                "what": say(made.action),
                "from": made.from_version or say("shipped seed model"),
                "to": made.to_version,
                "who": made.who,
                "why": made.why,
                "gate": say("not asked")
                if made.verdict is None
                else say("{count} rules met", count=len(made.verdict.rules)),
            }
            for made in deployments
        ]
    )


def trainings(found: History, region: Region) -> None:
    """Show how the trainings of the region ended, the newest first, those that changed nothing too."""
    if not found.runs:
        st.info(say("No training has ended yet."), icon=":material/history:")
        return
    st.dataframe(heads(training_table(found.runs, region)), hide_index=True)


def training_table(runs: tuple[Mapping[str, Any], ...], region: Region) -> pd.DataFrame:
    """Return one row per training: when, how it ended, why it was begun and by whom, and what decided."""
    return pd.DataFrame(
        [
            {
                "ended": local(run["at"], region, "%d %b %Y %H:%M"),
                "state": say(run["status"]),
                "algorithm": run["detail"]["algorithm"],
                "days": run["detail"]["days_back"],
                "trigger": say(run["detail"]["trigger"]),
                "who": run["detail"]["who"],
                "late": age(run["detail"]["late_s"]) if run["detail"]["late_s"] else "",
                "version": run["detail"]["version"] or say("none"),
                "what decided": " ".join(map(say, run["detail"]["reasons"])),
            }
            for run in runs
        ]
    )


def change(core: Core, now: Issue, found: History) -> None:
    """Let somebody who may do so promote a version or roll back, with a reason."""
    with st.popover(say("Promote or roll back"), icon=":material/swap_horiz:"):
        who = admin.allowed(core, "change")
        if who is None:
            return
        choices = [v.version for v in found.versions if v.refused is None and v.version != found.serves]
        why = st.text_input(say("Why (stands in the ledger)"), key="change why", max_chars=200)
        version = st.selectbox(say("Version"), choices, key="promote version") if choices else None
        with st.container(horizontal=True):
            promote = st.button(say("Promote"), key="promote", disabled=version is None)
            back = st.button(say("Roll back to the one before"), key="roll back")
        if promote or back:
            _changed(core, now, who, (version if promote else None, why))


def _changed(core: Core, now: Issue, who: str, asked: tuple[str | None, str]) -> None:
    version, why = asked
    region = now.forecast.region.id
    try:
        if version is None:
            core.lifecycle.roll_back(region, who, why)
        else:
            core.lifecycle.promote(version, region, who, why)
    except CloudburstError as error:
        components.refusal(error)
        return
    st.rerun()
