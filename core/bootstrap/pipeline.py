"""The front door of retraining for scripts: one call that always returns a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from core.bootstrap import Core, open_core
from core.domain.lifecycle import RunState, Trigger
from core.errors import CloudburstError, TrainingInProgress


class RetrainingResult(TypedDict):
    """What became of a training.

    `status` is deployed, kept (the champion serves on), skipped (the data are not fit to learn from), running (somebody
    else trains), failed, cancelled or interrupted; `reasons` say why, `metrics` are counts and scores.
    """

    status: str
    reasons: list[str]
    metrics: dict[str, Any]
    run_id: str | None
    version: str | None
    champion: str | None


@dataclass(frozen=True)
class ModelRetrainingPipeline:
    """Challenges the champion of a region with a model trained on the newest hours of the archive.

    Parameters
    ----------
    core
        The house; None: the one of this process.
    region
        Region whose champion is challenged; None: the one shown first.
    """

    core: Core | None = None
    region: str | None = None

    def run_retraining_pipeline(self, model_type: str = "random_forest", days_back: int = 30) -> RetrainingResult:
        """Train in a process of its own, judge, deploy or keep, and return what became of it; nothing is raised.

        Parameters
        ----------
        model_type
            Algorithm of the registry.
        days_back
            Days of the archive that are learned from and judged on.
        """
        try:
            core = self.core or open_core()
            request = core.lifecycle.asked(
                self.region or core.default_region,
                who="script",
                trigger=Trigger.COMMAND_LINE,
                algorithm=model_type,
                days_back=days_back,
            )
            return _result(core.lifecycle.run(request))
        except TrainingInProgress as error:
            return _refused("running", str(error), error.run_id)
        except CloudburstError as error:
            return _refused("failed", str(error))


def _result(state: RunState) -> RetrainingResult:
    return {
        "status": state.status.value,
        "reasons": list(state.reasons),
        "metrics": dict(state.metrics),
        "run_id": state.run_id,
        "version": state.version,
        "champion": state.champion,
    }


def _refused(status: str, reason: str, run_id: str | None = None) -> RetrainingResult:
    return {
        "status": status,
        "reasons": [reason],
        "metrics": {},
        "run_id": run_id,
        "version": None,
        "champion": None,
    }
