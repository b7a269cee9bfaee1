"""The risk map: cells filled by one layer, outlines, signs, and a layer of spots for texts and clicks.

Drawn on plain longitude and latitude axes: no tile server, no fonts and no topology from anywhere.
"""

from __future__ import annotations

import html

import numpy as np
import plotly.graph_objects as go

from core import LADDER, LEVELS, Region, RiskLevel, events_in
from ui import map_tiles
from ui.finished import Finished
from ui.language import current, say
from ui.map_grid import Grid, Spots, grid_of
from ui.map_layers import CHANGE, HATCH_COLOUR, LEVEL, OUTLINE_COLOUR, RAIN_H, Picture, filled, hatching
from ui.people import set_by
from ui.shared import shared
from ui.words import event_text

__all__ = ["HATCH_COLOUR", "OUTLINE_COLOUR", "figure", "outlines", "risk_map"]

STALE_COLOUR = "#b9770e"
#: Pixels of the map, and of the largest and the smallest of its markers.
HEIGHT_PX, LARGEST_PX, SMALLEST_PX = 560, 18, 5


@shared(24)
def risk_map(key: tuple[str, ...], _picture: Picture, tiles: str = "") -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return the figure of a picture, shared by all sessions and treated as read-only.

    Parameters
    ----------
    key
        What names the picture, and the language of its words: the key of the cache.
    tiles
        Template of the addresses of a base map's tiles; empty: none, and no network.
    """
    return Finished(figure(_picture, tiles))


def figure(picture: Picture, tiles: str = "") -> go.Figure:
    """Return the figure of a picture; the last of its traces carries the clicks."""
    grid = grid_of(picture.region)
    spots = Spots.on(grid, picture.standing)
    texts = [_text(picture, int(place), int(of)) for place, of in zip(spots.place, spots.of, strict=True)]
    if tiles:
        return map_tiles.figure(picture, grid, spots, texts, tiles)
    made = go.Figure(filled(grid, picture))
    made.add_trace(hatching(grid, ~np.isfinite(picture.values)))
    if picture.outlines:
        made.add_trace(outlines(picture.region))
    made.add_traces([_signs(picture, grid, spots, level) for level in LADDER[1:]])
    made.add_trace(_stale(picture, grid, spots))
    if picture.layer == LEVEL:
        made.add_traces(_legend(picture))
    made.add_trace(_click_layer(picture, grid, spots, texts))
    _frame(made, grid)
    return made


def outlines(region: Region) -> go.Scatter:
    """Return the outlines of a region's districts as one line."""
    x: list[float | None] = []
    y: list[float | None] = []
    for outline in region.outlines:
        for ring in outline.rings:
            x += [round(point[0], 3) for point in ring] + [None]
            y += [round(point[1], 3) for point in ring] + [None]
    line = {"color": OUTLINE_COLOUR, "width": 1}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False, name="outlines")


def _size(grid: Grid) -> int:
    """Return the pixels of a spot's marker: about those of what it stands for."""
    along = max(len(grid.x), len(grid.y)) / grid.block
    return int(np.clip(HEIGHT_PX / along, SMALLEST_PX, LARGEST_PX))


def _signs(picture: Picture, grid: Grid, spots: Spots, level: RiskLevel) -> go.Scatter:
    """Return the sign of a level on its places: the map reads without colours, and warnings show on every layer."""
    at = spots.place[picture.standing.step[spots.place] == LADDER.index(level)]
    dark = level is not RiskLevel.RED or picture.layer != LEVEL
    size = max(SMALLEST_PX, min(7, _size(grid) - 2))
    marker = {"symbol": LEVELS[level].symbol, "size": size, "color": "#1c1c1c" if dark else "#ffffff"}
    return _markers(grid, at, marker=marker, hoverinfo="skip", showlegend=False)


def _stale(picture: Picture, grid: Grid, spots: Spots) -> go.Scatter:
    """Return an amber frame around every place whose data are stale."""
    at = spots.place[picture.standing.stale[spots.place]]
    marker = {"symbol": "square-open", "size": _size(grid) - 2, "color": STALE_COLOUR, "line": {"width": 2}}
    return _markers(grid, at, marker=marker, name=say("stale data"), hoverinfo="skip", showlegend=bool(len(at)))


def _markers(grid: Grid, at: np.ndarray, **said: object) -> go.Scatter:
    x, y = grid.longitude[at].astype(np.float32), grid.latitude[at].astype(np.float32)
    return go.Scatter(x=x, y=y, mode="markers", **said)


def _legend(picture: Picture) -> list[go.Scatter]:
    """Return one entry per level: colour, sign, name, meaning and number of places."""
    counts = picture.standing.counts()
    return [
        go.Scatter(
            x=[None], y=[None], mode="markers",
            name=f"{s.sign} {say(s.name)}: {say(s.meaning)} ({current().number(counts[level])})",
            marker={"symbol": "square", "size": 14, "color": s.colour, "line": {"color": HATCH_COLOUR, "width": 1}},
        )
        for level, s in LEVELS.items()
    ]  # fmt: skip


def _click_layer(picture: Picture, grid: Grid, spots: Spots, texts: list[str]) -> go.Scatter:
    """Return invisible markers that carry the hover text and the click."""
    places = picture.region.locations
    return _markers(
        grid, spots.place, customdata=[places[i].id for i in spots.place], text=texts,
        hovertemplate="%{text}<extra></extra>", showlegend=False,
        marker={"size": _size(grid), "opacity": 0, "symbol": "square"},
        selected={"marker": {"opacity": 0.5, "color": "#0b5cad"}}, unselected={"marker": {"opacity": 0}},
    )  # fmt: skip


def _text(picture: Picture, place: int, of: int) -> str:
    """Return what is said of a spot under the pointer."""
    standing, words = picture.standing, current()
    style = LEVELS[standing.level(place)]
    chances = zip(events_in(standing.window), standing.probability[place], strict=True)
    lines = [
        f"<b>{html.escape(picture.region.locations[place].name)}</b>",
        f"{say(style.name)}: {say(style.meaning)}{html.escape(set_by(standing.overrides.get(place)))}",
        *(f"P({event_text(event)}) {words.percent(p)}" for event, p in chances),
    ]
    value = float(picture.values[place]) if picture.layer in (*RAIN_H, CHANGE) and of == 1 else float("nan")
    if picture.layer in RAIN_H and not np.isnan(value):
        lines.append(say("rain {mm} mm", mm=words.number(value, 1)))
    if picture.layer == CHANGE and not np.isnan(value):
        lines.append(say("{change} points", change=f"{value:+.2g}"))
    if of > 1:
        lines.append(say("the gravest of {n} places here", n=of))
    return "<br>".join(lines)


def _frame(made: go.Figure, grid: Grid) -> None:
    margin = grid.step
    middle = np.radians(float(grid.y.mean()))
    made.update_xaxes(
        range=[float(grid.x.min()) - margin, float(grid.x.max()) + margin],
        constrain="domain", showgrid=False, zeroline=False, ticksuffix="°E",
    )  # fmt: skip
    made.update_yaxes(
        range=[float(grid.y.min()) - margin, float(grid.y.max()) + margin],
        scaleanchor="x", scaleratio=1 / float(np.cos(middle)), showgrid=False, zeroline=False, ticksuffix="°N",
    )  # fmt: skip
    made.update_layout(
        height=HEIGHT_PX, margin={"l": 0, "r": 0, "t": 8, "b": 0}, dragmode="pan", hovermode="closest",
        legend={"itemclick": False, "itemdoubleclick": False, "orientation": "h", "y": -0.06, "yanchor": "top"},
    )  # fmt: skip
