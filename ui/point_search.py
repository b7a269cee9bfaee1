"""Which place: found by name, coordinates or from the list; it stands in the address bar."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import Core, Found, Issue, Match, Region, search
from ui import components, session
from ui.language import say
from ui.words import plain

#: Keys of the widgets, and what the session remembers: what the last search found.
SEARCH, PICKER, FOUND = "place search", "place picker", "place found"
#: The shell's picker of regions, which must follow when a place of another region is chosen.
REGION_PICKER = "region picker"


def ask(core: Core, now: Issue) -> str:
    """Let the forecaster search or choose a place; return its id. Address bar and session follow."""
    names = components.place_names(now.forecast.region.locations)
    asked = st.query_params.get(session.PLACE)
    chosen = session.place(now)
    regions = core.regions()
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        st.text_input(
            say("Find a place"), key=SEARCH, on_change=_seek, args=(regions,), icon=":material/search:",
            placeholder=say("Kedarnath, part of a name, or 30.73, 79.07"),
        )  # fmt: skip
    with right:
        st.session_state[PICKER] = chosen
        st.selectbox(say("Place"), list(names), format_func=lambda i: names[i], key=PICKER, on_change=_picked)
    _answer(regions)
    if asked is not None and asked not in names:
        st.info(
            say("The address names a place that this region does not have. Shown is the one with the highest risk."),
            icon=":material/wrong_location:",
        )
    session.choose_place(chosen)
    if asked != chosen:
        st.query_params[session.PLACE] = chosen
    return chosen


def go(region_id: str, location_id: str, found: Found | None = None) -> None:
    """Show another place from now on; of the search only `found` is still told."""
    st.session_state[session.REGION] = st.session_state[REGION_PICKER] = region_id
    if session.REGION in st.query_params:
        st.query_params[session.REGION] = region_id
    session.choose_place(location_id)
    st.query_params[session.PLACE] = location_id
    st.session_state[FOUND] = found


def _picked() -> None:
    session.choose_place(st.session_state[PICKER])
    st.query_params[session.PLACE] = st.session_state[PICKER]
    st.session_state[FOUND] = None


def _seek(regions: Sequence[Region]) -> None:
    """Look for what was typed; a single place is shown at once."""
    asked = st.session_state[SEARCH].strip()
    found = search(asked, regions) if asked else None
    st.session_state[FOUND] = found
    if found is not None and len(found.matches) == 1 and found.outside is None:
        go(found.matches[0].region.id, found.matches[0].place.id, found)


def _answer(regions: Sequence[Region]) -> None:
    """Say what the search found: the place that speaks, places to choose from, or that nothing is served there."""
    found: Found | None = st.session_state.get(FOUND)
    if found is None:
        return
    served = ", ".join(region.name for region in regions)
    if found.outside is not None:
        st.warning(
            say(
                "{name} lies outside every region. Served are: {regions}.",
                name=plain(found.name or found.asked),
                regions=plain(served),
            ),
            icon=":material/wrong_location:",
        )
    elif not found.matches:
        st.warning(
            say(
                "No place is called “{asked}”. Try a part of the name, or coordinates such as 30.73, 79.07. Served "
                "are: {regions}.",
                asked=plain(found.asked),
                regions=plain(served),
            ),
            icon=":material/search_off:",
        )
    elif len(found.matches) == 1:
        told = found.matches[0]
        what = found.asked if told.name == told.place.name else told.name
        st.caption(say("{name}: {place} speaks for it.", name=plain(what), place=plain(told.place.name)))
        return
    if found.matches:
        _choices(found.matches, several_regions=len(regions) > 1)


def _choices(matches: Sequence[Match], *, several_regions: bool) -> None:
    """Let the forecaster choose among the places that a name may mean."""
    st.caption(say("Which one is meant?"))
    with st.container(horizontal=True):
        for match in matches:
            name = match.name if match.name == match.place.name else f"{match.name} ({match.place.name})"
            st.button(
                plain(f"{name}, {match.region.name}" if several_regions else name),
                key=f"found {match.region.id} {match.place.id}",
                on_click=go,
                args=(match.region.id, match.place.id),
            )
