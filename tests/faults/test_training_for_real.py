"""Trainings in real processes: from the front door to a verdict, one at a time, cancelled, and bounded in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

import core.bootstrap
from core import Core, ModelRetrainingPipeline
from core.domain.lifecycle import RunStatus, Trigger
from core.settings import Settings
from core.workflows.training_runs import RETRAIN
from tests.learnable_made import learnable_folder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def gauges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnable_folder(tmp_path_factory.mktemp("archive") / "gauges", datetime.now(UTC), days=60)


def opened(home: Path, gauges: Path, **settings: object) -> Core:
    return core.bootstrap.open_core(Settings(home=home, source=f"gauges:{gauges}", **settings), _now)


def _now() -> datetime:
    return datetime.now(UTC)


def test_from_the_command_line_to_a_verdict(home: Path, gauges: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CLOUDBURST_")}
    environment |= {"CLOUDBURST_HOME": str(home), "CLOUDBURST_SOURCE": f"gauges:{gauges}"}
    opened(home, gauges).ingest(gauges, None)
    command = [sys.executable, "-m", "core", "retrain", "--model", "logistic_regression", "--days-back", "60"]
    done = subprocess.run(
        [*command, "--why", "a test"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("kept: logistic_regression_", "deployed: logistic_regression_"))
    house = opened(home, gauges)
    state = house.lifecycle.trainings.state()
    assert state is not None
    assert state.version in {version.version for version in house.versions()}
    assert (state.request.why, state.request.trigger) == ("a test", Trigger.COMMAND_LINE)
    (run,) = house.lifecycle.ledger.runs(kind=RETRAIN)
    assert run["detail"]["run_id"] == state.run_id
    assert run["detail"]["metrics"]["judged"]["cases"] > 0


def test_while_one_runs_the_front_door_says_since_when_and_a_cancel_ends_it(home: Path, gauges: Path) -> None:
    house = opened(home, gauges)
    house.ingest(gauges, None)
    begun = house.lifecycle.retrain(house.default_region, who="first", algorithm="random_forest", days_back=60)
    second = ModelRetrainingPipeline(house).run_retraining_pipeline(model_type="logistic_regression", days_back=30)
    assert second["status"] == "running"
    assert second["run_id"] == begun.run_id
    assert "begun by first" in second["reasons"][0]
    assert house.lifecycle.trainings.cancel(begun.run_id)
    ended = house.lifecycle.trainings.wait(begun.run_id)
    assert ended.status is RunStatus.CANCELLED
    until = time.monotonic() + 30
    while not house.lifecycle.ledger.runs(kind=RETRAIN):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert house.lifecycle.ledger.runs(kind=RETRAIN)[0]["status"] == "cancelled"
    assert [version for version in house.versions() if not version.shipped] == []


def test_one_that_wants_more_memory_than_it_may_have_ends_and_changes_nothing(home: Path, gauges: Path) -> None:
    house = opened(home, gauges, retrain_memory_gb=1)
    house.ingest(gauges, None)
    result = ModelRetrainingPipeline(house).run_retraining_pipeline(model_type="random_forest", days_back=60)
    assert result["status"] == "failed"
    assert "emory" in result["reasons"][0]
    assert house.store.champion("gauges", house.default_region).generation == 0


def test_the_front_door_returns_a_result_whatever_is_asked(home: Path, gauges: Path) -> None:
    house = opened(home, gauges)
    unknown = ModelRetrainingPipeline(house).run_retraining_pipeline(model_type="crystal_ball")
    assert (unknown["status"], unknown["version"]) == ("failed", None)
    assert "Unknown model" in unknown["reasons"][0]
    empty = ModelRetrainingPipeline(house).run_retraining_pipeline()
    assert empty["status"] == "skipped"
    assert empty["reasons"] == ["empty: there is no observation in this period."]
    assert empty["metrics"] == {"station_hours": 0}


def test_the_terminal_shows_and_cancels_a_training(
    home: Path, gauges: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from core.__main__ import main

    monkeypatch.setenv("CLOUDBURST_SOURCE", f"gauges:{gauges}")

    def said(*arguments: str) -> str:
        assert main(["training", *arguments]) == 0
        return capsys.readouterr().out

    assert said() == "no training yet\n"
    assert said("--cancel") == "no training runs\n"
    house = opened(home, gauges)
    begun = house.lifecycle.retrain(house.default_region, who="somebody", algorithm="random_forest", days_back=60)
    assert "begun by somebody" in said()
    assert said("--cancel") == "cancelled\n"
    assert house.lifecycle.trainings.wait(begun.run_id).status is RunStatus.CANCELLED
    assert said().startswith("cancelled: no version was made")
