"""The pieces of the gates for the running program: what finds a torn ledger or a stale surface, what moves a clock."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.adapters.ledger import SqlLedger
from core.adapters.ledger_tables import deployments, experiment_days, experiment_results, forecasts
from core.experiments.sums import NAMES
from tests.faults.processes import Say, forked
from tests.faults.program.__main__ import GATES
from tests.faults.program.jobs import BETWEEN, _killed_before, _row_by_row
from tests.faults.program.ledger_tally import asked, deployed, torn
from tests.faults.program.moved_clock import moved_by
from tests.faults.program.stale import _says, _steps
from tests.issued_made import House

AT = datetime(2026, 7, 29, 18, tzinfo=UTC)
DEPLOYMENT = {"source": "simulator", "region_id": "x", "at": AT, "action": "promoted", "who": "", "why": ""}


@pytest.fixture
def ledger(tmp_path: Path) -> SqlLedger:
    (tmp_path / "data").mkdir()
    return SqlLedger(f"sqlite:///{tmp_path / 'data' / 'ledger.sqlite'}")


def _issue(ledger: SqlLedger, places: tuple[str, ...], at: datetime, content: str = "") -> None:
    rows = [
        {
            "region_id": "x",
            "location_id": place,
            "issued_at": at,
            "valid_from": AT,
            "begin_h": 0,
            "window_h": window,
            "source": "simulator",
            "model_version": "v",
            "level": "green",
            "freshness": "fresh",
            "worst_flag": 1,
            "content": content or f"{at:%H%M}",
            "shown": True,
        }
        for place in places
        for window in (1, 6)
    ]
    with ledger.engine.begin() as connection:
        connection.execute(forecasts.insert(), rows)


def test_a_whole_ledger_is_whole(ledger: SqlLedger, tmp_path: Path) -> None:
    for hour in range(3):
        _issue(ledger, ("a", "b"), AT + timedelta(hours=hour))
    with ledger.engine.begin() as connection:
        for generation, before, after in ((1, None, "one"), (2, "one", "two")):
            row = DEPLOYMENT | {"generation": generation, "from_version": before, "to_version": after}
            connection.execute(deployments.insert(), row)
    assert torn(tmp_path) == []
    assert deployed(tmp_path) == 2


def test_half_an_issue_and_a_lost_place_are_found(ledger: SqlLedger, tmp_path: Path) -> None:
    _issue(ledger, ("a", "b"), AT)
    _issue(ledger, ("a",), AT + timedelta(hours=1))
    assert torn(tmp_path) == ["issues have [1, 2] places"]
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM forecasts WHERE id = 1")
    assert any("3 rows for 2 x 2" in one for one in torn(tmp_path))


def test_a_double_deployment_is_found(ledger: SqlLedger, tmp_path: Path) -> None:
    with ledger.engine.begin() as connection:
        for generation in (1, 2):
            row = DEPLOYMENT | {"generation": generation, "from_version": None, "to_version": "same"}
            connection.execute(deployments.insert(), row)
    assert torn(tmp_path) == ["same took the place of None, same served"]


def test_a_version_that_takes_its_own_place_is_found(ledger: SqlLedger, tmp_path: Path) -> None:
    with ledger.engine.begin() as connection:
        for generation, before in ((1, None), (2, "same")):
            row = DEPLOYMENT | {"generation": generation, "from_version": before, "to_version": "same"}
            connection.execute(deployments.insert(), row)
    assert torn(tmp_path) == ["same was deployed twice"]


def test_an_hour_that_is_forecast_twice_in_one_moment_is_found(ledger: SqlLedger, tmp_path: Path) -> None:
    for content in ("one", "other"):
        _issue(ledger, ("a",), AT, content)
    assert any(one.endswith("a of x was forecast twice") for one in torn(tmp_path))


def test_a_history_that_is_made_twice_is_found(ledger: SqlLedger, tmp_path: Path) -> None:
    for run, status in (("a", "interrupted"), ("b", "kept"), ("c", "kept")):
        ledger.record_run("first start", status, {"run_id": run, "region": "x"}, AT)
    assert torn(tmp_path) == ["the history of x was made 2 times"]


def _case(ledger: SqlLedger, states: dict[str, str], summed: int) -> None:
    """Record what variants said of one place, and how many cases their sums hold."""
    row = {"experiment_id": "e", "valid_at": AT, "issued_at": AT, "shown": False, "probability": 0.5}
    sums = json.dumps([float(summed if name == "cases" else 0) for name in NAMES])
    with ledger.engine.begin() as connection:
        for variant, state in states.items():
            said = row | {"location_id": "a", "variant_id": variant, "state": state}
            connection.execute(experiment_results.insert(), said)
        connection.execute(experiment_days.insert(), {"experiment_id": "e", "variant_id": "v", "day": 1, "sums": sums})


def test_cases_of_experiments_in_part_or_counted_twice_are_found(ledger: SqlLedger, tmp_path: Path) -> None:
    _case(ledger, {"v": "matured", "w": "matured"}, 2)
    assert torn(tmp_path) == []
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE experiment_results SET state = 'pending' WHERE variant_id = 'w'")
    assert torn(tmp_path) == ["a case of e has 2 states", "e sums 2 of 1 results"]


@pytest.mark.parametrize(
    ("write", "careless", "rows", "middle"),
    [(1, False, 0, True), (2, False, 9, False), (5, True, 4, True)],
    ids=["before its commit", "after it", "row by row"],
)
def test_a_kill_before_a_write_leaves_an_issue_or_none(
    tmp_path: Path, write: int, careless: bool, rows: int, middle: bool
) -> None:
    said = tmp_path / "said"

    def act(_say: Say) -> None:
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT, 0o600), 2)
        if careless:
            _row_by_row()
        _killed_before(SqlLedger, "record_forecast", write)()
        House(tmp_path / "data").issue()

    assert forked(act).ended() == -signal.SIGKILL
    assert (BETWEEN in said.read_text()) is middle
    assert asked(tmp_path, "SELECT count(*) FROM forecasts")[0][0] == rows
    assert bool(torn(tmp_path)) is careless


def test_a_run_that_is_told_twice_is_found(ledger: SqlLedger, tmp_path: Path) -> None:
    for _ in range(2):
        ledger.record_run("retrain", "kept", {"run_id": "abc"}, AT)
    assert torn(tmp_path) == ["the run abc is recorded 2 times"]


@pytest.mark.parametrize(
    ("text", "state", "well"),
    [
        ("S4 red STALE", "stale", True),
        ("S4 red 2.5 %", "stale", False),
        ("freshness: fresh", "stale", False),
        ("STALE, and fresh", "stale", False),
        ("from 6 h on no data; freshness: fresh", "no data", False),
        ("NO DATA", "no data", True),
        ("fresh", "fresh", True),
    ],
)
def test_a_surface_says_its_state_and_no_better_one(text: str, state: str, well: bool) -> None:
    assert _says(text, state) is well


def test_the_steps_lie_on_both_sides_of_both_limits() -> None:
    states = [state for _, state in _steps(datetime(2026, 7, 29, 18, 20, tzinfo=UTC), True)]
    assert states == ["fresh", "fresh", "stale", "stale", "no data", "no data"]


def test_the_clock_of_a_process_follows_a_file_and_its_monotonic_clock_does_not(tmp_path: Path) -> None:
    file = tmp_path / "clock"

    def act(say: Say) -> None:
        moved_by(file)()
        until = time.monotonic() + 20
        while datetime.now(UTC) < begun + timedelta(hours=1) and time.monotonic() < until:
            time.sleep(0.02)
        say(f"{(datetime.now(UTC) - begun).total_seconds() // 3600:.0f}")

    begun = datetime.now(UTC)
    child = forked(act)
    file.write_text("7200")
    assert child.ended() == 0
    assert child.lines == ["2"]


def test_every_gate_has_a_name_of_its_own() -> None:
    assert len(set(GATES.values())) == len(GATES)
