"""Figures of two versions on the same cases. Versions differ by colour, dash and sign; places by colour and sign."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core import Region, SideBySide
from ui.language import say
from ui.maps import OUTLINE_COLOUR, outlines
from ui.quality_figures import COLOURS, DASHES
from ui.shared import shared
from ui.verification_figures import LEGEND, MARGIN, OTHER
from ui.words import count

SYMBOLS = ("circle", "square")
#: Below the first colour the first version is better, above the last the second; readable without colour vision.
DIFFERENCE_SCALE = [[0.0, "#0072b2"], [0.5, "#f4f1e4"], [1.0, "#d55e00"]]
#: Below this share of the largest difference a place is drawn as undecided.
UNDECIDED = 0.05
LOWEST = 0.001


@shared(8)
def reliability(key: str, _found: SideBySide) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return observed frequency against forecast probability of both, with 90 % intervals."""
    figure = go.Figure(
        go.Scatter(
            x=[LOWEST, 1], y=[LOWEST, 1], mode="lines", line={"color": OTHER, "dash": "dash", "width": 1},
            name=say("as said"), hoverinfo="skip",
        )
    )  # fmt: skip
    for i, (version, curve) in enumerate(_found.reliability.items()):
        held = curve.n > 0
        x, y = np.maximum(curve.forecast[held], LOWEST), np.maximum(curve.frequency[held], LOWEST)
        low, high = np.maximum(curve.low[held], LOWEST), np.maximum(curve.high[held], LOWEST)
        told = [
            say("{e} of {n}", e=count(e), n=count(n)) for e, n in zip(curve.events[held], curve.n[held], strict=True)
        ]
        figure.add_trace(
            go.Scatter(
                x=x, y=y, mode="lines+markers", name=version, text=told, hovertemplate=say("said %{x:.1%}: %{text}"),
                line={"color": COLOURS[i], "dash": DASHES[i]}, marker={"symbol": SYMBOLS[i], "size": 9},
                error_y={"array": np.maximum(high - y, 0), "arrayminus": np.maximum(y - low, 0), "thickness": 1},
            )
        )  # fmt: skip
    figure.update_xaxes(type="log", tickformat=".1%", title_text=say("it said"))
    figure.update_yaxes(type="log", tickformat=".1%", title_text=say("it happened"))
    figure.update_layout(height=480, margin=MARGIN, legend=LEGEND)
    return figure


@shared(8)
def places(key: str, _found: SideBySide, _region: Region) -> go.Figure:  # noqa: ARG001 - keys the cache
    """Return a map of the difference of Brier scores: ▲ where the second is better, ▼ where the first is."""
    difference = np.array([one.difference for one in _found.places])
    most = float(np.abs(difference).max(initial=0.0)) or 1.0
    signs = np.where(
        np.abs(difference) < UNDECIDED * most, "circle", np.where(difference < 0, "triangle-down", "triangle-up")
    )
    figure = go.Figure(outlines(_region))
    figure.add_trace(
        go.Scatter(
            x=[one.place.longitude for one in _found.places],
            y=[one.place.latitude for one in _found.places],
            mode="markers",
            showlegend=False,
            text=[
                say(
                    "{name}: {difference:+.4f}; {events} events in {n} cases",
                    name=one.place.name, difference=one.difference, events=count(one.events), n=count(one.n),
                )
                for one in _found.places
            ],
            hovertemplate="%{text}<extra></extra>",
            marker={
                "color": difference, "cmin": -most, "cmax": most, "colorscale": DIFFERENCE_SCALE, "symbol": signs,
                "size": 11, "line": {"width": 0.5, "color": OUTLINE_COLOUR},
                "colorbar": {"title": {"text": say("Brier score, first less second")}, "tickformat": "+.4f"},
            },
        )
    )  # fmt: skip
    figure.update_xaxes(title_text=say("longitude, °E"), showgrid=False)
    figure.update_yaxes(title_text=say("latitude, °N"), scaleanchor="x", showgrid=False)
    figure.update_layout(height=460, margin=MARGIN)
    return figure
