"""Duplicate check: two reports of one hour of a place that differ. Which of them is true nobody can tell from them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.domain.quality import Finding, Mask
from core.domain.told import tell
from core.domain.weather import Flag, HourlyWeather

DUPLICATE = "duplicate"
REASON = tell("two reports of this hour differ")


def doubled(weather: HourlyWeather) -> Iterator[Finding]:
    """Suspect the hours of which two reports came that differ: the later one counts, and may be the wrong one."""
    if weather.doubled is not None:
        for variable, values in weather.values.items():
            yield Finding(DUPLICATE, variable, Flag.SUSPECT, REASON, weather.doubled & np.isfinite(values))


def shared(key: NDArray[np.int64], keys: int) -> NDArray[np.intp]:
    """Return the rows whose key (0..keys-1) another row has too; cheap where there are none."""
    seen = np.zeros(keys, bool)
    seen[key] = True
    if np.count_nonzero(seen) == len(key):
        return np.empty(0, np.intp)
    return np.flatnonzero(np.bincount(key, minlength=keys)[key] > 1)


def last(key: NDArray[np.int64], keys: int) -> Mask:
    """Return which rows are the last of their key (0..keys-1), shape (rows,)."""
    row = np.arange(len(key))
    latest = np.empty(keys, np.int64)
    latest[key] = row
    where: Mask = latest[key] == row
    return where


def differing(key: NDArray[np.int64], values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the keys of which two rows have different values. A value that is missing contradicts none.

    >>> differing(np.array([7, 7, 8, 8, 9, 9]), np.array([0.0, 80.0, 1.0, 1.0, 2.0, np.nan]))
    array([7])
    """
    known = np.isfinite(values)
    order = np.argsort(key[known], kind="stable")
    sorted_keys, sorted_values = key[known][order], values[known][order]
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=-1))
    if not len(starts):
        return np.empty(0, np.int64)
    low, high = np.minimum.reduceat(sorted_values, starts), np.maximum.reduceat(sorted_values, starts)
    found: NDArray[np.int64] = sorted_keys[starts][low < high]
    return found
