"""Histories: the life of a region's models in one value, as page, API and terminal tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core.domain.drift import DriftReport
from core.domain.forecast import DEFAULT_WINDOW, TARGET
from core.domain.learning import Champion, Scorecard, StoredVersion
from core.domain.lifecycle import Deployment, RunState
from core.domain.verification import VerifiedCases
from core.errors import CloudburstError, ModelError
from core.workflows.comparing import Comparing, SideBySide
from core.workflows.forecasting import Forecasting
from core.workflows.lifecycle import Lifecycle
from core.workflows.scoring import scorable, scored
from core.workflows.training_runs import trainings_in
from core.workflows.verifying import Verifying

#: Entries of the ledger that are shown.
MOST = 50
#: What challengers said is looked at for so long; every hour of a region's life does not fit into memory.
SHADOW_DAYS = 90


@dataclass(frozen=True)
class History:
    """Who serves a region, who challenges, what there is, and how it came so.

    Parameters
    ----------
    champion
        Who was deployed, None where the pointer cannot be read; `serves` is who serves, `instead` why that is another.
    challengers
        Versions that forecast unseen beside the champion, newest first.
    training
        The training that runs or ended last in this home, None where there was none.
    drift
        What was found when it was looked for last, None before the first look.
    deployments, runs
        Newest first.
    """

    region_id: str
    source: str
    champion: Champion | None
    serves: str | None
    instead: str
    challengers: tuple[str, ...]
    versions: tuple[StoredVersion, ...]
    training: RunState | None
    drift: DriftReport | None
    deployments: tuple[Deployment, ...]
    runs: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Shadow:
    """What a challenger said unseen and what was shown, on the same matured cases of the default window."""

    version: str
    cases: int
    events: int
    challenger: Scorecard | None
    shown: Scorecard | None


@dataclass(frozen=True)
class Histories:
    """Reads the life of models from store, pointers and ledger."""

    lifecycle: Lifecycle
    forecasting: Forecasting
    verifying: Verifying

    def of(self, region_id: str) -> History:
        """Return the history of one region.

        Raises
        ------
        ConfigurationError, SourceError, DataError
            If the region is not known or the ledger does not answer.
        """
        life = self.lifecycle
        region_id = life.observing.region(region_id).id
        try:
            champion: Champion | None = life.store.champion(life.source, region_id)
        except ModelError:
            champion = None
        try:
            served = self.forecasting.served(region_id)
            serves, instead = served.manifest.version, served.instead
        except ModelError as error:
            serves, instead = None, str(error)
        runs = trainings_in(life.ledger, 4 * MOST)
        return History(
            region_id=region_id,
            source=life.source,
            champion=champion,
            serves=serves,
            instead=instead,
            challengers=life.serving.challengers(life.source, region_id, self.forecasting.challengers),
            versions=life.store.versions(),
            training=life.trainings.state(),
            drift=life.looked(region_id),
            deployments=life.ledger.deployments(life.source, region_id, MOST),
            runs=tuple(run for run in runs if run["detail"].get("region") == region_id)[:MOST],
        )

    def compare(self, one: str, other: str, region_id: str, days_back: int) -> SideBySide:
        """Return two versions on the same cases, which neither has learned from; kept until something changes.

        Raises
        ------
        InsufficientData
            If there is no such case.
        ModelError
            If one of them cannot serve these data.
        """
        retraining, hour = self.lifecycle.retraining, f"{self.lifecycle.clock():%Y%m%d%H}"
        key = f"compare:{one}:{other}:{region_id}:{days_back}:{hour}"
        found: SideBySide | None = self.forecasting.cache.get(key)
        if found is None:
            anything = replace(retraining.collecting, needs=replace(retraining.collecting.needs, events=1, quality=0.0))
            comparing = Comparing(anything, self.lifecycle.serving, retraining.judging, self.lifecycle.clock)
            found = comparing.two(one, other, region_id, days_back)
            self.forecasting.cache.set(key, found, 3600)
        return found

    def shadows(self, region_id: str) -> tuple[Shadow, ...]:
        """Return how the challengers do on what was really issued, each beside what was shown for the same windows.

        Windows that began more than `SHADOW_DAYS` ago do not count.

        Raises
        ------
        ConfigurationError
            If the ledger does not answer.
        """
        life = self.lifecycle
        names = life.serving.challengers(life.source, region_id, self.forecasting.challengers)
        if not names or self.verifying.no_truth:
            return ()
        key = f"shadows:{region_id}:{names}"
        found: tuple[Shadow, ...] | None = self.forecasting.cache.get(key)
        if found is None:
            made = min(life.store.manifest(name).created_at for name in names)  # nothing earlier has a counterpart
            since = max(made, life.clock() - timedelta(days=SHADOW_DAYS))
            issued = life.ledger.issued(life.source, region_id, DEFAULT_WINDOW, (since, None))
            shown = scorable(issued.counting(), TARGET)
            found = tuple(self._beside(name, region_id, since, shown) for name in names)
            self.forecasting.cache.set(key, found, self.forecasting.ttl_s)
        return found

    def _beside(self, version: str, region_id: str, since: datetime, shown: VerifiedCases) -> Shadow:
        source, period = self.lifecycle.source, (since, None)
        issued = self.lifecycle.ledger.issued(
            source, region_id, DEFAULT_WINDOW, period, shown=False, model_version=version
        )
        theirs, ours = scorable(issued.counting(), TARGET).paired(shown)
        if not len(theirs):
            return Shadow(version, 0, 0, None, None)
        try:
            cards = scored(theirs, TARGET), scored(ours, TARGET)
        except CloudburstError:  # too good to be true: nothing is claimed
            return Shadow(version, len(theirs), int(theirs.happened(TARGET).sum()), None, None)
        return Shadow(version, cards[0].n, cards[0].events, *cards)
