"""Persistence, and two forecasts compared on the same days."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain.forecast import TARGET
from core.verification import scorecard
from core.verification.comparison import skill_difference
from core.verification.persistence import CLASSES_MM, Persistence, highest_before

Floats = NDArray[np.float64]


def test_the_highest_rain_before_an_hour_takes_the_hour_in_and_passes_over_gaps() -> None:
    rain = np.array([[0.0, 5.0, np.nan, 1.0, 0.0, 0.0], [np.nan, np.nan, np.nan, 2.0, 0.0, 9.0]])
    expected = [[0.0, 5.0, 5.0, 5.0, 1.0, 1.0], [np.nan, np.nan, np.nan, 2.0, 2.0, 9.0]]
    np.testing.assert_array_equal(highest_before(rain, 3), expected)
    np.testing.assert_array_equal(highest_before(rain, 1), rain)
    np.testing.assert_array_equal(highest_before(rain, 99)[0], [0.0, 5.0, 5.0, 5.0, 5.0, 5.0])


def test_persistence_is_the_frequency_of_the_class_of_past_rain() -> None:
    past = np.array([0.0, 0.0, 0.0, 0.05, 3.0, 3.0, 40.0, 35.0])
    happened = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    fitted = Persistence.fit(past, happened)
    said = fitted.probability(np.array([0.0, 0.09, 2.0, 4.9, 30.0, 200.0, np.nan]))
    np.testing.assert_allclose(said, [0.25, 0.25, 0.5, 0.5, 1.0, 1.0, 0.5])
    assert fitted.probability(np.array([0.2, 17.0])).tolist() == [0.25, 0.5]  # no cases: the class below


def test_persistence_never_falls_with_rain_and_pools_what_would() -> None:
    past = np.array([2.0] * 4 + [30.0])
    fitted = Persistence.fit(past, np.array([1.0, 0.0, 0.0, 1.0, 0.0]))
    assert fitted.probability(np.array([2.0, 30.0])).tolist() == pytest.approx([0.4, 0.4])
    assert (np.diff(fitted.frequency) >= 0).all()
    assert len(fitted.frequency) == len(CLASSES_MM) + 1


def test_persistence_without_known_past_is_the_base_rate() -> None:
    fitted = Persistence.fit(np.full(4, np.nan), np.array([1.0, 0.0, 0.0, 0.0]))
    assert fitted.probability(np.array([0.0, 50.0, np.nan])).tolist() == [0.25, 0.25, 0.25]


# ---------------------------------------------------------------------------------------------- comparison


def _two(n: int = 6000) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(8)
    day = np.arange(n) // 40
    weather = rng.normal(0, 1.2, day[-1] + 1)[day]  # makes whole days easy or hard for both
    signal = rng.normal(0, 1, n)
    truth = 1 / (1 + np.exp(-(-3.5 + weather + signal)))
    y = (rng.random(n) < truth).astype(float)
    worse = 1 / (1 + np.exp(-(-3.5 + weather + signal + rng.normal(0, 0.7, n))))
    return truth, worse, y, np.full(n, y.mean()), day


def test_the_difference_is_that_of_two_scorecards() -> None:
    a, b, y, reference, day = _two()
    found = skill_difference(a, b, y, reference, day, draws=0, rng=np.random.default_rng(1))
    cards = [
        scorecard.score(TARGET, scorecard.Judged(p, y, reference, day), "made up", 0, np.random.default_rng(1)).measures
        for p in (a, b)
    ]
    assert set(found) == {"brier_skill", "auc", "average_precision", "best_csi"}
    for name, measure in found.items():
        assert measure.value == pytest.approx(cards[0][name].value - cards[1][name].value), name  # type: ignore[operator]


def test_a_paired_interval_is_narrower_than_those_of_both() -> None:
    a, b, y, reference, day = _two()
    differences = skill_difference(a, b, y, reference, day, draws=200, rng=np.random.default_rng(1))
    for name, measure in differences.items():
        assert measure.low < measure.value < measure.high, name  # type: ignore[operator]
    found = differences["brier_skill"]
    own = scorecard.score(TARGET, scorecard.Judged(a, y, reference, day), "made up", 200, np.random.default_rng(1))
    single = own.measures["brier_skill"]
    assert 0 < found.low < found.value < found.high  # type: ignore[operator]
    assert found.high - found.low < 0.7 * (single.high - single.low)  # type: ignore[operator]


def test_a_forecast_does_not_differ_from_itself() -> None:
    a, _, y, reference, day = _two(800)
    for measure in skill_difference(a, a, y, reference, day, draws=20, rng=np.random.default_rng(1)).values():
        assert (measure.value, measure.low, measure.high) == (0.0, 0.0, 0.0)


def test_nothing_to_compare_and_nothing_to_compare_with() -> None:
    nothing = np.empty(0)
    empty = skill_difference(nothing, nothing, nothing, nothing, np.empty(0, int), draws=5, rng=np.random.default_rng())
    assert {measure.value for measure in empty.values()} == {None}
    quiet = np.zeros(10)
    found = skill_difference(quiet + 0.1, quiet, quiet, quiet, np.arange(10), draws=5, rng=np.random.default_rng(0))
    assert {measure.value for measure in found.values()} == {None}
