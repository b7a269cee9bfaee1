"""The composition root: settings choose adapters, adapters serve workflows, workflows make the Core."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from core.adapters import hindcast_file, logs, seed
from core.adapters.archive import ParquetArchive
from core.adapters.gauges.folder import GaugeFolder
from core.adapters.ledger import SqlLedger
from core.adapters.maps import load_region
from core.adapters.model_store import FolderModelStore
from core.adapters.open_meteo.source import OpenMeteo
from core.adapters.scheduler import ThreadScheduler
from core.adapters.simulator.monsoons import PastMonsoons
from core.adapters.simulator.source import Simulator
from core.caching.memory import MemoryCache
from core.domain.forecast import Freshness, RegionForecast
from core.domain.learning import ModelManifest, StoredVersion, TrainingRequest
from core.domain.weather import Region
from core.errors import CloudburstError, ConfigurationError
from core.features import table
from core.ports import Cache, Clock, Ledger, ModelStore, Progress, Scheduler, WeatherArchive, WeatherSource, silent
from core.quality.checks import check
from core.risk import AgeLimits, Tiers
from core.settings import PROJECT_ROOT, Settings, load_settings
from core.workflows.forecasting import Forecasting, Issue
from core.workflows.hindcasting import Hindcasting
from core.workflows.monitoring import Finding, Health, Monitoring
from core.workflows.observing import Observing
from core.workflows.retraining import Retraining
from core.workflows.serving import Serving

VERSION = "2.0.0"
#: A forecast looks back as far as its features do, and a day more for the checks.
HISTORY_H = table.LOOKBACK_H + 24


@dataclass(frozen=True)
class HindcastRequest:
    """Which gauges, which period (both ends included), which model (None: the champion), and where to write."""

    folder: Path
    stations: Path | None
    begin: datetime
    end: datetime
    out: Path
    version: str | None = None


@dataclass(frozen=True)
class Core:
    """The house behind its doors: everything a page, the API or the command line may ask for."""

    settings: Settings
    clock: Clock
    forecasting: Forecasting
    hindcasting: Hindcasting
    retraining: Retraining
    monitoring: Monitoring
    store: ModelStore
    scheduler: Scheduler

    @property
    def default_region(self) -> str:
        """The region shown first: the first of the source's, which are in the order of the settings."""
        return self.regions()[0].id

    @property
    def rule(self) -> str:
        """The rule behind the colours, in words."""
        return self.forecasting.tiers.text

    def regions(self) -> tuple[Region, ...]:
        """Return the regions of the source."""
        return self.forecasting.observing.regions()

    def region(self, region_id: str) -> Region:
        """Return one region; a ConfigurationError names the known ones where there is none of this id."""
        return self.forecasting.observing.region(region_id)

    def issue(self, region_id: str, told: Progress = silent) -> Issue:
        """Return the current issue of a region with the observations behind it."""
        return self.forecasting.current(region_id, told)

    def require_issue(self, region_id: str, told: Progress = silent) -> RegionForecast:
        """Return the current issue of a region for doors that cannot show a banner.

        Raises
        ------
        ModelError
            If no model can serve.
        SourceError, DataError
            If the source failed and nothing stored could stand in.
        """
        self.forecasting.served(region_id)
        issue = self.issue(region_id, told)
        if issue.error is not None and issue.forecast.freshness is Freshness.NO_DATA:
            raise issue.error
        return issue.forecast

    def versions(self) -> tuple[StoredVersion, ...]:
        """Return every stored model version, refused ones with their reason."""
        return self.store.versions()

    def card(self, version: str) -> str:
        """Return the card of a version, Markdown."""
        return self.store.card(version)

    def health(self, region_id: str | None = None) -> Health:
        """Return the state of the house; problems are in it, not raised."""
        try:
            return self.monitoring.health(region_id or self.default_region)
        except CloudburstError:  # the source cannot even name its regions; asking for one says why
            return self.monitoring.health(self.settings.region.split(",")[0])

    def doctor(self) -> tuple[Finding, ...]:
        """Return one finding per part of the house."""
        writable = [partial(_writable, self.settings.home / name) for name in ("models", "data")]
        return self.monitoring.doctor(lambda: self.default_region, writable)

    def ingest(self, folder: Path, stations: Path | None, told: Progress = silent) -> int:
        """Archive a folder of gauges with its flags; return the number of rows."""
        return self.forecasting.observing.ingest(GaugeFolder(folder, stations), told)

    def backfill(self, region_id: str, begin: datetime, end: datetime, told: Progress = silent) -> int:
        """Archive a past period of a region from Open-Meteo, resumable; return the number of new rows."""
        region = _regions(region_id, self.settings.grid_spacing_deg)[0]
        source = OpenMeteo((region,), self.clock, base_url=self.settings.open_meteo_url)
        return self.forecasting.observing.backfill(source, region, (begin, min(end, self.clock())), time.sleep, told)

    def train(
        self, request: TrainingRequest, folder: Path | None, stations: Path | None, told: Progress = silent
    ) -> ModelManifest:
        """Train on a folder of gauges, or without one on the simulator's past monsoons."""
        source: WeatherArchive = (
            GaugeFolder(folder, stations) if folder else PastMonsoons(_simulator(self.settings, self.clock))
        )
        return self.retraining.train(source, request, told)

    def hindcast(self, request: HindcastRequest, told: Progress = silent) -> int:
        """Write the hindcast of a folder of gauges as Parquet; return the number of rows."""
        source = GaugeFolder(request.folder, request.stations)
        parts = self.hindcasting.run(source, (request.begin, request.end), request.version, told)
        return hindcast_file.write(request.out, parts)

    def deploy(self, version: str, source: str, region_id: str) -> None:
        """Make a version the champion of one provenance and region."""
        self.store.deploy(source, region_id, version)
        self.forecasting.cache.clear()
        self.retraining.ledger.record_run("deploy", "done", {"version": version, "region": region_id}, self.clock())

    @property
    def ages(self) -> str:
        """The ages from which data are stale and none, in words."""
        limits = self.forecasting.limits
        amber, no_data = limits.amber.total_seconds() / 60, limits.no_data.total_seconds() / 3600
        return f"Amber from {amber:g} min on, no data from {no_data:g} h on."

    def start(self) -> None:
        """Start the scheduler: it refreshes every region at its interval."""
        self.scheduler.every(self.settings.refresh_minutes * 60, "refresh", self._refresh)
        self.scheduler.start()

    def stop(self) -> None:
        """Stop the scheduler."""
        self.scheduler.stop()

    def _refresh(self) -> None:
        for region in self.regions():
            self.forecasting.refresh(region.id)


_opened: Core | None = None
_serving = False
_opening = threading.Lock()


def open_core(settings: Settings | None = None, clock: Clock | None = None) -> Core:
    """Open the house. Without arguments all callers of one process share one Core.

    Raises
    ------
    ConfigurationError
        If a setting, a folder or a service cannot be used; the hint says what to do.
    """
    global _opened  # noqa: PLW0603 - one process, one house; guarded by the lock
    if settings is not None or clock is not None:
        return _build(settings or load_settings(), clock or _now)
    with _opening:
        if _opened is None:
            opened = _build(load_settings(), _now)
            if _serving:
                opened.start()
            _opened = opened
        return _opened


def serve() -> None:
    """From now on the shared Core of this process runs its scheduler, from the first time that it can be opened.

    Raises
    ------
    ConfigurationError
        If it cannot be opened now; a later `open_core()` tries again.
    """
    global _serving  # noqa: PLW0603
    _serving = True
    open_core()


def close_core() -> None:
    """Stop the shared Core and forget it: the next `open_core()` reads the settings again."""
    global _opened, _serving
    with _opening:
        if _opened is not None:
            _opened.stop()
        _opened, _serving = None, False


def _build(settings: Settings, clock: Clock) -> Core:
    logs.configure(settings.log_level)
    _usable_home(settings.home)
    store = FolderModelStore(
        settings.home / "models", PROJECT_ROOT / "models", (seed.SEED_VERSION, seed.SEED_MANIFEST_SHA256)
    )
    ledger: Ledger = SqlLedger(settings.ledger_url)
    cache = _cache(settings.cache_url)
    scheduler = ThreadScheduler()
    serving = Serving(store)
    tiers = Tiers(settings.level_yellow, settings.level_orange, settings.level_red)
    archive = ParquetArchive(settings.home / "data" / "processed")
    forecasting = Forecasting(
        observing=Observing(_source(settings, clock), archive, check, HISTORY_H),
        serving=serving,
        ledger=ledger,
        cache=cache,
        tiers=tiers,
        limits=AgeLimits(
            timedelta(minutes=settings.observation_amber_minutes), timedelta(hours=settings.observation_no_data_hours)
        ),
        clock=clock,
        ttl_s=settings.refresh_minutes * 60,
    )
    return Core(
        settings=settings,
        clock=clock,
        forecasting=forecasting,
        hindcasting=Hindcasting(serving, check, tiers),
        retraining=Retraining(store, ledger, check, clock),
        monitoring=Monitoring(forecasting, store, ledger, cache, scheduler, clock, VERSION),
        store=store,
        scheduler=scheduler,
    )


def _source(settings: Settings, clock: Clock) -> WeatherSource:
    kind, _, rest = settings.source.partition(":")
    if kind == "simulator" and not rest:
        return _simulator(settings, clock)
    if kind == "gauges" and rest:
        return GaugeFolder(Path(rest).expanduser())
    if kind == "open-meteo" and not rest:
        return OpenMeteo(_regions(settings.region, settings.grid_spacing_deg), clock, base_url=settings.open_meteo_url)
    raise ConfigurationError(
        f"CLOUDBURST_SOURCE={settings.source!r} is not understood.",
        hint="Use simulator:, gauges:FOLDER or open-meteo:.",
    )


def _regions(names: str, spacing_deg: float) -> tuple[Region, ...]:
    """Return the regions of a setting (ids separated by commas), in its order."""
    packs, maps = PROJECT_ROOT / "data" / "regions", PROJECT_ROOT / "data" / "maps"
    known = sorted(path.stem for path in packs.glob("*.toml"))
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    strange = [name for name in wanted if name not in known]
    if strange or not wanted or len(set(wanted)) < len(wanted):
        what = f"names {strange[0]!r}" if strange else "names no region, or one twice"
        raise ConfigurationError(f"CLOUDBURST_REGION {what}.", hint=f"Known are {', '.join(known)}.")
    return tuple(load_region(packs / f"{name}.toml", maps, spacing_deg) for name in wanted)


def _simulator(settings: Settings, clock: Clock) -> Simulator:
    return Simulator(_regions(settings.region, settings.grid_spacing_deg), settings.simulator_seed, clock)


def _cache(url: str) -> Cache:
    makers: dict[str, Callable[[], Cache]] = {"memory:": MemoryCache}
    if url not in makers:
        raise ConfigurationError(f"CLOUDBURST_CACHE_URL={url!r} is not understood.", hint="Use memory:.")
    return makers[url]()


def _usable_home(home: Path) -> None:
    for name in ("models", "data"):
        try:
            (home / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"CLOUDBURST_HOME={home} cannot be used: {error.strerror}.", hint="Name a folder that can be written."
            ) from None


def _writable(folder: Path) -> Finding:
    well = os.access(folder, os.W_OK)
    text = "can be written" if well else "cannot be written"
    return Finding(f"folder {folder.name}/", well, text, "" if well else f"Give this user the right to write {folder}.")


def _now() -> datetime:
    return datetime.now(UTC)
