"""Ledgers of schema 4 are led to schema 5: every row stays, and experiments find their tables."""

from __future__ import annotations

import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.adapters.ledger import SCHEMA_VERSION, SqlLedger
from core.adapters.ledger_experiments import SqlExperiments
from core.domain.experiment import Stage, Step
from core.domain.forecast import DEFAULT_WINDOW
from tests.adapters.test_ledger import issue, meeting_before
from tests.adapters.test_ledger_deployments import deployment
from tests.experiments_made import BEGIN, both, counted, outcome

#: The ledger of schema 4, as it was written by the program of that time: an issue and a deployment.
SCHEMA_4 = """
CREATE TABLE deployments (
    id INTEGER NOT NULL, source VARCHAR(32) NOT NULL, region_id VARCHAR(64) NOT NULL, generation INTEGER NOT NULL,
    at DATETIME NOT NULL, action VARCHAR(32) NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL, from_version VARCHAR(96),
    to_version VARCHAR(96) NOT NULL, verdict TEXT, PRIMARY KEY (id), UNIQUE (source, region_id, generation)
);
CREATE TABLE forecasts (
    id INTEGER NOT NULL, region_id VARCHAR(64) NOT NULL, location_id VARCHAR(64) NOT NULL, issued_at DATETIME NOT NULL,
    valid_from DATETIME NOT NULL, begin_h INTEGER NOT NULL, window_h INTEGER NOT NULL, data_at DATETIME,
    source VARCHAR(32) NOT NULL, model_version VARCHAR(96) NOT NULL, level VARCHAR(16) NOT NULL,
    freshness VARCHAR(16) NOT NULL, worst_flag INTEGER NOT NULL, p_15 FLOAT, p_30 FLOAT, p_50 FLOAT, p_100 FLOAT,
    p_50_2h FLOAT, content VARCHAR(16) NOT NULL, shown BOOLEAN DEFAULT 1 NOT NULL, PRIMARY KEY (id),
    UNIQUE (location_id, content, begin_h, window_h, shown)
);
CREATE TABLE outcomes (
    id INTEGER NOT NULL, source VARCHAR(32) NOT NULL, region_id VARCHAR(64) NOT NULL, location_id VARCHAR(64) NOT NULL,
    valid_from DATETIME NOT NULL, begin_h INTEGER NOT NULL, window_h INTEGER NOT NULL, state VARCHAR(16) NOT NULL,
    hourly_mm FLOAT, two_hour_mm FLOAT, available_at DATETIME, joined_at DATETIME NOT NULL, PRIMARY KEY (id),
    UNIQUE (source, region_id, valid_from, location_id, begin_h, window_h)
);
CREATE TABLE quality_metrics (
    id INTEGER NOT NULL, source VARCHAR(32) NOT NULL, region_id VARCHAR(64) NOT NULL,
    location_id VARCHAR(64) NOT NULL, "begin" DATETIME NOT NULL, "end" DATETIME NOT NULL, completeness FLOAT,
    validity FLOAT, consistency FLOAT, timeliness FLOAT, delay_min FLOAT, anomaly_rate FLOAT, overall FLOAT,
    PRIMARY KEY (id), UNIQUE (source, region_id, location_id, "end")
);
CREATE TABLE runs (
    id INTEGER NOT NULL, at DATETIME NOT NULL, kind VARCHAR(32) NOT NULL, status VARCHAR(32) NOT NULL,
    detail TEXT NOT NULL, PRIMARY KEY (id)
);
CREATE TABLE schema_version (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE INDEX forecasts_by_hour ON forecasts (source, region_id, valid_from);
INSERT INTO schema_version VALUES (4);
INSERT INTO deployments VALUES (1, 'gauges', 'r', 1, '2026-07-30 18:20:00.000007', 'retrained', 'schedule',
    'planned every 7 days', NULL, 'v1', '{"rules": [{"name": "Brier score", "met": true, "text":
    "1.2 % better (95 %: 0.4 to 2.1 %)"}, {"name": "slope", "met": false, "text": "0.71 – not within 0.8 … 1.25"}]}');
INSERT INTO forecasts VALUES
    (1, 'r', 'a', '2026-07-29 18:20:00.000000', '2026-07-29 18:00:00.000000', 0, 6, '2026-07-29 18:00:00.000000',
     'gauges', 'm1', 'red', 'fresh', 1, 0.5, 0.2, 0.1, 0.02, 0.12, 'a468d27b1b7ef8c7', 1),
    (2, 'r', 'b', '2026-07-29 18:20:00.000000', '2026-07-29 18:00:00.000000', 0, 6, '2026-07-29 18:00:00.000000',
     'gauges', 'm1', 'unknown', 'fresh', 9, NULL, NULL, NULL, NULL, NULL, 'a468d27b1b7ef8c7', 1);
"""
NEW = {"experiment_steps", "experiment_results", "experiment_outcomes", "experiment_units", "experiment_days"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with contextlib.closing(sqlite3.connect(tmp_path / "old_4.db")) as connection:
        connection.executescript(SCHEMA_4)
        connection.commit()
    return tmp_path / "old_4.db"


def test_what_schema_4_knew_stays(path: Path) -> None:
    ledger = SqlLedger(f"sqlite:///{path}")
    assert SCHEMA_VERSION >= 5
    assert ledger.issued("gauges", "r", DEFAULT_WINDOW).location_id.tolist() == ["a", "b"]
    assert ledger.deployments("gauges", "r") == (deployment(),)
    assert ledger.record_forecast(issue()) == 0  # it is there already
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT max(version) FROM schema_version").fetchone() == (SCHEMA_VERSION,)


def test_it_keeps_experiments_as_a_new_one_does(path: Path) -> None:
    records = SqlExperiments(SqlLedger(f"sqlite:///{path}"))
    assert records.steps("monsoon") == ()
    step = Step("monsoon", BEGIN, "create", Stage.DRAFT, "tests")
    assert records.record_step(step, 1)
    assert records.record_results(both(), {"monsoon": 1}) == 2
    assert records.mature("monsoon", [outcome()], counted) == 2
    again = SqlExperiments(SqlLedger(f"sqlite:///{path}"))
    assert again.steps("monsoon") == (step,)
    assert again.record_results(both(), {"monsoon": 1}) == 0


def test_its_tables_are_those_of_a_new_one(path: Path, tmp_path: Path) -> None:
    for one in (path, tmp_path / "new.db"):
        SqlLedger(f"sqlite:///{one}")
    old, new = _schema(path), _schema(tmp_path / "new.db")
    assert {name for _, name, _ in old} >= {*NEW, "experiment_results_by_state"}
    assert old == new


def _schema(path: Path) -> set[tuple[str, str, str]]:
    """Return what everything was made with, without regard to blanks and quotes."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        made = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master")
        return {(kind, name, "".join(sql.replace('"', "").split())) for kind, name, sql in made}


def test_two_that_lead_it_at_once_both_get_it(path: Path) -> None:
    with meeting_before("BEGIN IMMEDIATE"), ThreadPoolExecutor(2) as pool:
        for opened in list(pool.map(SqlLedger, [f"sqlite:///{path}"] * 2)):
            assert opened.deployments("gauges", "r") == (deployment(),)
