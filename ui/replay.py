"""The replay control: stored weather as known then, on every page, and one click back to live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from core import CloudburstError, ConfigurationError, Core, Issue, Region, ReplayWindow
from ui.language import say
from ui.words import day, local, plain, source

#: Names in the address bar.
FILE, WINDOW, AT = "replay", "window", "at"
#: What the session remembers: the choice, and the house as it stood then.
CHOSEN, MADE, SLIDER = "replay chosen", "replay made", "replay time"
STEPS_H = (-6, -1, 1, 6)
#: Places that a window's entry names one by one.
SHOWN = 3
CREDIT = "Weather data by [Open-Meteo.com](https://open-meteo.com/), CC BY 4.0."
FORM = "%d %b %Y %H:%M"


@dataclass(frozen=True)
class Choice:
    """A file of stored weather, a window in it and a moment; empty or None: the first window, its middle."""

    file: str
    window: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Then:
    """The house as it stood at the moment chosen, its issue, and the window that it is from."""

    choice: Choice
    window: ReplayWindow
    house: Core
    issue: Issue


def chosen() -> Choice | None:
    """Return what the address bar asks for, else what this session shows; None where it is live."""
    if FILE in st.query_params:
        asked = st.query_params
        choose(Choice(asked[FILE], asked.get(WINDOW, ""), _moment(asked.get(AT, ""))))
    choice: Choice | None = st.session_state.get(CHOSEN)
    if choice is not None:
        st.query_params.update(address())
    return choice


def choose(choice: Choice) -> None:
    """Show stored weather from now on."""
    st.session_state[CHOSEN] = choice
    st.query_params.update(address())


def leave() -> None:
    """Go back to live weather."""
    for key in (CHOSEN, MADE):
        st.session_state.pop(key, None)
    for key in (FILE, WINDOW, AT):
        st.query_params.pop(key, None)


def address() -> dict[str, str]:
    """Return the replay as it stands in the address bar, so that it can be shared; nothing where it is live."""
    choice: Choice | None = st.session_state.get(CHOSEN)
    if choice is None:
        return {}
    at = {} if choice.at is None else {AT: f"{choice.at:%Y-%m-%dT%H:%MZ}"}
    return {FILE: choice.file, **({WINDOW: choice.window} if choice.window else {}), **at}


def offer(core: Core) -> None:
    """Draw the control where there is stored weather to be replayed, else nothing."""
    files = core.replays.offered()
    if not files:
        return
    with st.popover(say("Replay"), icon=":material/history:", help=say("Stored weather as it was known then")):
        file = st.selectbox(say("Stored weather"), files, key="replay file") if len(files) > 1 else files[0]
        try:
            windows = {window.id: window for window in core.replays.windows(file)}
        except CloudburstError as error:
            st.error(plain(say(str(error))))
            return
        window = st.selectbox(
            say("Window"), list(windows), format_func=lambda i: _about(windows[i]), key="replay window", width=440
        )
        st.button(
            say("Show it as known then"),
            key="replay start",
            type="primary",
            on_click=choose,
            args=(Choice(file, window),),
        )


def then(core: Core, choice: Choice) -> Then:
    """Return the house as it stood at the moment chosen; the same one until another is chosen.

    Raises
    ------
    CloudburstError
        If there is no such file, window or moment, or it cannot be read.
    """
    window = _window(core.replays.windows(choice.file), choice.window)
    begin, end = window.periods()[0]
    at = choice.at or begin + timedelta(hours=(end - begin) // timedelta(hours=2))
    whole = Choice(choice.file, window.id, at)
    if whole != choice:
        choose(whole)
    made: Then | None = st.session_state.get(MADE)
    if made is None or made.choice != whole or made.window is not window:
        house = core.as_known(window, at)
        made = st.session_state[MADE] = Then(whole, window, house, house.issue(window.id))
    return made


def banner(now: Then) -> None:
    """Say that this is a replay, and let the forecaster go through time or back to live."""
    issue = now.issue.forecast
    at, region = issue.issued_at, issue.region
    own = "" if region.time_zone == "UTC" else f" ({local(at, region, FORM)})"
    st.error(
        say(
            "### REPLAY: as known at {at} UTC{own}; not current weather\n{source}, {region}. Recorded nowhere; ages "
            "count from then.",
            at=day(at, FORM),
            own=own,
            source=plain(source(issue.source_text)),
            region=plain(region.name),
        ),
        icon=":material/history:",
    )
    if ":" not in issue.source:  # a table, of which nobody knows what made it
        st.caption(
            say("Hours that do not say when they arrived count as known at their end; a reanalysis was made later.")
        )
    if ":open-meteo" in issue.source:
        st.caption(say(CREDIT))
    begin, end = now.window.periods()[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(say("Back to live"), key="replay leave", type="primary", icon=":material/sensors:", on_click=leave)
        for hours in STEPS_H:
            moment = at + timedelta(hours=hours)
            st.button(
                f"{hours:+d} h".replace("-", "−"), key=f"replay step {hours}", on_click=_go, args=(moment,),
                disabled=not begin <= moment <= end,
            )  # fmt: skip
        _slider(at, begin, end)


def stranded() -> None:
    """Offer the way back where a replay cannot be shown."""
    st.error(say("### REPLAY that cannot be shown; this is not current weather"), icon=":material/history:")
    st.button(say("Back to live"), key="replay leave", type="primary", icon=":material/sensors:", on_click=leave)


def beside() -> None:
    """Say on a page of the house itself that the other pages show a replay."""
    st.warning(say("Other pages show a REPLAY of stored weather. This page shows the house as it is now."))
    st.button(say("Back to live"), key="replay leave", icon=":material/sensors:", on_click=leave)


def _slider(at: datetime, begin: datetime, end: datetime) -> None:
    """Draw the hours of the window; Streamlit's slider knows no zones, so its moments are UTC without saying so."""
    if begin < end:
        st.session_state[SLIDER] = at.replace(tzinfo=None)
        st.slider(
            say("As known at (UTC)"), begin.replace(tzinfo=None), end.replace(tzinfo=None), step=timedelta(hours=1),
            format="D MMM YYYY HH:mm", key=SLIDER, on_change=_slid,
        )  # fmt: skip


def _slid() -> None:
    _go(st.session_state[SLIDER].replace(tzinfo=UTC))


def _go(at: datetime) -> None:
    choice: Choice = st.session_state[CHOSEN]
    choose(replace(choice, at=at))


def _window(windows: Sequence[ReplayWindow], window_id: str) -> ReplayWindow:
    found = [window for window in windows if window.id == window_id or not window_id]
    if not found:
        raise ConfigurationError("There is no such stored window.", hint="Go back to live and choose another.")
    return found[0]


def _about(window: ReplayWindow) -> str:
    begin, end = window.periods()[0]
    region: Region = window.regions()[0]
    names = ", ".join(place.name for place in region.locations)
    return say(
        "{begin} to {end}: {names}",
        begin=day(begin, "%d %b"),
        end=day(end, "%d %b %Y"),
        names=names if len(region.locations) <= SHOWN else region.name,
    )


def _moment(text: str) -> datetime | None:
    """Return the moment of an address, the hour at or before it; None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(minute=0, second=0, microsecond=0)
