"""Cumulative sums of daily statistics: whether they have left what they were, and since when.

Weather has a memory of days, and sums of remembered days are soon large without any change. What is summed is therefore
what every day brings anew, the residual of a regression on the day before (Alwan and Roberts 1988, J. Bus. Econ. Stat.
6, 87-95), standardised by mean and deviation of a reference. The sums are Page's (1954, Biometrika 41, 100-115,
doi:10.1093/biomet/41.1-2.100), on both sides,

    S+(t) = max(0, S+(t-1) + z(t) - k),   S-(t) = max(0, S-(t-1) - z(t) - k).

A sum above the threshold is an alarm; what led to it began on the day after the sum was zero last. The threshold is
drawn from the reference itself, by a bootstrap of whole blocks of days of all statistics together (Chatterjee and Qiu
2009, Ann. Appl. Stat. 3, 349-369, doi:10.1214/08-AOAS197), in which every draw has mean and deviation estimated anew
from a reference that is drawn as well: a short reference gives a high threshold (Gandy and Kvaløy 2013, Scand. J. Stat.
40, 647-668, doi:10.1002/sjos.12006).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: What a day may depart by without being summed, in deviations: half of the shift of one deviation that the sums are
#: quickest to find (Hawkins and Olwell 1998, Cumulative Sum Charts, ch. 3).
ALLOWANCE = 0.5
#: A single day counts as no more than so many deviations: one cyclone is no drift.
MOST_A_DAY = 4.0
#: Greatest memory from one day to the next; above it a shift would leave no trace in what is new.
MOST_MEMORY = 0.95
#: Added to the diagonal of correlations before they are inverted: temperature, dew point and humidity are nearly one.
RIDGE = 0.05
#: Draws of the bootstrap and the days that are drawn together.
DRAWS, BLOCK_DAYS = 400, 10
#: Draws that are made at once.
BATCH = 50
#: Least deviation of what a day brings, in the unit of the statistics: constant values have none.
LEAST_DEVIATION = 0.05


@dataclass(frozen=True)
class Crossing:
    """One alarm of one statistic.

    `side` is +1 or -1; `since` the position of the first day of the run that led to it, `raised` of the day on which
    the sum crossed the threshold.
    """

    statistic: int
    side: int
    since: int
    raised: int


@dataclass(frozen=True)
class Standard:
    """Mean and deviation of what days bring, shape (..., statistics)."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, news: Floats) -> Standard:
        """Return those of days (..., days, statistics), NaN where missing."""
        known = np.isfinite(news)
        count = known.sum(axis=-2)
        mean = np.where(known, news, 0.0).sum(axis=-2) / np.maximum(count, 1)
        square = np.where(known, news - mean[..., None, :], 0.0) ** 2
        deviation = np.sqrt(square.sum(axis=-2) / np.maximum(count - 1, 1))
        return cls(mean, np.maximum(deviation, LEAST_DEVIATION))

    def scores(self, news: Floats) -> Floats:
        """Return days (..., days, statistics) in deviations from the mean, cut to what a single day may count."""
        scores = (news - self.mean[..., None, :]) / self.deviation[..., None, :]
        return np.asarray(np.clip(scores, -MOST_A_DAY, MOST_A_DAY))


def news(days: Floats, usual: Mask) -> Floats:
    """Return what every day brings that the day before did not tell, shape (days, statistics).

    e(t) = x(t) - m - a (x(t-1) - m), with mean m and memory a of the usual days; NaN where one of the two is missing.

    Parameters
    ----------
    days
        Daily statistics on a gapless axis, shape (days, statistics), NaN where missing.
    usual
        Which days mean and memory come from, shape (days,).
    """
    known = np.isfinite(days) & usual[:, None]
    mean = np.where(known, days, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    x = days - mean
    pair = known[1:] & known[:-1]
    now, before = np.where(pair, x[1:], 0.0), np.where(pair, x[:-1], 0.0)
    square = (before**2).sum(axis=0)
    memory = np.divide((now * before).sum(axis=0), square, out=np.zeros_like(square), where=square > 0)
    out = np.full(days.shape, np.nan)
    out[1:] = x[1:] - np.clip(memory, 0.0, MOST_MEMORY) * x[:-1]
    return out


def relative(days: Floats, usual: Mask) -> Floats:
    """Return what the other statistics do not explain of each, shape (days, statistics).

    The regression-adjusted variables of Hawkins (1991, Technometrics 33, 61-75): with P the inverse of the correlations
    of what days bring, r_j = sum over i of P_ji z_i / P_jj. A change of one variable alone stands out of weather, which
    moves all of them. NaN on days on which any is missing.
    """
    brought = news(days, usual)
    whole = brought[usual & np.isfinite(brought).all(axis=1)]
    if len(whole) <= days.shape[1]:
        return np.full(days.shape, np.nan)
    deviation = Standard.of(whole).deviation
    z = (whole - whole.mean(axis=0)) / deviation
    inverse = np.linalg.inv(z.T @ z / (len(z) - 1) + RIDGE * np.eye(z.shape[1]))
    centre = np.nanmean(days[usual], axis=0)
    return np.asarray((days - centre) / deviation @ (inverse / np.diag(inverse)) * deviation)


def sums(scores: Floats) -> Floats:
    """Return both sums on every day, shape (..., days, statistics, 2); a missing score (NaN) leaves them as they are.

    >>> sums(np.array([[2.0], [np.nan], [1.0], [-1.0]]))[:, 0, 0].tolist()
    [1.5, 1.5, 2.0, 0.5]
    """
    step = np.moveaxis(_steps(scores), -3, 0)
    out = np.empty_like(step)
    total = np.zeros(step.shape[1:])
    for day, more in enumerate(step):
        total = out[day] = np.maximum(total + more, 0.0)
    return np.moveaxis(out, 0, -3)


def _steps(scores: Floats) -> Floats:
    step = np.stack([scores, -scores], axis=-1) - ALLOWANCE
    return np.where(np.isfinite(step), step, 0.0)


def threshold(brought: Floats, learned: int, days: int, rate: float, rng: np.random.Generator) -> float:
    """Return the threshold that any sum crosses within `days` days with a chance of `rate` while nothing changes.

    Parameters
    ----------
    brought
        What the days of the reference brought, shape (days of the reference, statistics), NaN where missing.
    learned
        Number of days that mean and deviation are known from.
    """
    highest = []
    for _ in range(DRAWS // BATCH):
        known = Standard.of(brought[_drawn(len(brought), learned, rng)])
        highest.append(sums(known.scores(brought[_drawn(len(brought), days, rng)])).max(axis=(1, 2, 3)))
    return float(np.quantile(highest, 1.0 - rate, method="higher"))


def _drawn(n: int, wanted: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return positions of whole blocks of days, the first after the last (Politis and Romano 1992), (draws, days)."""
    begin = rng.integers(0, n, (BATCH, -(-wanted // BLOCK_DAYS), 1))
    return np.asarray(((begin + np.arange(BLOCK_DAYS)) % n).reshape(BATCH, -1)[:, :wanted])


def crossings(scores: Floats, limit: float) -> tuple[Floats, tuple[Crossing, ...]]:
    """Return the sums as they stand at the end, shape (statistics, 2), and all alarms; after one a sum starts anew.

    Parameters
    ----------
    scores
        Shape (days, statistics), NaN where missing.
    """
    total = np.zeros((scores.shape[1], 2))
    begun = np.zeros(total.shape, np.int64)
    found = []
    for day, more in enumerate(_steps(scores)):
        begun[total == 0] = day
        total = np.maximum(total + more, 0.0)
        for statistic, side in np.argwhere(total > limit):
            found.append(Crossing(int(statistic), 1 - 2 * int(side), int(begun[statistic, side]), day))
            total[statistic, side] = 0.0
    return total, tuple(found)
