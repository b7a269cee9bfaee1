"""The pieces of the gates for the running program: what finds a torn ledger or a stale surface, what moves a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.adapters.ledger import SqlLedger
from core.adapters.ledger_tables import deployments, forecasts
from tests.faults.processes import Say, forked
from tests.faults.program.__main__ import GATES
from tests.faults.program.ledger_tally import deployed, torn
from tests.faults.program.moved_clock import moved_by
from tests.faults.program.stale import _says, _steps

AT = datetime(2026, 7, 29, 18, tzinfo=UTC)
DEPLOYMENT = {"source": "simulator", "region_id": "x", "at": AT, "action": "promoted", "who": "", "why": ""}


@pytest.fixture
def ledger(tmp_path: Path) -> SqlLedger:
    (tmp_path / "data").mkdir()
    return SqlLedger(f"sqlite:///{tmp_path / 'data' / 'ledger.sqlite'}")


def _issue(ledger: SqlLedger, places: tuple[str, ...], at: datetime) -> None:
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
            "content": f"{at:%H%M}",
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
