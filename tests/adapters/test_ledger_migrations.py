"""A ledger of schema 2 is led to this one: every row stays, and forecasts of several windows find their place."""

from __future__ import annotations

import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from core.adapters.ledger import SCHEMA_VERSION, SqlLedger
from core.adapters.ledger_tables import MIGRATIONS
from core.domain.forecast import DEFAULT_WINDOW
from core.domain.verification import Truth
from core.errors import ConfigurationError
from tests.adapters.test_ledger import issue, meeting_before
from tests.adapters.test_ledger_outcomes import in_windows, outcome

#: The ledger of schema 2, as it was written by the program of that time: two issues of one hour, one of another.
SCHEMA_2 = """
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
CREATE TABLE quality_metrics (
    id INTEGER NOT NULL, source VARCHAR(32) NOT NULL, region_id VARCHAR(64) NOT NULL,
    location_id VARCHAR(64) NOT NULL, begin DATETIME NOT NULL, "end" DATETIME NOT NULL, completeness FLOAT,
    validity FLOAT, consistency FLOAT, timeliness FLOAT, delay_min FLOAT, anomaly_rate FLOAT, overall FLOAT,
    PRIMARY KEY (id), UNIQUE (source, region_id, location_id, "end")
);
INSERT INTO schema_version VALUES (1);
INSERT INTO schema_version VALUES (2);
INSERT INTO runs VALUES (1, '2026-07-28 03:00:00.000000', 'train', 'stored', '{"n": 7}');
INSERT INTO quality_metrics VALUES (1, 'gauges', 'r', '', '2026-07-27 04:00:00.000000', '2026-07-28 03:00:00.000000',
    0.98, 0.99, 1.0, NULL, NULL, 0.01, 0.97);
INSERT INTO forecasts VALUES
    (3, 'r', 'a', '2026-07-28 03:10:00.000000', '2026-07-28 03:00:00.000000', 6, 'gauges',
     'm1', 'orange', 'fresh', 1, 0.2, 0.1, 0.05, 0.01, 0.06, 'abc'),
    (4, 'r', 'b', '2026-07-28 03:10:00.000000', '2026-07-28 03:00:00.000000', 6, 'gauges',
     '', 'unknown', 'no data', 9, NULL, NULL, NULL, NULL, NULL, 'abc'),
    (9, 'r', 'a', '2026-07-28 04:10:00.000000', '2026-07-28 04:00:00.000000', 6, 'gauges',
     'm1', 'green', 'fresh', 1, 0.01, 0.005, 0.001, 0.0001, 0.002, 'def');
"""
THREE = datetime(2026, 7, 28, 3, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a ledger of schema 2 with three forecasts, a run and metrics in it."""
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.executescript(SCHEMA_2)
        connection.commit()
    return tmp_path / "old.db"


def tables(path: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_forecasts_of_schema_2_are_those_of_the_default_window(path: Path) -> None:
    ledger = SqlLedger(f"sqlite:///{path}")
    cases = ledger.issued("gauges", "r", DEFAULT_WINDOW)
    assert cases.location_id.tolist() == ["a", "b", "a"]
    assert cases.level.tolist() == ["orange", "unknown", "green"]
    assert cases.probability[0].tolist() == [0.2, 0.1, 0.05, 0.01, 0.06]
    assert (cases.unknown, cases.pending, cases.model_versions) == (1, 2, ("m1",))
    assert ledger.first_issued("gauges", "r") == THREE
    assert ledger.forecast_counts() == {"orange": 1, "unknown": 1, "green": 1}
    assert [run["detail"] for run in ledger.runs()] == [{"n": 7}]
    assert len(ledger.quality("r", THREE)) == 1


def test_a_ledger_led_to_this_schema_works_as_a_new_one_and_is_led_once(path: Path) -> None:
    ledger = SqlLedger(f"sqlite:///{path}")
    assert ledger.record_forecast(in_windows()) == 5
    assert ledger.record_outcomes([outcome(valid_from=THREE)]) == 1
    again = SqlLedger(f"sqlite:///{path}")
    assert again.record_forecast(in_windows()) == 0
    assert again.issued("gauges", "r", DEFAULT_WINDOW, (THREE, THREE)).truth.tolist() == [Truth.KNOWN, Truth.PENDING]
    assert tables(path) >= {"forecasts", "outcomes"}
    assert "forecasts_2" not in tables(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT max(version) FROM schema_version").fetchone() == (SCHEMA_VERSION,)
        indexes = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert "forecasts_by_hour" in indexes


def test_two_that_lead_it_at_once_lose_nothing_and_double_nothing(path: Path) -> None:
    with meeting_before("BEGIN IMMEDIATE"), ThreadPoolExecutor(2) as pool:
        for opened in list(pool.map(SqlLedger, [f"sqlite:///{path}"] * 2)):
            assert len(opened.issued("gauges", "r", DEFAULT_WINDOW)) == 3


def test_a_migration_that_breaks_off_leaves_the_ledger_as_it_was(path: Path) -> None:
    def breaks(_connection: object, _cursor: object, sql: str, *_others: object) -> None:
        if sql.startswith("DROP TABLE forecasts_2"):
            raise sa.exc.OperationalError(sql, {}, Exception("disk I/O error"))

    sa.event.listen(sa.Engine, "before_cursor_execute", breaks)
    try:
        with pytest.raises(ConfigurationError):
            SqlLedger(f"sqlite:///{path}")
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", breaks)
    assert tables(path) == {"schema_version", "forecasts", "runs", "quality_metrics"}
    ledger = SqlLedger(f"sqlite:///{path}")
    assert len(ledger.issued("gauges", "r", DEFAULT_WINDOW)) == 3
    assert ledger.record_forecast(issue()) == 2


def test_the_statements_are_those_of_postgresql_too() -> None:
    said = [str(statement.compile(dialect=postgresql.dialect())) for statement in MIGRATIONS[3]]  # type: ignore[attr-defined]
    assert "id SERIAL NOT NULL" in said[1]
    assert "UNIQUE (location_id, content, begin_h, window_h)" in said[1]
