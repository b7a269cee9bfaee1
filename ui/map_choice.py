"""What a reader of the map asks for: layer, threshold, hours ahead, time, outlines. It stands in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core import DEFAULT_WINDOW, EVENTS, WINDOWS, EventDefinition, RegionForecast, Window, events_in
from ui.language import current, say
from ui.map_layers import LAYERS, LEVEL, PROBABILITY, layer_name

#: Keys of widgets, which are their names in the address bar.
LAYER, THRESHOLD, HOURS, TIME, OUTLINES = "layer", "threshold", "ahead", "time", "outlines"
KEYS = (LAYER, THRESHOLD, HOURS, TIME, OUTLINES)
#: Hours of the past day.
PAST_H = 24
KEPT = "map chosen"
TIME_HELP = (
    "Left: what was issued for each hour of the past day. Right: windows of the current issue; a window is not an hour."
)


@dataclass(frozen=True)
class Choice:
    """One event in its window, seen as one layer; `hour` is a past one, None for the current issue."""

    layer: str
    event: EventDefinition
    hour: datetime | None
    outlines: bool

    @property
    def window(self) -> Window:
        """The hours ahead."""
        return self.event.window

    @property
    def drawn(self) -> str:
        """The layer that is drawn: levels are those of the first six hours, of others there is the probability."""
        return PROBABILITY if self.layer == LEVEL and self.window != DEFAULT_WINDOW else self.layer


def pick(issue: RegionForecast) -> Choice:
    """Let the forecaster choose, in one row and a slider below it."""
    windows = {_name(window): window for window in windows_of(issue)}
    hours = {f"{at:%Y-%m-%dT%HZ}": at for at in past_hours(issue)}
    _restore({LAYER: LAYERS, HOURS: tuple(windows), TIME: (*hours, *windows)})
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        layer = st.selectbox(
            say("Show"), LAYERS, format_func=layer_name, key=LAYER, bind="query-params", width=170, filter_mode=None
        )
        ahead = _pick_hours(list(windows))
        event = _pick_event(windows[ahead])
        shown = st.toggle(say("Districts"), True, key=OUTLINES, bind="query-params")
    time = _pick_time(issue, list(hours), list(windows))
    st.session_state[KEPT] = {key: st.session_state[key] for key in KEYS}
    return Choice(layer, event, hours.get(time), shown)


def windows_of(issue: RegionForecast) -> tuple[Window, ...]:
    """Return the windows that the issue speaks of, by begin and end; those of observations where it speaks of none."""
    found = {curve.window for forecast in issue.forecasts for curve in forecast.curves}
    return tuple(sorted(found | {DEFAULT_WINDOW})) if found - {DEFAULT_WINDOW} else WINDOWS


def past_hours(issue: RegionForecast) -> tuple[datetime, ...]:
    """Return the hours of the past day, the oldest first."""
    return tuple(issue.valid_from - timedelta(hours=back) for back in range(PAST_H, 0, -1))


def _pick_hours(names: Sequence[str]) -> str:
    chosen = st.selectbox(
        say("Within"), names, index=names.index(_name(DEFAULT_WINDOW)), key=HOURS, bind="query-params",
        format_func=_window_text, on_change=_hours_changed, width=120, filter_mode=None,
    )  # fmt: skip
    return str(chosen)


def _pick_event(window: Window) -> EventDefinition:
    """Let the forecaster choose the rain; an amount has the same name in every window."""
    events = dict(zip((event.key for event in EVENTS), events_in(window), strict=False))
    _restore({THRESHOLD: tuple(events)})
    texts = {event.key: event.text for event in EVENTS}
    chosen = st.selectbox(
        say("Rain"), list(events), format_func=texts.__getitem__, key=THRESHOLD, bind="query-params", width=160,
        filter_mode=None,
    )  # fmt: skip
    return events[str(chosen)]


def _pick_time(issue: RegionForecast, hours: Sequence[str], windows: Sequence[str]) -> str:
    """Draw the slider: the past day hour by hour, then the windows ahead; it moves with the window chosen."""
    zone = ZoneInfo(issue.region.time_zone)

    def text(option: str) -> str:
        if option in windows:
            return say("now: {window}", window=_window_text(option))
        return current().moment(_moment(option), zone, "d MMM HH:mm")

    now = st.session_state.get(HOURS, _name(DEFAULT_WINDOW))
    if st.session_state.get(TIME, now) in windows and st.session_state.get(TIME, now) != now:
        st.session_state[TIME] = now
    return str(
        st.select_slider(
            say("Time: the past day, and the hours ahead"), [*hours, *windows], now, key=TIME, bind="query-params",
            format_func=text, on_change=_time_changed, args=(tuple(windows),),
            help=say(TIME_HELP),
        )
    )  # fmt: skip


def _hours_changed() -> None:
    """Let the slider go with the window, unless it stands in the past."""
    if "T" not in str(st.session_state.get(TIME, "")):
        st.session_state[TIME] = st.session_state[HOURS]


def _time_changed(windows: tuple[str, ...]) -> None:
    """Let the window go with the slider, unless that stands in the past."""
    if st.session_state[TIME] in windows:
        st.session_state[HOURS] = st.session_state[TIME]


def _restore(options: dict[str, Sequence[str]]) -> None:
    """Bring back what was chosen before another page was looked at; forget what is no longer there to choose."""
    kept = st.session_state.get(KEPT, {})
    for key, known in options.items():
        if key not in st.session_state and key not in st.query_params and kept.get(key) in known:
            st.session_state[key] = kept[key]
        if key in st.session_state and st.session_state[key] not in known:
            del st.session_state[key]


def _name(window: Window) -> str:
    return f"{window.begin_h}-{window.end_h}"


def _window_text(name: str) -> str:
    return f"{name.replace('-', '–')} h"


def _moment(option: str) -> datetime:
    return datetime.strptime(option, "%Y-%m-%dT%HZ").replace(tzinfo=UTC)
