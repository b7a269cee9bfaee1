"""What is drawn at the time chosen: the current issue or a recorded one, and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st

from core import (
    DEFAULT_WINDOW,
    Changes,
    CloudburstError,
    Core,
    Issue,
    LookingBack,
    RegionForecast,
    Standing,
    Window,
    fallen_mm,
)
from ui import map_preview, maps
from ui.language import current, say
from ui.map_choice import Choice
from ui.map_layers import CHANGE, RAIN_H, Picture
from ui.shared import shared
from ui.words import plain

#: What the comparison is with, by names in the address.
SINCE, LAST_ISSUE, LAST_LOOK = "since", "issue", "look"
LOOKED = "map looked at"


@dataclass(frozen=True, eq=False)
class View:
    """The picture, the key of its figure, and why there is none; `recorded` is true of a past hour."""

    picture: Picture | None
    key: tuple[str, ...] = ()
    why: str = ""
    recorded: bool = False


def view(core: Core, now: Issue, choice: Choice) -> View:
    """Return what is to be shown."""
    issue = now.forecast
    if choice.hour is None:
        standing: Standing | None = _standing(issue.version, choice.window, issue)
        changes = _changes(core, issue, choice.window) if choice.layer == CHANGE else None
    else:
        try:
            standing, changes = LookingBack(core.forecasting).at(issue.region, choice.window, choice.hour), None
        except CloudburstError as error:
            return View(None, why=plain(str(error)), recorded=True)
    if standing is None:
        return View(None, why=_nothing(issue, choice), recorded=True)
    hours = RAIN_H.get(choice.layer)
    rain = None if hours is None else fallen_mm(now.checked.usable(), standing.valid_from, hours)
    picture = Picture(standing, choice.drawn, choice.event, changes, rain, choice.outlines)
    before = "" if changes is None else f"{changes.before.issued_at:%d%H%M%S}"
    stamp = f"{standing.valid_from:%Y%m%d%H}-{standing.issued_at:%d%H%M%S}"
    parts = (issue.version, stamp, choice.drawn, choice.event.key, str(choice.outlines), before, current().code)
    return View(picture, parts, recorded=choice.hour is not None)


def chart(core: Core, seen: View) -> str | None:
    """Draw the map; return the place that was clicked, None where none was."""
    if seen.picture is None:
        st.info(seen.why, icon=":material/history_toggle_off:")
        return None
    with st.container(key="map", gap=None):
        if not core.settings.tiles and (stand_in := map_preview.preview(seen.key, seen.picture)):
            st.html(stand_in)
        clicked = st.plotly_chart(
            maps.risk_map(seen.key, seen.picture, core.settings.tiles),
            key=f"map-{seen.picture.layer}",
            on_select="rerun",
            selection_mode="points",
            config={"scrollZoom": True, "displaylogo": False},
            alt=say("Map of the region: level or number of every cell"),
        )
    points = clicked.selection.points
    return str(points[0]["customdata"]) if points else None


def since_issue(core: Core, issue: RegionForecast, window: Window = DEFAULT_WINDOW) -> Changes | None:
    """Return what changed since the last issue that said something else, None where none is recorded.

    Raises
    ------
    ConfigurationError
        If the ledger does not answer.
    """
    before = LookingBack(core.forecasting).before(issue, window)
    return None if before is None else Changes(before, _standing(issue.version, window, issue))


def since_look(issue: RegionForecast, window: Window = DEFAULT_WINDOW) -> Changes:
    """Return what changed since the forecaster said "seen"; the first issue of a session counts as seen."""
    looked: dict[str, RegionForecast] = st.session_state.setdefault(LOOKED, {})
    before = looked.setdefault(issue.region.id, issue)
    if before.region.locations != issue.region.locations:
        before = looked[issue.region.id] = issue
    return Changes(_standing(before.version, window, before), _standing(issue.version, window, issue))


def seen_now(issue: RegionForecast) -> None:
    """Remember that the forecaster has seen this issue."""
    st.session_state.setdefault(LOOKED, {})[issue.region.id] = issue


def compared(core: Core, issue: RegionForecast, window: Window = DEFAULT_WINDOW) -> Changes | None:
    """Return what changed since whatever the forecaster compares with.

    Raises
    ------
    ConfigurationError
        If the ledger does not answer.
    """
    if st.session_state.get(SINCE) == LAST_LOOK:
        return since_look(issue, window)
    return since_issue(core, issue, window)


def _changes(core: Core, issue: RegionForecast, window: Window) -> Changes | None:
    try:
        return compared(core, issue, window)
    except CloudburstError:  # the list beside the map says why
        return None


def _nothing(issue: RegionForecast, choice: Choice) -> str:
    zone = ZoneInfo(issue.region.time_zone)
    if issue.replayed:
        return say("A replay of stored weather records nothing. Step through its time with the control above.")
    return say("Nothing was issued for {moment}.", moment=current().moment(choice.hour, zone))


@shared(24)
def _standing(version: str, window: Window, _issue: RegionForecast) -> Standing:  # noqa: ARG001 - version keys the cache
    return Standing.of(_issue, window)
