"""What the workflows ask of the world: one Protocol per port, implemented by adapters and by the fakes of the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.domain.budget import BudgetLine
from core.domain.features import FeatureRows
from core.domain.forecast import RegionForecast, Window
from core.domain.learning import Champion, ModelManifest, StoredVersion
from core.domain.quality import FlaggedWeather, QualityMetrics
from core.domain.verification import Outcome, VerifiedCases
from core.domain.weather import HourlyWeather, Hours, Region

Clock = Callable[[], datetime]
Period = tuple[datetime, datetime]
#: A period whose ends may be open (None).
OpenPeriod = tuple[datetime | None, datetime | None]


class Progress(Protocol):
    """Told how far long work has come: `done` in 0..1 and what is being done."""

    def __call__(self, done: float, text: str) -> None:
        """Take one report."""


def silent(done: float, text: str) -> None:
    """Progress that nobody watches."""


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
class Budgeted(Protocol):
    """A source that counts its calls."""

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


class ModelStore(Protocol):
    """Immutable model versions and the pointers to the champions."""

    def versions(self) -> tuple[StoredVersion, ...]:
        """Return every version, newest generation first; a folder that is no version comes with its reason."""

    def manifest(self, version: str) -> ModelManifest:
        """Return the manifest of one version.

        Raises
        ------
        ModelNotFound, ModelCorrupt
            If there is none or it cannot be read.
        """

    def load(self, version: str) -> tuple[ModelManifest, Mapping[str, Any]]:
        """Return manifest and parts of a version, verified before the first byte is interpreted.

        Raises
        ------
        ModelNotFound, ModelCorrupt, ModelUntrusted
            If it is not there, not what the manifest says, or holds a type that is not on the list.
        """

    def save(self, manifest: ModelManifest, parts: Mapping[str, Any], card: str) -> ModelManifest:
        """Write a new version and return its manifest with generation, version name and sha256 filled in."""

    def card(self, version: str) -> str:
        """Return the card of a version (Markdown)."""

    def champion(self, source: str, region_id: str) -> Champion:
        """Return who serves data of `source` in a region; the seed model where nobody was deployed."""

    def deploy(self, source: str, region_id: str, version: str) -> None:
        """Point to another version, atomically."""

    def foreign_files(self) -> tuple[str, ...]:
        """Return files below models/ that belong to no version and are never loaded, such as pickles."""


class Ledger(Protocol):
    """Records: issued forecasts and what then happened, runs, deployments and quality metrics."""

    def record_forecast(self, issue: RegionForecast) -> int:
        """Keep one issue as it was shown, a row per place and window; return the number of new rows.

        The same numbers are kept once.
        """

    def issued(self, source: str, region_id: str, window: Window, period: OpenPeriod = (None, None)) -> VerifiedCases:
        """Return every issue of a window with its truth; `period` is first and last `valid_from`, both included."""

    def first_issued(self, source: str, region_id: str) -> datetime | None:
        """Return the first hour from which a recorded forecast of a region is valid, None without any."""

    def awaited(self, source: str, region_id: str, period: Period, known_since: datetime) -> tuple[Outcome, ...]:
        """Return the windows forecast in a period, without its end; known ones only from `known_since` on."""

    def record_outcomes(self, found: Sequence[Outcome]) -> int:
        """Keep what happened, the newest of one window; return the number of rows that are new or say something new."""

    def record_run(self, kind: str, status: str, detail: Mapping[str, Any], at: datetime) -> None:
        """Keep what a job did."""

    def runs(self, limit: int = 50, kind: str | None = None) -> tuple[Mapping[str, Any], ...]:
        """Return the newest runs first, of one kind or of all."""

    def record_quality(self, metrics: Sequence[QualityMetrics]) -> int:
        """Keep metrics; of one source, region, place and end the first are kept. Return the number of new rows."""

    def quality(self, region_id: str, since: datetime) -> tuple[QualityMetrics, ...]:
        """Return the metrics of a region as a whole whose period ends at `since` or later, oldest first."""

    def forecast_counts(self) -> Mapping[str, int]:
        """Return the number of issued forecasts by level."""

    def check(self) -> None:
        """Make sure it answers.

        Raises
        ------
        ConfigurationError
            If it does not.
        """


class QualityFiles(Protocol):
    """Tables of quality metrics, one row per region or place and appraisal."""

    def store(self, metrics: Sequence[QualityMetrics]) -> int:
        """Add metrics; those of a place and an end that are there already are kept. Return the number of new rows.

        Raises
        ------
        ConfigurationError
            If the folder cannot be written.
        """


class Cache(Protocol):
    """Values that may be forgotten at any time."""

    @property
    def mode(self) -> str:
        """How it works now, such as "memory"."""

    def get(self, key: str) -> Any | None:
        """Return the value, None where there is none or its time is over."""

    def set(self, key: str, value: Any, ttl: float) -> None:
        """Keep a value for `ttl` seconds."""

    def delete(self, key: str) -> bool:
        """Forget one key; say whether it was there."""

    def clear(self) -> None:
        """Forget everything."""

    def stats(self) -> Mapping[str, float]:
        """Return entries, hits, misses and evictions."""


class Scheduler(Protocol):
    """Runs jobs beside the pages, once per process."""

    def every(self, seconds: float, name: str, job: Callable[[], object]) -> None:
        """Run `job` now and then at this interval."""

    def start(self) -> None:
        """Begin; a second start does nothing."""

    def stop(self) -> None:
        """End, waiting for the running job."""

    def heartbeat_age_s(self) -> float | None:
        """Seconds since it last showed a sign of life, None where it never ran."""

    def jobs(self) -> Iterable[Mapping[str, Any]]:
        """Return name, last run, last error of every job."""
