"""The front door of experiments for scripts: as the README says, from the first call to the decision."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core import ABTestingFramework, Core, ExperimentResult, ModelVariant, TrafficSplitStrategy
from core.domain.experiment import CaseOutcome, Rules
from core.errors import ExperimentClosed, ExperimentError, UnknownExperiment
from tests.experiments_made import BEGIN, CHALLENGER, CONTROL, both

VARIANTS = [
    ModelVariant(CONTROL, model_path="models/versions/v1", version="v1", traffic_percentage=70),
    ModelVariant(CHALLENGER, model_path="models/versions/v2", version="v2", traffic_percentage=30),
]


@pytest.fixture
def house(open_house: Callable[..., Core]) -> Core:
    return open_house(grid_spacing_deg=1.0)


@pytest.fixture
def framework(house: Core) -> ABTestingFramework:
    return ABTestingFramework(house)


def results(framework: ABTestingFramework, days: int) -> list[ExperimentResult]:
    """Return what both variants said of forty places a day, the challenger better by far."""
    rng, out = np.random.default_rng(1), []
    for case in range(days * 40):
        happened = case % 4 == 0
        at = {
            "experiment_id": "monsoon",
            "location_id": f"p{case % 40}",
            "valid_at": BEGIN + timedelta(days=case // 40),
        }
        unit = f"{at['location_id']}/{at['valid_at']:%Y-%m-%d}"
        chosen = framework.select_variant("monsoon", unit).variant_id
        for name, right, wrong in ((CONTROL, 0.3, 0.1), (CHALLENGER, 0.6, 0.05)):
            p = (right if happened else wrong) * rng.uniform(0.5, 1.5)
            out.append(ExperimentResult(variant_id=name, prediction=p, shown=name == chosen, actual=happened, **at))  # type: ignore[arg-type]
    return out


def test_from_the_first_call_to_the_decision(framework: ABTestingFramework) -> None:
    rules = Rules(slope=(0.0, 9.0))  # these forecasts are made up, and far from calibrated
    framework.create_experiment(
        experiment_id="monsoon", variants=VARIANTS, strategy=TrafficSplitStrategy.PERCENTAGE, rules=rules
    )
    assert framework.select_variant("monsoon", "user-7") == framework.select_variant("monsoon", "user-7")
    assert framework.record_results(results(framework, 40)) == 2 * 40 * 40
    found = framework.analyze_experiment("monsoon")
    assert found["status"] == "Ship now"
    assert found["winner"]["winner_variant"] == CHALLENGER
    assert "always-valid" in found["winner"]["rule"]
    assert found["winner"]["evidence"]["events"] == 400
    assert found["sample_ratio_p"] > 0.001  # type: ignore[operator]
    framework.decide_experiment("monsoon", CHALLENGER, "better for forty days")
    decided = framework.analyze_experiment("monsoon")
    assert decided["winner"] == {
        "winner_variant": CHALLENGER,
        "rule": "decided by script: better for forty days",
        "evidence": found["winner"]["evidence"],
    }
    assert {framework.select_variant("monsoon").variant_id for _ in range(30)} == {CHALLENGER}


def test_one_result_and_its_outcome_hours_later(framework: ABTestingFramework) -> None:
    framework.create_experiment("monsoon", VARIANTS)
    one, other = both()
    assert framework.record_result(one)
    assert not framework.record_result(replace(one, prediction=0.9))
    assert framework.record_result(other)
    assert framework.update_actual_outcome("monsoon", "a", BEGIN, np.True_) == 2  # type: ignore[arg-type]
    assert framework.update_actual_outcomes("monsoon", [CaseOutcome("a", BEGIN, happened=False)]) == 0
    found = framework.analyze_experiment("monsoon")
    assert found["winner"] == {"winner_variant": None, "rule": "", "evidence": {}}
    assert [v["brier"] for v in found["variants"]] == [0.75**2, 0.5**2]
    assert [v["events"] for v in found["variants"]] == [1, 1]
    assert found["codes"] == ["TOO_FEW_EVENTS"]


def test_an_analysis_is_plain_and_knows_of_no_number_that_is_none(framework: ABTestingFramework) -> None:
    framework.create_experiment("monsoon", VARIANTS, rules=Rules(min_events=5, min_days=3))
    for days in (0, 1, 3, 20):  # at three days all losses are of one spell
        framework.record_results(results(framework, days))
        found = framework.analyze_experiment("monsoon")
        json.dumps(found, allow_nan=False)
        assert "growth" not in found["contrasts"][0]
    assert found["contrasts"][0]["sequence"]["low"] is not None


def test_experiments_are_listed_with_their_stage(framework: ABTestingFramework) -> None:
    assert framework.list_experiments() == []
    framework.create_experiment("monsoon", VARIANTS)
    framework.create_experiment("draft", VARIANTS, draft=True)
    framework.pause_experiment("monsoon", "a look")
    listed = {one["experiment_id"]: one for one in framework.list_experiments()}
    assert {name: one["stage"] for name, one in listed.items()} == {"monsoon": "paused", "draft": "draft"}
    assert listed["monsoon"]["variants"] == [CONTROL, CHALLENGER]
    assert listed["monsoon"]["strategy"] == "random"


def test_an_experiment_is_paused_started_and_stopped(framework: ABTestingFramework) -> None:
    framework.create_experiment("monsoon", VARIANTS, "user_hash", draft=True)  # type: ignore[arg-type]
    framework.start_experiment("monsoon")
    framework.pause_experiment("monsoon")
    framework.start_experiment("monsoon")
    step = framework.stop_experiment("monsoon", "enough")
    assert (step.who, step.why, step.stage.value) == ("script", "enough", "stopped")
    with pytest.raises(ExperimentClosed):
        framework.start_experiment("monsoon")
    with pytest.raises(ExperimentClosed):
        framework.record_result(both()[0])
    assert framework.select_variant("monsoon", "anybody").variant_id == CONTROL
    assert framework.analyze_experiment("monsoon")["stage"] == "stopped"


def test_what_cannot_be_is_refused(framework: ABTestingFramework) -> None:
    with pytest.raises(UnknownExperiment):
        framework.analyze_experiment("monsoon")
    with pytest.raises(ExperimentError, match="100 %"):
        framework.create_experiment(
            "monsoon", [VARIANTS[0], replace(VARIANTS[1], traffic_percentage=1)], TrafficSplitStrategy.PERCENTAGE
        )
    with pytest.raises(ValueError, match="nonsense"):
        framework.create_experiment("monsoon", VARIANTS, "nonsense")  # type: ignore[arg-type]
    assert framework.list_experiments() == []


def test_definitions_and_exports_stand_below_the_models(framework: ABTestingFramework, house: Core, home: Path) -> None:
    framework.create_experiment("monsoon", VARIANTS, why="to see")
    definition = json.loads((home / "models" / "experiments" / "monsoon.json").read_text())
    assert (definition["why"], definition["created_by"]) == ("to see", "script")
    framework.record_results(both())
    path = Path(framework.export_results("monsoon"))
    assert path.parent == home / "models" / "experiment_results"
    assert len(path.read_text().splitlines()) == 3
    assert house.store.foreign_files() == ()  # definitions, their lock and exports are ours


def test_the_house_of_the_process_is_used_where_none_is_given() -> None:
    ABTestingFramework().create_experiment("monsoon", VARIANTS)
    assert [one["experiment_id"] for one in ABTestingFramework().list_experiments()] == ["monsoon"]
