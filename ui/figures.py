"""Charts of one place: the exceedance curve with its interval, and the recent observations."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core import Exceedance, Flag, FlaggedWeather, Region

RAIN, WARM, MOIST, PRESSURE, WIND, FLAGGED = "#1f77b4", "#c0392b", "#148f77", "#6c3483", "#566573", "#d4ac0d"
#: Hours of observations shown.
SHOWN_H = 72
#: Lowest probability drawn on the logarithmic axis, percent.
FLOOR_PERCENT = 0.001

#: Panels of the observations: title with unit, and (variable, colour, name) of its lines.
PANELS = (
    ("rain, mm/h", (("precipitation_mm", RAIN, "rain"),)),
    ("°C", (("temperature_c", WARM, "temperature"), ("dew_point_c", MOIST, "dew point"))),
    ("hPa", (("surface_pressure_hpa", PRESSURE, "surface pressure"),)),
    ("m/s", (("wind_speed_ms", WIND, "wind"), ("wind_gust_ms", WARM, "gust"))),
)


def exceedance_chart(curve: Exceedance) -> go.Figure:
    """Return probability per event on a logarithmic axis with its interval; extrapolated ones are hollow."""
    percent = 100 * np.array(curve.probability)
    centre = np.maximum(percent, FLOOR_PERCENT)
    above = np.maximum(100 * np.array(curve.high) - centre, 0)
    below = np.maximum(centre - np.maximum(100 * np.array(curve.low), FLOOR_PERCENT), 0)
    symbols = ["circle-open" if event in curve.extrapolated else "circle" for event in curve.events]
    figure = go.Figure(
        go.Scatter(
            x=[event.text for event in curve.events], y=centre, mode="markers",
            marker={"size": 12, "symbol": symbols, "color": RAIN, "line": {"width": 2}},
            error_y={"type": "data", "array": above, "arrayminus": below, "color": RAIN},
            hovertemplate="%{x}: %{y:.3g} %<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(type="log", title_text="probability, %", range=[np.log10(FLOOR_PERCENT), 2])
    figure.update_layout(height=300, margin={"l": 0, "r": 0, "t": 8, "b": 0}, showlegend=False)
    return figure


@st.cache_resource(max_entries=64, show_spinner=False)
def observations_chart(version: str, place: int, _checked: FlaggedWeather, _region: Region) -> go.Figure:  # noqa: ARG001
    """Return the last days of one place, flagged values marked.

    Parameters
    ----------
    version, place
        Version of the issue and position of the place: the key of the cache.
    """
    weather = _checked.weather.select([place])
    hours = local_hours(weather.valid_at, ZoneInfo(_region.time_zone))
    figure = make_subplots(rows=len(PANELS), cols=1, shared_xaxes=True, vertical_spacing=0.04)
    for row, (title, lines) in enumerate(PANELS, start=1):
        for variable, colour, name in lines:
            values = weather.get(variable)[0][-SHOWN_H:]
            trace = (
                go.Bar(x=hours[-SHOWN_H:], y=values, marker_color=colour, name=name)
                if variable == "precipitation_mm"
                else go.Scatter(x=hours[-SHOWN_H:], y=values, mode="lines", line={"color": colour}, name=name)
            )
            figure.add_trace(trace, row=row, col=1)
            flags = _checked.flags(variable)[place][-SHOWN_H:]
            suspect = np.isin(flags, [Flag.SUSPECT, Flag.FAIL])
            if suspect.any():
                x = [h for h, s in zip(hours[-SHOWN_H:], suspect, strict=True) if s]
                marker = {"symbol": "x", "size": 9, "color": FLAGGED}
                mark = go.Scatter(x=x, y=values[suspect], mode="markers", marker=marker, name=f"{name}: flagged")
                figure.add_trace(mark, row=row, col=1)
        figure.update_yaxes(title_text=title, row=row, col=1)
    figure.update_layout(
        height=620, margin={"l": 0, "r": 0, "t": 8, "b": 0}, legend={"orientation": "h", "y": -0.06}, bargap=0.1
    )
    return figure


def local_hours(valid_at: NDArray[np.datetime64], zone: ZoneInfo) -> list[datetime]:
    """Return hours (UTC by convention) in local time."""
    return [h.astype("datetime64[s]").item().replace(tzinfo=UTC).astimezone(zone) for h in valid_at]
