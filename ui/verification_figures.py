"""Figures of a verification report: what the numbers meant, reliability, warnings, value, groups and lead times.

All that are cached have the version of the report as the key of the cache. This forecast is drawn in one colour
everywhere; what it is compared with differs by dash and by sign as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core import FEW_EVENTS, LeadTimes, Scorecard, VerificationReport
from ui.language import say
from ui.maps import HATCH_COLOUR
from ui.quality_figures import COLOURS, DASHES
from ui.shared import shared
from ui.words import count

OWN, SEEN, OTHER = COLOURS[0], COLOURS[1], HATCH_COLOUR
BAND = "rgba(0, 114, 178, 0.2)"
#: Lowest percentage of the logarithmic axes: what is below, and bins in which nothing happened, stands there.
FLOOR_PERCENT = 0.1
TICKS_PERCENT = (0.1, 0.3, 1, 3, 10, 30, 100)
CSI_LINES, BIAS_LINES = (0.1, 0.2, 0.3, 0.5, 0.7), (0.25, 0.5, 1.0, 2.0, 4.0)
MARGIN, LEGEND = {"l": 0, "r": 12, "t": 16, "b": 0}, {"orientation": "h", "y": -0.2}
Floats = NDArray[np.float64]
#: Colour, dash and width of a line.
Style = tuple[str, str, float]


@shared(16)
def meant(key: str, _report: VerificationReport) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return what was said (bars) beside how often it happened (signs with 90 % intervals), in percent."""
    rows = [row for row in _report.meant if row.interval is not None]
    ranges = [f"{100 * row.low:g}–{100 * row.high:g} %" for row in _report.meant]
    labels = [name for name, row in zip(ranges, _report.meant, strict=True) if row.interval is not None]
    begin, end = _drawn([row.low for row in _report.meant]), _drawn([row.high for row in _report.meant])
    seen = _drawn([row.frequency or 0.0 for row in rows])
    low, high = (_drawn([row.interval[i] for row in rows if row.interval]) for i in (0, 1))
    said = go.Bar(
        x=end - begin, base=begin, y=ranges, orientation="h", name=say("it said"), hoverinfo="skip",
        marker={"color": BAND, "line": {"color": OWN, "width": 1}},
    )  # fmt: skip
    happened = go.Scatter(
        x=seen, y=labels, mode="markers", name=say("it happened, with 90 % interval"),
        marker={"color": SEEN, "size": 10, "symbol": _symbols([row.events for row in rows])},
        error_x={"type": "data", "color": SEEN, "array": high - seen, "arrayminus": seen - low, "thickness": 2},
        text=[say("{events} of {n}", events=count(row.events), n=count(row.n)) for row in rows],
        hovertemplate=say("said %{y}: it happened in %{text}<extra></extra>"),
    )  # fmt: skip
    figure = go.Figure([said, happened])
    _percent(figure.update_xaxes, "percent")
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_layout(height=110 + 36 * len(ranges), margin=MARGIN, legend=LEGEND, bargap=0.4)
    return figure


@shared(16)
def reliability(key: str, _report: VerificationReport) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return observed frequency against forecast probability with its band, and below how often each was said."""
    curve = _report.reliability
    held = curve.n > 0
    x, y, low, high = (_drawn(a[held]) for a in (curve.forecast, curve.frequency, curve.low, curve.high))
    n, events = curve.n[held], curve.events[held]
    told = [
        say("said {p:.2g} %: {e} of {m}", p=100 * p, e=count(e), m=count(m))
        for p, e, m in zip(curve.forecast[held], events, n, strict=True)
    ]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.75, 0.25], vertical_spacing=0.04)
    band = go.Scatter(
        x=np.r_[x, x[::-1]], y=np.r_[high, low[::-1]], fill="toself", fillcolor=BAND, mode="lines", line={"width": 0},
        name=say("90 % interval"), hoverinfo="skip",
    )  # fmt: skip
    points = go.Scatter(
        x=x, y=y, mode="lines+markers", line={"color": OWN}, name=say("this forecast"), text=told,
        marker={"size": 9, "symbol": _symbols(events)}, hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    steps = _line(_drawn(curve.curve_forecast), _drawn(curve.curve_frequency), (SEEN, "dot", 1.5), say("without bins"))
    base = _drawn([_report.card.base_rate or 0.0])[0]
    for trace in (
        _line([FLOOR_PERCENT, 100], [FLOOR_PERCENT, 100], (OTHER, "dash", 1), say("as said")),
        _line([FLOOR_PERCENT, 100], [base, base], (OTHER, "dot", 1), "climatology"),
        band, steps, points,
    ):  # fmt: skip
        figure.add_trace(trace, row=1, col=1)
    figure.add_trace(go.Scatter(
        x=x, y=n, mode="lines+markers", line={"color": OTHER, "width": 1}, marker={"symbol": "square", "size": 7},
        showlegend=False, text=told, hovertemplate="%{text}<extra></extra>",
    ), row=2, col=1)  # fmt: skip
    figure.update_xaxes(type="log", range=_range(), row=1, col=1)
    _percent(figure.update_xaxes, say("it said, percent"), row=2, col=1)
    _percent(figure.update_yaxes, say("it happened, percent"), row=1, col=1)
    figure.update_yaxes(
        title_text=say("cases"), type="log", exponentformat="none", tickformat=",", dtick=1, row=2, col=1
    )
    figure.update_layout(height=520, margin=MARGIN, legend=LEGEND | {"y": -0.13})
    return figure


class Warned(Protocol):
    """What warnings would have got, by name."""

    @property
    def curves(self) -> Mapping[str, Any]:
        """Curves of warnings by alarm probability."""


@shared(16)
def roc(key: str, _report: Warned) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return the share of events warned of against the share of quiet cases warned of, by alarm probability."""
    figure = go.Figure(_line([0, 1], [0, 1], (OTHER, "dot", 1), say("climatology: guessing")))
    for i, (name, curve) in enumerate(_report.curves.items()):
        label = name if curve.auc is None else say("{name}: area {auc:.3f}", name=name, auc=curve.auc)
        figure.add_trace(_warnings(np.r_[0, curve.pofd], np.r_[0, curve.pod], np.r_[1, curve.alarm], i, label))
    curve = next(iter(_report.curves.values()))
    _mark(figure, curve.pofd, curve.pod, curve.best)
    return _square(
        figure, say("share of quiet cases with a warning (POFD)"), say("share of events with a warning (POD)")
    )


@shared(16)
def precision_recall(key: str, _report: VerificationReport) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return precision (1 - FAR) against recall (POD), by alarm probability."""
    base = _report.card.base_rate or 0.0
    figure = go.Figure(_line([0, 1], [base, base], (OTHER, "dot", 1), say("climatology: base rate")))
    for i, (name, curve) in enumerate(_report.curves.items()):
        mean = curve.average_precision
        label = name if mean is None else say("{name}: average {mean:.3f}", name=name, mean=mean)
        figure.add_trace(_warnings(curve.pod, curve.success_ratio, curve.alarm, i, label))
    curve = next(iter(_report.curves.values()))
    _mark(figure, curve.pod, curve.success_ratio, curve.best)
    return _square(
        figure, say("recall: events with a warning (POD)"), say("precision: warnings that came true (1 − FAR)")
    )


@shared(16)
def performance(key: str, _report: VerificationReport) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return POD against success ratio with lines of equal CSI and bias.

    References
    ----------
    Roebber 2009, doi:10.1175/2008WAF2222159.1.
    """
    figure = go.Figure()
    for bias in BIAS_LINES:
        x, y = min(1.0, 1 / bias), min(1.0, bias)
        figure.add_trace(_line([0, x], [0, y], (OTHER, "dot", 0.7), ""))
        figure.add_annotation(
            x=x, y=y, text=say("bias {bias:g}", bias=bias), showarrow=False, yshift=8, xshift=-6, font={"size": 10}
        )
    for csi in CSI_LINES:
        ratio = np.linspace(csi, 1, 50)
        figure.add_trace(_line(ratio, 1 / (1 / csi + 1 - 1 / ratio), (OTHER, "solid", 0.7), ""))
        at = 2 * csi / (1 + csi)  # where POD and success ratio are equal
        figure.add_annotation(x=at, y=at, text=say("CSI {csi:g}", csi=csi), showarrow=False, font={"size": 10})
    for i, (name, curve) in enumerate(_report.curves.items()):
        figure.add_trace(_warnings(curve.success_ratio, curve.pod, curve.alarm, i, name))
    curve = next(iter(_report.curves.values()))
    _mark(figure, curve.success_ratio, curve.pod, curve.best)
    return _square(figure, say("success ratio: warnings that came true (1 − FAR)"), say("POD: events with a warning"))


@shared(32)
def value(key: str, ratio: float, _report: VerificationReport) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return the economic value by cost-loss ratio with its interval; a line stands at the chosen ratio."""
    found = _report.value
    x = 100 * found.cost_loss
    known = np.isfinite(found.low) & np.isfinite(found.high)
    band = go.Scatter(
        x=np.r_[x[known], x[known][::-1]], y=np.r_[found.high[known], found.low[known][::-1]], fill="toself",
        fillcolor=BAND, mode="lines", line={"width": 0}, name=say("90 % interval"), hoverinfo="skip",
    )  # fmt: skip
    figure = go.Figure([
        band,
        _line(x, found.envelope, (SEEN, "dash", 1.5), say("best alarm probability, known afterwards")),
        _line(x, found.value, (OWN, "solid", 2.5), say("protect when p ≥ cost/loss")),
        _line([x[0], x[-1]], [0, 0], (OTHER, "dot", 1), "climatology"),
    ])  # fmt: skip
    figure.add_vline(x=100 * ratio, line={"color": OTHER, "width": 2})
    ticks = [t for t in TICKS_PERCENT if t <= 100]
    figure.update_xaxes(
        type="log", tickvals=ticks, ticktext=[f"{t:g}" for t in ticks], title_text=say("cost / loss, %")
    )
    figure.update_yaxes(title_text=say("value"), range=[-0.55, 1.02])
    figure.update_layout(height=400, margin=MARGIN, legend=LEGEND | {"y": -0.24})
    return figure


@shared(32)
def groups(key: str, by: str, _cards: Mapping[str, Scorecard]) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return the Brier skill of groups of cases with its interval; groups with too few events are left out."""
    shown = {label: card.measures["brier_skill"] for label, card in _cards.items() if card.events >= FEW_EVENTS}
    told = {label: m for label, m in shown.items() if m.value is not None}
    centre = np.array([m.value for m in told.values()], float)
    low = np.array([m.value if m.low is None else m.low for m in told.values()], float)
    high = np.array([m.value if m.high is None else m.high for m in told.values()], float)
    figure = go.Figure(go.Scatter(
        x=centre, y=[say(label) for label in told], mode="markers", marker={"size": 10, "color": OWN},
        error_x={"type": "data", "array": high - centre, "arrayminus": centre - low, "color": OWN},
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    ))  # fmt: skip
    figure.add_vline(x=0, line={"color": OTHER, "dash": "dot"})
    figure.update_xaxes(title_text=say("Brier skill; right of 0 is better than climatology"))
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_layout(height=110 + 36 * len(told), margin=MARGIN, showlegend=False)
    return figure


def lead_times(found: LeadTimes) -> go.Figure:
    """Return how many events had a warning that stood so many hours before; those without are hatched."""
    warned = found.lead_h[np.isfinite(found.lead_h)].astype(int)
    hours, counts = np.unique(warned, return_counts=True)
    withdrawn = int(found.withdrawn.sum())
    bars = {"no warning": found.missed - withdrawn, "withdrawn before": withdrawn}
    figure = go.Figure([
        go.Bar(
            x=list(bars), y=list(bars.values()), name=say("missed"),
            marker={"color": SEEN, "pattern": {"shape": "/", "size": 5}},
        ),
        go.Bar(x=[f"{h} h" for h in hours], y=counts, marker={"color": OWN}, name=say("warned")),
    ])  # fmt: skip
    figure.update_xaxes(type="category", title_text=say("the warning stood so long before the hour of the event began"))
    figure.update_yaxes(title_text=say("events"), rangemode="tozero")
    figure.update_layout(height=340, margin=MARGIN, legend=LEGEND | {"y": -0.3}, bargap=0.15)
    return figure


def _warnings(x: Floats, y: Floats, alarm: Floats, position: int, name: str) -> go.Scatter:
    """Return one curve of warnings by alarm probability."""
    line = {"color": COLOURS[position], "dash": DASHES[position], "width": 2.5 if position == 0 else 1.5}
    return go.Scatter(
        x=x, y=y, mode="lines", line=line, name=name, text=[say("alarm from {a:.2g} %", a=100 * a) for a in alarm],
        hovertemplate="%{text}: %{x:.2f}, %{y:.2f}<extra></extra>",
    )  # fmt: skip


def _mark(figure: go.Figure, x: Floats, y: Floats, best: int | None) -> None:
    """Mark the alarm probability of the scores."""
    if best is not None:
        mark = {"symbol": "star", "size": 13, "color": OWN}
        figure.add_trace(
            go.Scatter(x=[x[best]], y=[y[best]], mode="markers", marker=mark, name=say("alarm probability"))
        )


def _line(x: object, y: object, style: Style, name: str) -> go.Scatter:
    line = {"color": style[0], "dash": style[1], "width": style[2]}
    return go.Scatter(x=x, y=y, mode="lines", line=line, name=name, showlegend=bool(name), hoverinfo="skip")


def _symbols(events: object) -> list[str]:
    """Return a filled sign where something happened, a hollow one where nothing did."""
    return ["circle" if e else "circle-open" for e in np.asarray(events).tolist()]


def _drawn(share: object) -> Floats:
    """Return shares in percent, not below the floor of the logarithmic axes."""
    return np.asarray(np.maximum(100 * np.asarray(share, float), FLOOR_PERCENT))


def _range() -> list[float]:
    return [float(np.log10(FLOOR_PERCENT)) - 0.08, 2.05]


def _percent(update: Callable[..., object], title: str, **place: int) -> None:
    """Make an axis a logarithmic one of percentages."""
    ticks = [f"{t:g}" for t in TICKS_PERCENT]
    update(type="log", range=_range(), tickvals=TICKS_PERCENT, ticktext=ticks, title_text=title, **place)


def _square(figure: go.Figure, across: str, up: str) -> go.Figure:
    figure.update_xaxes(title_text=across, range=[-0.01, 1.01])
    figure.update_yaxes(title_text=up, range=[-0.01, 1.05])
    figure.update_layout(height=480, margin=MARGIN, legend=LEGEND)
    return figure
