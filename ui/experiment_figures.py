"""Figures of experiments. Arms differ by colour, dash and sign; a grey strip is no difference in practice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go

from core import Arm, Contrast, Experiment, Region, Step
from ui.comparison_figures import LOWEST
from ui.experiment_tables import split
from ui.language import say
from ui.quality_figures import COLOURS, DASHES
from ui.verification_figures import BAND, LEGEND, MARGIN, OTHER, OWN
from ui.words import count, day

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
STRIP = "rgba(127, 127, 127, 0.25)"
#: The first bounds are wide beyond use: the axis shows those of the last so many parts of the events whole.
SHOWN_WHOLE = 0.75


def growth(c: Contrast, practical_percent: float) -> go.Figure:
    """Return the gain with its always-valid bounds over the events so far, with the strip of no practical difference.

    Parameters
    ----------
    practical_percent
        Gains smaller than this make no difference in practice.
    """
    events, gain, low, high = (np.array(part, float) for part in (c.growth.events, *_percent(c)))
    figure = go.Figure(go.Scatter(
        x=np.r_[events, events[::-1]], y=np.r_[high, low[::-1]], fill="toself", fillcolor=BAND, mode="lines",
        line={"width": 0}, name=say("bounds that hold at every look"), hoverinfo="skip",
    ))  # fmt: skip
    told = [say("{g:+.1f} % ({a:+.1f} to {b:+.1f} %)", g=g, a=a, b=b) for g, a, b in zip(gain, low, high, strict=True)]
    figure.add_trace(go.Scatter(
        x=events, y=gain, mode="lines", line={"color": OWN, "width": 2.5}, name=say("gain"), text=told,
        hovertemplate=say("%{x:,} events: %{text}<extra></extra>"),
    ))  # fmt: skip
    figure.add_trace(go.Scatter(
        x=[None], y=[None], mode="markers", marker={"symbol": "square", "size": 12, "color": STRIP},
        name=say("no difference in practice (± {practical_percent:g} %)", practical_percent=practical_percent),
    ))  # fmt: skip
    figure.add_hrect(-practical_percent, practical_percent, fillcolor=STRIP, line_width=0, layer="below")
    figure.add_hline(y=0, line={"color": OTHER, "width": 2, "dash": "dash"})
    for text, y, anchor in ((say("▲ challenger better"), 1.0, "top"), (say("▼ control better"), 0.0, "bottom")):
        figure.add_annotation(
            text=text, x=1, y=y, xref="paper", yref="paper", xanchor="right", yanchor=anchor, showarrow=False
        )
    late = events >= events[-1] - SHOWN_WHOLE * (events[-1] - events[0])
    edges = min(low[late].min(), -2 * practical_percent), max(high[late].max(), 2 * practical_percent)
    room = 0.08 * (edges[1] - edges[0])
    figure.update_xaxes(title_text=say("events with a known outcome, as they came in"), tickformat=",")
    figure.update_yaxes(title_text=say("gain in the Brier score, %"), range=[edges[0] - room, edges[1] + room])
    figure.update_layout(height=470, margin=MARGIN, legend=LEGEND)
    return figure


def _percent(c: Contrast) -> tuple[list[float], ...]:
    """Return gain and bounds in percent."""
    return tuple([100 * value for value in part] for part in (c.growth.gain, c.growth.low, c.growth.high))


def reliability(arms: Sequence[Arm]) -> go.Figure:
    """Return observed frequency against forecast probability of every arm."""
    figure = go.Figure(go.Scatter(
        x=[LOWEST, 1], y=[LOWEST, 1], mode="lines", line={"color": OTHER, "dash": "dash", "width": 1},
        name=say("as said"), hoverinfo="skip",
    ))  # fmt: skip
    for i, arm in enumerate(arm for arm in arms if arm.reliability):
        said, seen, cases = (np.array(part, float) for part in zip(*arm.reliability, strict=True))
        symbol = SYMBOLS[i % len(SYMBOLS)]
        told = [say("{round} of {n}", round=count(round(y * n)), n=count(n)) for y, n in zip(seen, cases, strict=True)]
        figure.add_trace(go.Scatter(
            x=np.maximum(said, LOWEST), y=np.maximum(seen, LOWEST), mode="lines+markers", text=told,
            name=arm.variant_id, hovertemplate=say("said %{x:.1%}: %{text}"),
            line={"color": COLOURS[i % len(COLOURS)], "dash": DASHES[i % len(DASHES)]},
            marker={"size": 9, "symbol": [symbol if y else f"{symbol}-open" for y in seen]},
        ))  # fmt: skip
    figure.update_xaxes(type="log", tickformat=".1~%", title_text=say("it said"), dtick=1)
    figure.update_yaxes(type="log", tickformat=".1~%", title_text=say("it happened"), dtick=1)
    figure.update_layout(height=440, margin=MARGIN, legend=LEGEND)
    return figure


def rollout(experiment: Experiment, steps: Sequence[Step], region: Region, until: datetime | None) -> go.Figure:
    """Return the share of the challenger over time.

    Parameters
    ----------
    until
        Now, where it goes on; None where it has ended.
    """
    zone, name = ZoneInfo(region.time_zone), experiment.challengers[0].variant_id
    taken = split(experiment, steps)
    at = [step.at for step, _ in taken] + ([] if until is None else [until])
    percent = [100 * shares[name] for _, shares in taken]
    told = [say("{action} by {who}", action=step.action, who=step.who) for step, _ in taken] + ["now"]
    figure = go.Figure(go.Scatter(
        x=[moment.astimezone(zone).replace(tzinfo=None) for moment in at], y=(percent + percent[-1:])[: len(at)],
        mode="lines+markers", line={"shape": "hv", "color": OWN, "width": 2.5}, text=told[: len(at)],
        marker={"size": 8}, hovertemplate="%{x|%d %b %H:%M}: %{y:g} %, %{text}<extra></extra>",
    ))  # fmt: skip
    figure.update_xaxes(title_text=say("local time, {astimezone}", astimezone=day(at[0].astimezone(zone), "%Z")))
    figure.update_yaxes(title_text=say("shown {name}, %", name=name), range=[-4, 104], tickvals=[0, 25, 50, 75, 100])
    figure.update_layout(height=220, margin=MARGIN, showlegend=False)
    return figure
