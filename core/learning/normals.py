"""What is usual at a place: percentiles of its own values by season and hour, fitted on the training data.

A dew point of 22 °C is nothing at one station and a record at another. A version carries the percentiles of the
stations it learned from; a value is ranked among those of its station, or of the nearest ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.units import EARTH_RADIUS_KM
from core.domain.weather import Values
from core.learning import calendar

#: Features that are ranked, and those that say where a row stands; the latter are never shown to a classifier, which
#: would learn the map by heart.
RANKED = ("temperature_c", "dew_point_c", "equivalent_potential_temperature_k")
PLACE = ("latitude_deg", "longitude_deg")
#: Percentiles kept, and the rank of a value that lies above so many of them.
LEVELS = (5, 10, 25, 50, 75, 90, 95)
RANKS = np.array([0.025, 0.075, 0.175, 0.375, 0.625, 0.825, 0.925, 0.975], np.float32)
#: Fewer values than this have no percentiles.
LEAST_VALUES = 40
#: So many of the nearest stations speak for a place, none farther than this, km; one nearer than the last is itself.
NEAREST, RADIUS_KM, SAME_KM = 3, 150.0, 1.0

#: In training every so many-th place has no ranks, as a place far from all stations has none later.
HIDE_EVERY = 3


def rank_name(feature: str) -> str:
    """Return the name of the rank of a feature."""
    return f"{feature.rsplit('_', 1)[0]}_percentile"


def seen_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns that a classifier sees of rows with these features."""
    return (*(name for name in names if name not in PLACE), *map(rank_name, RANKED))


@dataclass(frozen=True)
class Normals:
    """Percentiles of stations: `place` (stations, 2), degrees; `levels` (stations, cells, ranked, levels), float16.

    NaN where there were too few values. The cells are those of `core.learning.calendar`.
    """

    place: NDArray[np.float32]
    levels: NDArray[np.float16]
    names: tuple[str, ...]

    @classmethod
    def fit(cls, rows: Values, names: Sequence[str]) -> Normals:
        """Count the percentiles of every station and cell.

        Parameters
        ----------
        rows
            Features of the training cases, shape (cases, features).
        names
            Names of the features.
        """
        place, station = _places(rows, names)
        group = station * calendar.CELLS + calendar.cells(rows, names)
        count = len(place) * calendar.CELLS
        levels = np.stack([_percentiles(rows[:, names.index(name)], group, count) for name in RANKED], axis=1)
        return cls(place, levels.reshape(len(place), calendar.CELLS, len(RANKED), len(LEVELS)), tuple(names))

    def to_parts(self) -> dict[str, Any]:
        """Return plain values."""
        return {"place": self.place, "levels": self.levels, "names": list(self.names)}

    @classmethod
    def from_parts(cls, parts: Mapping[str, Any]) -> Normals:
        """Return the percentiles of stored parts."""
        return cls(parts["place"], parts["levels"], tuple(parts["names"]))

    def seen(self, rows: Values) -> Values:
        """Return what a classifier sees of rows: the features without the place, and the ranks, 0..1 or NaN."""
        kept = [i for i, name in enumerate(self.names) if name not in PLACE]
        return np.concatenate([rows[:, kept], self.ranks(rows)], axis=1)

    def taught(self, rows: Values) -> Values:
        """Return the same for training: a third of the places shows no ranks, so that a classifier can do without."""
        seen = self.seen(rows)
        _, where = _places(rows, self.names)
        seen[where % HIDE_EVERY == 0, -len(RANKED) :] = np.nan
        return seen

    def ranks(self, rows: Values) -> Values:
        """Return the rank of every ranked feature among what is usual there, then, shape (rows, ranked)."""
        place, where = _places(rows, self.names)
        station, known = self._nearest(place)
        cell = calendar.cells(rows, self.names)
        values = rows[:, [self.names.index(name) for name in RANKED]]
        total = np.zeros(values.shape, np.float32)
        weight = np.zeros(values.shape, np.float32)
        for nth in range(station.shape[1]):
            levels = self.levels[station[where, nth], cell]
            usable = np.isfinite(values) & np.isfinite(levels[:, :, 0]) & known[where, nth][:, None]
            above = (values[:, :, None] >= levels).sum(axis=2)
            total += np.where(usable, RANKS[above], 0)
            weight += usable
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(weight > 0, total / weight, np.float32(np.nan))

    def _nearest(self, place: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the stations that speak for places (places, 2) and whether they do, each (places, nearest)."""
        one, other = np.deg2rad(place.astype(float))[:, None], np.deg2rad(self.place.astype(float))[None]
        half = np.sin((one - other) / 2) ** 2
        chord = half[..., 0] + np.cos(one[..., 0]) * np.cos(other[..., 0]) * half[..., 1]
        distance = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))
        order = np.argsort(distance, axis=1)[:, :NEAREST]
        apart = np.take_along_axis(distance, order, axis=1)
        itself = apart[:, :1] <= SAME_KM
        return order, (apart <= RADIUS_KM) & (~itself | (apart <= SAME_KM))


def _places(rows: Values, names: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the different places of rows (places, 2), and which of them every row stands at."""
    latitude, longitude = (rows[:, names.index(name)] for name in PLACE)
    different, where = np.unique(latitude.astype(float) + 1j * longitude.astype(float), return_inverse=True)
    return np.stack([different.real, different.imag], axis=1).astype(np.float32), where.astype(np.int64)


def _percentiles(values: Values, group: NDArray[np.int64], groups: int) -> NDArray[np.float16]:
    """Return the percentiles of the known values of every group, shape (groups, levels); NaN where they are few."""
    known = np.isfinite(values)
    value, member = values[known], group[known]
    order = np.lexsort((value, member))
    value, count = value[order], np.bincount(member, minlength=groups)
    begin = np.cumsum(count) - count
    at = begin[:, None] + (np.array(LEVELS) / 100 * (count[:, None] - 1)).astype(np.int64)
    enough = (count >= LEAST_VALUES)[:, None]
    found = value[np.clip(at, 0, max(len(value) - 1, 0))] if len(value) else np.full(at.shape, np.nan, np.float32)
    return np.where(enough, found, np.nan).astype(np.float16)
