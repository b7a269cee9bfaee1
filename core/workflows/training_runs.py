"""Trainings as runs of the ledger: what is kept of one, and which have been made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from core.domain.lifecycle import RetrainingRequest, RunState, RunStatus, Trigger
from core.ports import Ledger
from core.workflows.drift_runs import DRIFT

#: Kind of run in the ledger.
RETRAIN = "retrain"
#: Kind of run in the ledger that the making of a history at the first start is.
FIRST = "first start"
#: What is begun by plan, and not for what happened: two processes on one home plan the same.
PLANNED = (Trigger.FIRST_START, Trigger.SCHEDULE)
#: How far the clocks of two processes may differ; a run of a later moment was written down by a clock that was ahead.
SKEW = timedelta(minutes=5)


class MadeMeanwhile(Exception):
    """What was planned here was made by another process on this home."""


def refuse_made(request: RetrainingRequest, runs: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Refuse what was planned here and made by another process on this home, by the trainings of the ledger.

    Raises
    ------
    MadeMeanwhile
        If it was.
    """
    if request.trigger in PLANNED and any(
        run_of(run, request.region_id, request.trigger)
        and request.now <= run["at"] <= now + SKEW
        and run["status"] not in (RunStatus.FAILED, RunStatus.INTERRUPTED)
        for run in runs
    ):
        raise MadeMeanwhile


def run_of(run: Mapping[str, Any], region_id: str, trigger: Trigger) -> bool:
    """Say whether a run of the ledger is a training of a region that was begun for this."""
    return (run["detail"].get("region"), run["detail"].get("trigger")) == (region_id, trigger.value)


def trainings_in(ledger: Ledger, most: int) -> tuple[Mapping[str, Any], ...]:
    """Return the newest trainings of the ledger, those of first starts among them, newest first.

    Raises
    ------
    ConfigurationError
        If the ledger does not answer.
    """
    found = (*ledger.runs(most, RETRAIN), *ledger.runs(most, FIRST))
    return tuple(sorted(found, key=lambda run: run["at"], reverse=True)[:most])


def unanswered(ledger: Ledger, region_id: str, most: int) -> str:
    """Return the alarms of drift in a region since which no training of it has begun, in words; "" where there is none.

    Who saw them may be gone, and what waited in its memory with it.

    Raises
    ------
    ConfigurationError
        If the ledger does not answer.
    """
    trainings, alarms = (
        [run for run in runs if run["detail"].get("region") == region_id]
        for runs in (trainings_in(ledger, most), ledger.runs(most, DRIFT))
    )
    begun = [datetime.fromisoformat(run["detail"].get("begun_at") or run["at"].isoformat()) for run in trainings]
    return " ".join(run["detail"]["text"] for run in alarms if not begun or run["at"] > max(begun))


def detail_of(state: RunState) -> dict[str, object]:
    """Return what the ledger keeps of a training."""
    asked = asdict(state.request)
    return {
        "run_id": state.run_id,
        "version": state.version,
        "champion": state.champion,
        "region": asked["region_id"],
        "source": asked["source"],
        "algorithm": asked["algorithm"],
        "days_back": asked["days_back"],
        "trigger": state.request.trigger.value,
        "who": asked["who"],
        "why": asked["why"],
        "late_s": asked["late_s"],
        "begun_at": state.begun_at.isoformat(),
        "reasons": list(state.reasons),
        "metrics": dict(state.metrics),
    }
