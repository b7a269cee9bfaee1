"""Probes: a model is known again by what it answered when it was made."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from core.domain.learning import Probe
from core.errors import InsufficientData
from core.learning.probes import ROWS, parity, probe_of
from tests.models_made import forecast_model, probe


def rows(n: int) -> np.ndarray:
    return np.random.default_rng(4).normal(size=(n, probe().rows.shape[1])).astype(np.float32)


@pytest.mark.parametrize(("n", "taken"), [(1, 1), (2, 2), (63, 63), (64, 64), (65, 64), (5000, 64)])
def test_a_probe_takes_at_most_64_rows_spread_from_the_first_to_the_last(n: int, taken: int) -> None:
    given = rows(n)
    made = probe_of(forecast_model(), given)
    assert len(made.rows) == taken <= ROWS
    np.testing.assert_array_equal(made.rows[[0, -1]], given[[0, -1]])
    np.testing.assert_array_equal(made.rows, probe_of(forecast_model(), given).rows)
    assert made.probability.shape == (taken, 5)


def test_rows_with_an_infinite_value_are_left_out_and_missing_ones_stay() -> None:
    given = rows(3)
    given[0, 0], given[1, 0] = np.inf, np.nan
    np.testing.assert_array_equal(probe_of(forecast_model(), given).rows, given[1:])
    with pytest.raises(InsufficientData):
        probe_of(forecast_model(), given[:1])
    with pytest.raises(InsufficientData):
        probe_of(forecast_model(), given[:0])


def test_a_model_answers_as_it_did_and_another_one_does_not() -> None:
    model = forecast_model()
    assert parity(model, probe_of(model, rows(100))) == 0
    off = Probe(probe().rows, probe().probability.copy())
    off.probability[7, 2] += 0.25
    assert parity(model, off) == pytest.approx(0.25, abs=1e-12)
    longest = max(model.curves)
    shift = np.array([1.0, 0, 0, 0, 0, 0, 0, 0])  # of the log-odds of 15 mm
    other = replace(model.curves[longest], central=model.curves[longest].central - shift)
    changed = replace(model, curves={**model.curves, longest: other})
    assert parity(changed, probe()) > 0.01


def test_an_answer_that_only_one_of_both_knows_is_infinitely_far() -> None:
    unknown = Probe(probe().rows, probe().probability.copy())
    unknown.probability[0, 0] = np.nan
    assert parity(forecast_model(), unknown) == math.inf
    fewer = Probe(probe().rows, probe().probability[:, :4])
    assert parity(forecast_model(), fewer) == math.inf
