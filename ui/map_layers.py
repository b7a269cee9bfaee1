"""What fills the cells of the map: levels, probabilities, changes, rain, terrain; hatched where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core import LADDER, LEVELS, Changes, EventDefinition, Region, RiskLevel, Standing
from ui.language import say
from ui.map_grid import Grid

HATCH_COLOUR, OUTLINE_COLOUR = "#8a8a8a", "#4d5763"
#: Layers by their names in the address.
LEVEL, PROBABILITY, CHANGE, TERRAIN = "level", "probability", "change", "terrain"
RAIN_H: Mapping[str, int] = {"rain1": 1, "rain3": 3, "rain24": 24}
LAYERS = (LEVEL, PROBABILITY, CHANGE, *RAIN_H, TERRAIN)
#: Sequential, light to dark, readable without colour vision (cividis reversed at its ends).
PROBABILITY_SCALE = [[0.0, "#f4f1e4"], [0.25, "#cfc78f"], [0.5, "#8f9470"], [0.75, "#51616b"], [1.0, "#0d2b52"]]
RAIN_SCALE = [[0.0, "#f4f6f8"], [0.2, "#bcd5e8"], [0.5, "#6ba3cc"], [0.75, "#2a6aa5"], [1.0, "#0a2a55"]]
#: Falls are blue, rises brown: told apart with every kind of colour vision.
CHANGE_SCALE = [[0.0, "#1f5fa8"], [0.5, "#f5f5f5"], [1.0, "#8c3d04"]]
TERRAIN_SCALE = [[0.0, "#dfe8d2"], [0.3, "#cdbf94"], [0.6, "#9a7b58"], [0.8, "#b9aca3"], [1.0, "#f7f7f9"]]
#: Least upper end of the scales: percent, mm, and points of percent; drizzle shall not look like a flood.
LEAST_PERCENT, LEAST_MM, LEAST_POINTS = 0.01, 5.0, 1.0
#: Numbers of a raster of bytes after those of the levels.
NOTHING, HATCHED, OUTSIDE = len(LADDER), len(LADDER) + 1, len(LADDER) + 2
#: Four strokes and a frame, in sides of a cell from its south-western corner; NaN lifts the pen.
_UP = float("nan")
HATCH_X = (0, 0.25, _UP, 0, 0.5, _UP, 0, 0.75, _UP, 0, 1, _UP, 0, 0, 1, 1, 0, _UP)
HATCH_Y = (0.25, 0, _UP, 0.5, 0, _UP, 0.75, 0, _UP, 1, 0, _UP, 0, 1, 1, 0, 0, _UP)
CLEAR = "rgba(0,0,0,0)"
#: The sun of a shaded map stands in the north-west, 45 degrees high; slopes are steepened so that they show.
STEEPENED = 4.0


@dataclass(frozen=True, eq=False)
class Picture:
    """What is to be drawn.

    Parameters
    ----------
    changes
        Since the issue compared with, None where there is none.
    rain_mm
        Rain of the layer's hours, shape (places,), None where the layer is another.
    """

    standing: Standing
    layer: str
    event: EventDefinition
    changes: Changes | None = None
    rain_mm: NDArray[np.float32] | None = None
    outlines: bool = True

    @property
    def region(self) -> Region:
        """Where."""
        return self.standing.region

    @property
    def values(self) -> NDArray[np.floating]:
        """The numbers of the layer, shape (places,), NaN where nothing is known: percent, points, mm, m or a level."""
        nothing = np.full(len(self.standing.step), np.nan)
        if self.layer == PROBABILITY:
            return np.round(100 * self.standing.probability_of(self.event), 3)
        if self.layer == CHANGE:
            return nothing if self.changes is None else np.round(100 * self.changes.difference(self.event), 3)
        if self.layer in RAIN_H:
            return nothing if self.rain_mm is None else self.rain_mm
        if self.layer == TERRAIN:
            return np.array([place.elevation_m for place in self.region.locations])
        return np.where(self.standing.step < 0, np.nan, self.standing.step)


def layer_name(layer: str) -> str:
    """Return the name of a layer for people."""
    names = {
        LEVEL: say("Level"),
        PROBABILITY: say("Probability"),
        CHANGE: say("What changed"),
        "rain1": say("Rain, last hour"),
        "rain3": say("Rain, last 3 h"),
        "rain24": say("Rain, last 24 h"),
        TERRAIN: say("Terrain"),
    }
    return names[layer]


def filled(grid: Grid, picture: Picture) -> list[go.Heatmap]:
    """Return the traces that fill the cells, with the hatching of a fine grid."""
    values = picture.values
    if picture.layer == LEVEL:
        return [_levels(grid, values)]
    traces = [_scaled(grid, picture.layer, values)]
    if picture.layer == TERRAIN:
        traces.append(_shade(grid, picture.region))
    if grid.fine:
        traces.append(_bytes(grid, np.full(len(values), OUTSIDE, np.uint8), ~np.isfinite(values)))
    return traces


def _levels(grid: Grid, step: NDArray[np.floating]) -> go.Heatmap:
    unknown = np.isnan(step)
    return _bytes(grid, np.where(unknown, NOTHING, np.nan_to_num(step)).astype(np.uint8), unknown & grid.fine)


def _bytes(grid: Grid, codes: NDArray[np.uint8], hatched: NDArray[np.bool_]) -> go.Heatmap:
    """Return cells in plain colours; where `hatched`, every fourth diagonal is grey: the cells are dots."""
    codes = np.where(hatched, NOTHING, codes)
    codes = np.where(hatched & ((grid.row + grid.column) % 4 == 0), HATCHED, codes).astype(np.uint8)
    colours = [LEVELS[level].colour for level in LADDER] + [LEVELS[RiskLevel.UNKNOWN].colour, HATCH_COLOUR, CLEAR]
    scale = [[(i + end) / len(colours), colour] for i, colour in enumerate(colours) for end in (0, 1)]
    return _heatmap(grid, grid.codes(codes, OUTSIDE), (-0.5, len(colours) - 0.5), scale)


def _scaled(grid: Grid, layer: str, values: NDArray[np.floating]) -> go.Heatmap:
    known = values[np.isfinite(values)]
    top = float(known.max()) if len(known) else 0.0
    if layer == CHANGE:
        top = max(top, -float(known.min()) if len(known) else 0.0, LEAST_POINTS)
        return _heatmap(grid, grid.raster(values), (-top, top), CHANGE_SCALE, say("points"))
    if layer in RAIN_H:
        return _heatmap(grid, grid.raster(values), (0, max(top, LEAST_MM)), RAIN_SCALE, "mm")
    if layer == TERRAIN:
        low = float(known.min()) if len(known) else 0.0
        return _heatmap(grid, grid.raster(values), (low, max(top, low + 1)), TERRAIN_SCALE, "m")
    return _heatmap(grid, grid.raster(values), (0, max(top, LEAST_PERCENT)), PROBABILITY_SCALE, "%")


def _shade(grid: Grid, region: Region) -> go.Heatmap:
    """Return the shadows of the ground: Lambert's law (Horn 1981, doi:10.1109/PROC.1981.11918)."""
    east, north = (
        STEEPENED * np.array([getattr(place, side) for place in region.locations])
        for side in ("slope_east", "slope_north")
    )
    light = (1 + (east - north) / np.sqrt(2)) / np.sqrt(2 * (1 + east**2 + north**2))
    shadow = [[0.0, "rgba(20,20,40,0.55)"], [0.7, CLEAR], [1.0, "rgba(255,255,255,0.35)"]]
    return _heatmap(grid, grid.raster(light), (0, 1), shadow)


def _heatmap(
    grid: Grid, z: NDArray[np.generic], ends: tuple[float, float], scale: list[list[object]], unit: str = ""
) -> go.Heatmap:
    gap = 0 if grid.fine else 1
    bar = {"title": {"text": unit}, "thickness": 10, "len": 0.7, "x": 1.0, "xpad": 4}
    return go.Heatmap(
        x=grid.x, y=grid.y, z=z, zmin=ends[0], zmax=ends[1], colorscale=scale, showscale=bool(unit),
        colorbar=bar if unit else None, hoverinfo="skip", xgap=gap, ygap=gap,
    )  # fmt: skip


def hatching(grid: Grid, unknown: NDArray[np.bool_]) -> go.Scatter:
    """Return diagonal lines over every place where nothing is known; none on a fine grid, whose cells do that."""
    at = np.flatnonzero(unknown & (not grid.fine))
    x = (grid.longitude[at] - grid.step / 2)[:, None] + grid.step * np.array(HATCH_X)
    y = (grid.latitude[at] - grid.step / 2)[:, None] + grid.step * np.array(HATCH_Y)
    return go.Scatter(
        x=x.ravel().astype(np.float32), y=y.ravel().astype(np.float32), mode="lines",
        line={"color": HATCH_COLOUR, "width": 1}, hoverinfo="skip", showlegend=False, name="hatching",
    )  # fmt: skip
