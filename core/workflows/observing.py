"""Observing: weather in, flags on, archive; with the last good data where the source fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from core.domain.quality import FlaggedWeather
from core.domain.units import floor_hour, from_datetime64, hour_axis, months
from core.domain.weather import HourlyWeather, ModelRun, Region
from core.errors import CloudburstError, ConfigurationError, DataError, SourceError
from core.features import fields as model_fields
from core.meters import Meters
from core.ports import (
    Archive,
    BackfillSource,
    EnsembleSource,
    FieldSource,
    Progress,
    WeatherArchive,
    WeatherSource,
    silent,
)
from core.quality.baseline import Baseline, fit
from core.quality.checks import Checker

#: Hours that a refresh stores anew: late values of the last two days still find their place.
STORED_H = 48
#: What is usual at a place is fitted to so many days of its archive, once a day.
PAST_DAYS, PAST_LASTS = 60, timedelta(days=1)
#: Members of an ensemble are of use at the newest hour with data: older ones count as no data.
MEMBERS_BACK = timedelta(hours=24)
#: Sources whose hours are those of a weather model, and whose moments of arrival are a rule of thumb.
BY_MODEL = frozenset({"open-meteo"})
#: Hours on both sides of a month that its checks see.
AROUND = timedelta(days=1)


@dataclass(frozen=True)
class Recent:
    """The recent weather of a region, flagged, and the error of fetching it (None: it went well).

    `fields` are the forecast fields, None where the house has no source of them; where that source failed they are
    missing throughout, and the error is kept. `members` are those of an ensemble, None where the source has none.
    """

    checked: FlaggedWeather
    error: CloudburstError | None = None
    fields: HourlyWeather | None = None
    fields_error: CloudburstError | None = None
    members: HourlyWeather | None = None


@dataclass
class Observing:
    """Fetches, checks and stores the weather of regions.

    Parameters
    ----------
    check
        The quality checks.
    history_h
        Hours that a forecast needs to look back.
    fields
        Where forecast fields come from, None: this house has none.
    meters
        Count what the sources fail with.
    """

    source: WeatherSource
    archive: Archive
    check: Checker
    history_h: int
    fields: FieldSource | None = None
    meters: Meters = field(default_factory=Meters)
    _regions: tuple[Region, ...] = ()
    _collected: set[str] = field(default_factory=set)
    #: By region: the model run behind the weather seen last, whoever fetched it, and until which hour that went.
    _runs: dict[str, tuple[ModelRun | None, np.datetime64]] = field(default_factory=dict)
    _pasts: dict[str, tuple[Region, datetime, Baseline | None]] = field(default_factory=dict)

    def regions(self) -> tuple[Region, ...]:
        """Return the regions of the source; where it fails, those it had when it was last there.

        Raises
        ------
        SourceError, DataError
            If it fails and never was there.
        """
        try:
            self._regions = self.source.regions()
        except (SourceError, DataError):
            if not self._regions:
                raise
        return self._regions

    @property
    def known(self) -> tuple[Region, ...]:
        """The regions that the source had when it was last there; it is not asked."""
        return self._regions

    def region(self, region_id: str) -> Region:
        """Return one region of the source.

        Raises
        ------
        ConfigurationError
            If the source does not serve it.
        """
        regions = self.regions()
        for region in regions:
            if region.id == region_id:
                return region
        names = ", ".join(r.id for r in regions)
        raise ConfigurationError(f"Unknown region {region_id!r}.", hint=f"{self.source.name} serves: {names}.")

    def checked(self, region: Region, weather: HourlyWeather, now: datetime) -> FlaggedWeather:
        """Return the weather of a region as known at `now`, flagged.

        Nothing later than now is in it: hindsight over these hours is what can be known at this moment.
        """
        self._runs[region.id] = weather.run, weather.valid_at[-1]
        return self.check(weather.as_known(now), True, self.past(region, now))

    def recent(self, region: Region, now: datetime) -> Recent:
        """Return what is known of a region at `now`, as far back as a forecast looks.

        A source that fails is not an exception here: the archive's last good hours stand in, and the error is kept.
        They are of no later run of a weather model than the last that this process saw; of hours that another process
        stored since, nobody here knows the run.
        """
        end = floor_hour(now)
        start = end - timedelta(hours=self.history_h)
        try:
            weather, failed = self.source.hours(region, start, end), None
        except (SourceError, DataError) as error:
            stored = self.archive.read(region, start, end, self.source.name)
            weather, failed = replace(stored, run=self._run(region, stored)), error
            self.meters.failed(type(error).__name__)
        return Recent(self.checked(region, weather, now), failed, *self._fields(region, start, end))

    def _run(self, region: Region, stored: HourlyWeather) -> ModelRun | None:
        """Return the model run behind stored hours."""
        seen = stored.valid_at[stored.observed().any(axis=0)]
        known = self._runs.get(region.id)
        if known is not None and (not len(seen) or seen[-1] <= known[1]):
            return known[0]
        return ModelRun() if self.source.name in BY_MODEL else None

    def _fields(
        self, region: Region, start: datetime, end: datetime
    ) -> tuple[HourlyWeather | None, CloudburstError | None, HourlyWeather | None]:
        """Return the forecast fields from `start` on, as far beyond `end` as features reach, and why they are missing.

        What was not known at an hour of issue is left out by the features. Members of an ensemble come last.
        """
        if self.fields is None:
            return None, None, None
        until = end + timedelta(hours=model_fields.REACH_H)
        try:
            if isinstance(self.fields, EnsembleSource):
                members = self.fields.members(region, max(start, end - MEMBERS_BACK), until)
                return members.mean_of_members(self.fields.size), None, members
            return self.fields.fields(region, start, until), None, None
        except (SourceError, DataError) as error:
            self.meters.failed(type(error).__name__)
            return HourlyWeather(region.locations, hour_axis(end, end), {}, ""), error, None

    def past(self, region: Region, now: datetime) -> Baseline | None:
        """Return what is usual at the places of a region, None while the archive knows less than a forecast does."""
        known = self._pasts.get(region.id)
        if known is None or known[0] != region or not timedelta(0) <= now - known[1] < PAST_LASTS:
            stored = self.archive.read(region, now - timedelta(days=PAST_DAYS), now, self.source.name).as_known(now)
            enough = stored.observed().any(axis=0).sum() > self.history_h
            fitted = fit(self.check(stored, True).usable()) if enough else None
            self._pasts[region.id] = known = (region, now, fitted)
        return known[2]

    def collect(self, region: Region, checked: FlaggedWeather) -> int:
        """Store the newest hours of a region with their flags, the first time all of them; return the rows given."""
        if not len(checked.weather.valid_at):
            return 0
        newest = from_datetime64(checked.weather.valid_at[-1])
        hours = STORED_H if region.id in self._collected else self.history_h
        rows = self.archive.store(region.id, checked.since(newest - timedelta(hours=hours)))
        self._collected.add(region.id)
        return rows

    def ingest(self, source: WeatherArchive, told: Progress = silent) -> int:
        """Store a whole archive month by month with its flags; return the number of rows.

        Raises
        ------
        SourceError, DataError
            If the archive cannot be read. What was stored before stays.
        """
        rows = 0
        parts = [month for period in source.periods() for month in months(*period)]
        for region in source.regions():
            for i, (first, last) in enumerate(parts):
                told(i / len(parts), f"{region.name}, {first:%B %Y}")
                # A day more on both sides lets checks see what a month begins and ends with.
                checked = self.check(source.hours(region, first - AROUND, last + AROUND), True)
                rows += self.archive.store(region.id, checked.between(first, last))
        told(1.0, f"{rows} rows stored")
        return rows

    def examine(self, source: WeatherArchive, told: Progress = silent) -> Iterator[FlaggedWeather]:
        """Yield a whole archive, period by period, with the flags that hindsight gives it; nothing is stored.

        Raises
        ------
        SourceError, DataError
            If the archive cannot be read.
        """
        parts = [(region, period) for region in source.regions() for period in source.periods()]
        for i, (region, (begin, end)) in enumerate(parts):
            told(i / len(parts), f"{region.name}, {begin:%Y-%m-%d} to {end:%Y-%m-%d}")
            yield self.check(source.hours(region, begin, end), True)
        told(1.0, "done")

    def backfill(
        self,
        source: BackfillSource,
        region: Region,
        wanted: tuple[datetime, datetime],
        wait: Callable[[float], None],
        told: Progress = silent,
    ) -> int:
        """Store a period of a live source month by month; return the number of rows given.

        Every month is stored as soon as it came, and a month that the archive holds whole is not asked for again: what
        was interrupted goes on where it stopped.

        Raises
        ------
        SourceError
            If the source fails. The months before stay.
        """
        rows = 0
        parts = list(months(*wanted))
        for i, (first, last) in enumerate(parts):
            told(i / len(parts), f"{region.name}, {first:%B %Y}")
            if not self.archive.read(region, first, last, source.name).observed().all():
                for weather in source.backfill(region, first, last, wait):
                    rows += self.archive.store(region.id, self.check(weather, True))
        told(1.0, f"{rows} rows stored")
        return rows
