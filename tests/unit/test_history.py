"""Looking back along the hours, against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.domain.weather import Values
from core.features import history

HOURS = (1, 2, 3, 6, 24, 72, 240)


def _series(missing: float = 0.2, hours: int = 300) -> Values:
    """Return three places with gaps: one rainy, one cold, one without any value."""
    rng = np.random.default_rng(3)
    values = np.stack([rng.exponential(3, hours), rng.normal(-5, 8, hours), np.full(hours, np.nan)])
    values[rng.random(values.shape) < missing] = np.nan
    values[0, 40:80] = np.nan  # longer than most windows
    return values.astype(np.float32)


def _frame(values: Values) -> pd.DataFrame:
    return pd.DataFrame(values.T.astype(float))


def _same(found: Values, expected: pd.DataFrame) -> None:
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.to_numpy().T, rtol=2e-6, atol=2e-5)


@pytest.mark.parametrize("hours", HOURS)
def test_total_is_the_rolling_sum_of_pandas(hours: int) -> None:
    _same(history.total(_series(), hours), _frame(_series()).rolling(hours, min_periods=1).sum())


@pytest.mark.parametrize("hours", HOURS)
def test_highest_is_the_rolling_maximum_of_pandas(hours: int) -> None:
    _same(history.highest(_series(), hours), _frame(_series()).rolling(hours, min_periods=1).max())


@pytest.mark.parametrize(("hours", "at_least"), [(1, 1), (3, 2), (24, 20), (240, 100), (360, 100)])
def test_mean_is_the_rolling_mean_of_pandas(hours: int, at_least: int) -> None:
    _same(history.mean(_series(), hours, at_least), _frame(_series()).rolling(hours, min_periods=at_least).mean())


@pytest.mark.parametrize("hours", [1, 3, 6, 24, 299, 300, 500])
def test_change_is_the_difference_of_pandas(hours: int) -> None:
    _same(history.change(_series(), hours), _frame(_series()).diff(hours))


@pytest.mark.parametrize(("days", "at_least"), [(1, 1), (3, 3), (10, 3)])
def test_usual_value_is_the_mean_of_the_same_hour_on_the_days_before(days: int, at_least: int) -> None:
    frame = _frame(_series())
    shifted = np.stack([frame.shift(24 * day).to_numpy() for day in range(1, days + 1)])
    counted = np.isfinite(shifted).sum(axis=0)
    summed = np.nansum(shifted, axis=0)
    expected = pd.DataFrame(np.where(counted >= at_least, summed / np.maximum(counted, 1), np.nan))
    _same(history.usual_at_this_hour(_series(), days, at_least), expected)


def test_a_dry_window_after_a_downpour_is_exactly_zero() -> None:
    rain = np.zeros((1, 40), np.float32)
    rain[0, :7] = [0.1, 0.2, 0.3, 117.3, 0.7, 33.4, 0.1]
    assert history.total(rain, 6)[0, 12:].tolist() == [0.0] * 28


def test_missing_hours_are_passed_over_and_never_read_as_dry() -> None:
    rain = np.array([[np.nan, np.nan, 5.0, np.nan, np.nan, np.nan, 0.0]], np.float32)
    np.testing.assert_array_equal(history.total(rain, 3), [[np.nan, np.nan, 5, 5, 5, np.nan, 0]])
    np.testing.assert_array_equal(history.highest(rain, 3), [[np.nan, np.nan, 5, 5, 5, np.nan, 0]])


@pytest.mark.parametrize("hours", [1, 5, 24])
def test_series_shorter_than_the_window_give_what_there_is(hours: int) -> None:
    values = np.array([[1.0, np.nan, 2.0]], np.float32)
    np.testing.assert_array_equal(history.total(values, hours)[0, 2], 2.0 if hours == 1 else 3.0)
    np.testing.assert_array_equal(history.before(values, 3), np.full((1, 3), np.nan))


def test_arguments_are_not_edited_in_place() -> None:
    values = _series()
    kept = values.copy()
    for hours in (1, 6):
        history.total(values, hours)
        history.mean(values, hours, 1)
        history.highest(values, hours)
        history.change(values, hours)
    history.usual_at_this_hour(values, 2, 1)
    np.testing.assert_array_equal(values, kept)
