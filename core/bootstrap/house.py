"""The house behind its doors: one value with everything a page, the API or the command line may ask for."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from core.adapters import hindcast_file
from core.adapters.gauges.folder import GaugeFolder
from core.adapters.open_meteo.source import OpenMeteo
from core.adapters.simulator.monsoons import PastMonsoons
from core.bootstrap.services import regions_named, simulator
from core.domain.forecast import Freshness, RegionForecast
from core.domain.learning import ModelManifest, StoredVersion, TrainingRequest
from core.domain.weather import Region
from core.errors import CloudburstError
from core.ports import Clock, ModelStore, Progress, Scheduler, WeatherArchive, silent
from core.settings import Settings
from core.workflows.forecasting import Forecasting, Issue
from core.workflows.hindcasting import Hindcasting
from core.workflows.monitoring import Finding, Health, Monitoring
from core.workflows.retraining import Retraining


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
        region = regions_named(region_id, self.settings.grid_spacing_deg)[0]
        source = OpenMeteo((region,), self.clock, base_url=self.settings.open_meteo_url)
        return self.forecasting.observing.backfill(source, region, (begin, min(end, self.clock())), time.sleep, told)

    def train(
        self, request: TrainingRequest, folder: Path | None, stations: Path | None, told: Progress = silent
    ) -> ModelManifest:
        """Train on a folder of gauges, or without one on the simulator's past monsoons."""
        source: WeatherArchive = (
            GaugeFolder(folder, stations) if folder else PastMonsoons(simulator(self.settings, self.clock))
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


def _writable(folder: Path) -> Finding:
    well = os.access(folder, os.W_OK)
    text = "can be written" if well else "cannot be written"
    return Finding(f"folder {folder.name}/", well, text, "" if well else f"Give this user the right to write {folder}.")
