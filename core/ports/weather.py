"""Where weather comes from and where it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.domain.budget import BudgetLine
from core.domain.features import FeatureRows
from core.domain.quality import FlaggedWeather, QualityMetrics
from core.domain.weather import HourlyWeather, Hours, Region


class WeatherSource(Protocol):
    """Where hourly weather comes from."""

    @property
    def name(self) -> str:
        """Provenance: simulator, gauges or open-meteo."""

    def regions(self) -> tuple[Region, ...]:
        """Return the regions it can serve.

        Raises
        ------
        SourceError, DataError
            If it cannot be reached or holds nothing.
        """

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the hours from `start` to `end` (both included) of every place of `region`; missing is NaN.

        Raises
        ------
        SourceError, DataError
            If it cannot be reached or answers nonsense.
        """


class FieldSource(Protocol):
    """Where the forecast fields of a weather model come from: CAPE, precipitable water, its own rain."""

    def fields(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return what was forecast for the hours from `start` to `end` (both included) of every place of `region`.

        Its `available_at` says since when each value was known, before its hour; missing is NaN.

        Raises
        ------
        SourceError, DataError
            If it cannot be reached or holds nothing of use.
        """


@runtime_checkable
class EnsembleSource(FieldSource, Protocol):
    """Forecast fields with their spread; `fields` are the mean of the members."""

    @property
    def size(self) -> int:
        """Number of members."""

    def members(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return every member as `fields` does: all places of the first, then all of the second, and so on.

        Raises
        ------
        SourceError, DataError
            As `fields`.
        """


@runtime_checkable
class Budgeted(Protocol):
    """A source that counts its calls."""

    @property
    def stats(self) -> Mapping[str, int]:
        """Since the start: `calls`, tries counted, `failed_tries`, `answers`, failures by kind, and `extra_fields`."""

    def budget(self) -> tuple[BudgetLine, ...]:
        """Return what is spent and allowed, by window."""


class WeatherArchive(WeatherSource, Protocol):
    """A source with a past that can be learned from."""

    def periods(self) -> tuple[tuple[datetime, datetime], ...]:
        """Return first and last hour of every gapless period it holds.

        Raises
        ------
        SourceError, DataError
            If it cannot be reached or holds nothing.
        """


class ReplayWindow(WeatherArchive, Protocol):
    """One stored window: one region, one gapless period, weather of another time."""

    @property
    def id(self) -> str:
        """Its name in addresses and on the command line; that of its region."""

    @property
    def served_as(self) -> tuple[str, str]:
        """Provenance and region whose champion serves it."""


class BackfillSource(WeatherSource, Protocol):
    """A live source that can be asked for its past, piece by piece."""

    def backfill(
        self, region: Region, start: datetime, end: datetime, wait: Callable[[float], None] | None = None
    ) -> Iterator[HourlyWeather]:
        """Yield the hours from `start` to `end` month by month, waiting with `wait` where a budget is spent.

        Raises
        ------
        SourceError
            If it fails, or a budget is spent and there is no `wait`.
        """


class Archive(Protocol):
    """Hourly tables that outlive the process."""

    def store(self, region_id: str, checked: FlaggedWeather) -> int:
        """Add hours with their flags, the newest known value wins; return the number of rows given."""

    def read(self, region: Region, start: datetime, end: datetime, source: str) -> HourlyWeather:
        """Return the stored hours of `region` from one source, NaN where there are none."""

    def extent(self) -> tuple[Mapping[str, Any], ...]:
        """Return for every stored partition: source, region, month, rows."""


class FeatureStore(Protocol):
    """Features as they were known, by feature version, source and region; a row is never changed."""

    def store(self, source: str, region_id: str, version: str, rows: FeatureRows) -> int:
        """Add rows; those whose place, hour and availability are there already are kept. Return how many are new.

        Raises
        ------
        FeatureMismatch, ConfigurationError
            If the version holds other features, or the folder cannot be written.
        """

    def read(self, source: str, region_id: str, version: str, begin: datetime, end: datetime) -> FeatureRows:
        """Return all rows of the hours from `begin` to `end` (both included), by place, hour and availability."""

    def as_of(self, source: str, region_id: str, version: str, issued_at: datetime) -> FeatureRows:
        """Return for every place the newest row that was known at `issued_at`, by place."""

    def joined(
        self, source: str, region_id: str, version: str, location_id: NDArray[np.object_], issued_at: Hours
    ) -> FeatureRows:
        """Return for every pair of place and moment, both (pairs,), the newest row that was known then; NaT without."""


class QualityFiles(Protocol):
    """Tables of quality metrics, one row per region or place and appraisal."""

    def store(self, metrics: Sequence[QualityMetrics]) -> int:
        """Add metrics; those of a place and an end that are there already are kept. Return the number of new rows.

        Raises
        ------
        ConfigurationError
            If the folder cannot be written.
        """
