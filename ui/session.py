"""The session: the core, the region in the forecaster's care, and its current issue."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st
import structlog

from core import Allowance, Core, Issue, Region, open_core
from ui import language, replay
from ui.language import say

REGION, PLACE, WALL = "region", "place", "wall"
#: How often an open page asks whether there is something new, and whether the house is well.
TICK = "10s"
#: Pages of all sessions together that are drawn anew in a second because there is a new issue. Two hundred that look
#: within one tick would wait for one another, and whoever asks the API for them: 95 of 100 draws took 2.7 s.
REDRAWS_PER_S = 8
#: Height of what stands in the place of a page until its issue is there.
OUTLINE_PX = 420

_redraws = Allowance(REDRAWS_PER_S, period_s=1.0)


def may_redraw() -> bool:
    """Say whether a page may be drawn anew for a new issue now; if not, it stays as it is until its next tick."""
    return _redraws.draw("all sessions").granted


def begin() -> None:
    """Give this run of the script an id of its own, which stands in every line that is logged on its way."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=uuid4().hex)
    language.begin()


def core() -> Core:
    """Return the one core of this process.

    Raises
    ------
    ConfigurationError
        If the settings do not hold; the shell shows it.
    """
    if not structlog.contextvars.get_contextvars():  # a fragment that runs alone, in a thread of its own
        begin()
    return open_core()


def region() -> Region:
    """Return the region of this session: from the address bar, else the default one."""
    ids = {r.id for r in core().regions()}
    asked = (st.query_params.get(REGION), st.session_state.get(REGION))
    found = core().region(next((r for r in asked if r in ids), core().default_region))
    st.session_state[REGION] = found.id
    return found


def pick_region() -> None:
    """Let the forecaster change the region where there are several; the address bar follows."""
    regions = {r.id: r.name for r in core().regions()}
    if len(regions) > 1:
        ids, now = list(regions), region().id
        picked = st.selectbox(
            say("Region"), ids, index=ids.index(now), format_func=lambda i: regions[i], key="region picker"
        )
        if picked != now:
            st.session_state[REGION] = picked
            st.query_params[REGION] = picked
            st.rerun()


def issue() -> Issue:
    """Return the current issue of the session's region, with a progress bar and an outline while it is being made."""
    room = st.empty()

    def told(done: float, text: str) -> None:
        with room.container():
            st.progress(min(done, 1.0), text=say("Preparing the forecast: {step}", step=say(text)))
            st.skeleton(OUTLINE_PX)

    try:
        return core().issue(region().id, told)
    finally:
        room.empty()


def choose_place(location_id: str) -> None:
    """Remember a place; the point page shows it."""
    st.session_state[PLACE] = location_id


def address() -> dict[str, str]:
    """Return region, place, wall display, language and replay as the address bar has them: a page can be shared."""
    chosen = {key: st.session_state[key] for key in (REGION, PLACE) if key in st.session_state}
    wall = {WALL: st.query_params[WALL]} if WALL in st.query_params else {}
    return chosen | wall | language.address() | replay.address()


def place(now: Issue) -> str:
    """Return the id of the chosen place: from the address bar, the session, else the one with the highest risk."""
    ids = {p.id for p in now.forecast.region.locations}
    for chosen in (st.query_params.get(PLACE), st.session_state.get(PLACE)):
        if chosen in ids:
            return str(chosen)
    return now.forecast.ranked()[0].location_id
