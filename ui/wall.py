"""The wall display of an operations room: whole pages in turn, on a screen that nobody touches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from ui import replay, session
from ui.language import say

#: Titles of the pages in their order; the others are for somebody who chooses.
ROTATION = ("Risk map", "Point", "Verification", "Quality", "Monitoring")
#: Seconds per page that are offered, and what an address may ask for at the least and at the most.
OFFERED, DEFAULT_S, LIMITS_S = (15, 30, 60, 120), 30, (5, 3600)
#: Keys of the session: how often the screen has turned, as the browser counts, and the seconds that were chosen.
TURNED, CHOSEN = "wall turned", "wall seconds"
STYLE = Path(__file__).with_suffix(".css")


def on() -> bool:
    """Say whether this session is a wall display: the address bar says so."""
    return session.WALL in st.query_params


def seconds() -> int:
    """Return how long a page stays, from the address bar; what is no number of seconds there counts as the default."""
    asked = st.query_params.get(session.WALL, "")
    shortest, longest = LIMITS_S
    return min(max(int(asked), shortest), longest) if asked.isdecimal() and len(asked) < 6 else DEFAULT_S


def frame(pages: Sequence[st.Page], page: st.Page) -> None:
    """Draw the line above the page of a wall display, and turn over when it is time; nothing on other screens."""
    if not on():
        return
    every = seconds()
    st.html(STYLE)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(
            say(
                "Wall display: **{title}**. A page stays for {every} s; {following} is next.",
                title=page.title,
                every=every,
                following=following(page.title),
            ),
            width="content",
        )
        st.button(say("End wall display"), icon=":material/close:", key="wall-end", on_click=end)
    # Not put off while something else redraws: a wall has nobody to disturb.
    turns = st_autorefresh(interval=every * 1000, debounce=False, key="wall turns")
    if turns != st.session_state.setdefault(TURNED, turns):
        st.session_state[TURNED] = turns
        _turn(pages, following(page.title))


def rotation() -> tuple[str, ...]:
    """Return the titles of the pages in turn, in the reader's language."""
    return tuple(say(title) for title in ROTATION)


def following(title: str) -> str:
    """Return the title of the page after this one, the first where this one is not in the rotation.

    Titles are those of the reader's language.

    >>> following("Risk map"), following("Monitoring"), following("Models")
    ('Point', 'Risk map', 'Risk map')
    """
    titles = rotation()
    after = titles.index(title) + 1 if title in titles else 0
    return titles[after % len(titles)]


def offer() -> None:
    """Let the forecaster make a wall display of this screen."""
    with st.popover(
        say("Wall display"), icon=":material/tv:", help=say("Whole pages in turn, for a screen nobody touches")
    ):
        st.segmented_control(
            say("Seconds per page"), OFFERED, default=DEFAULT_S, required=True, key=CHOSEN, help=", ".join(rotation())
        )
        st.button(say("Begin"), key="wall begin", type="primary", on_click=begin)


def begin() -> None:
    """Make a wall display of this screen, as chosen; it shows current weather."""
    replay.leave()
    st.query_params[session.WALL] = str(st.session_state[CHOSEN])


def end() -> None:
    """Give the screen back to somebody who chooses."""
    st.query_params.pop(session.WALL, None)
    st.session_state.pop(TURNED, None)


def _turn(pages: Sequence[st.Page], title: str) -> None:
    """Show another page of the same region, the point page where the risk is highest now."""
    st.session_state.pop(session.PLACE, None)
    st.switch_page(next(page for page in pages if page.title == title), query_params=session.address())
