"""The page of the experiments as a test sees it: made-up records, the page drawn, and what stands on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from core import ABTestingFramework, CaseOutcome, Core, ExperimentResult, ModelVariant
from tests.pages.drawn import drawn

REGION = "uttarakhand-himachal"
BEGIN = datetime(2026, 7, 1, tzinfo=UTC)
PLACES, EVENTS = 30, 4


def variants(*names: str) -> tuple[ModelVariant, ...]:
    return tuple(ModelVariant(name, version=f"{name}-1", traffic_percentage=100 / len(names)) for name in names)


def running(core: Core, name: str = "monsoon", *arms: str, **definition: Any) -> ABTestingFramework:
    """Register an experiment of results recorded by hand."""
    found = ABTestingFramework(core, who="Asha")
    found.create_experiment(name, variants(*(arms or ("control", "challenger"))), **definition)
    return found


def recorded(door: ABTestingFramework, name: str, days: int, **said: float) -> None:
    """Record what each variant says of events (of the other cases a tenth of it), with noise from day to day."""
    rng, results, outcomes = np.random.default_rng(1), [], []
    for day in range(days):
        for place in range(PLACES):
            at, happened, shared = BEGIN + timedelta(days=day), place < EVENTS, float(rng.uniform(0.8, 1.2))
            outcomes.append(CaseOutcome(f"p{place}", at, happened))
            for i, (variant, level) in enumerate(said.items()):
                p = min((level if happened else level / 10) * shared * float(rng.uniform(0.9, 1.1)), 1.0)
                is_shown = (place + day) % len(said) == i
                results.append(ExperimentResult(name, variant, p, f"p{place}", at, shown=is_shown, latency_ms=2.0))
    door.record_results(results)
    door.update_actual_outcomes(name, outcomes)


def page(**address: str) -> AppTest:
    return drawn("pages/experiments.py", **address)


def texts(app: AppTest) -> str:
    kinds = ("title", "header", "subheader", "caption", "markdown", "error", "info", "warning", "success")
    parts = [element.value for kind in kinds for element in app.get(kind)]
    parts += [metric.value for metric in app.metric] + [table.value.to_string() for table in app.dataframe]
    return "\n".join(str(part) for part in parts).replace("\\", "")


def button(app: AppTest, label: str) -> Any:
    return next(found for found in app.button if found.label == label)


def labels(app: AppTest) -> set[str]:
    return {found.label for found in app.button}


def table(app: AppTest, column: str) -> Any:
    return next(t.value for t in app.dataframe if column in t.value.columns)


def refused(app: AppTest) -> list[str]:
    """Return what was refused; the banner of a house without a scheduler is another matter."""
    return [error.value for error in app.error if error.icon == ":material/block:"]


def headline(app: AppTest) -> str:
    return str(app.get("header")[0].value).replace("\\", "")
