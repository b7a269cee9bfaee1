"""Meteogram of one place: the last days of observations and, where forecast fields exist, the coming day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core import Flag, HourlyWeather, Issue
from ui.figures import FLAGGED, MOIST, PRESSURE, RAIN, USUAL, WARM, WIND, local_hours
from ui.finished import Finished
from ui.language import current, say
from ui.shared import shared

#: Hours of observations and of forecast fields shown, and hours between two arrows of the wind.
SHOWN_H, AHEAD_H, ARROW_H = 72, 24, 6
#: Opacity of bars, of forecast bars, and of the shade behind the coming hours.
SOLID, FAINT, SHADE = 1.0, 0.45, 0.12
#: Height of a panel and of what stands around them, pixels.
PANEL_PX, FRAME_PX = 104, 90

#: Panels: title with unit, and (variable, colour, name) of its lines. Of the pressures the first that is sent is drawn.
PANELS = (
    ("mm/h", (("precipitation_mm", RAIN, "rain"),)),
    ("°C", (("temperature_c", WARM, "temperature"), ("dew_point_c", MOIST, "dew point"))),
    ("hPa", (("surface_pressure_hpa", PRESSURE, "surface pressure"),)),
    ("m/s", (("wind_speed_ms", WIND, "wind"), ("wind_gust_ms", WARM, "gusts"))),
    ("J/kg", (("cape_j_kg", "#b9770e", "CAPE"),)),
    ("mm", (("precipitable_water_mm", "#2471a3", "precipitable water"),)),
)


@dataclass(frozen=True)
class Hours:
    """Weather of one place on local hours: `values` by variable, shape (hours,), and where they are flagged."""

    at: tuple[datetime, ...]
    values: dict[str, NDArray[np.float32]] = field(repr=False)
    flagged: dict[str, NDArray[np.bool_]] = field(repr=False)

    def has(self, variable: str) -> bool:
        """Return whether any hour has a value."""
        return variable in self.values and bool(np.isfinite(self.values[variable]).any())


def show(issue: Issue, place: int) -> None:
    """Draw the meteogram of a place and say what its source does not send."""
    figure, missing = chart(issue.forecast.version, place, current().code, issue)
    if figure is None:
        st.info(say("Nothing was observed here in the last {hours} hours.", hours=SHOWN_H), icon=":material/cloud_off:")
        return
    st.plotly_chart(
        figure,
        key="observations",
        alt=say(
            "Meteogram: rain, temperature, dew point, pressure, wind with gusts and direction, CAPE and precipitable "
            "water of the last three days and, where forecast fields exist, of the coming day"
        ),
    )
    if missing:
        st.caption(say("Not sent for this place: {names}.", names=", ".join(say(name) for name in missing)))
    if ahead(issue, place) is None:
        st.caption(say("No forecast fields here: the meteogram ends now."))
    else:
        st.caption(say("Shaded, dotted and pale: forecast fields of a weather model, not observed."))


@shared(64)
def chart(
    version: str,  # noqa: ARG001 - keys the cache
    place: int,
    language_code: str,  # noqa: ARG001 - keys the cache
    _issue: Issue,
) -> tuple[go.Figure | None, tuple[str, ...]]:
    """Return the meteogram of one place and the names of what is not sent; None where nothing is.

    Parameters
    ----------
    version, place, language_code
        Version of the issue, position of the place and language of the words: the key of the cache.
    """
    parts = [part for part in (observed(_issue, place), ahead(_issue, place)) if part is not None]
    lines = [line for _, panel in PANELS for line in panel]
    missing = tuple(name for variable, _, name in lines if not any(part.has(variable) for part in parts))
    panels = [
        (unit, [line for line in panel if line[2] not in missing])
        for unit, panel in PANELS
        if any(name not in missing for *_, name in panel)
    ]
    if not panels:
        return None, missing
    zone = ZoneInfo(_issue.forecast.region.time_zone)
    return Finished(_drawn(panels, parts, _issue.forecast.issued_at.astimezone(zone))), missing


def observed(issue: Issue, place: int) -> Hours:
    """Return the last days of a place; values that failed are shown, and marked like the suspect ones."""
    weather = issue.checked.weather
    flagged = {
        name: np.isin(issue.checked.flags(name)[place], [Flag.SUSPECT, Flag.FAIL])[-SHOWN_H:]
        for name in weather.values
        if name in _VARIABLES
    }
    return _hours(weather, place, slice(-SHOWN_H, None), issue, flagged)


def ahead(issue: Issue, place: int) -> Hours | None:
    """Return the coming day of the forecast fields as known at the issue, None where there are none."""
    fields = issue.situation.fields if issue.situation is not None else None
    if fields is None or not fields.values:
        return None
    known = fields.as_known(issue.forecast.issued_at)
    now = np.datetime64(issue.forecast.issued_at.replace(tzinfo=None), "s")
    coming = np.flatnonzero((known.valid_at > now) & (known.valid_at <= now + np.timedelta64(AHEAD_H, "h")))
    if not len(coming):
        return None
    found = _hours(known, place, slice(int(coming[0]), int(coming[-1]) + 1), issue, {})
    return found if any(found.has(name) for name in found.values) else None


def _hours(
    weather: HourlyWeather, place: int, part: slice, issue: Issue, flagged: dict[str, NDArray[np.bool_]]
) -> Hours:
    at = local_hours(weather.valid_at[part], ZoneInfo(issue.forecast.region.time_zone))
    values = {name: array[place][part] for name, array in weather.values.items() if name in _VARIABLES}
    return Hours(tuple(at), values, flagged)


_VARIABLES = {variable for _, panel in PANELS for variable, _, _ in panel} | {"wind_direction_deg"}


def _drawn(
    panels: Sequence[tuple[str, Sequence[tuple[str, str, str]]]], parts: Sequence[Hours], now: datetime
) -> go.Figure:
    """Return the panels one above the other on one axis of local time, with a line at the issue."""
    figure = make_subplots(rows=len(panels), cols=1, shared_xaxes=True, vertical_spacing=0.03)
    for row, (unit, lines) in enumerate(panels, start=1):
        for part_number, part in enumerate(parts):
            for variable, colour, name in lines:
                if part.has(variable):
                    figure.add_trace(_line(part, variable, colour, say(name), coming=part_number > 0), row, 1)
                    _marks(figure, part, variable, row)
            if lines[0][0] == "wind_speed_ms":
                _arrows(figure, part, row)
        figure.update_yaxes(title_text=unit, row=row, col=1, nticks=4)
    if len(parts) > 1:
        figure.add_vrect(x0=now, x1=parts[-1].at[-1], fillcolor=USUAL, opacity=SHADE, line_width=0, layer="below")
    figure.add_vline(x=now, line={"color": USUAL, "width": 2, "dash": "dash"})
    figure.add_annotation(
        x=now, y=1, yref="paper", yanchor="bottom", text=say("Now"), showarrow=False, font={"color": USUAL}
    )
    figure.update_xaxes(range=[parts[0].at[0], max(parts[-1].at[-1], now) + timedelta(hours=1)])
    figure.update_layout(
        height=FRAME_PX + PANEL_PX * len(panels), margin={"l": 0, "r": 0, "t": 22, "b": 0}, bargap=0.1,
        legend={"orientation": "h", "y": -0.06}, barmode="overlay", hovermode="x unified",
    )  # fmt: skip
    return figure


def _line(part: Hours, variable: str, colour: str, name: str, *, coming: bool) -> go.Bar | go.Scatter:
    """Return rain as bars and all else as a line; what is yet to come pale or dotted, and not in the legend."""
    values = part.values[variable]
    if variable == "precipitation_mm":
        return go.Bar(
            x=part.at, y=values, marker_color=colour, name=name, opacity=FAINT if coming else SOLID,
            legendgroup=variable, showlegend=not coming,
        )  # fmt: skip
    line = {"color": colour, "dash": "dot"} if coming else {"color": colour}
    return go.Scatter(
        x=part.at, y=values, mode="lines", line=line, name=name, legendgroup=variable, showlegend=not coming
    )


def _marks(figure: go.Figure, part: Hours, variable: str, row: int) -> None:
    """Mark the flagged values of a line with crosses."""
    flagged = part.flagged.get(variable)
    if flagged is None or not flagged.any():
        return
    x = [at for at, bad in zip(part.at, flagged, strict=True) if bad]
    first = not any(trace.legendgroup == "flagged" for trace in figure.data)
    marker = {"symbol": "x", "size": 9, "color": FLAGGED, "line": {"width": 1, "color": "#4d3f00"}}
    figure.add_trace(
        go.Scatter(
            x=x, y=part.values[variable][flagged], mode="markers", marker=marker, name=say("flagged"),
            legendgroup="flagged", showlegend=first, hoverinfo="skip",
        ),
        row, 1,
    )  # fmt: skip


def _arrows(figure: go.Figure, part: Hours, row: int) -> None:
    """Draw every few hours an arrow that flies with the wind, at the bottom of its panel."""
    if not part.has("wind_direction_deg"):
        return
    from_deg = part.values["wind_direction_deg"]
    shown = [i for i in range(0, len(part.at), ARROW_H) if np.isfinite(from_deg[i])]
    figure.add_trace(
        go.Scatter(
            x=[part.at[i] for i in shown], y=[0.0] * len(shown), mode="markers", name=say("wind blows towards"),
            marker={
                "symbol": "arrow", "size": 11, "color": WIND, "angle": [float(from_deg[i] + 180) % 360 for i in shown],
            },
            customdata=[float(from_deg[i]) for i in shown], legendgroup="direction",
            showlegend=not any(trace.legendgroup == "direction" for trace in figure.data),
            hovertemplate="%{customdata:.0f}°<extra></extra>",
        ),
        row, 1,
    )  # fmt: skip
