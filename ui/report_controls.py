"""What a reader of the page of reports asks for: kind, period, language, contents. It stands in the address bar.

The address holds keys, not words, so that it is the same in every language; what was chosen is kept from page to page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core import LANGUAGES, SECTIONS, Issue, ReportKind, ReportRequest, Section
from ui.language import current, say

KINDS = {
    ReportKind.BULLETIN: "Bulletin of the current issue",
    ReportKind.VERIFICATION: "Verification",
    ReportKind.QUALITY: "Quality of the data",
}
SECTION_NAMES = {
    Section.MAP: "Map",
    Section.DISTRICTS: "Districts",
    Section.PLACES: "Highest places",
    Section.DRIVERS: "Why",
    Section.SKILL: "How often such numbers came true",
    Section.QUALITY: "Quality of the data",
    Section.MEANT: "What the numbers meant",
    Section.SCORES: "Scores",
    Section.DIAGRAMS: "Diagrams",
    Section.GROUPS: "Parts of the cases",
    Section.METRICS: "Metrics",
    Section.VARIABLES: "By variable",
    Section.STATIONS: "By station",
    Section.TESTS: "By test",
    Section.LIMITS: "Limits",
}
#: Periods that end now, in days; the last entry asks for two dates.
PERIODS: dict[str, tuple[str, int | None]] = {
    "7": ("7 days", 7),
    "30": ("30 days", 30),
    "90": ("90 days", 90),
    "dates": ("from – to", None),
}
#: Names in the address bar, and the choices that stand in it only where they are others.
KIND, DAYS, SINCE, UNTIL, WRITTEN_IN = "report", "days", "since", "until", "in"
DEFAULT_DAYS = "30"
#: Before the names of what is kept from page to page, and of the widgets.
KEPT, WIDGET = "report chosen ", "report pick "


def ask(now: Issue) -> ReportRequest:
    """Let the forecaster choose kind, period, language and contents."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = ReportKind(_one(say("Report"), KIND, {one.value: say(name) for one, name in KINDS.items()}))
        codes = list(LANGUAGES)
        code = st.selectbox(
            say("Language of the report"), codes, index=codes.index(_asked(WRITTEN_IN, codes, current().code)),
            format_func=LANGUAGES.__getitem__, key=WIDGET + WRITTEN_IN + current().code, width=160,
        )  # fmt: skip
        _keep(WRITTEN_IN, code, current().code)
        period = None if kind is ReportKind.BULLETIN else _period(now)
    return ReportRequest(now.forecast.region.id, kind, period, code, _sections(kind))


def _one(label: str, name: str, words: dict[str, str], default: str | None = None) -> str:
    """Let the forecaster choose one of the keys of `words`; the first is the default where none is named."""
    usual = default or next(iter(words))
    picked = st.segmented_control(
        label, list(words), default=_asked(name, list(words), usual), required=True, key=WIDGET + name,
        format_func=words.__getitem__,
    )  # fmt: skip
    _keep(name, picked, usual)
    return picked


def _sections(kind: ReportKind) -> frozenset[Section] | None:
    """Let the forecaster choose the contents; masthead, warnings and foot are always there."""
    names, of_kind = [section.value for section in SECTIONS[kind]], f"{kind}_contents"
    asked = [name for name in _asked(of_kind, (), " ".join(names)).split(" ") if name in names]
    picked = st.pills(
        say("Contents"), names, selection_mode="multi", default=asked, key=WIDGET + of_kind,
        format_func=lambda name: say(SECTION_NAMES[Section(name)]),
        help=say("Masthead, warnings and foot are always there: when it was made, from which data, by which model."),
    )  # fmt: skip
    in_order = [name for name in names if name in picked]
    _keep(of_kind, " ".join(in_order), " ".join(names))
    return None if in_order == names else frozenset(Section(name) for name in in_order)


def _period(now: Issue) -> tuple[datetime, datetime]:
    """Let the forecaster choose a period that ends now, or two dates of the region; return its ends."""
    issued = now.forecast.issued_at.replace(minute=0, second=0, microsecond=0)
    words = {name: say(text) for name, (text, _) in PERIODS.items()}
    days = PERIODS[_one(say("Period"), DAYS, words, DEFAULT_DAYS)][1]
    if days is not None:
        return issued - timedelta(days=days), issued
    zone = ZoneInfo(now.forecast.region.time_zone)
    today = issued.astimezone(zone).date()
    first = _date(say("From"), SINCE, today - timedelta(days=6), today)
    last = _date(say("To (included)"), UNTIL, today, today)
    return datetime.combine(first, time(), zone), min(datetime.combine(last + timedelta(days=1), time(), zone), issued)


def _date(label: str, name: str, usual: date, latest: date) -> date:
    try:
        asked = date.fromisoformat(_asked(name, (), usual.isoformat()))
    except ValueError:
        asked = usual
    picked = st.date_input(label, value=min(asked, latest), max_value=latest, key=WIDGET + name, width=160)
    _keep(name, picked.isoformat(), usual.isoformat())
    return picked


def _asked(name: str, options: Sequence[str], usual: str) -> str:
    """Return what the address bar asks for, else what was chosen before; no options: anything."""
    asked = (st.query_params.get(name), st.session_state.get(KEPT + name))
    return next((str(one) for one in asked if one is not None and (not options or one in options)), usual)


def _keep(name: str, picked: str, usual: str) -> None:
    """Keep a choice for the session and let the address bar follow; what is usual is not kept and stands nowhere."""
    if picked == usual:
        st.session_state.pop(KEPT + name, None)
        st.query_params.pop(name, None)
    else:
        st.session_state[KEPT + name] = st.query_params[name] = picked
