"""Where values stand within what is usual for their place, season and hour, and what a day of such ranks amounts to.

Every value becomes its rank in the reference of the same place, of the same season (35 days on both sides of the ten
days of the year it lies in) and of the same three hours of the day (probability integral transform). Whatever the
season and the hour, ranks are uniform while nothing changes; so seasons and hours can be thrown together, and a cold
night in winter is no drift. Calendar months with their neighbours would be coarser: in a spring that warms by a degree
in six days the end of every month would be warm.

A value that stands in the reference many times, such as no rain, takes up a whole interval of ranks; its mass is spread
evenly over it (the non-randomised transform of Czado, Gneiting and Held 2009, Biometrics 65, 1254-1261,
doi:10.1111/j.1541-0420.2009.01191.x), and its rank is the interval's middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Values = NDArray[np.float32]
Mask = NDArray[np.bool_]

#: A place with fewer values of a season and three hours is ranked within those of all places.
PLACE_VALUES = 30
#: Hours of the day that are ranked together.
SLOT_H = 3
#: Days of the year that are ranked together, and those on both sides of their middle that are their season.
SEASON_STEP, SEASON_REACH, YEAR_DAYS = 10, 35, 365.25
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


def season_of(day: Ints) -> Ints:
    """Return the ten days of the year, 0..36, that days lie in."""
    return np.asarray(_day_of_year(day) // SEASON_STEP)


def near(day: Ints, season: int) -> Mask:
    """Return which days belong to the same season as ten days of the year: 35 on both sides of their middle."""
    apart = np.abs(_day_of_year(day) - SEASON_STEP * (season + 0.5) + 0.5)
    return np.asarray(np.minimum(apart, YEAR_DAYS - apart) <= SEASON_REACH)


def _day_of_year(day: Ints) -> Ints:
    date = day.astype("datetime64[D]")
    return np.asarray((date - date.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64))


def standing(
    values: Values, hour: Ints, reference: Mask, seasonal: bool, wanted: Mask | None = None
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
        pool, own = values[:, usual], fold[usual]
        few = np.isfinite(pool).sum(axis=1) < PLACE_VALUES
        everywhere = pool.reshape(1, -1) if few.any() else pool[:0]
        for rows, among in ((~few, pool[~few]), (few, everywhere)):
            if rows.any() and among.size:
                at = np.ix_(rows, targets)
                folds = own if among is not everywhere else np.tile(own, len(pool))
                low[at], high[at] = _intervals(values[at], fold[targets], among, folds)
    return low, high


def _pools(hour: Ints, reference: Mask, seasonal: bool, wanted: Mask) -> Iterator[tuple[Ints, Ints]]:
    """Yield positions of hours of ten days of the year and three hours of the day, and of the reference they have."""
    day, slot = days_of(hour), (hour - 1) % 24 // SLOT_H
    season = season_of(day) if seasonal else np.zeros_like(day)
    for s in np.unique(season[wanted]):
        usual = reference & (near(day, int(s)) if seasonal else True)
        for t in range(24 // SLOT_H):
            targets, those = np.flatnonzero(wanted & (season == s) & (slot == t)), np.flatnonzero(usual & (slot == t))
            if len(targets) and len(those):
                yield targets, those


def _intervals(values: Values, fold: Ints, pool: Values, folds: Ints) -> tuple[Floats, Floats]:
    """Return the intervals of values, shape (places, hours), within a pool without their own fold.

    Parameters
    ----------
    pool
        Shape (places, values), or (1, values) of one pool for all.
    """
    ordered = np.sort(pool, axis=1)  # NaN last
    below, upto = np.empty(values.shape), np.empty(values.shape)
    count = np.isfinite(pool).sum(axis=1)
    for place, mine in enumerate(values):
        row = place if len(pool) > 1 else 0
        among = ordered[row, : count[row]]
        below[place], upto[place] = np.searchsorted(among, mine, "left"), np.searchsorted(among, mine, "right")
    others = np.broadcast_to(count[:, None], values.shape).astype(float)
    for f in np.unique(fold[fold >= 0]):
        part, mine = np.flatnonzero(fold == f), pool[:, None, folds == f]
        below[:, part] -= (mine < values[:, part, None]).sum(axis=2)
        upto[:, part] -= (mine <= values[:, part, None]).sum(axis=2)
        others[:, part] -= np.isfinite(mine).sum(axis=2)
    known = np.isfinite(values) & (others >= PLACE_VALUES)
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
