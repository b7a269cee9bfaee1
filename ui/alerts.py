"""Alerts on a page: what stands, who has seen it, what became of those before; and the banner on every page."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from core import (
    LADDER,
    LEVELS,
    Alert,
    AlertCounts,
    AlertOutcome,
    AlertRule,
    CloudburstError,
    Core,
    Issue,
    Region,
    RegionForecast,
    RiskLevel,
)
from ui import admin, components, login
from ui.language import current, say
from ui.shared import shared
from ui.words import event_text, local, plain

#: Sign and name of every outcome.
OUTCOMES: dict[AlertOutcome, tuple[str, str]] = {
    AlertOutcome.HIT: ("✓", "hit"),
    AlertOutcome.FALSE_ALARM: ("✕", "false alarm"),
    AlertOutcome.PENDING: ("…", "pending"),
    AlertOutcome.NOT_VERIFIABLE: ("○", "not verifiable"),
}
#: So many names stand in a banner.
NAMED = 4


def banner(core: Core, issue: RegionForecast) -> None:
    """Show on every page that alerts stand which nobody has acknowledged; nothing for stored weather."""
    if issue.replayed:
        return
    try:
        waiting = [alert for alert in core.alerts.standing(issue.region.id) if not alert.acknowledged]
    except CloudburstError as error:
        components.refusal(error)
        return
    if not waiting:
        return
    gravest = max((alert.level for alert in waiting), key=LADDER.index)
    names = sorted({place_name(alert) for alert in waiting})
    more = say(" and {n} more", n=len(names) - NAMED) if len(names) > NAMED else ""
    text = say(
        "**{n} alerts stand that nobody has acknowledged**, up to {level}: {names}{more}.",
        n=len(waiting),
        level=level_name(gravest),
        names=plain(", ".join(names[:NAMED])),
        more=more,
    )
    text += " " + say("See Alerts.")
    text += " " + say("Simulated weather.") if issue.simulated else ""
    (st.error if gravest is RiskLevel.RED else st.warning)(text, icon=":material/notifications_active:")


def level_name(level: RiskLevel) -> str:
    """Return sign and name of a level: never colour alone."""
    return f"{LEVELS[level].sign} {say(LEVELS[level].name)}".strip()


def place_name(alert: Alert) -> str:
    """Return the name of an alert's district."""
    return alert.area or say("places outside every district")


def rule_text(rule: AlertRule) -> str:
    """Return a rule in words."""
    if rule.threshold is None:
        what = say("level {level} or above", level=level_name(rule.level))
    else:
        chance = current().percent(rule.threshold)
        what = say("P({event}) of {chance} or more", event=event_text(rule.event), chance=chance)
    text = say("{what} in {n} issues in a row; ends after {m} below", what=what, n=rule.persistence, m=rule.ends_after)
    return text + (say(", by {share}", share=current().percent(rule.margin)) if rule.margin else "")


def standing(core: Core, now: Issue) -> None:
    """Show what stands now, since when, and who has seen it."""
    region = now.forecast.region
    alerts = tuple(sorted(core.alerts.standing(region.id), key=lambda a: LADDER.index(a.level), reverse=True))
    if not alerts:
        st.success(say("No alert stands."), icon=":material/check_circle:")
        return
    st.dataframe(standing_table(alerts, region), hide_index=True)
    _acknowledge(core, alerts)


def standing_table(alerts: tuple[Alert, ...], region: Region) -> pd.DataFrame:
    """Return one row per alert that stands."""
    return pd.DataFrame(
        [
            {
                say("level"): level_name(alert.level),
                say("district"): place_name(alert),
                say("since"): local(alert.begun, region),
                say("highest probability"): current().percent(alert.probability),
                say("event"): event_text(alert.event),
                say("places"): len(alert.places),
                say("acknowledged"): _seen_by(alert),
                say("said by"): said_by(alert),
            }
            for alert in alerts
        ]
    )


def _seen_by(alert: Alert) -> str:
    if not alert.acknowledged:
        return say("by nobody")
    last = alert.acknowledged[-1]
    return f"{last.who}: {last.why}"


def said_by(alert: Alert) -> str:
    """Return whose word raised an alert: a person's, or a model's."""
    return say("set by {who}", who=alert.said_by) if alert.said_by else alert.model_version or "–"


def _acknowledge(core: Core, alerts: tuple[Alert, ...]) -> None:
    with st.popover(say("Acknowledge"), icon=":material/how_to_reg:"):
        if admin.allowed(core, "acknowledge") is None:
            return
        by_id = {alert.id: alert for alert in alerts}
        with st.form("acknowledge", border=False):
            chosen = st.multiselect(
                say("Alerts"),
                list(by_id),
                default=[a.id for a in alerts if not a.acknowledged],
                format_func=lambda i: f"{level_name(by_id[i].level)} {place_name(by_id[i])}",
            )
            who, why = who_and_why("acknowledge")
            sent = st.form_submit_button(say("Acknowledge"), type="primary")
    if sent:
        try:
            for one in chosen:
                core.alerts.acknowledge(by_id[one], who=who, why=why)
        except CloudburstError as error:
            components.refusal(error)
            return
        st.rerun()


def who_and_why(key: str) -> tuple[str, str]:
    """Ask for a name and a reason; whoever is logged in has one already."""
    who = st.text_input(say("Your name"), value=login.name() or "", key=f"{key} who", max_chars=80)
    why = st.text_input(say("Reason (stands in the ledger)"), key=f"{key} why", max_chars=200)
    return who, why


def history(core: Core, now: Issue) -> None:
    """Show the alerts of the last 30 days with what became of them."""
    region = now.forecast.region
    alerts = core.alerts.past.alerts(region.id)
    if not alerts:
        st.info(say("No alert was raised in the last 30 days."), icon=":material/history:")
    else:
        st.dataframe(history_table(alerts, region), hide_index=True)
    counts_of(_counted(core, region, version(core, now, alerts)))
    st.caption(say("Counted since {moment}.", moment=local(core.alerts.past.counted_since(region.id), region)))
    if core.verification.no_truth:
        st.caption(say("Nothing is measured here: alerts cannot be verified."))


def version(core: Core, now: Issue, known: tuple[object, ...]) -> str:
    """Return a text that changes when what became of the last 30 days must be counted anew."""
    return repr((core.settings.home, now.forecast.region.id, now.forecast.valid_from, known))


@shared(8)
def _counted(_core: Core, _region: Region, version: str) -> AlertCounts:  # noqa: ARG001 - the key
    """Return the counts of one version: a month of the ledger takes seconds to read."""
    return _core.alerts.past.counts(_region)


def history_table(alerts: tuple[Alert, ...], region: Region) -> pd.DataFrame:
    """Return one row per alert, the newest first."""
    return pd.DataFrame(
        [
            {
                say("raised"): local(alert.raised_at, region),
                say("ended"): say("stands") if alert.stands else local(alert.ended_at, region),
                say("level"): level_name(alert.level),
                say("district"): place_name(alert),
                say("outcome"): outcome_text(alert.outcome),
                say("highest probability"): current().percent(alert.probability),
                say("acknowledged"): _seen_by(alert),
                say("said by"): said_by(alert),
            }
            for alert in alerts
        ]
    )


def outcome_text(outcome: AlertOutcome) -> str:
    """Return sign and name of an outcome."""
    sign, name = OUTCOMES[outcome]
    return f"{sign} {say(name)}"


def counts_of(counts: AlertCounts) -> None:
    """Show how alerts did: counts, and the two shares with the numbers they rest on."""
    found = counts.outcomes
    with st.container(horizontal=True, gap="medium"):
        for label, value in (
            (say("Alerts"), counts.alerts),
            (say("Hits"), found[AlertOutcome.HIT]),
            (say("False alarms"), found[AlertOutcome.FALSE_ALARM]),
            (say("Misses"), len(counts.misses)),
            (say("Pending"), found[AlertOutcome.PENDING]),
            (say("Not verifiable"), found[AlertOutcome.NOT_VERIFIABLE]),
        ):
            st.metric(label, current().number(value), width="content")
        st.metric(say("False alarm ratio (n = {n})", n=counts.judged), _share(counts.far), width="content")
        st.metric(say("Probability of detection (n = {n})", n=counts.events), _share(counts.pod), width="content")


def misses(counts: AlertCounts, region: Region) -> None:
    """Show where and when the event happened while no alert stood."""
    if not counts.misses:
        return
    names = components.place_names(region.locations)
    rows = [
        {
            say("district"): miss.area or say("places outside every district"),
            say("windows from"): local(miss.begun, region),
            say("to"): local(miss.last, region),
            say("places"): ", ".join(names.get(place, place) for place in miss.places),
        }
        for miss in counts.misses
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)


def _share(value: float | None) -> str:
    return current().percent(math.nan if value is None else value) if value != 0 else "0 %"
