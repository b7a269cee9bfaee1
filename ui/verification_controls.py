"""What a reader of the verification page asks for: window, event, period, model version. It stands in the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from core import EVENTS, WINDOWS, EventDefinition, Issue, VerifiedCases, Window, events_in
from ui.language import say
from ui.words import event_text, window_text

#: Periods that end now, in days; the last has no begin.
PERIODS: dict[str, int | None] = {"7 days": 7, "30 days": 30, "90 days": 90, "all": None}
DEFAULT_PERIOD = "30 days"
#: Events by their names in the address; an event has the same name in every window.
DEFAULT_WINDOW = "0-6"
EVENTS_BY_KEY: dict[str, EventDefinition] = {event.key: event for event in EVENTS}
ALL_VERSIONS = "all"
#: Keys of widgets, which are their names in the address bar.
WINDOW, EVENT, PERIOD, VERSION = "window", "event", "issued", "version"


@dataclass(frozen=True)
class Question:
    """One event in its window, forecasts valid from `since` on (None: all) and of one model version (None: all)."""

    event: EventDefinition
    since: datetime | None
    period: str
    version: str | None = None

    @property
    def text(self) -> str:
        """The event and its window in words."""
        return say("{text} within {text_2}", text=event_text(self.event), text_2=window_text(self.event.window))

    @property
    def period_text(self) -> str:
        """The period in words."""
        return say("so far") if self.since is None else say("in the last {period}", period=say(self.period))


def windows(now: Issue) -> dict[str, Window]:
    """Return the windows by their names in the address; those beyond 6 h where the current issue has them."""
    beyond = {curve.window for forecast in now.forecast.forecasts for curve in forecast.curves} - set(WINDOWS)
    return {f"{w.begin_h}-{w.end_h}": w for w in (*WINDOWS, *sorted(beyond))}


def pick(now: Issue) -> Question:
    """Let the forecaster choose window, event and period."""
    window_of = windows(now)
    _forget(WINDOW, list(window_of))
    window = st.segmented_control(
        say("Window"), list(window_of), default=DEFAULT_WINDOW, required=True, key=WINDOW, bind="query-params",
        format_func=lambda name: say("{n} h", n=name.replace("-", "–")),
    )  # fmt: skip
    events = _events(window_of[window])
    _forget(EVENT, list(events))
    event = st.segmented_control(
        say("Event"), list(events), default=next(iter(events)), required=True, key=EVENT, bind="query-params",
        format_func=lambda name: event_text(EVENTS_BY_KEY[name]),
    )  # fmt: skip
    period = st.segmented_control(
        say("Issued in the last"),
        list(PERIODS),
        default=DEFAULT_PERIOD,
        required=True,
        key=PERIOD,
        bind="query-params",
        format_func=say,
    )
    days = PERIODS[period]
    hour = now.forecast.issued_at.replace(minute=0, second=0, microsecond=0)
    return Question(events[event], None if days is None else hour - timedelta(days=days), period)


def pick_version(cases: VerifiedCases) -> str | None:
    """Let the forecaster choose one of the versions that issued these cases; None is all of them."""
    options = [ALL_VERSIONS, *cases.model_versions]
    _forget(VERSION, options)
    version = st.selectbox(say("Model version"), options, key=VERSION, bind="query-params", width=280, format_func=say)
    return None if version == ALL_VERSIONS else str(version)


def _events(window: Window) -> dict[str, EventDefinition]:
    """Return the events of a window by their names in the address."""
    names = {(event.threshold_mm, event.accumulation_h): event.key for event in EVENTS}
    return {names[event.threshold_mm, event.accumulation_h]: event for event in events_in(window)}


def _forget(name: str, options: list[str]) -> None:
    """Forget a choice that another window, period or region left behind."""
    if name in st.session_state and st.session_state[name] not in options:
        st.session_state.pop(name)
