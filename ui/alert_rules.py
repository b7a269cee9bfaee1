"""Rules of alerts on a page: add, change and remove them, and what one would have done."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

from core import EVENTS, LADDER, AlertRule, CloudburstError, Core, Issue
from ui import admin, alerts, components, login
from ui.language import say
from ui.words import event_text, plain

#: Most issues in a row that a rule counts.
MOST = 24
NEW = ""


def rules(core: Core, now: Issue) -> None:
    """Show the rules of the region; whoever may do so changes them."""
    known = core.alerts.rules(now.forecast.region.id)
    if not known:
        st.warning(say("No rule: no alert is raised here."), icon=":material/notifications_off:")
    for rule in known:
        st.markdown(f"- {plain(alerts.rule_text(rule))}")
    with st.popover(say("Change rules"), icon=":material/tune:"):
        if admin.allowed(core, "alert rules") is not None:
            _edit(core, now, known)


def _edit(core: Core, now: Issue, known: tuple[AlertRule, ...]) -> None:
    by_id = {rule.id: rule for rule in known}
    chosen = st.selectbox(say("Rule"), [*by_id, NEW], format_func=lambda i: _title(by_id, i), key="rule chosen")
    rule = asked(now, by_id.get(chosen), f"edit {chosen}")
    who = st.text_input(say("Your name"), value=login.name() or "", key="rule who", max_chars=80)
    with st.container(horizontal=True):
        keep = st.button(say("Keep this rule"), type="primary", key="rule keep", disabled=rule is None)
        gone = st.button(say("Remove it"), key="rule remove", disabled=chosen == NEW)
    if (keep and rule is not None) or gone:
        try:
            if gone:
                core.alerts.remove_rule(by_id[chosen], who)
            elif rule is not None:
                core.alerts.set_rule(rule, who)
        except CloudburstError as error:
            components.refusal(error)
            return
        st.rerun()


def _title(by_id: dict[str, AlertRule], rule_id: str) -> str:
    return alerts.rule_text(by_id[rule_id]) if rule_id in by_id else say("a new rule")


def asked(now: Issue, before: AlertRule | None, key: str) -> AlertRule | None:
    """Ask for the parts of a rule; None, with the reason, where they make none."""
    start = before or AlertRule(f"rule-{uuid4().hex[:8]}", now.forecast.region.id)
    kinds = [say("by level"), say("by probability")]
    kind = st.radio(say("Raised"), kinds, int(start.threshold is not None), horizontal=True, key=f"{key} kind")
    level, threshold, event, margin = start.level, None, start.event, 0.0
    if kind == kinds[0]:
        level = st.selectbox(
            say("From level"),
            LADDER[1:],
            LADDER[1:].index(start.level),
            format_func=alerts.level_name,
            key=f"{key} level",
        )
    else:
        event = st.selectbox(
            say("Event"), EVENTS, EVENTS.index(start.event), format_func=event_text, key=f"{key} event"
        )
        before_percent = 100 * (start.threshold or 0.2)
        threshold = st.number_input(say("Probability of at least, %"), 0.1, 100.0, before_percent, key=f"{key} p") / 100
        margin = st.number_input(say("Below by, %"), 0.0, 99.0, 100 * start.margin, key=f"{key} margin") / 100
    persistence = st.number_input(say("Issues in a row"), 1, MOST, start.persistence, key=f"{key} persistence")
    ends_after = st.number_input(say("Ends after issues below"), 1, MOST, start.ends_after, key=f"{key} ends")
    try:
        return AlertRule(start.id, start.region_id, level, threshold, event, int(persistence), int(ends_after), margin)
    except ValueError as error:
        st.warning(plain(str(error)))
        return None


def dry_run(core: Core, now: Issue) -> None:
    """Let anybody see what a rule would have done over the last 30 days; nobody is told, nothing is kept."""
    region = now.forecast.region
    with st.expander(say("What would a rule have done over the past 30 days?"), icon=":material/labs:"):
        rule = asked(now, next(iter(core.alerts.rules(region.id)), None), "dry run")
        if rule is not None and st.button(say("Dry run"), icon=":material/play_arrow:", key="dry run"):
            with st.spinner(say("Leading the rule over what was issued")):
                counts = core.alerts.past.dry_run(region, rule)
            st.markdown(plain(alerts.rule_text(rule)))
            alerts.counts_of(counts)
            alerts.misses(counts, region)
            st.caption(
                say("By what the models gave then, one issue an hour. An event counts once per district and spell.")
            )


def trial(core: Core, now: Issue) -> None:
    """Let whoever may do so send a notice that says it is a trial."""
    with st.popover(say("Try the notification"), icon=":material/send:"):
        who = admin.allowed(core, "alert trial")
        if who is not None and st.button(say("Send a trial"), key="alert trial"):
            try:
                notice = core.alerts.trial(now.forecast, who)
            except CloudburstError as error:
                components.refusal(error)
                return
            st.success(say("Handed to the channels: {headline}", headline=plain(notice.headline)))
