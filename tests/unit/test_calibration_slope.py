"""The calibration slope from bins: 1 where forecasts mean what they say, below 1 where they say too much."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from core.experiments.inference import slope
from core.experiments.sums import EDGES

SAID = np.array([0.003, 0.015, 0.04, 0.1, 0.25, 0.5, 0.7])
CASES = np.full(7, 10_000.0)


def logit(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))


def truth(a: float, b: float) -> np.ndarray:
    """Return how often the event is where the log-odds are a + b times those that are said."""
    return 1 / (1 + np.exp(-(a + b * logit(SAID))))


@pytest.mark.parametrize("a", np.arange(-4, 4.1))
@pytest.mark.parametrize("b", [-1.0, -0.3, 0.0, 0.25, 0.5, 1.0, 1.5, 3.0])
def test_the_slope_is_found(a: float, b: float) -> None:
    assert slope(CASES, CASES * SAID, CASES * truth(a, b)) == pytest.approx(b, abs=1e-7)


def test_it_is_that_of_a_logistic_regression_on_every_case() -> None:
    rng = np.random.default_rng(3)
    cases = rng.integers(50, 400, size=7).astype(float)
    events = rng.binomial(cases.astype(int), truth(0.3, 0.8)).astype(float)
    x = np.stack([np.ones(7), logit(SAID)], axis=1)
    fitted = GLM(np.stack([events, cases - events], axis=1), x, Binomial())
    assert slope(cases, cases * SAID, events) == pytest.approx(fitted.fit(tol=1e-12).params[1], abs=1e-6)


def test_empty_bins_and_forecasts_of_nothing_at_all_do_no_harm() -> None:
    n, p = np.append(CASES, [0, 500.0]), np.append(CASES * SAID, [0, 0.0])
    found = slope(n, p, np.append(CASES * SAID, [0, 0.0]))
    assert found == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("n", "p", "y"),
    [
        ([], [], []),
        ([0, 0], [0, 0], [0, 0]),
        ([100, 0], [10, 0], [9, 0]),  # one bin
        ([100, 100], [10, 40], [0, 0]),  # no event
        ([100, 100], [10, 40], [100, 100]),  # nothing but events
        ([100, 100], [10, 40], [0, 100]),  # told apart for certain
        ([100, 100], [10, 10], [5, 15]),  # all the same probability
    ],
)
def test_where_there_is_no_slope_there_is_none(n: list[float], p: list[float], y: list[float]) -> None:
    assert slope(*(np.array(part, float) for part in (n, p, y))) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=len(EDGES)))
def test_it_is_a_number_or_nothing(bins: list[tuple[int, float, float]]) -> None:
    n, p, y = (np.array(part, float) for part in zip(*bins, strict=True))
    found = slope(n, n * p, np.round(n * y))
    assert found is None or np.isfinite(found)
