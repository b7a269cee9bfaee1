"""Experiments: what they come to, and every step of their life."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter

from api.admin import REFUSALS, Who
from api.asked import region_of
from api.problems import conflict
from api.schemas_experiments import (
    AnalysisAnswer,
    DecisionRequest,
    ExperimentLine,
    ExperimentRequest,
    PromotionAnswer,
    ReasonRequest,
    StepAnswer,
)
from core import ABTestingFramework, ModelError, ModelVariant, analysis_result, open_core

router = APIRouter(prefix="/admin/experiments", tags=["experiments"], responses=REFUSALS)
CREATED = 201


@router.get("", response_model=list[ExperimentLine])
def experiments(who: Who) -> Any:  # noqa: ARG001 - whoever asks must know the token
    """Return all experiments, the oldest first."""
    return ABTestingFramework(open_core()).list_experiments()


@router.post("", response_model=AnalysisAnswer, status_code=CREATED)
def create(asked: ExperimentRequest, who: Who) -> Any:
    """Register an experiment on the forecasts of a region and start it, unless it is a draft.

    Answers 409 where there is one of this name, 422 where the definition makes no sense.
    """
    core = open_core()
    ABTestingFramework(core, who).create_experiment(
        asked.experiment_id,
        [ModelVariant(v.variant_id, "", v.version, v.traffic_percentage) for v in asked.variants],
        asked.strategy,
        draft=asked.draft,
        unit=asked.unit,
        alarm=asked.alarm,
        source=core.lifecycle.source,
        region_id=region_of(core, asked.region),
        why=asked.why,
    )
    return _answer(asked.experiment_id)


@router.get("/{experiment_id}", response_model=AnalysisAnswer)
def experiment(experiment_id: str, who: Who) -> Any:  # noqa: ARG001
    """Return what an experiment comes to now: status, arms, contrasts with intervals, and its steps."""
    return _answer(experiment_id)


@router.post("/{experiment_id}/decide", response_model=AnalysisAnswer)
def decide(experiment_id: str, asked: DecisionRequest, who: Who) -> Any:
    """End an experiment with a decision; the evidence is written down with it."""
    open_core().experiments.decide(experiment_id, asked.winner, who, asked.why)
    return _answer(experiment_id)


@router.post("/{experiment_id}/promote", response_model=PromotionAnswer)
def promote(experiment_id: str, asked: ReasonRequest, who: Who) -> Any:
    """Let the winner of a decided experiment serve its region, where the gate lets it through.

    Answers 409 where it is not decided, no challenger has won, a version is refused, or somebody else deployed.
    """
    try:
        verdict = open_core().promote_winner(experiment_id, who, asked.why)
    except ModelError as error:
        return conflict(error)
    return {"deployed": verdict.promote, "gate": [asdict(rule) for rule in verdict.rules]}


@router.post("/{experiment_id}/{action}", response_model=AnalysisAnswer)
def step(experiment_id: str, action: Literal["start", "pause", "stop"], asked: ReasonRequest, who: Who) -> Any:
    """Start a draft or go on after a pause, pause, or stop; 409 where its stage does not allow that."""
    open_core().experiments.step(experiment_id, action, who, asked.why)
    return _answer(experiment_id)


def _answer(experiment_id: str) -> dict[str, Any]:
    found = open_core().experiments
    steps = [StepAnswer.model_validate(asdict(one)) for one in found.records.steps(experiment_id)]
    return {**analysis_result(found.analyse(experiment_id)), "steps": steps}
