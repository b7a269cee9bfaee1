"""Where values stand within what is usual for their place, season and hour, and what a day of such ranks amounts to.

Every value becomes its rank in the reference of the same place, of the same month with the months before and after it,
and of the same three hours of the day (probability integral transform). Whatever the season and the hour, ranks are
uniform while nothing changes; so months and hours can be thrown together, and a cold night in winter is no drift.

A value that stands in the reference many times, such as no rain, takes up a whole interval of ranks; its mass is spread
evenly over it (the non-randomised transform of Czado, Gneiting and Held 2009, Biometrics 65, 1254-1261,
doi:10.1111/j.1541-0420.2009.01191.x), and its rank is the interval's middle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.verification.climatology import cells

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

#: A place with fewer values of a season and three hours is ranked within those of all places.
PLACE_VALUES = 30
SLOTS = 8
#: Values of the reference are not compared with those of their own so many days: these share their weather.
FOLD_DAYS = 30
BINS = 10
#: A day with fewer than this share of the usual number of values says nothing.
LEAST_SHARE = 0.25
#: Standard deviation of a uniform rank: statistics count in it.
RANK_DEVIATION = 12**-0.5
#: Least share of a bin: an empty one makes no infinity.
LEAST_BIN = 1e-3


@dataclass(frozen=True)
class Daily:
    """What the days of one variable amount to, on a gapless axis of days; NaN where too little is known.

    Parameters
    ----------
    level
        Mean departure of the ranks from the middle, in standard deviations of a uniform rank, shape (days,).
    contrast
        Root mean square departure of the ranks from the mean of all places in that hour, in the same unit, (days,);
        NaN with fewer than three places.
    mass
        Number of values by bin of rank, shape (days, 10); spread where a value takes up several.
    """

    level: Floats
    contrast: Floats
    mass: Floats

    @property
    def shape(self) -> Floats:
        """Logarithm of the stability index of the day, shape (days,)."""
        index = np.log(np.maximum(stability_index(self.mass), LEAST_BIN))
        return np.where(np.isfinite(self.level), index, np.nan)


def stability_index(mass: Floats, usual: Floats | None = None) -> Floats:
    """Return the population stability index, shape (...).

    PSI = sum over bins of (q - p) ln(q / p), q the shares found and p those that are usual (Siddiqi 2006, Credit Risk
    Scorecards, ch. 10; it is Jeffreys' divergence, Kullback and Leibler 1951, doi:10.1214/aoms/1177729694). Shares are
    taken for at least .001.

    Parameters
    ----------
    mass
        Number of values by bin, shape (..., bins).
    usual
        Number of values by bin of what is usual, shape (bins,); None: the same in every bin.

    >>> round(float(stability_index(np.array([60.0, 40.0]), np.array([50.0, 50.0]))), 6)
    0.040547
    """
    q = _shares(mass)
    p = _shares(np.ones(mass.shape[-1]) if usual is None else usual)
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def _shares(mass: Floats) -> Floats:
    total = mass.sum(axis=-1, keepdims=True)
    shares = np.maximum(np.divide(mass, total, out=np.full(mass.shape, 1 / mass.shape[-1]), where=total > 0), LEAST_BIN)
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))


def days_of(hour: Ints) -> Ints:
    """Return the day (UTC, 0 is 1 January 1970) of hours named by their end."""
    return np.asarray((hour - 1) // 24)


def month_of(day: Ints) -> Ints:
    """Return the month of days, 0 is January."""
    return np.asarray(day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12)


def near(month: Ints, other: int) -> Mask:
    """Return which months are one month or a neighbour of it."""
    return np.asarray((month - other + 1) % 12 <= 2)


def standing(
    values: NDArray[np.float32], hour: Ints, reference: Mask, seasonal: bool, wanted: Mask | None = None
) -> tuple[Floats, Floats]:
    """Return the interval of ranks that every value takes up, from 0 to 1: its lower and upper ends, NaN where unknown.

    A value is ranked as if it belonged to those it is compared with: n values and a new one have n + 1 equally likely
    ranks. Values of the reference are compared with the reference but for their own thirty days, so that they are no
    nearer to it than what comes later.

    Parameters
    ----------
    values
        Shape (places, hours), NaN where missing.
    hour
        Ends of the hours since 1970, UTC, shape (hours,); they may have gaps.
    reference
        Which hours are the reference, shape (hours,).
    seasonal
        Whether a value is ranked within its season; False where the weather knows none.
    wanted
        Which hours are to be ranked, shape (hours,); None: all.
    """
    low, high = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    fold = np.where(reference, days_of(hour) // FOLD_DAYS, -1)
    for targets, usual in _pools(hour, reference, seasonal, np.ones(len(hour), bool) if wanted is None else wanted):
        few = np.isfinite(values[:, usual]).sum(axis=1) < PLACE_VALUES
        everywhere = _Pool.of(values[:, usual], fold[usual]) if few.any() else None
        for place, mine in enumerate(values):
            pool = everywhere if few[place] else None
            pool = pool or _Pool.of(mine[None, usual], fold[usual])
            for f in np.unique(fold[targets]):
                part = targets[fold[targets] == f]
                low[place, part], high[place, part] = pool.intervals(mine[part], int(f))
    return low, high


def _pools(hour: Ints, reference: Mask, seasonal: bool, wanted: Mask) -> Iterator[tuple[Ints, Ints]]:
    """Yield the positions of hours of one month and three hours of the day, and of the reference they belong to."""
    cell = cells(hour - 1)
    month, slot = (cell // SLOTS if seasonal else np.zeros_like(cell)), cell % SLOTS
    for m in np.unique(month):
        season = reference & (near(month, int(m)) if seasonal else True)
        for s in range(SLOTS):
            targets, usual = np.flatnonzero(wanted & (month == m) & (slot == s)), np.flatnonzero(season & (slot == s))
            if len(targets) and len(usual):
                yield targets, usual


@dataclass(frozen=True)
class _Pool:
    """Values that others are ranked in: all of them, and those of every fold of days, sorted."""

    values: NDArray[np.float32]
    by_fold: Mapping[int, NDArray[np.float32]]

    @classmethod
    def of(cls, values: NDArray[np.float32], fold: Ints) -> _Pool:
        known = np.isfinite(values)
        folds = np.broadcast_to(fold, values.shape)[known]
        kept = values[known]
        return cls(np.sort(kept), {int(f): np.sort(kept[folds == f]) for f in np.unique(folds)})

    def intervals(self, values: NDArray[np.float32], fold: int) -> tuple[Floats, Floats]:
        """Return the intervals of values that belong to a fold; those of another one than any are new."""
        own = self.by_fold.get(fold, self.values[:0])
        others = len(self.values) - len(own)
        if others < PLACE_VALUES:
            return np.full(len(values), np.nan), np.full(len(values), np.nan)
        below = np.searchsorted(self.values, values, "left") - np.searchsorted(own, values, "left")
        upto = np.searchsorted(self.values, values, "right") - np.searchsorted(own, values, "right")
        known = np.isfinite(values)
        return np.where(known, below / (others + 1), np.nan), np.where(known, (upto + 1) / (others + 1), np.nan)


def daily(low: Floats, high: Floats, day: Ints, axis: Ints, usual: Mask) -> Daily:
    """Return what the days of `axis` amount to.

    Parameters
    ----------
    low, high
        Intervals of ranks, shape (places, hours).
    day
        Day of every hour, shape (hours,).
    axis
        Gapless days, shape (days,).
    usual
        Which days say how many values are usual, shape (days,).
    """
    index, n = day - axis[0], len(axis)
    known = np.isfinite(low)
    rank = np.where(known, (low + high) / 2 - 0.5, 0.0) / RANK_DEVIATION
    here = known.sum(axis=0)
    count = np.bincount(index, here, n)
    mean = rank.sum(axis=0) / np.maximum(here, 1)
    apart = np.where(known & (here >= 3), rank - mean, 0.0)
    apart_count = np.bincount(index, np.where(here >= 3, here, 0), n)
    held = count[usual & (count > 0)]
    enough = (count > 0) & (count >= LEAST_SHARE * (np.median(held) if len(held) else 0.0))
    level = np.bincount(index, rank.sum(axis=0), n) / np.maximum(count, 1)
    contrast = np.sqrt(np.bincount(index, (apart**2).sum(axis=0), n) / np.maximum(apart_count, 1))
    return Daily(
        level=np.where(enough, level, np.nan),
        contrast=np.where(enough & (2 * apart_count >= count), contrast, np.nan),
        mass=_mass(low, high, index, n) * enough[:, None],
    )


def _mass(low: Floats, high: Floats, index: Ints, days: int) -> Floats:
    """Return the number of values by day and bin, shape (days, 10)."""
    known = np.isfinite(low)
    width = np.where(known, np.maximum(high - low, 1e-9), 1.0)
    below: list[Floats] = [np.zeros(days)]
    for edge in np.arange(1, BINS) / BINS:
        part = np.where(known, np.clip((edge - low) / width, 0.0, 1.0), 0.0)
        below.append(np.bincount(index, part.sum(axis=0), days).astype(float))
    below.append(np.bincount(index, known.sum(axis=0), days).astype(float))
    return np.asarray(np.maximum(np.diff(np.stack(below, axis=1), axis=1), 0.0))
