"""The risk map: cells coloured by level or probability, outlines, hatching where nothing is known, a layer for clicks.

Drawn on plain longitude and latitude axes: no tile server, no fonts and no topology from anywhere.
"""

from __future__ import annotations

import html

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core import EVENTS, LEVELS, EventDefinition, Freshness, Region, RegionForecast, RiskLevel
from ui.people import set_by
from ui.words import percent

Floats = NDArray[np.float64]


KNOWN = [level for level in LEVELS if level is not RiskLevel.UNKNOWN]
LEVEL_LAYER = "level"
LAYERS: dict[str, EventDefinition | None] = {LEVEL_LAYER: None, **{event.key: event for event in EVENTS}}
HATCH_COLOUR, OUTLINE_COLOUR = "#8a8a8a", "#4d5763"
#: Sequential, light to dark, readable without colour vision (cividis reversed at its ends).
PROBABILITY_SCALE = [[0.0, "#f4f1e4"], [0.25, "#cfc78f"], [0.5, "#8f9470"], [0.75, "#51616b"], [1.0, "#0d2b52"]]
#: Cells of a station network have no size; they are drawn this large, degrees.
STATION_CELL_DEG = 0.25


def layer_name(layer: str) -> str:
    """Return the name of a layer for people."""
    event = LAYERS[layer]
    return "Risk level" if event is None else f"P({event.text})"


@st.cache_resource(max_entries=24, show_spinner=False)
def risk_map(version: str, layer: str, _issue: RegionForecast) -> go.Figure:  # noqa: ARG001 - version keys the cache
    """Return the figure of one issue, shared by all sessions and treated as read-only.

    Parameters
    ----------
    version
        Version of the issue; with `layer` the key of the cache.
    layer
        A key of `LAYERS`.
    """
    grid = _Grid(_issue.region)
    figure = go.Figure()
    event = LAYERS[layer]
    figure.add_trace(_levels(grid, _issue) if event is None else _probabilities(grid, _issue, event))
    figure.add_trace(_hatching(grid, _issue))
    figure.add_trace(outlines(_issue.region))
    for level in KNOWN[1:]:
        figure.add_trace(_signs(_issue, level))
    figure.add_trace(_stale(_issue))
    if event is None:
        figure.add_traces(_legend(_issue))
    figure.add_trace(_click_layer(_issue))
    _frame(figure, grid)
    return figure


class _Grid:
    """The regular grid of a region's places."""

    def __init__(self, region: Region) -> None:
        self.step = region.spacing_deg or STATION_CELL_DEG
        self.longitude = np.array([p.longitude for p in region.locations])
        self.latitude = np.array([p.latitude for p in region.locations])
        self.column = np.round((self.longitude - self.longitude.min()) / self.step).astype(int)
        self.row = np.round((self.latitude - self.latitude.min()) / self.step).astype(int)
        self.x = self.longitude.min() + self.step * np.arange(self.column.max() + 1)
        self.y = self.latitude.min() + self.step * np.arange(self.row.max() + 1)

    def raster(self, values: Floats) -> NDArray[np.float32]:
        """Return the values of the places as (rows, columns), NaN outside the region."""
        out = np.full((len(self.y), len(self.x)), np.nan, np.float32)
        np.fmax.at(out, (self.row, self.column), values)  # of two stations in one cell the higher risk is drawn
        return out


def _levels(grid: _Grid, issue: RegionForecast) -> go.Heatmap:
    index = np.array([KNOWN.index(f.level) if f.level in KNOWN else np.nan for f in issue.forecasts])
    scale = []
    for i, level in enumerate(KNOWN):
        colour = LEVELS[level].colour
        scale += [[i / len(KNOWN), colour], [(i + 1) / len(KNOWN), colour]]
    return go.Heatmap(
        x=grid.x, y=grid.y, z=grid.raster(index), zmin=-0.5, zmax=len(KNOWN) - 0.5,
        colorscale=scale, showscale=False, hoverinfo="skip", xgap=1, ygap=1,
    )  # fmt: skip


def _probabilities(grid: _Grid, issue: RegionForecast, event: EventDefinition) -> go.Heatmap:
    values = np.round(100 * issue.probabilities(event), 3)
    top = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
    return go.Heatmap(
        x=grid.x, y=grid.y, z=grid.raster(values), zmin=0, zmax=max(top, 0.01), colorscale=PROBABILITY_SCALE,
        colorbar={"title": {"text": "%"}, "thickness": 12, "len": 0.8}, hoverinfo="skip", xgap=1, ygap=1,
    )  # fmt: skip


def _hatching(grid: _Grid, issue: RegionForecast) -> go.Scatter:
    """Return diagonal lines over every place without a level."""
    x: list[float | None] = []
    y: list[float | None] = []
    half = grid.step / 2
    for i, forecast in enumerate(issue.forecasts):
        if forecast.level is RiskLevel.UNKNOWN:
            west, south = grid.longitude[i] - half, grid.latitude[i] - half
            for part in (0.25, 0.5, 0.75, 1.0):
                reach = part * grid.step
                x += [west, west + reach, None]
                y += [south + reach, south, None]
            x += [west, west, west + grid.step, west + grid.step, west, None]
            y += [south, south + grid.step, south + grid.step, south, south, None]
    line = {"color": HATCH_COLOUR, "width": 1}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False)


def outlines(region: Region) -> go.Scatter:
    """Return the outlines of a region's districts as one line."""
    x: list[float | None] = []
    y: list[float | None] = []
    for outline in region.outlines:
        for ring in outline.rings:
            x += [round(point[0], 3) for point in ring] + [None]
            y += [round(point[1], 3) for point in ring] + [None]
    line = {"color": OUTLINE_COLOUR, "width": 1}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False)


def _signs(issue: RegionForecast, level: RiskLevel) -> go.Scatter:
    """Return the sign of a level on its places: the map reads without colours."""
    at = [p for p, f in zip(issue.region.locations, issue.forecasts, strict=True) if f.level is level]
    colour = "#ffffff" if level is RiskLevel.RED else "#1c1c1c"
    marker = {"symbol": LEVELS[level].symbol, "size": 7, "color": colour}
    x, y = [p.longitude for p in at], [p.latitude for p in at]
    return go.Scatter(x=x, y=y, mode="markers", marker=marker, hoverinfo="skip", showlegend=False)


def _stale(issue: RegionForecast) -> go.Scatter:
    """Return an amber frame around every place whose data are stale."""
    pairs = zip(issue.region.locations, issue.forecasts, strict=True)
    at = [p for p, f in pairs if f.freshness is Freshness.STALE]
    marker = {"symbol": "square-open", "size": 15, "color": "#b9770e", "line": {"width": 2}}
    x, y = [p.longitude for p in at], [p.latitude for p in at]
    shown = bool(at)
    return go.Scatter(x=x, y=y, mode="markers", marker=marker, name="stale data", hoverinfo="skip", showlegend=shown)


def _legend(issue: RegionForecast) -> list[go.Scatter]:
    """Return one entry per level: colour, sign, name, meaning and number of places."""
    return [
        go.Scatter(
            x=[None], y=[None], mode="markers", name=f"{s.sign} {s.name}: {s.meaning} ({count})",
            marker={"symbol": "square", "size": 14, "color": s.colour, "line": {"color": HATCH_COLOUR, "width": 1}},
        )
        for s, count in ((LEVELS[level], count) for level, count in issue.counts().items())
    ]  # fmt: skip


def _click_layer(issue: RegionForecast) -> go.Scatter:
    """Return invisible markers that carry the hover text and the click."""
    places = issue.region.locations
    text = [
        f"<b>{html.escape(p.name)}</b><br>{LEVELS[f.level].name}: {LEVELS[f.level].meaning}"
        + html.escape(set_by(f))
        + "<br>"
        + "<br>".join(f"P({e.text}) {percent(f.exceedance.of(e))}" for e in EVENTS)
        + f"<br>data: {f.freshness.value}"
        for p, f in zip(places, issue.forecasts, strict=True)
    ]
    return go.Scatter(
        x=[p.longitude for p in places], y=[p.latitude for p in places], customdata=[p.id for p in places],
        text=text, hovertemplate="%{text}<extra></extra>", mode="markers", showlegend=False,
        marker={"size": 18, "opacity": 0, "symbol": "square"},
        selected={"marker": {"opacity": 0.5, "color": "#0b5cad"}}, unselected={"marker": {"opacity": 0}},
    )  # fmt: skip


def _frame(figure: go.Figure, grid: _Grid) -> None:
    margin = grid.step
    middle = np.radians(float(grid.y.mean()))
    figure.update_xaxes(
        range=[float(grid.x.min()) - margin, float(grid.x.max()) + margin],
        constrain="domain", showgrid=False, zeroline=False, ticksuffix="°E",
    )  # fmt: skip
    figure.update_yaxes(
        range=[float(grid.y.min()) - margin, float(grid.y.max()) + margin],
        scaleanchor="x", scaleratio=1 / float(np.cos(middle)), showgrid=False, zeroline=False, ticksuffix="°N",
    )  # fmt: skip
    figure.update_layout(
        height=600, margin={"l": 0, "r": 0, "t": 8, "b": 0}, dragmode="pan", hovermode="closest",
        legend={"itemclick": False, "itemdoubleclick": False, "x": 1, "xanchor": "right", "y": 1},
    )  # fmt: skip
