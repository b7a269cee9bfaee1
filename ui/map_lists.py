"""The lists beside the map: districts and places by risk, and in words what changed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import streamlit as st

from core import (
    LADDER,
    LEVELS,
    Changes,
    CloudburstError,
    Core,
    EventDefinition,
    RegionForecast,
    RiskLevel,
    Standing,
    districts_in,
)
from ui import map_choice, map_times
from ui.language import current, say
from ui.map_layers import Picture
from ui.map_times import LAST_ISSUE, LAST_LOOK, SINCE
from ui.people import set_by
from ui.shared import shared
from ui.words import event_text, local, plain

#: Places of the list, and those that a sentence names.
MOST_PLACES, NAMED = 20, 5


def shown(core: Core, issue: RegionForecast, seen: map_times.View) -> str | None:
    """Show the lists; return the place that was chosen in one, None where none was."""
    districts, places, changed = st.tabs([say("Districts"), say("Places"), say("What changed")])
    chosen = None
    if seen.picture is not None:
        with districts:
            st.dataframe(_district_table(seen.key, seen.picture), hide_index=True, height=520)
        with places:
            chosen = _places(seen.key, seen.picture)
    with changed:
        changes(core, issue)
    return chosen


@shared(24)
def _district_table(key: tuple[str, ...], _picture: Picture) -> pd.DataFrame:  # noqa: ARG001 - keys the cache
    return district_table(_picture.standing, _picture.event)


@shared(24)
def _place_table(key: tuple[str, ...], _picture: Picture) -> tuple[list[int], pd.DataFrame]:  # noqa: ARG001
    order = ranked(_picture.standing, _picture.event)[:MOST_PLACES]
    return order, place_table(_picture.standing, _picture.event, order)


def _places(key: tuple[str, ...], picture: Picture) -> str | None:
    order, table = _place_table(key, picture)
    ticked = st.dataframe(
        table, hide_index=True, height=520, on_select="rerun", selection_mode="single-row", key="map places"
    )
    st.caption(say("Tick a place, by keyboard with Shift and Space, to see its forecast and its observations."))
    rows = ticked.selection.rows
    return picture.region.locations[order[rows[0]]].id if rows else None


def ranked(standing: Standing, event: EventDefinition) -> list[int]:
    """Return the places by falling probability, then by falling level, unknown ones last; by position."""
    chance = np.nan_to_num(standing.probability_of(event), nan=-1.0)
    return [int(i) for i in np.lexsort((-standing.step, -chance))]


def place_table(standing: Standing, event: EventDefinition, order: list[int]) -> pd.DataFrame:
    """Return one row per place."""
    chance = standing.probability_of(event)
    return pd.DataFrame(
        {
            say("place"): [standing.region.locations[i].name for i in order],
            say("level"): [level_text(standing.level(i)) + set_by(standing.overrides.get(i)) for i in order],
            event_text(event): [current().percent(chance[i]) for i in order],
        }
    )


def district_table(standing: Standing, event: EventDefinition) -> pd.DataFrame:
    """Return one row per district, the gravest first."""
    rows = [
        {
            say("district"): district.name or say("outside all districts"),
            say("level"): level_text(district.level),
            event_text(event): current().percent(district.probability),
            say("places that warn"): say("{n} of {all}", n=_warning(district.counts), all=district.places),
        }
        for district in districts_in(standing, event)
    ]
    return pd.DataFrame(rows)


def _warning(counts: object) -> int:
    return sum(counts[level] for level in LADDER[1:])  # type: ignore[index]


def level_text(level: RiskLevel) -> str:
    """Return sign and name of a level."""
    style = LEVELS[level]
    return f"{style.sign} {say(style.name)}".strip()


def changes(core: Core, issue: RegionForecast) -> None:
    """Say what changed since the last issue, or since the forecaster's last look."""
    names = {LAST_ISSUE: say("the last issue"), LAST_LOOK: say("my last look")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        map_choice.recall(SINCE, tuple(names), LAST_ISSUE)
        since = st.segmented_control(
            say("Compared with"), list(names), required=True, format_func=names.__getitem__, key=SINCE
        )
        map_choice.remember({SINCE: LAST_ISSUE})
        if since == LAST_LOOK:
            help_text = say("From now on compare with this issue.")
            st.button(say("Seen"), on_click=map_times.seen_now, args=(issue,), help=help_text)
    map_times.since_look(issue)  # the first issue of a session counts as seen, whatever it is compared with
    try:
        found = map_times.compared(core, issue)
    except CloudburstError as error:
        st.warning(plain(str(error)), icon=":material/history_toggle_off:")
        return
    if found is None:
        st.info(say("No earlier issue of the past day is recorded: there is nothing to compare with."))
        return
    for sentence in sentences(found):
        st.markdown(sentence)
    rows = change_table(found)
    if len(rows):
        st.dataframe(rows, hide_index=True, height="content")


def sentences(found: Changes) -> list[str]:
    """Return in words, as Markdown, since when and what changed."""
    zone = ZoneInfo(found.after.region.time_zone)
    when = current().moment(found.before.issued_at, zone)
    if found.before is found.after:
        return [say("This is the issue that you looked at last, of {moment}.", moment=when)]
    said = [say("Compared with the issue of {moment}:", moment=when)]
    if found.none:
        return [*said, say("Every level is what it was.")]
    kinds: list[tuple[str, np.ndarray]] = [
        ("**{n} risen**: {places}", found.risen),
        ("**{n} fallen**: {places}", found.fallen),
        ("**{n} without data now, which is no all-clear**: {places}", found.lost),
        ("**{n} with data again**: {places}", found.found),
    ]
    return said + [say(text, n=len(places), places=_named(found, places)) for text, places in kinds if len(places)]


def _named(found: Changes, places: np.ndarray) -> str:
    parts = [
        f"{plain(found.after.region.locations[i].name)} "
        f"({level_text(found.before.level(i))} → {level_text(found.after.level(i))})"
        for i in places[:NAMED].tolist()
    ]
    rest = len(places) - len(parts)
    return "; ".join(parts) + (say("; and {n} more", n=rest) if rest else "")


def change_table(found: Changes) -> pd.DataFrame:
    """Return one row per district in which a level changed."""
    return pd.DataFrame(
        [
            {
                say("district"): district.name or say("outside all districts"),
                say("risen"): district.risen,
                say("fallen"): district.fallen,
                say("no data now"): district.lost,
                say("data again"): district.found,
            }
            for district in found.by_district()
        ]
    )


def told(core: Core, issue: RegionForecast, seen: map_times.View) -> None:
    """Say below the map which time it shows, by which rule it is coloured, and what white and hatched means."""
    picture = seen.picture
    if picture is not None and seen.recorded:
        at = local(picture.standing.valid_from, issue.region), local(picture.standing.issued_at, issue.region)
        st.caption(say("**Past: valid from {valid}, as issued at {issued}.**", valid=at[0], issued=at[1]))
    st.caption(
        say("Rule: {rule}.", rule=plain(core.rule_of(issue.region)))
        + " "
        + say("A level is that of the first six hours. White and hatched: no data, which is not the same as no risk.")
        + " "
        + say("Click a cell, on a touch screen tap it twice, to see its forecast and its observations.")
    )
