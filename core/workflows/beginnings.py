"""Beginnings: the history that a first start of the simulator makes, so that nothing stands empty on the first day.

It is made of the very weather that the simulator goes on playing, by the ways that everything goes later: an archive,
two trainings before the gate, forecasts by whoever served then, the truths that followed, and two experiments: one that
is decided, one that runs. All of it is simulated, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, partial

import numpy as np

from core.domain.forecast import RegionForecast, RiskLevel
from core.domain.lifecycle import RunState, RunStatus
from core.domain.quality import FlaggedWeather
from core.domain.units import floor_hour, from_datetime64, months, to_hour64
from core.domain.weather import HourlyWeather, Hours, Region, Values
from core.features import fields as model_fields
from core.features import table
from core.ports import Ledger, ModelStore, Progress, silent
from core.workflows.early_trials import DELAY, EarlyTrials, Issues
from core.workflows.forecasting import Forecasting, issued
from core.workflows.partitions import CHUNK
from core.workflows.retraining import Retraining
from core.workflows.situation import Situation
from core.workflows.training import within
from core.workflows.training_runs import RETRAIN, detail_of
from core.workflows.trials import Trials
from core.workflows.verifying import Verifying

#: A forecast of every sixth hour: four a day, each of them another window.
EVERY_H = 6
#: When the versions were made, as share of the period, and by which algorithm; None: that of the plan.
VERSIONS: tuple[tuple[float, str | None], ...] = ((1 / 3, "logistic_regression"), (2 / 3, None))
#: Issues that are written at once.
BATCH = 40


@dataclass(frozen=True)
class Beginnings:
    """Makes the history of a simulated region, in the background of its first start."""

    retraining: Retraining
    forecasting: Forecasting
    verification: Verifying
    days: int
    trials: Trials

    @property
    def ledger(self) -> Ledger:
        """Where everything is written down."""
        return self.forecasting.ledger

    @property
    def store(self) -> ModelStore:
        """The versions and the pointers to the champions."""
        return self.retraining.deploying.store

    def run(self, state: RunState, told: Progress) -> RunState:
        """Make it, and return how that ended.

        Raises
        ------
        CloudburstError
            If something cannot be written. What was made stays, and is not made twice.
        """
        observing = self.forecasting.observing
        region, now = observing.region(state.request.region_id), floor_hour(state.request.now)
        begin = now - timedelta(days=self.days)
        told(0.0, "simulating weather")
        weather = observing.source.hours(region, begin - timedelta(hours=observing.history_h), now)
        told(0.1, "checking and storing it")
        self._archive(region, observing.check(weather, True))
        made = self._versions(state, begin, within(told, 0.2, 0.5))
        known = observing.check(weather, False)
        hours = np.arange(to_hour64(begin), known.weather.valid_at[-1] + 1, EVERY_H)
        rows = self._rows(region, known, hours)
        count = self._forecasts(region, known, (hours, rows), within(told, 0.7, 0.2))
        told(0.9, "joining what happened")
        truths = self.verification.join(region.id)
        told(0.95, "experimenting")
        self._experiments(state, region, Issues(hours, rows))
        champion = self.store.champion(state.request.source, region.id)
        text = f"{self.days} simulated days: {count:,} forecasts, {truths:,} truths, {made} trainings."
        status = RunStatus.DEPLOYED if champion.generation else RunStatus.KEPT
        return replace(state, status=status, reasons=(text,), champion=champion.version)

    def _archive(self, region: Region, checked: FlaggedWeather) -> None:
        hours = checked.weather.valid_at
        for first, last in months(from_datetime64(hours[0]), from_datetime64(hours[-1])):
            self.forecasting.observing.archive.store(region.id, checked.between(first, last))

    def _versions(self, state: RunState, begin: datetime, told: Progress) -> int:
        """Train what would have been trained then, by the usual way; return how many trainings that were."""
        asked = state.request
        learned = [v.manifest for v in self.store.versions() if v.manifest is not None]
        there = {m.algorithm for m in learned if m.trained_on.region_id == asked.region_id and m.source == asked.source}
        for number, (share, algorithm) in enumerate(VERSIONS):
            then = floor_hour(begin + share * (asked.now - begin))
            days = max(1, (then - begin).days)
            request = replace(asked, now=then, days_back=days, algorithm=algorithm or asked.algorithm)
            if request.algorithm in there:  # an earlier start was interrupted after it
                continue
            begun = replace(state, run_id=f"{state.run_id}-{number + 1}", request=request, begun_at=then)
            part = within(told, number / len(VERSIONS), 1 / len(VERSIONS))
            ended = replace(self.retraining, clock=partial(_always, then)).run(begun, part)
            self.ledger.record_run(RETRAIN, ended.status.value, detail_of(ended), then)
        return len(VERSIONS)

    def _forecasts(self, region: Region, known: FlaggedWeather, issues: tuple[Hours, Values], told: Progress) -> int:
        """Issue what would have been issued, and keep it; return the number of new rows."""
        hours = issues[0]
        batch: list[RegionForecast] = []
        count = 0
        for i, issue in enumerate(self._issues(region, known, *issues)):
            told(i / len(hours), f"forecasts of {issue.valid_from:%d %b %Y}")
            batch.append(issue)
            if len(batch) == BATCH:
                count += self.ledger.record_forecasts(batch)
                batch = []
        return count + self.ledger.record_forecasts(batch)

    def _experiments(self, state: RunState, region: Region, issues: Issues) -> None:
        """Hold every version against who served when it was made; the last goes on, the champion in front."""
        source = self.forecasting.observing.source.name
        early = EarlyTrials(self.trials, self.forecasting, state.request.who)
        made = [v.manifest for v in reversed(self.store.versions()) if v.manifest is not None]
        mine = [m for m in made if m.source == source and m.trained_on.region_id == region.id]
        champion = self.store.champion(source, region.id).version
        for number, manifest in enumerate(mine):
            end = mine[number + 1].created_at if number + 1 < len(mine) else None
            served = self._champion_at(source, region.id, manifest.created_at - timedelta(seconds=1))
            goes_on = end is None and manifest.version == champion
            pair = (manifest.version, served) if goes_on else (served, manifest.version)
            early.hold(region, manifest, pair, issues, end)

    def _rows(self, region: Region, known: FlaggedWeather, hours: np.ndarray) -> Values:
        """Return the features of every place at every hour of issue, shape (places, hours, features)."""
        usable = known.usable()
        at = np.searchsorted(usable.valid_at, hours)
        parts = table.in_parts(usable, CHUNK, self._fields(region, usable))
        return np.concatenate([features.values[:, at] for _, features in parts])

    def _fields(self, region: Region, usable: HourlyWeather) -> HourlyWeather | None:
        fields = self.forecasting.observing.fields
        first, last = from_datetime64(usable.valid_at[0]), from_datetime64(usable.valid_at[-1])
        return None if fields is None else fields.fields(region, first, last + timedelta(hours=model_fields.REACH_H))

    def _issues(
        self, region: Region, known: FlaggedWeather, hours: np.ndarray, rows: Values
    ) -> Iterator[RegionForecast]:
        """Yield the issue of every hour by whoever served then."""
        source, has_fields = self.forecasting.observing.source.name, self.forecasting.observing.fields is not None
        before: dict[str, RiskLevel] = {}
        for i, hour in enumerate(hours):
            at = from_datetime64(hour)
            version = self._champion_at(source, region.id, at)
            served_by = partial(self.forecasting.serving.version, version, source, has_fields)
            past = known.between(at - timedelta(hours=23), at)
            situation = _Known(region, past, self.forecasting.limits, at + DELAY, known_rows=rows[:, i])
            issue = issued(situation, served_by, self.forecasting.tiers, (), silent, before=before)
            before = {forecast.location_id: forecast.level for forecast in issue.forecasts}
            yield issue

    def _champion_at(self, source: str, region_id: str, at: datetime) -> str:
        """Return who served at a moment."""
        made = self.ledger.deployments(source, region_id)
        then = [one for one in made if one.at <= at]
        if then:
            return then[0].to_version
        return (made[-1].from_version if made else None) or self.store.champion(source, region_id).version


def _always(moment: datetime) -> datetime:
    """Return the moment: a clock that stands still."""
    return moment


@dataclass(frozen=True)
class _Known(Situation):
    """A situation whose features are known already."""

    known_rows: Values = field(default_factory=lambda: np.empty((0, 0), np.float32))

    @cached_property
    def rows(self) -> Values:
        """Features of every place, shape (places, features)."""
        return self.known_rows
