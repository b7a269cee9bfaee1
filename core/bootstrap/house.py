"""The house behind its doors: one value with everything a page, the API or the command line may ask for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from core.adapters import flags_file, hindcast_file
from core.adapters.gauges.folder import GaugeFolder
from core.adapters.ledger_generations import Generations
from core.adapters.open_meteo.products import BY_DATE, PastProduct, Patience
from core.adapters.simulator.forecasts import SimulatedForecasts
from core.adapters.simulator.monsoons import PastMonsoons
from core.adapters.storage import Storage, storage
from core.bootstrap import jobs, notices
from core.bootstrap.admin import Admin
from core.bootstrap.allowance import Allowance
from core.bootstrap.labour import HindcastRequest, outside, past_of, workers_of
from core.bootstrap.replays import Replays
from core.bootstrap.services import open_meteo, regions_named, simulator
from core.caching.two_level import TwoLevelCache
from core.domain.budget import BudgetLine
from core.domain.explanation import Driver
from core.domain.forecast import Freshness, RegionForecast
from core.domain.learning import ModelManifest, StoredVersion, TrainingRequest
from core.domain.lifecycle import Deployment, Verdict
from core.domain.weather import Location, Region
from core.errors import CloudburstError, ExperimentError, InsufficientData, UnknownPlace
from core.meters import Meters
from core.ports import Budgeted, Clock, ModelStore, Progress, ReplayWindow, Scheduler, silent
from core.settings import Settings
from core.workflows import explaining
from core.workflows.alerting import Alerting
from core.workflows.appraising import Appraising
from core.workflows.experimenting import Experimenting
from core.workflows.forecasting import Forecasting, Issue
from core.workflows.hindcasting import Hindcasting
from core.workflows.histories import Histories
from core.workflows.lifecycle import Lifecycle
from core.workflows.monitoring import Finding, Health, Monitoring
from core.workflows.posting import Posting
from core.workflows.rivals import Rivals
from core.workflows.scoring import Scoring
from core.workflows.training import Training
from core.workflows.trials import Trials
from core.workflows.verifying import Verifying

#: Days of the archive on which the winner of an experiment meets the gate.
CONTESTED_DAYS = 365


@dataclass(frozen=True)
class Core:
    """The house behind its doors: everything a page, the API or the command line may ask for."""

    settings: Settings
    clock: Clock
    forecasting: Forecasting
    hindcasting: Hindcasting
    training: Training
    quality: Appraising
    verification: Verifying
    monitoring: Monitoring
    store: ModelStore
    scheduler: Scheduler
    generations: Generations
    replays: Replays
    lifecycle: Lifecycle
    histories: Histories
    trials: Trials
    alerts: Alerting
    cache: TwoLevelCache
    meters: Meters
    notifying: notices.Notifying
    admin: Admin
    #: Requests for predictions that an address may send.
    predict_allowance: Allowance

    @property
    def default_region(self) -> str:
        """The region shown first: the first of the source's, which are in the order of the settings."""
        return self.regions()[0].id

    @property
    def experiments(self) -> Experimenting:
        """The experiments of this house."""
        return self.trials.experiments

    def promote_winner(self, experiment_id: str, who: str, why: str = "") -> Verdict:
        """Let the winner of a decided experiment serve its region, where the gate lets it through; else all stays.

        Raises
        ------
        ExperimentError
            If it is not decided, a challenger has not won, or it is not on forecasts of this house.
        ModelError
            If a version cannot serve, or somebody else deployed in between.
        """
        experiment, version = self.experiments.winner(experiment_id)
        if experiment.source != self.lifecycle.source:
            raise ExperimentError(
                f"{experiment_id} is not on the forecasts of this house.", hint="Promote a version on the Models page."
            )
        region_id = experiment.region_id
        champion = self.lifecycle.deploying.champion((self.lifecycle.source, region_id))
        try:
            comparison = self.histories.compare(version, champion.version, region_id, CONTESTED_DAYS).comparison
        except InsufficientData:
            comparison = None
        why = why.strip() or f"won the experiment {experiment_id}"
        return self.lifecycle.contest(version, (region_id, champion), comparison, who, why)

    @property
    def posting(self) -> Posting:
        """What takes weather that somebody hands in."""
        return Posting(self.forecasting, self.trials, self.place_at)

    @property
    def scoring(self) -> Scoring:
        """What scores the forecasts that were issued."""
        served = self.forecasting.served_features
        rivals = None if served is None else Rivals(served, self.forecasting.serving)
        return Scoring(self.verification, rivals)

    def rule_of(self, region: Region) -> str:
        """Return the rule behind a region's colours, in words."""
        return self.forecasting.rule(region).text

    def regions(self) -> tuple[Region, ...]:
        """Return the regions of the source."""
        return self.forecasting.observing.regions()

    def region(self, region_id: str) -> Region:
        """Return one region; a ConfigurationError names the known ones where there is none of this id."""
        return self.forecasting.observing.region(region_id)

    def place_at(self, latitude: float, longitude: float) -> tuple[Region, Location]:
        """Return the region and the place that speak for a point, degrees.

        Raises
        ------
        UnknownPlace
            If it lies outside every region; the hint names them.
        """
        for region in self.regions():
            place = region.place_at(latitude, longitude)
            if place is not None:
                return region, place
        names = ", ".join(region.name for region in self.regions())
        raise UnknownPlace("This point lies outside every region.", hint=f"Served are: {names}.")

    def issue(self, region_id: str, told: Progress = silent) -> Issue:
        """Return the current issue of a region with the observations behind it."""
        return self.forecasting.current(region_id, told)

    def drivers(self, issue: Issue, location_id: str) -> tuple[Driver, ...]:
        """Return what raised and lowered the probability at one place of an issue, the strongest first.

        Empty where nothing is known of the place or its model no longer serves.
        """
        return explaining.drivers(issue, location_id, self.forecasting)

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

    def as_known(self, window: ReplayWindow, at: datetime) -> Core:
        """Return this house as it would have stood at `at` with a stored window as its source; it records nothing.

        Raises
        ------
        ConfigurationError
            If `at` lies outside the window.
        """
        then = self.replays.replaying.forecasting(window, at)
        quality = replace(self.quality, forecasting=then, ledger=then.ledger, clock=then.clock, files=None)
        verification = replace(self.verification, observing=then.observing, ledger=then.ledger, clock=then.clock)
        monitoring = replace(self.monitoring, forecasting=then, clock=then.clock, quality=quality)
        return replace(
            self,
            clock=then.clock,
            forecasting=then,
            quality=quality,
            verification=verification,
            monitoring=monitoring,
        )

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

    def backfill(
        self,
        region_id: str,
        period: tuple[datetime, datetime],
        product: str = BY_DATE,
        days_before: int | None = None,
        told: Progress = silent,
    ) -> int:
        """Archive a past period of a region from Open-Meteo, resumable; return the number of new rows."""
        region = regions_named(region_id, self.settings.grid_spacing_deg)[0]
        source = PastProduct(open_meteo(self.settings, (region,), self.clock), product, days_before)
        wanted = period[0], min(period[1], self.clock())
        patience = Patience(told)
        return self.forecasting.observing.backfill(source, region, wanted, patience.wait, patience.told)

    def budget(self) -> tuple[BudgetLine, ...]:
        """Return the budget of calls of the source, empty where it has none."""
        source = self.forecasting.observing.source
        return source.budget() if isinstance(source, Budgeted) else ()

    def calls(self) -> Mapping[str, int]:
        """Return how often the source was called since the start, and how that ended; empty before the first call."""
        source = self.forecasting.observing.source
        return source.stats if isinstance(source, Budgeted) else {}

    def storage(self) -> Storage:
        """Return the room on the disk of this home."""
        return storage(self.settings.home)

    def train(
        self,
        request: TrainingRequest,
        folder: Path | None,
        stations: Path | None,
        told: Progress = silent,
        archive: str = "",
    ) -> ModelManifest:
        """Train on a folder of gauges or an archive at an address, without one on the simulator's past monsoons.

        Forecast fields come from where the settings say, those of past monsoons with them.
        """
        observing = self.forecasting.observing
        with workers_of(self.settings) as workers:
            training = replace(self.training, workers=workers)
            if folder or archive:
                past = past_of(observing.source, folder, stations, archive)
                return training.train(past, request, told, observing.fields)
            simulated = simulator(self.settings, self.clock)
            forecasts = SimulatedForecasts(simulated, self.clock, calendar=True)
            return training.train(PastMonsoons(simulated), request, told, forecasts)

    def hindcast(self, request: HindcastRequest, told: Progress = silent) -> int:
        """Write the hindcast of a folder of gauges or of an archive as Parquet; return the number of rows.

        Raises
        ------
        ConfigurationError
            If the file lies among the observations: the next run would read it as one of them.
        """
        if request.folder is not None:
            outside(request.out, request.folder, request.stations)
        past = past_of(self.forecasting.observing.source, request.folder, request.stations, request.archive)
        with workers_of(self.settings) as workers:
            hindcasting = replace(self.hindcasting, workers=workers)
            parts = hindcasting.run(past, (request.begin, request.end), request.version, told)
            return hindcast_file.write(request.out, parts)

    def check(self, folder: Path, stations: Path | None, out: Path, told: Progress = silent) -> int:
        """Write the quality flags of a folder of gauges as Parquet; return the number of rows.

        Raises
        ------
        ConfigurationError
            If `out` lies among the observations: the next run would read it as one of them.
        """
        outside(out, folder, stations)
        return flags_file.write(out, self.forecasting.observing.examine(GaugeFolder(folder, stations), told))

    def deploy(self, version: str, pointer: tuple[str, str], who: str, why: str) -> Deployment:
        """Make a version the champion of one provenance and region, whatever this house's own source is.

        Raises
        ------
        ModelError
            If it may not serve these data or is not whole; the pointer stays.
        """
        self.forecasting.serving.version(version, pointer[0], has_fields=True)
        champion = self.lifecycle.deploying.champion(pointer)
        made = self.lifecycle.deploying.point(
            pointer, champion, version, action="promoted", who=who, why=why, at=self.clock()
        )
        self.lifecycle.changed()
        return made

    def ages_of(self, issue: RegionForecast) -> str:
        """Return the ages from which the data of an issue are stale and none, in words."""
        limits = self.forecasting.limits.of(issue.region)
        return limits.text if issue.run is None else f"{limits.text} {limits.run_text}"

    def start(self) -> None:
        """Start the scheduler with its jobs."""
        self.store.sweep()
        jobs.open_models(self)
        jobs.plan(self)
        self.scheduler.start()

    def stop(self) -> None:
        """Stop the scheduler, and what the cache does in the background."""
        self.scheduler.stop()
        self.cache.close()


def _writable(folder: Path) -> Finding:
    well = os.access(folder, os.W_OK)
    text = "can be written" if well else "cannot be written"
    return Finding(f"folder {folder.name}/", well, text, "" if well else f"Give this user the right to write {folder}.")
