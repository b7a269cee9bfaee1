"""Writers of an experiment's records, eight at once, and killed by the system: what was acknowledged is there once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.experiment_writers import BATCHES, WRITERS
from tests.experiments_made import CHALLENGER, CONTROL
from tests.faults.processes import told_alone

KILLS, SEED = 14, 1


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a process without the threads of other tests found: it forks."""
    if request.param == "postgresql":
        new = request.getfixturevalue("new_database")
        urls = [new() for _ in range(3)]
    else:
        folder = tmp_path_factory.mktemp("writers")
        urls = [f"sqlite:///{folder}/{name}.db" for name in ("together", "killed", "torn")]
    return told_alone("tests.adapters.experiment_writers", *urls, str(KILLS), str(SEED))  # type: ignore[no-any-return]


def test_eight_processes_that_write_at_once_lose_nothing(found: dict[str, Any]) -> None:
    together = found["together"]
    assert together["codes"] == [0] * WRITERS
    assert together["acknowledged"] == 2 * BATCHES * WRITERS
    assert together["broken"] == []
    assert together["units"] == {CONTROL: 3 * WRITERS, CHALLENGER: 3 * WRITERS}  # every place on three days


def test_what_a_killed_writer_acknowledged_is_there_once_and_adds_up(found: dict[str, Any]) -> None:
    assert found["killed"]["broken"] == []
    assert found["killed"]["acknowledged"] > KILLS


def test_a_writer_that_adds_up_in_a_second_transaction_is_found_out(found: dict[str, Any]) -> None:
    assert found["torn"]["broken"] == ["the sums are not those of a recount"]
