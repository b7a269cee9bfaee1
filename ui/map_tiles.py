"""The map above the tiles of a base map, where the house is told whose: the one thing here that asks another host."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core import LADDER, LEVELS, RiskLevel
from ui.map_grid import Grid, Spots
from ui.map_layers import HATCH_COLOUR, LEVEL, OUTLINE_COLOUR, Picture

HEIGHT_PX, SPOT_PX = 560, 16
#: Zoom at which the world is as wide as 512 pixels is 0; each step doubles it.
WIDTH_PX, WORLD_PX = 560, 512


def figure(picture: Picture, grid: Grid, spots: Spots, texts: list[str], tiles: str) -> go.Figure:
    """Return the figure: tiles, outlines, and a half transparent spot per place that carries its click.

    There are no signs on it: their glyphs would be fetched. The lists beside the map name the levels.
    """
    made = go.Figure()
    if picture.outlines:
        made.add_trace(_outlines(picture))
    made.add_traces(_spots(picture, grid, spots, texts))
    style = {"version": 8, "sources": {}, "layers": []}  # of its own: a named style is fetched from elsewhere
    centre = {"lon": float(grid.x.mean()), "lat": float(grid.y.mean())}
    wide = max(float(np.ptp(grid.x)), float(np.ptp(grid.y)), grid.step) + grid.step
    layer = {"sourcetype": "raster", "source": [tiles], "below": "traces"}
    zoom = float(np.log2(WIDTH_PX / WORLD_PX * 360 / wide))
    made.update_layout(
        map={"style": style, "layers": [layer], "center": centre, "zoom": zoom},
        height=HEIGHT_PX, margin={"l": 0, "r": 0, "t": 8, "b": 0},
    )  # fmt: skip
    return made


def _outlines(picture: Picture) -> go.Scattermap:
    rings = [ring for outline in picture.region.outlines for ring in outline.rings]
    longitude = [c for ring in rings for c in (*(point[0] for point in ring), None)]
    latitude = [c for ring in rings for c in (*(point[1] for point in ring), None)]
    line = {"color": OUTLINE_COLOUR, "width": 1}
    return go.Scattermap(lon=longitude, lat=latitude, mode="lines", line=line, hoverinfo="skip", showlegend=False)


def _spots(picture: Picture, grid: Grid, spots: Spots, texts: list[str]) -> list[go.Scattermap]:
    """Return the spots of known values, below them white ones where nothing is known."""
    known, step = np.isfinite(picture.values[spots.place]), picture.standing.step[spots.place]
    if picture.layer == LEVEL:
        scale: dict[str, object] = {"color": [LEVELS[LADDER[s]].colour for s in step[known]]}
    else:
        values = picture.values[spots.place[known]]
        scale = {"color": values, "colorscale": "Cividis", "reversescale": True, "showscale": True}
    white: dict[str, object] = {"color": LEVELS[RiskLevel.UNKNOWN].colour}
    return [
        _markers(picture, grid, spots.place[which], [texts[i] for i in np.flatnonzero(which)], marker)
        for which, marker in ((~known, white), (known, scale))
    ]


def _markers(
    picture: Picture, grid: Grid, at: np.ndarray, texts: list[str], marker: dict[str, object]
) -> go.Scattermap:
    places = picture.region.locations
    return go.Scattermap(
        lon=grid.longitude[at], lat=grid.latitude[at], mode="markers", showlegend=False, text=texts,
        marker={"size": SPOT_PX, "opacity": 0.65} | marker, customdata=[places[i].id for i in at],
        hovertemplate="%{text}<extra></extra>", selected={"marker": {"color": HATCH_COLOUR}},
    )  # fmt: skip
