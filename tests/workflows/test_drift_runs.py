"""What was found when drift was looked for, read back from the ledger by any program on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from core import language
from core.adapters.ledger import SqlLedger
from core.domain.drift import Aspect, DriftReport, Shift, VariableDrift
from core.domain.told import tell
from core.workflows.drift_runs import DRIFT, LOOK, PAST, keep, newest
from tests.conftest import NOW

DAY = date(2026, 7, 20)
FEW = tell("{n} days of reference, {least} are needed", n=3, least=90)
FOUND = (
    VariableDrift(
        "temperature_c", "", 90, 0.31, 0.12, 0.4, (Shift("temperature_c", Aspect.SHAPE, True, DAY, DAY, 91.5),)
    ),
    VariableDrift("wind_speed_ms", "", 90, shifts=(Shift("wind_speed_ms", Aspect.LEVEL, False, DAY, DAY, None),)),
    VariableDrift("score", FEW, 3),
)
REPORT = DriftReport("simulator", "here", DAY, DAY, DAY - timedelta(days=90), DAY, 9, 12, FOUND, "rf-1")


@pytest.fixture
def ledger(tmp_path: Path) -> SqlLedger:
    return SqlLedger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")


def test_a_report_comes_back_as_it_was_and_in_every_language(ledger: SqlLedger) -> None:
    keep(ledger, REPORT, NOW)
    found = newest(ledger, "simulator", "here", 1)
    assert found == REPORT
    hindi = language("hi")
    assert found is not None
    for one, kept in zip(REPORT.variables, found.variables, strict=True):
        assert hindi.say(kept.text) == hindi.say(one.text)
        assert [hindi.say(s) for s in kept.sentences] == [hindi.say(s) for s in one.sentences]
    assert hindi.say(found.of("score").text) != found.of("score").text
    empty = replace(REPORT, reference_begin=None, reference_end=None, variables=(), model_version=None)
    keep(ledger, empty, NOW)
    assert newest(ledger, "simulator", "here", 1) == empty


def test_an_alarm_is_new_once_and_of_its_region(ledger: SqlLedger) -> None:
    assert [s.variable for s in keep(ledger, REPORT, NOW)] == ["temperature_c", "wind_speed_ms"]
    assert keep(ledger, REPORT, NOW) == []
    assert len(keep(ledger, replace(REPORT, region_id="there"), NOW)) == 2
    assert [run["status"] for run in ledger.runs(kind=LOOK)] == ["alarm"] * 3
    assert len(ledger.runs(kind=DRIFT)) == 4


def test_each_region_and_source_has_its_own_also_where_one_fell_behind(ledger: SqlLedger) -> None:
    assert newest(ledger, "simulator", "here", 2) is None
    keep(ledger, REPORT, NOW)
    there = replace(REPORT, region_id="there", places=1)
    for _ in range(PAST):
        keep(ledger, there, NOW)
    assert newest(ledger, "simulator", "here", 2) == REPORT
    assert newest(ledger, "simulator", "there", 2) == there
    assert newest(ledger, "gauges", "here", 2) is None


@pytest.mark.parametrize("found", [{}, {"begin": "never"}, {"variables": [{"variable": "score"}]}, {"more": 1}])
def test_what_another_release_kept_is_not_read(ledger: SqlLedger, found: dict[str, object]) -> None:
    detail = {"found": {"source": "simulator", "region_id": "here", **found}}
    ledger.record_run(LOOK, "none", detail, NOW)
    assert newest(ledger, "simulator", "here", 1) is None
