"""Early trials: the experiments of a simulated house's first days, recorded as they would have been then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.domain.experiment import Experiment, ExperimentResult, ModelVariant, TrafficSplitStrategy
from core.domain.forecast import EVENTS, TARGET
from core.domain.learning import ModelManifest
from core.domain.units import from_datetime64, to_hour64
from core.domain.weather import Hours, Region, Values
from core.errors import ExperimentExists
from core.workflows.forecasting import Forecasting
from core.workflows.trials import Trials

#: An hour is known so long after its end.
DELAY = timedelta(minutes=6)
CONTROL, CHALLENGER = "control", "challenger"


@dataclass(frozen=True)
class Issues:
    """Hours of issue, and the features of every place at them, shape (places, hours, features)."""

    hours: Hours
    rows: Values


@dataclass(frozen=True)
class EarlyTrials:
    """Holds versions against each other on days that are over; nobody was shown a challenger."""

    trials: Trials
    forecasting: Forecasting
    who: str

    def hold(
        self, region: Region, made: ModelManifest, pair: tuple[str, str], issues: Issues, end: datetime | None
    ) -> None:
        """Hold two versions against each other from the making of one until `end`; without an end it goes on.

        What an earlier start has made already stays as it is.

        Parameters
        ----------
        pair
            Control and challenger.

        Raises
        ------
        CloudburstError
            If something cannot be written, or a version cannot serve.
        """
        control, challenger = pair
        experiment = Experiment(
            f"{region.id}-{made.algorithm}",
            (
                ModelVariant(CONTROL, version=control, traffic_percentage=100.0),
                ModelVariant(CHALLENGER, version=challenger),
            ),
            TrafficSplitStrategy.PERCENTAGE,
            made.created_at,
            created_by=self.who,
            why="Made with the simulated history: the challenger forecasts in the shadow.",
            source=self.forecasting.observing.source.name,
            region_id=region.id,
            alarm=float(self.forecasting.rule(region).thresholds[0]),
        )
        experiments = self.trials.experiments
        try:
            experiments.create(experiment, at=made.created_at)
        except ExperimentExists:
            return
        begun = issues.hours > to_hour64(made.created_at)
        for hour in np.flatnonzero(begun if end is None else begun & (issues.hours < to_hour64(end))):
            experiments.record(self._said(experiment, region, issues, int(hour)))
        experiments.happened(experiment.id, self.trials.outcomes(experiment))
        if end is not None:
            found = experiments.analyse(experiment.id)
            experiments.decide(experiment.id, found.winner.winner_variant, self.who, found.text, at=end)

    def _said(self, experiment: Experiment, region: Region, issues: Issues, hour: int) -> list[ExperimentResult]:
        """Return what both variants would have said at one hour of every place that is known."""
        rows, at = issues.rows[:, hour], from_datetime64(issues.hours[hour])
        places = np.flatnonzero(np.isfinite(rows).any(axis=1))
        has_fields = self.forecasting.observing.fields is not None
        out = []
        for variant in experiment.variants:
            served = self.forecasting.serving.version(variant.model, experiment.source, has_fields)
            said = served.probabilities(rows[places])[:, EVENTS.index(TARGET)].tolist()
            out += [
                ExperimentResult(
                    experiment.id,
                    variant.variant_id,
                    probability,
                    region.locations[place].id,
                    at,
                    at + DELAY,
                    shown=variant == experiment.control,
                )
                for place, probability in zip(places, said, strict=True)
            ]
        return out
