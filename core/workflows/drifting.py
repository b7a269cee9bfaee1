"""Drifting: whether what a region's model sees, and what it says, has left what was usual for the season and hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.domain.drift import SCORE, DriftReport, VariableDrift
from core.domain.forecast import DEFAULT_WINDOW, TARGET
from core.domain.units import as_utc, hour_axis, months
from core.domain.verification import VerifiedCases
from core.domain.weather import Region
from core.errors import ModelError
from core.ports import Clock, Ledger, ModelStore
from core.verification.drift import RATE, Periods, judge
from core.workflows.archived import ArchivedRegion
from core.workflows.observing import Observing

#: What is watched of the weather, where the source has it.
INPUTS = (
    "temperature_c",
    "dew_point_c",
    "relative_humidity_pct",
    "surface_pressure_hpa",
    "wind_speed_ms",
    "precipitation_mm",
)
#: Most places looked at: neighbours share their weather, and more of them tell little more.
PLACES = 40
#: Days are watched from a fixed day on, which moves by so many days at once: between two moves more days come, but what
#: was found stays found, under the same name. 30 to 59 days are watched.
STEP_DAYS = 30
#: Days of reference, of inputs where there are seasons, and of the rest.
REFERENCE_DAYS, SHORT_REFERENCE_DAYS = 3 * 365, 365
#: A day is judged by days of the year no more than 40 off, and these are ranked among others as near: twice 40 days.
SEASON_DAYS = 80
#: A day is looked at when it has been over for so long: late values are there by then.
LATE = timedelta(hours=6)
#: Part of the false alarms that the score may make; it is judged by itself, because its record is another.
SCORE_PART = 1 / 6
#: The simulator's live weather is that of one day of the year throughout.
SEASONLESS = "simulator"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Table = Mapping[str, NDArray[np.float32]]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Drifting:
    """Looks for drift of inputs and of the score; the same data give the same report.

    Parameters
    ----------
    rate
        Chance of any false alarm in 90 days, as designed.
    seed
        Of the bootstrap that sets the threshold.
    """

    observing: Observing
    ledger: Ledger
    store: ModelStore
    clock: Clock
    rate: float = RATE
    seed: int = 7

    def look(self, region_id: str, until: datetime | None = None) -> DriftReport:
        """Return what has drifted in one region; what cannot be judged is named with its reason.

        Parameters
        ----------
        until
            Until when the champion knows the weather: the reference ends there, and days are watched from there on.
            None: the reference ends where the watched days begin.

        Raises
        ------
        ConfigurationError, SourceError, DataError
            If the region is not known or the ledger does not answer.
        """
        region, now = self.observing.region(region_id), self.clock()
        thinned = _thinned(region)
        source = self.observing.source.name
        periods = periods_of(now, until, source != SEASONLESS)
        version = self._version(source, region_id)
        begin, end = (_date(day) for day in periods.watched)
        report = DriftReport(
            source, region_id, begin, end, None, None, len(thinned.locations), len(region.locations), (), version
        )
        if begin > end:
            return replace(report, variables=_unjudged((*INPUTS, SCORE), "no whole day has passed since the training"))
        values, hour = self._weather(thinned, periods, now)
        first = _first_day(values, hour)
        if first is not None and first <= periods.reference[1]:
            kept = max(first, periods.reference[0])
            report = replace(report, reference_begin=_date(kept), reference_end=_date(periods.reference[1]))
        inputs = judge(values, hour, periods, self.rate * (1 - SCORE_PART), _generator(self.seed))
        return replace(report, variables=(*inputs, self._score(thinned, periods, version)))

    def _version(self, source: str, region_id: str) -> str | None:
        try:
            return self.store.champion(source, region_id).version
        except ModelError:  # whoever serves meanwhile leaves too short a record to be judged
            return None

    def _weather(self, region: Region, periods: Periods, now: datetime) -> tuple[Table, Ints]:
        """Return the usable values as known now, with the ends of their hours; only months of the season are read."""
        past = ArchivedRegion(self.observing.archive, self.observing.source.name, region, now)
        stored = past.periods()
        wanted = _months_wanted(periods)
        begin = max(_moment(periods.axis[0]), stored[0][0]) if stored else now
        hours, parts = [np.empty(0, np.int64)], []
        for first, last in months(begin, min(now, _moment(periods.watched[1] + 1))):
            if first.month in wanted and _touches(periods, first, last):
                usable = self.observing.check(past.hours(region, first, last), True).usable()
                parts.append(usable)
                hours.append(usable.valid_at.astype(np.int64))
        empty = np.empty((len(region.locations), 0), np.float32)
        table = {name: np.concatenate([empty, *(part.get(name) for part in parts)], axis=1) for name in INPUTS}
        seen = {name: array for name, array in table.items() if np.isfinite(array).any()}
        return seen or table, np.concatenate(hours)

    def _score(self, region: Region, periods: Periods, version: str | None) -> VariableDrift:
        """Return what is found of the issued probability; its reference is the champion's own record."""
        if version is None:
            return _unjudged((SCORE,), "there is no champion")[0]
        last = periods.watched[0] - 1
        own = replace(periods, reference=(last - SHORT_REFERENCE_DAYS + 1, last))
        axis = hour_axis(_moment(own.axis[0]), _moment(own.watched[1] + 1))[1:]
        values = np.full((len(region.locations), len(axis)), np.nan, np.float32)
        for first, end in reversed(list(months(_moment(own.axis[0]), _moment(own.watched[1] + 1)))):
            source = self.observing.source.name
            cases = self.ledger.issued(source, region.id, DEFAULT_WINDOW, (first, end)).counting()
            mine = cases.select(cases.model_version == version)
            _put(values, axis, mine, {place.id: i for i, place in enumerate(region.locations)})
            if not len(mine) and len(cases):
                break  # somebody else served before
        found = judge({SCORE: values}, axis.astype(np.int64), own, self.rate * SCORE_PART, _generator(self.seed))
        return found[0]


def periods_of(now: datetime, until: datetime | None, seasonal: bool) -> Periods:
    """Return which days are watched at `now`, and which they are compared with.

    >>> periods = periods_of(datetime(2026, 7, 30, 12, tzinfo=UTC), None, True)
    >>> [str(np.datetime64(day, "D")) for day in periods.watched]
    ['2026-06-06', '2026-07-29']
    """
    last = (as_utc(now) - LATE - EPOCH).days - 1
    anchor = 0 if until is None else (as_utc(until) - EPOCH).days
    begin = anchor + STEP_DAYS * max((last + 1 - anchor) // STEP_DAYS - 1, 0)
    known = (begin if until is None else min(anchor, begin)) - 1
    length = REFERENCE_DAYS if seasonal else SHORT_REFERENCE_DAYS
    return Periods((known - length + 1, known), (begin, last), seasonal)


def _thinned(region: Region) -> Region:
    """Return the region with no more places than are looked at, spread evenly over their list."""
    n = len(region.locations)
    kept = np.unique(np.linspace(0, n - 1, min(n, PLACES)).round().astype(int)) if n else ()
    return replace(region, locations=tuple(region.locations[i] for i in kept))


def _months_wanted(periods: Periods) -> frozenset[int]:
    """Return the months of the year to be read: those of the season, and those that its days are ranked in."""
    if not periods.seasonal:
        return frozenset(range(1, 13))
    around = range(-SEASON_DAYS, SEASON_DAYS + 1, 10)
    return frozenset(_date(day + by).month for day in range(*periods.watched) for by in around)


def _touches(periods: Periods, first: datetime, last: datetime) -> bool:
    """Say whether any of the hours belongs to the reference or to the days watched."""
    days = (first - EPOCH).days, (last - EPOCH).days
    return any(begin <= days[1] and days[0] <= end for begin, end in (periods.reference, periods.watched))


def _put(values: NDArray[np.float32], axis: NDArray[np.datetime64], cases: VerifiedCases, rows: dict[str, int]) -> None:
    """Write the probabilities of the target into (places, hours)."""
    row = np.array([rows.get(str(place), -1) for place in cases.location_id], np.int64)
    column = (cases.valid_from - axis[0]).astype(np.int64) if len(axis) else np.empty(0, np.int64)
    inside = (row >= 0) & (column >= 0) & (column < len(axis))
    values[row[inside], column[inside]] = cases.probability_of(TARGET)[inside]


def _unjudged(variables: tuple[str, ...], why: str) -> tuple[VariableDrift, ...]:
    return tuple(VariableDrift(variable, why, 0) for variable in variables)


def _first_day(values: Table, hour: Ints) -> int | None:
    known = np.flatnonzero(np.logical_or.reduce([np.isfinite(array).any(axis=0) for array in values.values()]))
    return (int(hour[known[0]]) - 1) // 24 if len(known) else None


def _moment(day: int) -> datetime:
    return EPOCH + timedelta(days=int(day))


def _date(day: int) -> date:
    return _moment(day).date()


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
