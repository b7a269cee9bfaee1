"""Rows of several files, merged hour by hour into arrays; where two reports of one hour differ is remembered."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from core.domain.weather import Values
from core.quality.duplicates import differing, shared

Rows = NDArray[np.int64]


class Merged:
    """Values of (places, hours), NaN until a row brings one; of equal places and hours the last row stays.

    Parameters
    ----------
    shape
        Places and hours.
    variables
        Variables of the house that some file has.
    """

    def __init__(self, shape: tuple[int, int], variables: Collection[str]) -> None:
        self.values = {name: np.full(shape, np.nan, np.float32) for name in variables}
        self._taken, self._doubled = np.zeros(shape, bool), np.zeros(shape, bool)

    @property
    def doubled(self) -> NDArray[np.bool_] | None:
        """Where two rows came that differ in a value both have, shape (places, hours); None where there are none."""
        return self._doubled if self._doubled.any() else None

    def add(self, place: Rows, hour: Rows, columns: Mapping[str, Values]) -> None:
        """Write the rows of one file: `place`, `hour` and every array of `columns` have shape (rows,)."""
        taken = self._taken.reshape(-1)
        cell = place * self._taken.shape[1] + hour
        again = np.union1d(shared(cell, taken.size), np.flatnonzero(taken[cell]))
        if len(again):
            self._compare(cell[again], {name: column[again] for name, column in columns.items()})
        taken[cell] = True
        for name, column in columns.items():
            self.values[name].reshape(-1)[cell] = column

    def _compare(self, cell: Rows, columns: Mapping[str, Values]) -> None:
        """Remember where rows differ from each other, or from what stands there."""
        doubled = self._doubled.reshape(-1)
        for name, column in columns.items():
            before = self.values[name].reshape(-1)[cell]
            doubled[differing(np.concatenate([cell, cell]), np.concatenate([before, column]))] = True
