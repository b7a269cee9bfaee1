"""The life of the models: retrain, watch and cancel, promote and roll back, and how it all came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from api.admin import REFUSALS, Who
from api.asked import region_of
from api.problems import NOT_FOUND, conflict
from api.schemas_admin import ChangeRequest, DeploymentAnswer, HistoryAnswer, RetrainRequest, RunAnswer
from core import Deployment, ModelError, RunState, Trigger, open_core

router = APIRouter(prefix="/admin", tags=["admin"], responses=REFUSALS)
ACCEPTED = 202
RUN_DETAILS = ("run_id", "algorithm", "days_back", "trigger", "who", "why", "late_s", "version", "reasons")
Answer = dict[str, Any] | Response


@router.post("/retrain", response_model=RunAnswer, status_code=ACCEPTED)
def retrain(asked: RetrainRequest, who: Who) -> dict[str, Any]:
    """Begin to challenge the champion of a region and answer at once with the run's id.

    Answers 409 where a training runs already, with its id and since when.
    """
    core = open_core()
    state = core.lifecycle.retrain(
        region_of(core, asked.region),
        who=who,
        why=asked.why,
        trigger=Trigger.API,
        algorithm=asked.model_type,
        days_back=asked.days_back,
    )
    return _run(state)


@router.get("/retrain/{run_id}", response_model=RunAnswer)
def run(run_id: str, who: Who) -> dict[str, Any]:  # noqa: ARG001 - whoever asks must know the token
    """Return how far a training has come, or how it ended; only the newest one is kept here."""
    return _run(_known(run_id))


@router.post("/retrain/{run_id}/cancel", response_model=RunAnswer, status_code=ACCEPTED)
def cancel(run_id: str, who: Who) -> dict[str, Any]:  # noqa: ARG001
    """End a training; one that has deployed or ended already stays as it is."""
    _known(run_id)
    open_core().lifecycle.trainings.cancel(run_id)
    return _run(_known(run_id))


@router.get("/model/history", response_model=HistoryAnswer)
def history(who: Who, region: str | None = None) -> dict[str, Any]:  # noqa: ARG001
    """Return who serves a region, who challenges, every version, and every deployment with who, when and why."""
    core = open_core()
    found = core.histories.of(region_of(core, region))
    return {
        "region": found.region_id,
        "source": found.source,
        "champion": None if found.champion is None else found.champion.version,
        "generation": None if found.champion is None else found.champion.generation,
        "serves": found.serves,
        "instead": found.instead,
        "challengers": found.challengers,
        "training": None if found.training is None else _run(found.training),
        "drift": None if found.drift is None else {"text": found.drift.text, "alarms": found.drift.alarms},
        "versions": [
            {
                "version": one.version,
                "refused": one.refused,
                "quarantined": one.quarantined,
                "shipped": one.shipped,
                "manifest": one.manifest,
            }
            for one in found.versions
        ],
        "runs": [
            {"ended_at": run["at"], "status": run["status"]} | {name: run["detail"][name] for name in RUN_DETAILS}
            for run in found.runs
        ],
        "deployments": [_deployment(made) for made in found.deployments],
    }


@router.post("/model/{version}/promote", response_model=DeploymentAnswer)
def promote(version: str, asked: ChangeRequest, who: Who) -> Answer:
    """Let a version serve a region by hand; the reason stands in the ledger.

    Answers 404 for a version that is not there, 409 where it is refused, serves already, or somebody else deployed.
    """
    core = open_core()
    if version not in [stored.version for stored in core.versions()]:
        raise HTTPException(NOT_FOUND, "There is no such version.")
    region_id = region_of(core, asked.region)
    return _changed(lambda: core.lifecycle.promote(version, region_id, who, asked.why))


@router.post("/model/rollback", response_model=DeploymentAnswer)
def roll_back(asked: ChangeRequest, who: Who) -> Answer:
    """Let the version that served a region before serve it again; the reason stands in the ledger.

    Answers 409 where there is none, it is refused, or somebody else deployed.
    """
    core = open_core()
    region_id = region_of(core, asked.region)
    return _changed(lambda: core.lifecycle.roll_back(region_id, who, asked.why))


def _changed(change: Callable[[], Deployment]) -> Answer:
    """Return the deployment made, or why it cannot be."""
    try:
        return _deployment(change())
    except ModelError as error:
        return conflict(error)


def _known(run_id: str) -> RunState:
    state = open_core().lifecycle.trainings.state()
    if state is None or state.run_id != run_id:
        raise HTTPException(NOT_FOUND, "There is no such training, or a later one took its place.")
    return state


def _run(state: RunState) -> dict[str, Any]:
    asked = state.request
    return {
        **{name: getattr(state, name) for name in ("run_id", "begun_at", "ended_at", "done", "text", "reasons")},
        "status": state.status.value,
        "metrics": dict(state.metrics),
        "version": state.version,
        "champion": state.champion,
        "region": asked.region_id,
        "source": asked.source,
        "algorithm": asked.algorithm,
        "days_back": asked.days_back,
        "trigger": asked.trigger.value,
        "who": asked.who,
        "why": asked.why,
        "late_s": asked.late_s,
    }


def _deployment(made: Deployment) -> dict[str, Any]:
    return {**asdict(made), "gate": None if made.verdict is None else [asdict(rule) for rule in made.verdict.rules]}
