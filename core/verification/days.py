"""The bootstrap of whole days: the cases of one day share one weather, so a draw takes all of a day or nothing.

What is a sum over cases is summed by day once; a draw is then a product with the number of times it holds every day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.learning import Measure

Floats = NDArray[np.float64]
#: Bounds of the printed interval, in percent: between them lie 90 %.
INTERVAL = (5.0, 95.0)


@dataclass(frozen=True)
class Days:
    """The days that hold cases, and how often each of them stands in every draw.

    Attributes
    ----------
    index
        Position of every case's day among the days that hold cases, shape (cases,).
    times
        How often a day counts, shape (1 + draws, days). Row 0 are the cases as they are: every day once.
    """

    index: NDArray[np.int64]
    times: Floats

    @classmethod
    def of(cls, day: NDArray[np.int64], draws: int, rng: np.random.Generator) -> Days:
        """Draw the days of cases with replacement; `day` is any number of the day, shape (cases,)."""
        held, index = np.unique(day, return_inverse=True)
        n = len(held)
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=draws) if n else np.empty((draws, 0))
        return cls(index.astype(np.int64), np.vstack([np.ones((1, n)), drawn]))

    def weight(self, row: int) -> Floats:
        """Return how often every case counts in one row of `times`, shape (cases,)."""
        return np.asarray(self.times[row][self.index])

    def totals(self, values: Floats) -> Floats:
        """Return the sum of values (cases,) for every row of `times`, shape (1 + draws,)."""
        return np.asarray(self.times @ np.bincount(self.index, weights=values, minlength=self.times.shape[1]))

    def counts(self, place: NDArray[np.int64], bins: int, values: Floats | None = None) -> Floats:
        """Return the number of cases (or the sum of values) by bin `place` (cases,), shape (1 + draws, bins)."""
        days = self.times.shape[1]
        by_day = np.bincount(self.index * bins + place, weights=values, minlength=days * bins)
        return np.asarray(self.times @ by_day.reshape(days, bins).astype(float))


def measured(values: Sequence[float | None], *, squared: bool = False) -> Measure:
    """Return the first of the values with the 90 % interval of the others, which are those of the draws.

    Parameters
    ----------
    values
        None where a measure is not defined.
    squared
        The measure is a sum of squares, which grows when cases are drawn again: the interval is shifted by the mean
        excess of the draws over the value (the bootstrap estimate of bias, Efron and Tibshirani 1993, ch. 10).
    """
    value, known = values[0], [v for v in values[1:] if v is not None]
    if value is None or not known:
        return Measure(value)
    low, high = np.percentile(known, INTERVAL) - (np.mean(known) - value if squared else 0.0)
    return Measure(value, float(max(low, 0.0) if squared else low), float(high))
