"""Charts of one place: the probability over the hours ahead, with its interval and the climatology."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core import EventDefinition, Exceedance, Window
from ui.language import say

RAIN, WARM, MOIST, PRESSURE, WIND, FLAGGED = "#1f77b4", "#c0392b", "#148f77", "#6c3483", "#566573", "#d4ac0d"
#: The interval around a probability, and the climatology beside it: grey lies well on light and on dark.
BAND, USUAL = "rgba(31, 119, 180, 0.35)", "#8a929b"
#: Lowest probability drawn on the logarithmic axis, percent.
FLOOR_PERCENT = 0.001


def lead_time_chart(curves: Sequence[Exceedance], event: EventDefinition) -> go.Figure:
    """Return the probability of the same rain in every window that knows it, with its interval and the climatology.

    Hollow points are extrapolated. What lies below `FLOOR_PERCENT` is drawn on the floor and told in the hover text.
    """
    rows = [(curve, i, e) for curve in curves for i, e in enumerate(curve.events) if same_rain(e, event)]
    windows = [window_name(e.window) for _, _, e in rows]
    percent = 100 * np.array([curve.probability[i] for curve, i, _ in rows])
    low = np.array([curve.low[i] for curve, i, _ in rows])
    high = np.array([curve.high[i] for curve, i, _ in rows])
    usual = 100 * np.array([curve.base_rate[i] if curve.base_rate else math.nan for curve, i, _ in rows])
    centre = np.maximum(percent, FLOOR_PERCENT)
    figure = go.Figure(
        [
            _usual(windows, usual),
            go.Scatter(
                x=windows, y=centre, mode="markers", name=say("forecast with 90 % interval"), customdata=percent,
                marker={
                    "size": 12, "color": RAIN, "line": {"width": 2, "color": RAIN},
                    "symbol": ["circle-open" if e in curve.extrapolated else "circle" for curve, _, e in rows],
                },
                error_y={
                    "type": "data", "thickness": 14, "width": 0, "color": BAND,
                    "array": np.maximum(100 * high - centre, 0),
                    "arrayminus": np.maximum(centre - np.maximum(100 * low, FLOOR_PERCENT), 0),
                },
                hovertemplate="%{x}: %{customdata:.3g} %<extra></extra>",
            ),
        ]
    )  # fmt: skip
    lowest = np.nanmin(np.r_[centre, 100 * low, usual]) if np.isfinite(percent).any() else FLOOR_PERCENT
    floor = math.floor(math.log10(max(lowest, FLOOR_PERCENT)))
    figure.update_yaxes(type="log", title_text=say("probability, %"), range=[floor, 2], dtick=1)
    figure.update_xaxes(title_text=say("hours ahead"), categoryorder="array", categoryarray=windows)
    figure.update_layout(height=320, margin={"l": 0, "r": 0, "t": 8, "b": 0}, legend={"orientation": "h", "y": 1.15})
    return figure


def same_rain(event: EventDefinition, other: EventDefinition) -> bool:
    """Return whether two events are of the same amount in the same time, whatever their windows."""
    return (event.threshold_mm, event.accumulation_h) == (other.threshold_mm, other.accumulation_h)


def window_name(window: Window) -> str:
    """Return the hours of a window in the reader's language, such as "0 to 6 h"."""
    return say("{begin} to {end} h", begin=window.begin_h, end=window.end_h)


def _usual(windows: Sequence[str], usual: NDArray[np.float64]) -> go.Scatter:
    """Return what the calendar alone says, as dashes."""
    return go.Scatter(
        x=windows, y=np.maximum(usual, FLOOR_PERCENT), mode="markers", name=say("climatology"), customdata=usual,
        marker={"symbol": "line-ew", "size": 34, "line": {"width": 3, "color": USUAL}},
        hovertemplate="%{x}: %{customdata:.3g} %<extra></extra>",
    )  # fmt: skip


def local_hours(valid_at: NDArray[np.datetime64], zone: ZoneInfo) -> list[datetime]:
    """Return hours (UTC by convention) in local time."""
    return [h.astype("datetime64[s]").item().replace(tzinfo=UTC).astimezone(zone) for h in valid_at]
