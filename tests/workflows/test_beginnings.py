"""What a first simulated start makes: versions, forecasts, truths, one experiment decided and one running."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import core.bootstrap
from core import Core, RunState, RunStatus, Stage, Trigger
from core.settings import Settings

NOW = datetime(2026, 8, 20, 12, 20, tzinfo=UTC)
#: Half of the default is enough for two trainings.
DAYS = 45


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Core:
    home: Path = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, grid_spacing_deg=1.0, simulated_history_days=DAYS, retrain_min_events=20)
    return core.bootstrap.open_core(settings, lambda: NOW)


@pytest.fixture(scope="module")
def ended(house: Core) -> RunState:
    return run(house)


def run(house: Core) -> RunState:
    """Make the history as the training process does."""
    request = house.lifecycle.asked(house.default_region, who="first start", trigger=Trigger.FIRST_START)
    state = RunState("begin", request, 1, NOW, RunStatus.RUNNING, 0.0, "")
    return house.lifecycle.beginnings.run(state, lambda _done, _text: None)


def test_two_versions_forecasts_and_truths_are_there(house: Core, ended: RunState) -> None:
    assert ended.status in (RunStatus.DEPLOYED, RunStatus.KEPT)
    mine = [v for v in house.versions() if not v.shipped]
    assert [v.manifest.algorithm for v in mine if v.manifest] == ["random_forest", "logistic_regression"]
    ledger, source = house.forecasting.ledger, house.lifecycle.source
    first = ledger.first_issued(source, house.default_region)
    assert first is not None
    assert NOW - first > timedelta(days=DAYS - 1)


def test_one_experiment_is_decided_and_one_runs_with_matured_cases(house: Core, ended: RunState) -> None:
    assert ended.reasons
    known = house.experiments.files.experiments()
    assert [house.experiments.stage(one.id) for one in known] == [Stage.DECIDED, Stage.RUNNING]
    for one in known:
        found = house.experiments.analyse(one.id)
        assert found.arms[0].counts.matured == found.arms[1].counts.matured > 500
        assert found.coverage == 1.0
        # Neither has learned from what it is judged on.
        steps = house.experiments.records.steps(one.id)
        assert steps[0].at == one.created_at < NOW
        assert {v.model for v in one.variants} <= {v.version for v in house.versions()}
    decided = house.experiments.analyse(known[0].id).winner
    assert "decided by first start" in decided.rule
    assert decided.evidence or decided.winner_variant is None


def test_a_second_start_makes_nothing_twice(house: Core, ended: RunState) -> None:
    assert ended.reasons
    before = [len(list(house.experiments.records.results(e.id))) for e in house.experiments.files.experiments()]
    versions = house.versions()
    run(house)
    after = [len(list(house.experiments.records.results(e.id))) for e in house.experiments.files.experiments()]
    assert after == before
    assert [v.version for v in house.versions()] == [v.version for v in versions]
