"""Levels that people set: the form that sets one, and how they did beside the model."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import streamlit as st

from core import (
    LADDER,
    CloudburstError,
    Core,
    Issue,
    LevelScore,
    Override,
    Region,
    RegionForecast,
    RiskLevel,
    Scope,
    districts_of,
)
from ui import admin, alerts, components
from ui.language import current, say
from ui.shared import shared
from ui.words import local

#: So many hours a level may be set for.
HOURS = (1, 48)


def panel(core: Core, now: Issue) -> None:
    """Show the levels that people set, and let whoever may do so set or withdraw one."""
    region = now.forecast.region
    standing = core.alerts.levels.standing(region.id)
    if standing:
        st.dataframe(_table(now.forecast, standing), hide_index=True)
    else:
        st.caption(say("Every level shown is the model's own."))
    with st.popover(say("Set a level"), icon=":material/edit_note:"):
        if admin.allowed(core, "override") is not None:
            _form(core, now)
            if standing:
                _withdraw(core, now, standing)


def _table(issue: RegionForecast, standing: tuple[Override, ...]) -> pd.DataFrame:
    names = components.place_names(issue.region.locations)
    return pd.DataFrame(
        [
            {
                say("where"): names.get(one.target, one.target),
                say("level"): alerts.level_name(one.level),
                say("the model says"): _model_level(issue, one),
                say("who"): one.who,
                say("reason"): one.why,
                say("until"): local(one.until, issue.region),
            }
            for one in standing
        ]
    )


def _model_level(issue: RegionForecast, one: Override) -> str:
    """Return the gravest level of the model where an override holds."""
    own = [f.override.model_level for f in issue.forecasts if f.override is not None and f.override.id == one.id]
    known = [level for level in own if level in LADDER]
    return alerts.level_name(max(known, key=LADDER.index) if known else RiskLevel.UNKNOWN)


def _form(core: Core, now: Issue) -> None:
    region = now.forecast.region
    scopes = {Scope.DISTRICT: say("a district"), Scope.PLACE: say("a place")}
    scope = st.radio(say("Of"), list(scopes), format_func=lambda i: scopes[i], horizontal=True, key="override scope")
    names = components.place_names(region.locations)
    if scope is Scope.DISTRICT:
        names = {name: name for name in sorted(set(districts_of(region)) - {""})}
    with st.form("override", border=False):
        target = st.selectbox(say("Where"), list(names), format_func=lambda i: names[i], key=f"override {scope}")
        level = st.selectbox(say("Level"), LADDER, 2, format_func=alerts.level_name, key="override level")
        hours = st.number_input(say("For hours"), *HOURS, 6, key="override hours")
        who, why = alerts.who_and_why("override")
        sent = st.form_submit_button(say("Set this level"), type="primary")
    if sent:
        until = core.clock() + timedelta(hours=int(hours))
        try:
            core.alerts.levels.set_level(region, (scope, target or ""), level, until, who=who, why=why)
        except CloudburstError as error:
            components.refusal(error)
            return
        st.rerun()


def _withdraw(core: Core, now: Issue, standing: tuple[Override, ...]) -> None:
    names = components.place_names(now.forecast.region.locations)
    by_id = {one.id: f"{names.get(one.target, one.target)}: {alerts.level_name(one.level)}" for one in standing}
    chosen = st.selectbox(say("Set so far"), list(by_id), format_func=lambda i: by_id[i], key="override withdrawn")
    if st.button(say("Withdraw"), key="withdraw"):
        core.alerts.levels.withdraw(next(one for one in standing if one.id == chosen))
        st.rerun()


def scores(core: Core, now: Issue) -> None:
    """Show how the levels of people did over the last 30 days, and the model's own on the same places and hours."""
    standing = core.alerts.levels.standing(now.forecast.region.id)
    found = _scored(core, now.forecast.region, alerts.version(core, now, standing))
    if not found:
        st.caption(say("Nobody set a level in the last 30 days: nothing to compare with the model."))
        return
    st.dataframe(score_table(found), hide_index=True)
    st.caption(
        say(
            "Places and hours with a level that somebody set; a warning is orange or above. Each is scored as it stood."
        )
    )


@shared(8)
def _scored(_core: Core, _region: Region, version: str) -> tuple[LevelScore, ...]:  # noqa: ARG001 - the key
    """Return the scores of one version: a month of the ledger takes seconds to read."""
    return _core.alerts.past.level_scores(_region)


def score_table(found: tuple[LevelScore, ...]) -> pd.DataFrame:
    """Return one row for the model and for every person."""
    number = current().number
    return pd.DataFrame(
        [
            {
                say("said by"): one.who or say("the model"),
                say("hits"): number(one.hits),
                say("false alarms"): number(one.false_alarms),
                say("misses"): number(one.misses),
                say("rightly no warning"): number(one.correct),
                say("pending"): number(one.pending),
            }
            for one in found
        ]
    )
