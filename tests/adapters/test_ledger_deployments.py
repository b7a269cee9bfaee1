"""The ledger keeps every change of who serves a region, once per generation, with what the gate said."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from core.adapters.ledger import SqlLedger
from core.domain.lifecycle import Deployment, Rule, Verdict
from tests.adapters.test_ledger import ISSUED, meeting_before

VERDICT = Verdict(
    (
        Rule("Brier score", True, "1.2 % better (95 %: 0.4 to 2.1 %)"),
        Rule("slope", False, "0.71 – not within 0.8 … 1.25"),
    )
)


@pytest.fixture
def ledger(ledger_url: str) -> SqlLedger:
    return SqlLedger(ledger_url)


def deployment(generation: int = 1, **changes: Any) -> Deployment:
    """Return the first deployment of a region, from the seed model."""
    made = Deployment(
        source="gauges",
        region_id="r",
        generation=generation,
        at=ISSUED + timedelta(days=generation, microseconds=7),
        action="retrained",
        who="schedule",
        why="planned every 7 days",
        from_version=None,
        to_version="v1",
        verdict=VERDICT,
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"verdict": None},
        {"verdict": Verdict(())},
        {"from_version": "v0", "action": "rolled back", "verdict": None},
        {"who": 'Ž. O\'Hara; "DROP TABLE"', "why": "über 30 °C\nand more \u2603"},
        {"why": ""},
    ],
    ids=["with verdict", "without", "empty verdict", "from a version", "strange words", "no words"],
)
def test_a_deployment_comes_back_as_it_was(ledger: SqlLedger, changes: dict[str, Any]) -> None:
    made = deployment(**changes)
    assert ledger.record_deployment(made)
    assert ledger.deployments("gauges", "r") == (made,)


def test_the_moment_of_a_deployment_comes_back_in_utc(ledger: SqlLedger) -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    ledger.record_deployment(deployment(at=ISSUED.astimezone(there)))
    (found,) = ledger.deployments("gauges", "r")
    assert (found.at, found.at.utcoffset()) == (ISSUED, timedelta(0))


def test_what_the_gate_decided_is_what_it_decides_when_it_is_read(ledger: SqlLedger) -> None:
    ledger.record_deployment(deployment())
    (found,) = ledger.deployments("gauges", "r")
    assert found.verdict is not None
    assert (found.verdict.promote, found.verdict.reasons) == (False, VERDICT.reasons)


def test_the_newest_generation_comes_first_whatever_the_order_they_were_written_in(ledger: SqlLedger) -> None:
    for generation in (2, 11, 1, 3):
        assert ledger.record_deployment(deployment(generation))
    assert [made.generation for made in ledger.deployments("gauges", "r")] == [11, 3, 2, 1]
    assert [made.generation for made in ledger.deployments("gauges", "r", limit=2)] == [11, 3]


def test_a_generation_is_kept_once_and_the_first_stays(ledger: SqlLedger) -> None:
    assert ledger.record_deployment(deployment())
    assert not ledger.record_deployment(deployment())
    assert not ledger.record_deployment(deployment(to_version="other"))
    assert [made.to_version for made in ledger.deployments("gauges", "r")] == ["v1"]


def test_every_source_and_region_has_its_own_generations(ledger: SqlLedger) -> None:
    others = (deployment(source="simulator"), deployment(region_id="elsewhere"))
    assert all(ledger.record_deployment(made) for made in (deployment(), *others))
    assert ledger.deployments("simulator", "r") == others[:1]
    assert ledger.deployments("gauges", "elsewhere") == others[1:]
    assert ledger.deployments("gauges", "nowhere") == ()


def test_of_two_that_record_one_generation_at_once_one_is_told_that_it_is_new(ledger: SqlLedger) -> None:
    two = [deployment(to_version="mine"), deployment(to_version="yours")]
    with meeting_before("INSERT INTO deployments"), ThreadPoolExecutor(2) as pool:
        new = list(pool.map(ledger.record_deployment, two))
    assert sorted(new) == [False, True]
    assert ledger.deployments("gauges", "r") == (two[new.index(True)],)
