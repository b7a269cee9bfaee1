"""What a reader of the quality page chooses: period, filters, one series. All of it stands in the address bar."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core import VARIABLES, Issue, Location, QualityReport
from ui import quality_tables
from ui.language import say
from ui.quality_tables import FLAG_OF, Choice

#: Periods that end now, in days; the last entry asks for two dates.
PERIODS: dict[str, int | None] = {"last day": 1, "7 days": 7, "30 days": 30, "from – to": None}
DEFAULT_PERIOD = "7 days"
#: Flags looked at first: hours of silence are many and stand in the heat map.
DEFAULT_FLAGS = ("fail", "suspect", "confirmed")
#: Keys of widgets, which are their names in the address bar.
PERIOD, FROM, TO = "period", "from", "to"
STATION, VARIABLE, TEST, FLAG = "station", "variable", "test", "flag"


def pick_period(now: Issue) -> tuple[datetime, datetime]:
    """Let the forecaster choose a period that ends now, or two dates of the region; return its ends (UTC)."""
    issued = now.forecast.issued_at.replace(minute=0, second=0, microsecond=0)
    zone = ZoneInfo(now.forecast.region.time_zone)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.segmented_control(
            say("Period"),
            list(PERIODS),
            default=DEFAULT_PERIOD,
            required=True,
            key=PERIOD,
            bind="query-params",
            format_func=say,
        )
        days = PERIODS[picked]
        if days is not None:
            return issued - timedelta(days=days), issued
        first, last = _dates(issued.astimezone(zone).date())
    begin = datetime.combine(first, time(hour=1), zone)  # hours are named by their end
    after = last + timedelta(days=1) if last >= first else last  # an end before the begin stays one: it is refused
    return begin, min(datetime.combine(after, time(), zone), issued)


def _dates(today: date) -> tuple[date, date]:
    """Return first and last day, both included; until both are chosen, the last week."""
    first = st.date_input(say("From"), value=None, max_value=today, key=FROM, bind="query-params", width=160)
    last = st.date_input(say("To (included)"), value=None, max_value=today, key=TO, bind="query-params", width=160)
    last = last if isinstance(last, date) else today
    return (first if isinstance(first, date) else last - timedelta(days=6)), last


def pick_flags(found: QualityReport) -> Choice:
    """Let the forecaster narrow the flags down; nothing chosen means all."""
    names = station_names(found.region.locations)
    columns = st.columns(4)
    with columns[0]:
        stations = _several(say("Stations"), list(names), STATION, names)
    with columns[1]:
        variables = _several(say("Variables"), list(VARIABLES), VARIABLE)
    with columns[2]:
        tests = _several(say("Tests"), quality_tables.checks(found), TEST)
    with columns[3]:
        flags = _several(say("Flags"), list(FLAG_OF), FLAG, default=DEFAULT_FLAGS)
    return Choice(stations, variables, tests, flags)


def _several(
    label: str, options: list[str], name: str, words: dict[str, str] | None = None, default: tuple[str, ...] = ()
) -> tuple[str, ...]:
    said = {option: say(option) for option in options} if words is None else words
    if not set(st.session_state.get(name, ())) <= set(options):  # what another region left behind
        st.session_state.pop(name)
    picked = st.multiselect(
        label,
        options,
        list(default),
        format_func=lambda o: said[o],
        key=name,
        bind="query-params",
        placeholder=say("all"),
    )
    return tuple(str(option) for option in picked)


def station_names(places: tuple[Location, ...]) -> dict[str, str]:
    """Return id and name of stations by name; a name that two of them bear is followed by the id."""
    names = [place.name for place in places]
    ordered = sorted(places, key=lambda place: (place.name, place.id))
    return {p.id: p.name if names.count(p.name) == 1 else f"{p.name} ({p.id})" for p in ordered}


def pick_one(label: str, options: list[str], first: str, name: str, words: dict[str, str] | None = None) -> str:
    """Let the reader choose one of `options`; what another region left behind is forgotten."""
    said = {option: say(option) for option in options} if words is None else words
    if st.session_state.get(name) not in options:
        st.session_state.pop(name, None)
    return st.selectbox(
        label, options, index=options.index(first), format_func=lambda o: said[o], key=name, bind="query-params"
    )
