"""Made-up experiments, what they recorded, and days of forecasts whose quality is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.adapters.experiment_files import JsonExperiments
from core.adapters.ledger import SqlLedger
from core.adapters.ledger_experiments import SqlExperiments
from core.domain.experiment import (
    CaseOutcome,
    Counts,
    Experiment,
    ExperimentResult,
    Matured,
    ModelVariant,
    Stage,
    TrafficSplitStrategy,
)
from core.domain.experiment_analysis import ExperimentAnalysis
from core.experiments.analysis import Recorded, analyse
from core.experiments.sums import Sums, sums
from core.workflows.experimenting import Experimenting
from core.workflows.serving import Serving
from tests.models_made import model_store

BEGIN = datetime(2026, 7, 1, 6, tzinfo=UTC)
CONTROL, CHALLENGER = "control", "challenger"
ALARM = 0.05
#: Of every day of `days_of`; the first twenty cases of each have the event.
CASES, EVENTS = 200, 20


def experiment(*names: str, **changes: Any) -> Experiment:
    """Return an experiment with equal shares, by default of a control and a challenger."""
    variants = tuple(ModelVariant(name, version=f"{name}-1") for name in names or (CONTROL, CHALLENGER))
    fields = {"id": "monsoon", "variants": variants, "strategy": TrafficSplitStrategy.RANDOM, "created_at": BEGIN}
    return Experiment(**{**fields, **changes})


def result(
    variant: str = CONTROL, prediction: float | None = 0.25, case: int = 0, place: str = "a", **changes: Any
) -> ExperimentResult:
    """Return what a variant said of a place and the hour of this number."""
    fields = {
        "experiment_id": "monsoon",
        "variant_id": variant,
        "prediction": prediction,
        "location_id": place,
        "valid_at": BEGIN + timedelta(hours=case),
    }
    return ExperimentResult(**{**fields, **changes})


def both(case: int = 0, place: str = "a", **changes: Any) -> list[ExperimentResult]:
    """Return what both variants said of a case: the challenger twice as much."""
    return [result(CONTROL, 0.25, case, place, **changes), result(CHALLENGER, 0.5, case, place, **changes)]


def outcome(case: int = 0, happened: bool = True, place: str = "a") -> CaseOutcome:
    """Return what happened in the case of this number."""
    return CaseOutcome(place, BEGIN + timedelta(hours=case), happened)


def counted(matured: Sequence[Matured]) -> Mapping[tuple[str, int], NDArray[np.float64]]:
    """Return by variant and day the number of results, the sum of probabilities, and events."""
    found: dict[tuple[str, int], NDArray[np.float64]] = {}
    for m in matured:
        key = m.variant_id, int(m.valid_at.timestamp() // 86_400)
        found[key] = found.get(key, np.zeros(3)) + np.array([1.0, m.probability or 0.0, float(m.happened)])
    return found


class SetClock:
    """A clock that is set by hand."""

    now = BEGIN

    def __call__(self) -> datetime:
        return self.now


def experimenting(folder: Path, clock: SetClock) -> Experimenting:
    """Return the workflow on a ledger, definitions and models of its own."""
    files = JsonExperiments(folder / "experiments", folder / "results")
    records = SqlExperiments(SqlLedger(f"sqlite:///{folder}/ledger.db"))
    return Experimenting(records, files, Serving(model_store(folder / "models")), clock)


def days_of(days: int, *said: float | None, seed: int = 1, **changes: Any) -> dict[str, Sums]:
    """Return the sums of the control and of challengers over days of 200 cases with 20 events each.

    Parameters
    ----------
    said
        What control and challengers say of the cases with an event, and a tenth of it of those without, with a little
        of their own noise; None: the same as the control, to the last digit.
    changes
        By challenger number, `fails_1`: share of the cases it fails in; `ms_1`: milliseconds it takes.
    """
    rng = np.random.default_rng(seed)
    happened = (np.arange(CASES) < EVENTS).astype(float)
    names = [CONTROL, *(CHALLENGER if i == 1 else f"{CHALLENGER}-{i}" for i in range(1, len(said)))]
    rows: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}
    for _ in range(days):
        shared = rng.normal(size=CASES)
        forecasts: list[NDArray[np.float64]] = []
        for i, level in enumerate(said):
            if level is None:
                forecasts.append(forecasts[0].copy())
                continue
            usual = np.where(happened == 1, level, level / 10)
            p = np.clip(usual * np.exp(0.2 * shared + 0.1 * rng.normal(size=CASES)), 0, 1)
            forecasts.append(np.where(rng.random(CASES) < changes.get(f"fails_{i}", 0.0), np.nan, p))
        for i, (name, p) in enumerate(zip(names, forecasts, strict=True)):
            ms = changes.get(f"ms_{i}", 10.0) * rng.uniform(0.9, 1.1, CASES)
            rows[name].append(sums(p, forecasts[0], happened, ms, changes.get("alarm", ALARM)))
    return {name: Sums(np.array(found).reshape(days, -1)) for name, found in rows.items()}


def known(found: Mapping[str, Sums], **changes: Any) -> Recorded:
    """Return what is known of a running experiment with these sums, and units split as the equal shares say."""
    fields: dict[str, Any] = {
        "stage": Stage.RUNNING,
        "shares": dict.fromkeys((*list(found)[1:], CONTROL), 1 / len(found)),
        "sums": found,
        "counts": {name: Counts(matured=int(s.total("cases")), units=1000) for name, s in found.items()},
        "problems": {},
    }
    return Recorded(**{**fields, **changes})


def analysed(found: Mapping[str, Sums], changes: Mapping[str, Any] | None = None, **rules: Any) -> ExperimentAnalysis:
    """Return the analysis of such an experiment."""
    return analyse(experiment(*found, **rules), known(found, **(changes or {})))
