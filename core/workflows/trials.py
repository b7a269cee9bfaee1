"""Trials: experiments on the forecasts of this house. Every variant forecasts every place, some of them are shown."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from core.domain.experiment import CaseOutcome, Experiment, ExperimentResult, Stage, UnitKey
from core.domain.forecast import EventDefinition, Forecast, RegionForecast, RiskLevel
from core.domain.told import tell
from core.domain.verification import Truth
from core.errors import CloudburstError
from core.experiments import assignment
from core.ports import Ledger, silent
from core.risk import Tiers
from core.workflows.experimenting import Experimenting
from core.workflows.forecasting import issued
from core.workflows.situation import Situation

log = structlog.get_logger()
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
#: Stages in which outcomes still count.
OPEN = (Stage.RUNNING, Stage.PAUSED, Stage.STOPPED)


@dataclass(frozen=True)
class Assigned:
    """The variant of an experiment that answers, and its version."""

    experiment_id: str
    variant_id: str
    version: str


@dataclass(frozen=True)
class Trials:
    """Lets the variants of running experiments forecast, and joins what then happened."""

    experiments: Experimenting
    ledger: Ledger
    tiers: Tiers

    def shown(self, situation: Situation, champion: RegionForecast, before: Mapping[str, RiskLevel]) -> RegionForecast:
        """Return what is shown of a situation: the champion's issue, at some places that of a challenger.

        What every variant says is recorded. Of several experiments on a region the oldest decides what is shown, and
        only while its control is the champion; whatever fails in here, the champion's issue is shown.
        """
        shown = champion
        try:
            for experiment in self.experiments.running(situation.checked.weather.source, situation.region.id):
                arms = self._said(experiment, situation, before)
                splits = shown is champion and experiment.control.model == champion.model_version
                chosen = self._chosen(experiment, champion) if splits else {}
                self.experiments.record(_results(experiment, arms, chosen, champion))
                if splits:
                    shown = _mixed(experiment, champion, arms, chosen)
        except Exception:  # an experiment must not keep from anybody what is shown
            log.exception("an experiment could not be served", region=situation.region.id)
        return shown

    def assigned(
        self, source: str, region_id: str, champion: str, location_id: str, valid_from: datetime
    ) -> Assigned | None:
        """Return the variant that answers for a place: of the oldest running experiment whose control is the champion.

        None where there is no such experiment, or nobody can say.
        """
        try:
            for experiment in self.experiments.running(source, region_id):
                if experiment.control.model == champion:
                    shares = self.experiments.shares(experiment)
                    name = assignment.variant(experiment.id, unit_of(experiment, location_id, valid_from), shares)
                    model = next(v.model for v in experiment.variants if v.variant_id == name)
                    return Assigned(experiment.id, name, model)
        except CloudburstError as error:
            log.error("no variant could be chosen", region=region_id, reason=type(error).__name__)
        return None

    def join(self, region_id: str, source: str) -> None:
        """Join what happened to the results of a region's experiments, and let rollouts grow or end.

        Raises
        ------
        CloudburstError
            If the ledger does not answer.
        """
        for experiment in self.experiments.files.experiments():
            mine = (experiment.source, experiment.region_id) == (source, region_id)
            if mine and self.experiments.stage(experiment.id) in OPEN:
                self.experiments.tend(experiment, self.outcomes(experiment))

    def outcomes(self, experiment: Experiment) -> Sequence[CaseOutcome]:
        """Return what is known of the cases that an experiment waits for; a missing truth is none."""
        pending = self.experiments.records.pending(experiment.id)
        if not pending:
            return ()
        cases, event = set(pending), experiment.event
        period = pending[0][1], pending[-1][1] + timedelta(hours=1)
        return [
            CaseOutcome(one.location_id, one.valid_from, _fell(event, one.hourly_mm, one.two_hour_mm))
            for one in self.ledger.awaited(experiment.source, experiment.region_id, period, LONG_AGO)
            if one.truth is Truth.KNOWN and one.window == event.window and (one.location_id, one.valid_from) in cases
        ]

    def _said(
        self, experiment: Experiment, situation: Situation, before: Mapping[str, RiskLevel]
    ) -> Mapping[str, tuple[RegionForecast, float]]:
        """Return the issue of every variant, and the milliseconds it took for a place."""
        out = {}
        serving, has_fields = self.experiments.serving, self.experiments.has_fields
        for variant in experiment.variants:
            begun = time.perf_counter()
            said = issued(
                situation,
                lambda model=variant.model: serving.version(model, experiment.source, has_fields),  # type: ignore[misc]
                self.tiers,
                (),
                silent,
                before=before,
            )
            out[variant.variant_id] = said, 1000 * (time.perf_counter() - begun) / len(said.forecasts)
        return out

    def _chosen(self, experiment: Experiment, issue: RegionForecast) -> Mapping[str, str]:
        """Return the variant of every place."""
        shares = self.experiments.shares(experiment)
        return {
            f.location_id: assignment.variant(experiment.id, unit_of(experiment, f.location_id, f.valid_from), shares)
            for f in issue.forecasts
        }


def unit_of(experiment: Experiment, location_id: str, valid_from: datetime) -> str:
    """Return the unit that a forecast belongs to. A forecast is the same for every user: they count as their region."""
    if experiment.unit in (UnitKey.REGION, UnitKey.USER):
        return experiment.region_id
    if experiment.unit is UnitKey.STATION:
        return location_id
    return f"{location_id}/{valid_from:%Y-%m-%d}"


def probability_of(forecast: Forecast, event: EventDefinition) -> float:
    """Return the probability of an event in whichever window it has, NaN where there is none."""
    return next((curve.of(event) for curve in forecast.curves if event in curve.events), math.nan)


def _results(
    experiment: Experiment,
    arms: Mapping[str, tuple[RegionForecast, float]],
    chosen: Mapping[str, str],
    issue: RegionForecast,
) -> list[ExperimentResult]:
    """Return what every variant said of every place; a place of which none can say anything is no case."""
    out = []
    for i, place in enumerate(issue.forecasts):
        said = {name: probability_of(arm.forecasts[i], experiment.event) for name, (arm, _) in arms.items()}
        if all(math.isnan(p) for p in said.values()):
            continue
        out += [
            ExperimentResult(
                experiment.id,
                name,
                None if math.isnan(p) else p,
                place.location_id,
                issue.valid_from,
                issue.issued_at,
                unit_of(experiment, place.location_id, place.valid_from),
                shown=chosen.get(place.location_id) == name,
                latency_ms=arms[name][1],
            )
            for name, p in said.items()
        ]
    return out


def _mixed(
    experiment: Experiment,
    champion: RegionForecast,
    arms: Mapping[str, tuple[RegionForecast, float]],
    chosen: Mapping[str, str],
) -> RegionForecast:
    """Return the champion's issue with the places of challengers in it, every place with the variant it is of.

    A challenger that cannot say anything of a place is not shown there.
    """
    control = experiment.control.variant_id
    forecasts, count = [], 0
    for i, own in enumerate(champion.forecasts):
        other = arms[chosen[own.location_id]][0].forecasts[i]
        takes = chosen[own.location_id] != control and other.model_version is not None
        count += takes
        name = chosen[own.location_id] if takes else control
        forecasts.append(replace(other if takes else own, variant=f"{experiment.id}/{name}"))
    if not count:
        return replace(champion, forecasts=tuple(forecasts))
    text = tell(
        "Experiment {id}: {n} of {all} places show a challenger's forecast.",
        id=experiment.id,
        n=count,
        all=len(forecasts),
    )
    return replace(champion, forecasts=tuple(forecasts), notes=(*champion.notes, text))


def _fell(event: EventDefinition, hourly_mm: float, two_hour_mm: float) -> bool:
    return (hourly_mm if event.accumulation_h == 1 else two_hour_mm) >= event.threshold_mm
