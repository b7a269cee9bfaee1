"""Ledgers of schema 2 and 3 are led to this one: every row stays, and what is new finds its place."""

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
from tests.adapters.test_ledger_deployments import deployment
from tests.adapters.test_ledger_outcomes import SHORT, in_windows, outcome

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
#: The ledger of schema 3, as it was written by the program of that time: an issue of two windows, and its truth.
SCHEMA_3 = """
CREATE TABLE schema_version (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE forecasts (
    id INTEGER NOT NULL, region_id VARCHAR(64) NOT NULL, location_id VARCHAR(64) NOT NULL, issued_at DATETIME NOT NULL,
    valid_from DATETIME NOT NULL, begin_h INTEGER NOT NULL, window_h INTEGER NOT NULL, data_at DATETIME,
    source VARCHAR(32) NOT NULL, model_version VARCHAR(96) NOT NULL, level VARCHAR(16) NOT NULL,
    freshness VARCHAR(16) NOT NULL, worst_flag INTEGER NOT NULL, p_15 FLOAT, p_30 FLOAT, p_50 FLOAT, p_100 FLOAT,
    p_50_2h FLOAT, content VARCHAR(16) NOT NULL, PRIMARY KEY (id),
    UNIQUE (location_id, content, begin_h, window_h)
);
CREATE INDEX forecasts_by_hour ON forecasts (source, region_id, valid_from);
CREATE TABLE outcomes (
    id INTEGER NOT NULL, source VARCHAR(32) NOT NULL, region_id VARCHAR(64) NOT NULL, location_id VARCHAR(64) NOT NULL,
    valid_from DATETIME NOT NULL, begin_h INTEGER NOT NULL, window_h INTEGER NOT NULL, state VARCHAR(16) NOT NULL,
    hourly_mm FLOAT, two_hour_mm FLOAT, available_at DATETIME, joined_at DATETIME NOT NULL, PRIMARY KEY (id),
    UNIQUE (source, region_id, valid_from, location_id, begin_h, window_h)
);
CREATE TABLE runs (
    id INTEGER NOT NULL, at DATETIME NOT NULL, kind VARCHAR(32) NOT NULL, status VARCHAR(32) NOT NULL,
    detail TEXT NOT NULL, PRIMARY KEY (id)
);
CREATE TABLE quality_metrics (
    id INTEGER NOT NULL, source VARCHAR(32) NOT NULL, region_id VARCHAR(64) NOT NULL,
    location_id VARCHAR(64) NOT NULL, "begin" DATETIME NOT NULL, "end" DATETIME NOT NULL, completeness FLOAT,
    validity FLOAT, consistency FLOAT, timeliness FLOAT, delay_min FLOAT, anomaly_rate FLOAT, overall FLOAT,
    PRIMARY KEY (id), UNIQUE (source, region_id, location_id, "end")
);
INSERT INTO schema_version VALUES (3);
INSERT INTO forecasts VALUES
    (5, 'r', 'a', '2026-07-28 03:10:00.000000', '2026-07-28 03:00:00.000000', 0, 6, '2026-07-28 02:00:00.000000',
     'gauges', 'm1', 'orange', 'fresh', 1, 0.2, 0.1, 0.05, 0.01, 0.06, 'abc'),
    (6, 'r', 'a', '2026-07-28 03:10:00.000000', '2026-07-28 03:00:00.000000', 0, 1, '2026-07-28 02:00:00.000000',
     'gauges', 'm1', 'orange', 'fresh', 1, 0.04, 0.02, 0.01, 0.002, NULL, 'abc'),
    (8, 'r', 'b', '2026-07-28 03:10:00.000000', '2026-07-28 03:00:00.000000', 0, 6, NULL,
     'gauges', '', 'unknown', 'no data', 9, NULL, NULL, NULL, NULL, NULL, 'abc');
INSERT INTO outcomes VALUES
    (1, 'gauges', 'r', 'a', '2026-07-28 03:00:00.000000', 0, 6, 'known', 22.5, 31.25,
     '2026-07-28 09:06:00.000000', '2026-07-28 09:10:00.000000');
INSERT INTO runs VALUES (1, '2026-07-28 03:00:00.000000', 'train', 'stored', '{"n": 7}');
INSERT INTO quality_metrics VALUES (1, 'gauges', 'r', '', '2026-07-27 04:00:00.000000', '2026-07-28 03:00:00.000000',
    0.98, 0.99, 1.0, NULL, NULL, 0.01, 0.97);
"""
THREE = datetime(2026, 7, 28, 3, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a ledger of schema 2 with three forecasts, a run and metrics in it."""
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.executescript(SCHEMA_2)
        connection.commit()
    return tmp_path / "old.db"


@pytest.fixture
def path_3(tmp_path: Path) -> Path:
    """Return a ledger of schema 3 with three forecasts, an outcome, a run and metrics in it."""
    with contextlib.closing(sqlite3.connect(tmp_path / "old_3.db")) as connection:
        connection.executescript(SCHEMA_3)
        connection.commit()
    return tmp_path / "old_3.db"


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
    assert not {"forecasts_2", "forecasts_3"} & tables(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT max(version) FROM schema_version").fetchone() == (SCHEMA_VERSION,)
        indexes = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert "forecasts_by_hour" in indexes


def test_two_that_lead_it_at_once_lose_nothing_and_double_nothing(path: Path) -> None:
    with meeting_before("BEGIN IMMEDIATE"), ThreadPoolExecutor(2) as pool:
        for opened in list(pool.map(SqlLedger, [f"sqlite:///{path}"] * 2)):
            assert len(opened.issued("gauges", "r", DEFAULT_WINDOW)) == 3


@pytest.mark.parametrize("step", ["DROP TABLE forecasts_2", "DROP TABLE forecasts_3"])
def test_a_migration_that_breaks_off_leaves_the_ledger_as_it_was(path: Path, step: str) -> None:
    def breaks(_connection: object, _cursor: object, sql: str, *_others: object) -> None:
        if sql.startswith(step):
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


def test_forecasts_of_schema_3_were_shown_and_keep_their_windows_data_and_truth(path_3: Path) -> None:
    ledger = SqlLedger(f"sqlite:///{path_3}")
    cases = ledger.issued("gauges", "r", DEFAULT_WINDOW)
    assert cases.location_id.tolist() == ["a", "b"]
    assert cases.truth.tolist() == [Truth.KNOWN, Truth.PENDING]
    assert cases.hourly_mm[0] == 22.5
    assert ledger.issued("gauges", "r", SHORT).probability.tolist() == [[0.04, 0.02, 0.01, 0.002]]
    assert len(ledger.issued("gauges", "r", DEFAULT_WINDOW, shown=False)) == 0
    assert ledger.forecast_counts() == {"orange": 1, "unknown": 1}
    assert ([run["detail"] for run in ledger.runs()], len(ledger.quality("r", THREE))) == ([{"n": 7}], 1)
    with contextlib.closing(sqlite3.connect(path_3)) as connection:
        found = connection.execute("SELECT location_id, window_h, data_at, shown FROM forecasts ORDER BY id").fetchall()
    assert found == [
        ("a", 6, "2026-07-28 02:00:00.000000", 1),
        ("a", 1, "2026-07-28 02:00:00.000000", 1),
        ("b", 6, None, 1),
    ]


@pytest.mark.parametrize("old", ["path", "path_3"])
def test_a_ledger_led_to_this_schema_takes_shadows_and_deployments(old: str, request: pytest.FixtureRequest) -> None:
    ledger = SqlLedger(f"sqlite:///{request.getfixturevalue(old)}")
    assert ledger.record_forecast(issue(), shown=False) == 2
    assert ledger.record_forecast(issue()) == 2
    assert len(ledger.issued("gauges", "r", DEFAULT_WINDOW, shown=False)) == 2
    assert ledger.deployments("gauges", "r") == ()
    assert ledger.record_deployment(deployment())
    again = SqlLedger(f"sqlite:///{request.getfixturevalue(old)}")
    assert again.deployments("gauges", "r") == (deployment(),)


def test_a_ledger_led_step_by_step_has_the_tables_of_a_new_one(path: Path, path_3: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    for one in (path, path_3, new):
        SqlLedger(f"sqlite:///{one}")
    columns = {one: _columns(one) for one in (path, path_3, new)}
    assert columns[path] == columns[new]
    assert columns[path_3] == columns[new]


def _columns(path: Path) -> set[tuple[object, ...]]:
    """Return name, type, whether it may be empty, and default of every column of every table."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {
            (table, *column[1:5])
            for table in tables(path)
            for column in connection.execute(f"SELECT * FROM pragma_table_info('{table}')")  # noqa: S608 - our own
        }


def test_the_statements_are_those_of_postgresql_too() -> None:
    for version, unique in ((3, "begin_h, window_h)"), (4, "begin_h, window_h, shown)")):
        said = [str(one.compile(dialect=postgresql.dialect())) for one in MIGRATIONS[version]]  # type: ignore[attr-defined]
        assert "id SERIAL NOT NULL" in said[1]
        assert f"UNIQUE (location_id, content, {unique}" in said[1]
        assert ("shown BOOLEAN DEFAULT true NOT NULL" in said[1]) == (version == 4)
