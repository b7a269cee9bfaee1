"""Records laid out along time: the checks that need an hour's neighbours, for records in any order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.domain.quality import Finding, Mask
from core.domain.units import HOUR
from core.domain.weather import Flag, HourlyWeather, Hours, Location
from core.quality import schema
from core.quality.baseline import Baseline
from core.quality.checks import check
from core.quality.columns import Columns
from core.quality.duplicates import DUPLICATE, REASON, differing, last

Bounds = NDArray[np.float32]

#: Place-hours that may be laid out per record. A table that is thinner than that (a few rows over many years) would
#: cost memory without end, and has hardly two hours side by side.
CELLS_PER_RECORD, CELLS_AT_LEAST = 8, 100_000
SCATTERED = "Step, spike and flat line were not looked at: the records lie too scattered in time."
UNTOLD = "Step, spike and flat line were not looked at: they need location_id and valid_at of more than one hour."


@dataclass(frozen=True)
class Past:
    """What is usual at some places: a baseline, and which of its places each id is.

    Without ids the baseline has one place, and every record is taken as of that.
    """

    baseline: Baseline
    place_of: dict[str, int]

    @classmethod
    def of(cls, baseline: Baseline, ids: Sequence[str]) -> Past:
        """Return the past of some places, in the order of the baseline.

        Raises
        ------
        ValueError
            If there are not as many ids as places.
        """
        places = {len(array) for array in baseline.centre.values()}
        if places != {len(ids) or 1}:
            raise ValueError(f"{len(ids)} ids for a baseline of {sorted(places)} places")
        # One place more at the end, number -1, of which nothing is known.
        return cls(_each(baseline, _with_unknown), {name: i for i, name in enumerate(ids)})

    def rows(self, columns: Columns) -> NDArray[np.int64] | int:
        """Return the place of every record, one number where all are of one place."""
        if not self.place_of:
            return 0
        known = self.numbers((*columns.places.ids, ""))
        if len(known) == 1 or (len(known) == 2 and not (columns.places.row < 0).any()):
            return int(known[0])
        rows: NDArray[np.int64] = known[columns.places.row]
        return rows

    def numbers(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the place of every id, -1 where nothing is known of it."""
        return np.array([self.place_of.get(name, -1) if self.place_of else 0 for name in ids], np.int64)

    def select(self, ids: Sequence[str]) -> Baseline:
        """Return the baseline of some places in another order."""
        numbers = self.numbers(ids)
        return _each(self.baseline, lambda array: array[numbers])


def along_time(columns: Columns, past: Past | None) -> tuple[list[Finding], str | None]:
    """Return the findings of all checks for records that say place and hour; or why they were not looked at.

    The hours are looked at in hindsight, with those after them. Of two records of one place and hour the later counts,
    and only on it falls what is found. Findings have shape (records,).
    """
    place, at = columns.places.row, columns.valid_at
    if not columns.places.ids:
        return [], UNTOLD
    hour = at.astype("datetime64[h]")
    use = np.flatnonzero((place >= 0) & (hour == at) & _placed(columns))  # NaT equals nothing
    if len(use) < 2 or hour[use].min() == hour[use].max():
        return [], UNTOLD
    seen, first, row = np.unique(place[use], return_index=True, return_inverse=True)
    hours = np.arange(hour[use].min(), hour[use].max() + HOUR, HOUR)
    if len(seen) * len(hours) > max(CELLS_PER_RECORD * columns.records, CELLS_AT_LEAST):
        return [], SCATTERED
    hour_of = ((hour[use] - hours[0]) / HOUR).astype(np.int64)
    locations = tuple(_location(columns, int(record)) for record in use[first])
    counts = last(row * len(hours) + hour_of, len(seen) * len(hours))
    use, cell = use[counts], (row[counts], hour_of[counts])
    weather = _laid_out(columns, use, cell, locations, hours)
    usual = None if past is None else past.select([p.id for p in locations])
    checked = check(weather, hindsight=True, baseline=usual)
    return [_of_records(f, columns, use, cell) for f in checked.findings if f.variable in columns.values], None


def off_hour(columns: Columns) -> int:
    """Return how many records say their place, and a time that is no full hour."""
    if not columns.places.ids:
        return 0
    at = columns.valid_at
    return int(np.count_nonzero((columns.places.row >= 0) & (at.astype("datetime64[h]") != at) & ~np.isnat(at)))


def twins(columns: Columns) -> tuple[list[Finding], int]:
    """Return what the duplicate check says, and how many records repeat another of the same place and time.

    Where two of them differ in a value that both have, every value of both is suspect; equal ones are only counted.
    """
    if not columns.places.ids:
        return [], 0
    told = np.flatnonzero((columns.places.row >= 0) & ~np.isnat(columns.valid_at))
    time, times = pd.factorize(columns.valid_at[told])
    key = columns.places.row[told] * len(times) + time
    again = pd.Series(key).duplicated(keep=False).to_numpy()
    if not again.any():
        return [], 0
    told, key = told[again], key[again]
    apart = [differing(key, values[told]) for values in columns.values.values()]
    where: Mask = np.zeros(columns.records, bool)
    where[told] = np.isin(key, np.concatenate(apart))
    found = [
        Finding(DUPLICATE, name, Flag.SUSPECT, REASON, where & np.isfinite(values))
        for name, values in columns.values.items()
    ]
    return [f for f in found if f.where.any()], len(key) - len(np.unique(key))


def _each(baseline: Baseline, change: Callable[[Bounds], Bounds]) -> Baseline:
    """Return a baseline with every array of it changed."""

    def changed(table: Mapping[str, Bounds]) -> dict[str, Bounds]:
        return {name: change(array) for name, array in table.items()}

    b = baseline
    return Baseline(changed(b.centre), changed(b.spread), changed(b.low), changed(b.high), b.plain)


def _with_unknown(array: Bounds) -> Bounds:
    return np.concatenate([array, np.full((1, *array.shape[1:]), np.nan, np.float32)])


def _placed(columns: Columns) -> Mask:
    """Return which records say where on the globe they are."""
    where: Mask = np.ones(columns.records, bool)
    for name in ("latitude", "longitude"):
        low, high = schema.LIMITS[name]
        where &= (columns.position[name] >= low) & (columns.position[name] <= high)
    return where


def _location(columns: Columns, record: int) -> Location:
    name = columns.places.ids[columns.places.row[record]]
    latitude, longitude, height = (float(columns.position[field][record]) for field in schema.POSITION)
    low, high = schema.LIMITS["elevation_m"]
    return Location(name, name, latitude, longitude, height if low <= height <= high else float("nan"))


def _laid_out(
    columns: Columns, use: NDArray[np.intp], cell: tuple[Any, Any], places: tuple[Location, ...], hours: Hours
) -> HourlyWeather:
    values = {}
    for name, array in columns.values.items():
        values[name] = np.full((len(places), len(hours)), np.nan, np.float32)
        values[name][cell] = array[use]
    return HourlyWeather(places, hours, values, "handed in")


def _of_records(finding: Finding, columns: Columns, use: NDArray[np.intp], cell: tuple[Any, Any]) -> Finding:
    where: Mask = np.zeros(columns.records, bool)
    where[use] = finding.where[cell]
    return Finding(finding.test, finding.variable, finding.flag, finding.reason, where)
