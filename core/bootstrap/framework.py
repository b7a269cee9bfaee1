"""The front door of experiments for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypedDict

from core.bootstrap import Core, open_core
from core.domain.experiment import (
    CaseOutcome,
    Experiment,
    ExperimentResult,
    ModelVariant,
    Step,
    TrafficSplitStrategy,
)
from core.domain.experiment_analysis import (
    ExperimentAnalysis,
)


class WinnerResult(TypedDict):
    """Who won (None: nobody), the rule that decided, and the evidence."""

    winner_variant: str | None
    rule: str
    evidence: dict[str, Any]


class AnalysisResult(TypedDict):
    """What an experiment comes to: the fields of `ExperimentAnalysis` as plain values."""

    experiment_id: str
    stage: str
    status: str
    text: str
    winner: WinnerResult
    variants: list[dict[str, Any]]
    contrasts: list[dict[str, Any]]
    codes: list[str]
    sample_ratio_p: float | None
    coverage: float | None


class ExperimentSummary(TypedDict):
    """One experiment of a list."""

    experiment_id: str
    stage: str
    strategy: str
    variants: list[str]
    created_at: str


@dataclass(frozen=True)
class ABTestingFramework:
    """Experiments between variants of a forecast.

    Parameters
    ----------
    core
        The house; None: the one of this process.
    who
        Who stands in the ledger for every step.
    """

    core: Core | None = None
    who: str = "script"

    def create_experiment(
        self,
        experiment_id: str,
        variants: Sequence[ModelVariant],
        strategy: TrafficSplitStrategy = TrafficSplitStrategy.RANDOM,
        *,
        draft: bool = False,
        **definition: Any,
    ) -> Experiment:
        """Register an experiment, and start it unless `draft`.

        Parameters
        ----------
        variants
            The first is the control.
        definition
            Other fields of `Experiment`, such as `event`, `alarm`, `unit`, `rollout`, `rules`, `why`.

        Raises
        ------
        ExperimentError
            If the definition makes no sense, or there is one of this name.
        """
        house = self._house
        experiment = Experiment(
            id=experiment_id,
            variants=tuple(variants),
            strategy=TrafficSplitStrategy(strategy),
            created_at=house.clock(),
            **{"created_by": self.who, **definition},
        )
        return house.experiments.create(experiment, draft=draft)

    def select_variant(self, experiment_id: str, unit: str | None = None) -> ModelVariant:
        """Return the variant that a unit is shown; the same unit gets the same one. None: a unit that comes once."""
        return self._house.experiments.select(experiment_id, unit)

    def record_result(self, result: ExperimentResult) -> bool:
        """Keep one result; say whether it is the first of its variant and case."""
        return bool(self.record_results([result]))

    def record_results(self, results: Sequence[ExperimentResult]) -> int:
        """Keep many results, all or none of them; return how many are new."""
        return self._house.experiments.record(results)

    def update_actual_outcome(self, experiment_id: str, location_id: str, valid_at: datetime, actual: bool) -> int:
        """Say what happened in one case; return how many results have matured by it."""
        return self.update_actual_outcomes(experiment_id, [CaseOutcome(location_id, valid_at, bool(actual))])

    def update_actual_outcomes(self, experiment_id: str, outcomes: Sequence[CaseOutcome]) -> int:
        """Say what happened in many cases; return how many results have matured by it."""
        return self._house.experiments.happened(experiment_id, outcomes)

    def analyze_experiment(self, experiment_id: str) -> AnalysisResult:
        """Return what an experiment comes to now.

        Raises
        ------
        UnknownExperiment
            If there is none of this name.
        """
        return analysis_result(self._house.experiments.analyse(experiment_id))

    def start_experiment(self, experiment_id: str, why: str = "") -> Step:
        """Start a draft, or go on after a pause."""
        return self._house.experiments.step(experiment_id, "start", self.who, why)

    def pause_experiment(self, experiment_id: str, why: str = "") -> Step:
        """Show everybody the control and record nothing until it goes on."""
        return self._house.experiments.step(experiment_id, "pause", self.who, why)

    def stop_experiment(self, experiment_id: str, why: str = "") -> Step:
        """End it without a decision; outcomes still come in."""
        return self._house.experiments.step(experiment_id, "stop", self.who, why)

    def decide_experiment(self, experiment_id: str, winner: str | None, why: str) -> Step:
        """End it with a decision."""
        return self._house.experiments.decide(experiment_id, winner, self.who, why)

    def list_experiments(self) -> list[ExperimentSummary]:
        """Return all experiments, the oldest first."""
        experiments = self._house.experiments
        return [
            {
                "experiment_id": one.id,
                "stage": experiments.stage(one.id).value,
                "strategy": one.strategy.value,
                "variants": [v.variant_id for v in one.variants],
                "created_at": one.created_at.isoformat(),
            }
            for one in experiments.files.experiments()
        ]

    def export_results(self, experiment_id: str) -> str:
        """Write all results with their outcomes as CSV below models/experiment_results, and return the path."""
        return self._house.experiments.export(experiment_id)

    @property
    def _house(self) -> Core:
        return self.core or open_core()


def analysis_result(found: ExperimentAnalysis) -> AnalysisResult:
    """Return an analysis as plain values."""
    return {
        "experiment_id": found.experiment.id,
        "stage": found.stage.value,
        "status": found.status.value,
        "text": found.text,
        "winner": {
            "winner_variant": found.winner.winner_variant,
            "rule": found.winner.rule,
            "evidence": dict(found.winner.evidence),
        },
        "variants": [_plain(arm) for arm in found.arms],
        "contrasts": [_plain(contrast) for contrast in found.contrasts],
        "codes": [code.value for code in found.codes],
        "sample_ratio_p": found.sample_ratio_p,
        "coverage": found.coverage,
    }


def _plain(value: Any) -> dict[str, Any]:
    """Return a value of the analysis without its history."""
    found: Mapping[str, Any] = asdict(value)
    return {name: part for name, part in found.items() if name != "growth"}
