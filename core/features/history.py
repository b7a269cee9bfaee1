"""Looking back along the hours: differences, sums, maxima and means. Arrays are (places, hours); none looks ahead."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.domain.series import shifted
from core.domain.weather import Values


def before(values: Values, hours: int) -> Values:
    """Return the value `hours` hours before, NaN where the series had not begun."""
    return shifted(values, hours)


def change(values: Values, hours: int) -> Values:
    """Return the change over the last `hours` hours."""
    return values - before(values, hours)


def total(values: Values, hours: int) -> Values:
    """Return the sum over the last `hours` hours, this one included; NaN where all of them are missing."""
    summed, counted = _windowed(values, hours)
    return np.where(counted > 0, summed, np.nan).astype(np.float32)


def mean(values: Values, hours: int, at_least: int) -> Values:
    """Return the mean over the last `hours` hours where at least `at_least` of them have a value, else NaN."""
    summed, counted = _windowed(values, hours)
    return np.where(counted >= at_least, summed / np.maximum(counted, 1), np.nan).astype(np.float32)


def highest(values: Values, hours: int) -> Values:
    """Return the maximum over the last `hours` hours, this one included; missing hours are passed over."""
    top, span = values, 1
    while span < hours:
        reach = min(span, hours - span)
        top = np.fmax(top, before(top, reach))
        span += reach
    return top


def usual_at_this_hour(values: Values, days: int, at_least: int, later_h: int = 0) -> Values:
    """Return the mean of the values at the same hour of the `days` days before, NaN below `at_least` of them.

    Parameters
    ----------
    later_h
        Take the values so many hours later on those days, fewer than 24: what the day brings from now on.
    """
    summed = np.zeros(values.shape, np.float32)
    counted = np.zeros(values.shape, np.float32)
    for day in range(1, days + 1):
        earlier = before(values, 24 * day - later_h)
        present = np.isfinite(earlier)
        summed += np.where(present, earlier, 0)
        counted += present
    return np.where(counted >= at_least, summed / np.maximum(counted, 1), np.nan).astype(np.float32)


def unusual(values: Values) -> Values:
    """Return the departure from the mean at the same hour of the ten days before, of which three must be known."""
    return values - usual_at_this_hour(values, 10, at_least=3)


def above(values: Values, limit: float) -> Values:
    """Return 1 where a value lies above a limit, 0 where it does not, NaN where it is missing."""
    return np.where(np.isfinite(values), values > limit, np.nan).astype(np.float32)


def _windowed(values: Values, hours: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return sums and counts of the values present in the last `hours` hours."""
    present = np.isfinite(values)
    sums = np.cumsum(np.where(present, values, 0), axis=1, dtype=np.float64)
    counts = np.cumsum(present, axis=1, dtype=np.int64)
    if hours < values.shape[1]:
        late_sums, late_counts = sums[:, :-hours].copy(), counts[:, :-hours].copy()
        sums[:, hours:] -= late_sums
        counts[:, hours:] -= late_counts
    # A difference of running sums depends in its last digits on where the series began: rounding takes that away.
    return np.round(sums, 6), counts
