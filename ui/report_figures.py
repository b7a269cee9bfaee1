"""Charts and maps of a report, drawn in the page as they are printed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from core import LEVELS, Chart, LevelMap, RiskLevel, Series
from ui.maps import HATCH_COLOUR, OUTLINE_COLOUR
from ui.quality_figures import COLOURS, DASHES
from ui.shared import shared

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
MARGIN = {"l": 0, "r": 12, "t": 36, "b": 0}
#: Height of a map and of a chart, pixels.
MAP_PX, CHART_PX = 460, 340
Ring = Sequence[tuple[float, float]]


@shared(64)
def chart(key: str, _chart: Chart) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return a chart: lines, points with whiskers, bars; told apart by dash and sign as well as by colour."""
    figure = go.Figure([_trace(series, i) for i, series in enumerate(_chart.series)])
    if _chart.diagonal:
        known = [x for series in _chart.series for x in series.x if math.isfinite(x)]
        top = max(known, default=1.0)
        line = {"color": HATCH_COLOUR, "dash": "dot", "width": 1}
        figure.add_shape(type="line", x0=0, y0=0, x1=top, y1=top, line=line)
    ticks = {"tickvals": [at for at, _ in _chart.x_labels], "ticktext": [text for _, text in _chart.x_labels]}
    figure.update_xaxes(title_text=_chart.x_title, **(ticks if _chart.x_labels else {}))
    figure.update_yaxes(
        title_text=_chart.y_title,
        type="log" if _chart.y_logarithmic else "linear",
        range=None if _chart.y_range is None or _chart.y_logarithmic else list(_chart.y_range),
    )
    figure.update_layout(
        title={"text": _chart.title, "font": {"size": 14}}, height=CHART_PX, margin=MARGIN, showlegend=True,
        legend={"orientation": "h", "y": -0.25},
    )  # fmt: skip
    return figure


def _trace(series: Series, position: int) -> go.Scatter | go.Bar:
    colour = COLOURS[position % len(COLOURS)]
    if series.kind == "bars":
        return go.Bar(x=series.x, y=series.y, name=series.name, marker={"color": colour})
    whiskers = None
    if series.low and series.high:
        above = [high - y for high, y in zip(series.high, series.y, strict=True)]
        below = [y - low for low, y in zip(series.low, series.y, strict=True)]
        whiskers = {"type": "data", "array": above, "arrayminus": below, "color": colour, "thickness": 1.5}
    return go.Scatter(
        x=series.x, y=series.y, name=series.name, error_y=whiskers,
        mode="markers" if series.kind == "points" else "lines",
        line={"color": colour, "dash": DASHES[position % len(DASHES)], "width": 2},
        marker={"color": colour, "symbol": SYMBOLS[position % len(SYMBOLS)], "size": 8},
    )  # fmt: skip


@shared(16)
def level_map(key: str, _map: LevelMap) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return the map: cells by level with their signs, unknown ones white and hatched, outlines above."""
    figure = go.Figure()
    for level, style in LEVELS.items():
        rings = [ring for ring, found in zip(_map.cells, _map.levels, strict=True) if found is level]
        if not rings:
            continue
        pattern = {"shape": "/", "fgcolor": HATCH_COLOUR, "size": 5} if level is RiskLevel.UNKNOWN else None
        x, y = _joined(rings)
        name = f"{style.sign} {_map.legend.get(level, style.name)}: {len(rings)}".strip()
        figure.add_trace(go.Scatter(
            x=x, y=y, fill="toself", fillcolor=style.colour, fillpattern=pattern, mode="lines", hoverinfo="skip",
            line={"color": "#ffffff", "width": 0.5}, name=name,
        ))  # fmt: skip
        if style.symbol:
            figure.add_trace(_signs(rings, level))
    x, y = _joined(_map.outlines)
    line = {"color": OUTLINE_COLOUR, "width": 1}
    figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False))
    middle = [point[1] for ring in _map.cells for point in ring]
    stretch = 1 / math.cos(math.radians(sum(middle) / len(middle))) if middle else 1.0
    figure.update_xaxes(showgrid=False, zeroline=False, constrain="domain", ticksuffix="°E")
    figure.update_yaxes(scaleanchor="x", scaleratio=stretch, showgrid=False, zeroline=False, ticksuffix="°N")
    figure.update_layout(height=MAP_PX, margin=MARGIN | {"t": 8}, dragmode=False, legend={"itemclick": False})
    return figure


def _signs(rings: Sequence[Ring], level: RiskLevel) -> go.Scatter:
    """Return the sign of a level in the middle of its cells."""
    x = [sum(point[0] for point in ring) / len(ring) for ring in rings]
    y = [sum(point[1] for point in ring) / len(ring) for ring in rings]
    colour = "#ffffff" if level is RiskLevel.RED else "#1c1c1c"
    marker = {"symbol": LEVELS[level].symbol, "size": 6, "color": colour}
    return go.Scatter(x=x, y=y, mode="markers", marker=marker, hoverinfo="skip", showlegend=False)


def _joined(rings: Sequence[Ring]) -> tuple[list[float | None], list[float | None]]:
    """Return rings as one broken line."""
    x: list[float | None] = []
    y: list[float | None] = []
    for ring in rings:
        x += [round(point[0], 3) for point in ring] + [round(ring[0][0], 3), None]
        y += [round(point[1], 3) for point in ring] + [round(ring[0][1], 3), None]
    return x, y
