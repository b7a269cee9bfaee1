"""Figures of a quality report: flags over time, metrics over time, and one raw series with its flags."""

from __future__ import annotations

import html
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core import FLAG_NAMES, SHARES, Finding, Flag, FlaggedWeather, QualityMetrics, QualityReport
from ui.bins import Bins, bins
from ui.figures import RAIN, local_hours
from ui.language import say
from ui.maps import HATCH_COLOUR
from ui.quality_tables import Choice, findings, flag_text
from ui.shared import shared

#: Okabe and Ito's colours that hold on light and on dark ground; fills have a pattern besides.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#8C6BB1")
PATTERNS = ("", "/", "x", ".", "-", "\\", "+", "|")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
FLAG_COLOURS: dict[Flag, str] = {Flag.FAIL: "#D55E00", Flag.SUSPECT: "#E69F00", Flag.PASS: "#009E73"}
#: Signs of values in a raw series; what is missing has no height to be drawn at.
FLAG_SYMBOLS: dict[Flag, str] = {Flag.FAIL: "x", Flag.SUSPECT: "triangle-up", Flag.PASS: "circle-open"}
#: Bars that can still be told apart.
TIMELINE_BINS = 192
#: Up to so many flags in a bar the axis counts one by one: there are no halves.
FEW_FLAGS = 8
#: Units by the end of a variable's name, longer ends first.
UNITS = {
    "_pct": "%", "_hpa": "hPa", "_ms": "m/s", "_deg": "°", "_mm": "mm", "_j_kg": "J/kg", "_c": "°C", "_k": "K",
    "_m": "m",
}  # fmt: skip


@shared(32)
def timeline(key: str, by: str, choice: Choice, _report: QualityReport) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return the flagged values over time as stacked bars, one colour and pattern per `by` (test, flag or variable).

    Parameters
    ----------
    key
        Version of the report; with `by` and `choice` the key of the cache.
    """
    weather = _report.checked.weather
    cut = bins(weather.valid_at, _report.region.time_zone, TIMELINE_BINS)
    sums: dict[str, NDArray[np.float64]] = {}
    for finding in findings(_report.checked, choice):
        name = _group(finding, by)
        sums[name] = sums.get(name, np.zeros(len(cut.begins))) + cut.counts(finding.where.sum(axis=0))
    figure = go.Figure()
    for i, (name, counts) in enumerate(sorted(sums.items(), key=lambda item: -item[1].sum())):
        marker = {"color": COLOURS[i % len(COLOURS)], "pattern": {"shape": PATTERNS[i % len(PATTERNS)], "size": 5}}
        label = f"{name} ({counts.sum():,.0f})"
        figure.add_trace(go.Bar(x=list(cut.begins), y=counts, marker=marker, name=label, offset=0, width=_ms(cut)))
    figure.update_xaxes(range=[cut.begins[0], cut.begins[-1] + timedelta(hours=cut.step_h)])
    few = sum(counts.max() for counts in sums.values()) <= FEW_FLAGS
    figure.update_yaxes(title_text=say("flags per {text}", text=cut.text), rangemode="tozero", dtick=1 if few else None)
    figure.update_layout(
        height=300, barmode="stack", bargap=0.05, margin={"l": 0, "r": 0, "t": 8, "b": 0}, showlegend=True,
        legend={"orientation": "h", "y": -0.22}, hovermode="x unified",
    )  # fmt: skip
    return figure


def _ms(cut: Bins) -> float:
    return cut.step_h * 3_600_000 * 0.95


def _group(finding: Finding, by: str) -> str:
    if by == "flag":
        return flag_text(finding.flag)
    return finding.test if by == "test" else finding.variable


@shared(16)
def history(key: str, _rows: tuple[QualityMetrics, ...]) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return the metrics of a region over time in percent: shares above, the anomaly rate below."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.06)
    at = [m.end for m in _rows]
    for i, (name, title, _) in enumerate(SHARES):
        below = name == "anomaly_rate"
        values = 100 * np.array([getattr(m, name) for m in _rows], np.float32)
        line = {"color": COLOURS[i], "dash": DASHES[i % len(DASHES)], "width": 3 if name == "overall" else 1.5}
        mark = {"size": 5, "symbol": i}
        trace = go.Scatter(x=at, y=values, mode="lines+markers", line=line, marker=mark, name=say(title))
        figure.add_trace(trace, row=2 if below else 1, col=1)
    figure.update_yaxes(title_text="%", row=1, col=1)
    figure.update_yaxes(title_text=say("anomalies, %"), rangemode="tozero", row=2, col=1)
    figure.update_layout(height=340, margin={"l": 0, "r": 0, "t": 8, "b": 0}, legend={"orientation": "h", "y": -0.12})
    return figure


@shared(64)
def series(key: str, place: int, variable: str, _report: QualityReport) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return the raw values of one variable of one station, flagged ones with a sign per flag and their reasons.

    Parameters
    ----------
    key
        Version of the report; with the position of the station and the variable the key of the cache.
    """
    checked = _report.checked
    zone = ZoneInfo(_report.region.time_zone)
    hours = local_hours(checked.weather.valid_at, zone)
    values = checked.weather.get(variable)[place]
    name = html.escape(variable)
    figure = go.Figure(
        go.Bar(x=hours, y=values, marker_color=RAIN, name=name)
        if variable == "precipitation_mm"
        else go.Scatter(x=hours, y=values, mode="lines+markers", marker={"size": 3}, line={"color": RAIN}, name=name)
    )
    said = _reasons(checked, place, variable)
    worst = checked.flags(variable)[place]
    for flag in FLAG_SYMBOLS:
        at = [hour for hour in said if worst[hour] == flag]
        if at:
            figure.add_trace(_marks(hours, values, {hour: said[hour] for hour in at}, flag))
    figure.add_trace(_gaps(hours, values))
    figure.update_yaxes(title_text=unit(variable))
    figure.update_xaxes(range=[hours[0], hours[-1] + timedelta(hours=1)])
    figure.update_layout(
        height=320, margin={"l": 0, "r": 0, "t": 8, "b": 0}, legend={"orientation": "h", "y": -0.22},
        bargap=0.1, showlegend=True,
    )  # fmt: skip
    return figure


def _marks(hours: list[datetime], values: NDArray[np.float32], reasons: dict[int, str], flag: Flag) -> go.Scatter:
    at = list(reasons)
    marker = {"symbol": FLAG_SYMBOLS[flag], "size": 9, "color": FLAG_COLOURS[flag], "line": {"width": 1}}
    return go.Scatter(
        x=[hours[i] for i in at], y=values[at], mode="markers", marker=marker, text=list(reasons.values()),
        hovertemplate="%{x}: %{y}<br>%{text}<extra></extra>", name=f"{say(FLAG_NAMES[flag])} ({len(at)})",
    )  # fmt: skip


def _gaps(hours: list[datetime], values: NDArray[np.float32]) -> go.Scatter:
    """Return a stroke on the axis for every hour without a value: no rain and no value are not the same."""
    missing = np.flatnonzero(np.isnan(values))
    finite = values[np.isfinite(values)]
    floor = float(finite.min()) if len(finite) else 0.0
    return go.Scatter(
        x=[hours[i] for i in missing], y=np.full(len(missing), floor), mode="markers",
        marker={"symbol": "line-ns-open", "size": 8, "color": HATCH_COLOUR},
        name=say("no value ({count})", count=len(missing)), hovertemplate=say("%{x}: no value<extra></extra>"),
        showlegend=bool(len(missing)),
    )  # fmt: skip


def _reasons(checked: FlaggedWeather, place: int, variable: str) -> dict[int, str]:
    """Return by hour what the checks say of a station's values."""
    said: dict[int, list[str]] = {}
    for finding in checked.findings:
        if finding.variable == variable and finding.flag is not Flag.MISSING:
            words = html.escape(
                f"{say(FLAG_NAMES.get(finding.flag, finding.flag.name))}, {finding.test}: {say(finding.reason)}"
            )
            for hour in np.flatnonzero(finding.where[place]):
                said.setdefault(int(hour), []).append(words)
    return {hour: "<br>".join(reasons) for hour, reasons in sorted(said.items())}


def unit(variable: str) -> str:
    """Return the unit of a variable of the house, as its name says it."""
    return next((text for end, text in UNITS.items() if variable.endswith(end)), "")
