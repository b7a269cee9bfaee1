"""The heat map of completeness: which part of the values came, by station and day."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core import QualityReport
from ui.bins import STEPS_H, Bins, bins
from ui.figures import RAIN
from ui.language import say
from ui.maps import HATCH_COLOUR
from ui.quality_tables import Choice
from ui.shared import shared
from ui.words import share

#: Dark is missing, light is whole (cividis at its ends): the order shows without colour vision.
COMPLETENESS_SCALE = [[0.0, "#0d2b52"], [0.25, "#51616b"], [0.5, "#8f9470"], [0.75, "#cfc78f"], [1.0, "#f4f1e4"]]
#: Stations of one heat map: more rows can neither be read nor clicked; those with the least data come first.
MOST_ROWS = 30
#: Height of a row, doubled where there are few, pixels.
ROW_PX, FEW_ROWS = 18, 10
#: Bins that can still be told apart on a telephone.
MAP_BINS = 31


@dataclass(frozen=True)
class Completeness:
    """Share of values that came, (stations, bins), NaN where nothing is stored of the whole region."""

    shares: NDArray[np.float64]
    bins: Bins


def completeness(report: QualityReport, choice: Choice, due_at: datetime, most: int = MAP_BINS) -> Completeness:
    """Return the completeness of every station by day (by hour where the period is short).

    A value is expected of every station, every hour and every variable that the source has, but not of an hour after
    `due_at` that has not come yet. In a bin in which no station has any value nothing was stored: that is unknown
    (NaN), not 0.
    """
    weather = report.checked.weather
    seen = [name for name, values in weather.values.items() if bool(np.isfinite(values).any())]
    chosen = [name for name in seen if not choice.variables or name in choice.variables]
    cut = bins(weather.valid_at, report.region.time_zone, most, [s for s in STEPS_H if s == 1 or s >= 24])
    came = weather.observed()
    present = sum(
        (np.isfinite(weather.values[name]).astype(np.uint8) for name in chosen), np.zeros(came.shape, np.uint8)
    )
    late = weather.valid_at <= np.datetime64(due_at.astimezone(UTC).replace(tzinfo=None))
    expected = cut.counts(came | late) * len(chosen)
    anything = cut.counts(came.sum(axis=0)) > 0
    with np.errstate(invalid="ignore", divide="ignore"):  # nothing is expected: NaN
        shares = np.where(anything, cut.counts(present) / expected, np.nan)
    return Completeness(shares[choice.positions(report.checked)], cut)


@shared(32)
def completeness_map(key: str, choice: Choice, _report: QualityReport, _due_at: datetime) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return the heat map of completeness, station by day; hatched where nothing is stored.

    Its last trace carries the clicks: customdata is the station's id.
    """
    found = completeness(_report, choice, _due_at)
    places = [_report.checked.weather.locations[i] for i in choice.positions(_report.checked)]
    known = np.where(np.isfinite(found.shares), found.shares, 2).mean(axis=1)
    rows = np.argsort(known, kind="stable")[:MOST_ROWS][::-1]
    z, labels = found.shares[rows], found.bins.labels()
    names = [html.escape(places[i].name) for i in rows]
    wide = z.shape[1] <= 10
    text = [["" if np.isnan(v) or (v >= 1 and not wide) else f"{np.floor(100 * v):.0f}" for v in row] for row in z]
    figure = go.Figure(
        go.Heatmap(
            z=np.round(100 * z, 1).astype(np.float32), zmin=0, zmax=100, colorscale=COMPLETENESS_SCALE, xgap=1, ygap=1,
            text=text, texttemplate="%{text}", hoverinfo="skip", showscale=False,
        )
    )  # fmt: skip
    figure.add_trace(_hatching(np.isnan(z)))
    figure.add_trace(_clicks(z, [places[i].id for i in rows], names, found.bins))
    step = max(1, -(-len(labels) // 8))
    figure.update_xaxes(tickvals=list(range(0, len(labels), step)), ticktext=labels[::step], showgrid=False)
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=names, showgrid=False, automargin=True)
    figure.update_xaxes(range=[-0.5, z.shape[1] - 0.5], zeroline=False)
    figure.update_yaxes(range=[-0.5, max(len(rows), 1) - 0.5], zeroline=False, tickfont={"size": 10})
    figure.update_layout(
        height=70 + (ROW_PX if len(rows) > FEW_ROWS else 2 * ROW_PX) * max(len(rows), 2),
        margin={"l": 0, "r": 0, "t": 8, "b": 0}, hovermode="closest",
        hoverdistance=-1, clickmode="event+select", dragmode=False, showlegend=False,
    )  # fmt: skip
    return figure


def _hatching(unknown: NDArray[np.bool_]) -> go.Scatter:
    """Return two diagonal lines over every cell of which nothing is known."""
    x: list[float | None] = []
    y: list[float | None] = []
    for row, column in zip(*unknown.nonzero(), strict=True):
        x += [column - 0.45, column + 0.05, None, column - 0.05, column + 0.45, None]
        y += [row - 0.45, row + 0.45, None, row - 0.45, row + 0.45, None]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": HATCH_COLOUR, "width": 1}, hoverinfo="skip")


def _clicks(z: NDArray[np.float64], ids: list[str], names: list[str], cut: Bins) -> go.Scatter:
    row, column = np.indices(z.shape).reshape(2, -1)
    labels = cut.labels()
    text = [
        f"<b>{names[r]}</b><br>{labels[c]} ({cut.text}): {_said(z[r, c])}" for r, c in zip(row, column, strict=True)
    ]
    return go.Scatter(
        x=column, y=row, customdata=[ids[r] for r in row], text=text, hovertemplate="%{text}<extra></extra>",
        mode="markers", marker={"size": 14, "opacity": 0, "symbol": "square"},
        selected={"marker": {"opacity": 0.6, "color": RAIN}}, unselected={"marker": {"opacity": 0}},
    )  # fmt: skip


def _said(value: float) -> str:
    return say("nothing is stored") if np.isnan(value) else say("{value} of the values", value=share(value))
