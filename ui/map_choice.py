"""What a reader of the map asks for: layer, threshold, hours ahead, time, outlines. It stands in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core import DEFAULT_WINDOW, EVENTS, TARGET, WINDOWS, EventDefinition, RegionForecast, Window, events_in
from ui.language import current, say
from ui.map_layers import LAYERS, LEVEL, PROBABILITY, layer_name
from ui.shared import shared
from ui.words import event_text

#: Keys of widgets, which are their names in the address bar.
LAYER, THRESHOLD, HOURS, TIME, OUTLINES = "layer", "threshold", "ahead", "time", "outlines"
#: Hours of the past day.
PAST_H = 24
#: Window of the current issue that is shown first, by its name in the address.
NOW = f"{DEFAULT_WINDOW.begin_h}-{DEFAULT_WINDOW.end_h}"
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
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="map-controls"):
        recall(LAYER, LAYERS, LEVEL)
        layer = st.selectbox(say("Show"), LAYERS, format_func=layer_name, key=LAYER, width=170, filter_mode=None)
        recall(HOURS, tuple(windows), NOW)
        ahead = st.selectbox(
            say("Within"), list(windows), key=HOURS, format_func=_window_text, on_change=_hours_changed, width=120,
            filter_mode=None,
        )  # fmt: skip
        event = _pick_event(windows[ahead])
        recall(OUTLINES, (True, False), True)
        outlines = st.toggle(say("Districts"), key=OUTLINES)
    time = _pick_time(issue, list(hours), list(windows))
    remember({LAYER: LEVEL, HOURS: NOW, THRESHOLD: TARGET.key, TIME: ahead, OUTLINES: True})
    return Choice(layer, event, hours.get(time), outlines)


def recall(key: str, options: Sequence[object], default: object) -> None:
    """Choose for a widget that is about to be drawn what the address says, else what was chosen before.

    Widgets forget what was chosen when another page is looked at, and Streamlit's own binding would write the labels of
    one language into the address.
    """
    asked = {str(option): option for option in options}
    if key not in st.session_state:
        kept = st.session_state.get(KEPT, {})
        st.session_state[key] = asked.get(st.query_params.get(key, ""), kept.get(key, default))
    if st.session_state[key] not in options:
        st.session_state[key] = default


def remember(defaults: Mapping[str, object]) -> None:
    """Write what was chosen into the address, and down for the way back from another page."""
    chosen = {key: st.session_state[key] for key in defaults}
    st.session_state[KEPT] = {**st.session_state.get(KEPT, {}), **chosen}
    for key, default in defaults.items():
        if chosen[key] != default:
            st.query_params[key] = str(chosen[key])
        elif key in st.query_params:
            del st.query_params[key]


def windows_of(issue: RegionForecast) -> tuple[Window, ...]:
    """Return the windows that the issue speaks of, by begin and end; those of observations where it speaks of none."""
    found = _windows(issue.version, issue)
    return tuple(sorted(found | {DEFAULT_WINDOW})) if found - {DEFAULT_WINDOW} else WINDOWS


@shared(24)
def _windows(version: str, _issue: RegionForecast) -> frozenset[Window]:  # noqa: ARG001 - version keys the cache
    curves = (curve for forecast in _issue.forecasts for curve in (forecast.exceedance, *forecast.others))
    begins = {(curve.events[0].begin_h, curve.events[0].window_h) for curve in curves}
    return frozenset(Window(begin_h, begin_h + hours) for begin_h, hours in begins)


def past_hours(issue: RegionForecast) -> tuple[datetime, ...]:
    """Return the hours of the past day, the oldest first."""
    return tuple(issue.valid_from - timedelta(hours=back) for back in range(PAST_H, 0, -1))


def _pick_event(window: Window) -> EventDefinition:
    """Let the forecaster choose the rain; an amount has the same name in every window."""
    events = dict(zip((event.key for event in EVENTS), events_in(window), strict=False))
    recall(THRESHOLD, tuple(events), TARGET.key)
    texts = {event.key: event_text(event) for event in EVENTS}
    chosen = st.selectbox(
        say("Rain"), list(events), format_func=texts.__getitem__, key=THRESHOLD, width=160, filter_mode=None
    )
    return events[str(chosen)]


def _pick_time(issue: RegionForecast, hours: Sequence[str], windows: Sequence[str]) -> str:
    """Draw the slider: the past day hour by hour, then the windows ahead; it moves with the window chosen."""
    zone = ZoneInfo(issue.region.time_zone)

    def text(option: str) -> str:
        if option in windows:
            return say("now: {window}", window=_window_text(option))
        return current().moment(_moment(option), zone, "d MMM HH:mm")

    recall(TIME, (*hours, *windows), NOW)
    if st.session_state[TIME] in windows:  # both say the same, whoever was asked by the address
        st.session_state[TIME] = st.session_state[HOURS]
    return str(
        st.select_slider(
            say("Time: the past day, and the hours ahead"), [*hours, *windows], key=TIME, format_func=text,
            on_change=_time_changed, args=(tuple(windows),), help=say(TIME_HELP),
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


def _name(window: Window) -> str:
    return f"{window.begin_h}-{window.end_h}"


def _window_text(name: str) -> str:
    return f"{name.replace('-', '–')} h"


def _moment(option: str) -> datetime:
    return datetime.strptime(option, "%Y-%m-%dT%HZ").replace(tzinfo=UTC)
