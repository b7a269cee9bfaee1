"""A finished figure tells a browser what plotly's own would, and works it out once."""

from __future__ import annotations

import json
from unittest.mock import patch

import numpy as np
import plotly.graph_objects as go
import plotly.io

from ui.finished import Finished


def made() -> go.Figure:
    figure = go.Figure(go.Heatmap(x=np.arange(4.0), y=np.arange(3.0), z=np.array([[0.1, np.nan, 0.3, 1.0]] * 3)))
    figure.add_trace(go.Scatter(x=[1, 2], y=[3, None], customdata=["a", "b"], mode="markers"))
    return figure.update_layout(title="Risk", xaxis_range=[0, 4])


def test_a_finished_figure_is_the_same_figure() -> None:
    told, own = (plotly.io.to_json(one.to_dict(), validate=False) for one in (Finished(made()), made()))
    assert json.loads(told) == json.loads(own)


def test_it_is_worked_out_once() -> None:
    finished = Finished(made())
    with patch.object(go.Figure, "to_dict", autospec=True, side_effect=go.Figure.to_dict) as worked_out:
        told = [finished.to_dict() for _ in range(3)]
    assert worked_out.call_count == 1
    assert told[0] is told[1] is told[2]


def test_sending_it_changes_nothing() -> None:
    finished = Finished(made())
    before = plotly.io.to_json(finished.to_dict(), validate=False)
    assert plotly.io.to_json(finished.to_dict(), validate=False) == before
