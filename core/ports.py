"""What the workflows ask of the world: one Protocol per port, implemented by adapters and by the fakes of the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from core.domain.budget import BudgetLine
from core.domain.forecast import RegionForecast
from core.domain.learning import Champion, ModelManifest, StoredVersion
from core.domain.quality import FlaggedWeather, QualityMetrics
from core.domain.weather import HourlyWeather, Region

Clock = Callable[[], datetime]


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
    """Records: issued forecasts, runs, deployments and quality metrics."""

    def record_forecast(self, issue: RegionForecast) -> int:
        """Keep one issue as it was shown; return the number of new rows (the same numbers are kept once)."""

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
