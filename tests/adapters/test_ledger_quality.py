"""The ledger keeps metrics of quality, and leads a ledger of an earlier program to its own schema."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.adapters.ledger import SCHEMA_VERSION, SqlLedger
from core.domain.quality import QualityMetrics
from tests.adapters.test_ledger import HOUR, ISSUED, issue, meeting_before


@pytest.fixture
def ledger(ledger_url: str) -> SqlLedger:
    return SqlLedger(ledger_url)


def metrics(**changes: Any) -> QualityMetrics:
    """Return metrics of a region whose timeliness is not known."""
    nan = math.nan
    made = QualityMetrics("gauges", "r", None, HOUR - timedelta(hours=23), HOUR, 0.98, 0.99, 1.0, nan, nan, 0.01, 0.97)
    return replace(made, **changes)


def test_metrics_come_back_as_they_were_oldest_first(ledger: SqlLedger) -> None:
    later = metrics(end=HOUR + timedelta(hours=1), timeliness=0.5, delay_min=7.5)
    assert ledger.record_quality([later, metrics()]) == 2
    first, second = ledger.quality("r", HOUR)
    assert second == later
    assert replace(first, timeliness=0.0, delay_min=0.0) == metrics(timeliness=0.0, delay_min=0.0)
    assert math.isnan(first.timeliness)
    assert math.isnan(first.delay_min)
    assert first.end.tzinfo is not None


def test_metrics_of_a_region_and_an_hour_are_kept_once(ledger: SqlLedger) -> None:
    assert ledger.record_quality([metrics()]) == 1
    assert ledger.record_quality([metrics(completeness=0.1)]) == 0
    assert ledger.record_quality([metrics(source="simulator"), metrics(region_id="s"), metrics(location_id="a")]) == 3
    assert ledger.record_quality([]) == 0
    assert [m.completeness for m in ledger.quality("r", HOUR)] == [0.98, 0.98]


def test_metrics_are_asked_for_by_region_and_time_and_not_for_places(ledger: SqlLedger) -> None:
    ends = [HOUR + timedelta(hours=h) for h in range(5)]
    ledger.record_quality([metrics(end=end) for end in ends])
    ledger.record_quality([metrics(end=end, location_id="a") for end in ends])
    assert [m.end for m in ledger.quality("r", ends[3])] == ends[3:]
    assert ledger.quality("elsewhere", HOUR) == ()


def test_runs_of_one_kind_can_be_asked_for(ledger: SqlLedger) -> None:
    for i in range(6):
        ledger.record_run("quality" if i % 3 == 0 else "train", "ok", {"n": i}, ISSUED)
    assert [run["detail"]["n"] for run in ledger.runs(kind="quality")] == [3, 0]
    assert [run["detail"]["n"] for run in ledger.runs(limit=1, kind="train")] == [5]
    assert len(ledger.runs()) == 6


#: The ledger of schema 1, as it was written by the program of that time.
SCHEMA_1 = """
CREATE TABLE schema_version (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE forecasts (
    id INTEGER NOT NULL, region_id VARCHAR(64) NOT NULL, location_id VARCHAR(64) NOT NULL, issued_at DATETIME NOT NULL,
    valid_from DATETIME NOT NULL, window_h INTEGER NOT NULL, source VARCHAR(32) NOT NULL,
    model_version VARCHAR(96) NOT NULL, level VARCHAR(16) NOT NULL, freshness VARCHAR(16) NOT NULL,
    worst_flag INTEGER NOT NULL, p_15 FLOAT, p_30 FLOAT, p_50 FLOAT, p_100 FLOAT, p_50_2h FLOAT,
    content VARCHAR(16) NOT NULL, PRIMARY KEY (id), UNIQUE (location_id, content)
);
CREATE TABLE runs (
    id INTEGER NOT NULL, at DATETIME NOT NULL, kind VARCHAR(32) NOT NULL, status VARCHAR(32) NOT NULL,
    detail TEXT NOT NULL, PRIMARY KEY (id)
);
INSERT INTO schema_version VALUES (1);
INSERT INTO runs VALUES (1, '2026-07-28 03:00:00.000000', 'train', 'stored', '{"n": 7}');
INSERT INTO forecasts VALUES (1, 'r', 'a', '2026-07-28 03:10:00.000000', '2026-07-28 03:00:00.000000', 6, 'gauges',
    'm1', 'orange', 'fresh', 1, 0.2, 0.1, 0.05, 0.01, 0.06, 'abc');
"""


@pytest.fixture
def old(tmp_path: Path) -> str:
    """Return the address of a ledger of schema 1 with a forecast and a run in it."""
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.executescript(SCHEMA_1)
        connection.commit()
    return f"sqlite:///{tmp_path / 'old.db'}"


def test_a_ledger_of_schema_1_is_led_to_this_one_with_its_rows(old: str, tmp_path: Path) -> None:
    ledger = SqlLedger(old)
    assert ledger.forecast_counts() == {"orange": 1}
    (run,) = ledger.runs()
    assert (run["at"], run["detail"]) == (datetime(2026, 7, 28, 3, tzinfo=UTC), {"n": 7})
    assert ledger.record_quality([metrics()]) == 1
    assert ledger.record_forecast(issue()) == 2
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        assert connection.execute("SELECT max(version) FROM schema_version").fetchone() == (SCHEMA_VERSION,)
    assert len(SqlLedger(old).quality("r", HOUR)) == 1


def test_two_that_lead_an_old_ledger_to_this_schema_at_once_both_get_it(old: str) -> None:
    with meeting_before("BEGIN IMMEDIATE"), ThreadPoolExecutor(2) as pool:
        for i, opened in enumerate(pool.map(SqlLedger, [old] * 2)):
            assert opened.record_quality([metrics(region_id=str(i))]) == 1
            assert opened.forecast_counts() == {"orange": 1}
