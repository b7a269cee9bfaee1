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
    """Return the figure: tiles, outlines, and a half transparent spot per place; the last trace carries the clicks."""
    made = go.Figure()
    if picture.outlines:
        made.add_trace(_outlines(picture))
    made.add_trace(_spots(picture, grid, spots, texts))
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


def _spots(picture: Picture, grid: Grid, spots: Spots, texts: list[str]) -> go.Scattermap:
    at = spots.place
    marker: dict[str, object] = {"size": SPOT_PX, "opacity": 0.65}
    if picture.layer == LEVEL:
        levels = [LADDER[step] if step >= 0 else RiskLevel.UNKNOWN for step in picture.standing.step[at]]
        marker["color"] = [LEVELS[level].colour for level in levels]
    else:
        known = np.isfinite(picture.values[at])
        at, texts = at[known], [text for text, shown in zip(texts, known, strict=True) if shown]
        marker |= {"color": picture.values[at], "colorscale": "Cividis", "reversescale": True, "showscale": True}
    places = picture.region.locations
    return go.Scattermap(
        lon=grid.longitude[at], lat=grid.latitude[at], mode="markers", marker=marker, text=texts, showlegend=False,
        customdata=[places[i].id for i in at], hovertemplate="%{text}<extra></extra>",
        selected={"marker": {"color": HATCH_COLOUR}},
    )  # fmt: skip
