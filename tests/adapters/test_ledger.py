"""The ledger keeps what was issued and what was done, once, for every process."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.adapters import ledger_outcomes
from core.adapters.ledger import ALONE, SCHEMA_VERSION, SqlLedger
from core.adapters.ledger_tables import schema
from core.domain.forecast import DEFAULT_WINDOW, EVENTS, Exceedance, Forecast, Freshness, RegionForecast, RiskLevel
from core.domain.weather import Flag, Location, Region
from core.errors import ConfigurationError

ISSUED = datetime(2026, 7, 29, 18, 20, tzinfo=UTC)
HOUR = ISSUED.replace(minute=0)
PLACES = (Location("a", "A", 30.0, 78.0), Location("b", "B", 31.0, 77.0))


def issue(region_id: str = "r", **changes: Any) -> RegionForecast:
    """Return an issue for two places, the second unknown."""
    curve = Exceedance(EVENTS, (0.5, 0.2, 0.1, 0.02, 0.12), (0.0,) * 5, (1.0,) * 5)
    common = {"issued_at": ISSUED, "valid_from": HOUR, "window_h": 6, "freshness": Freshness.FRESH, "data_at": HOUR}
    version = changes.get("model_version", "m1")
    known = Forecast("a", exceedance=curve, level=RiskLevel.RED, worst_flag=Flag.PASS, model_version=version, **common)  # type: ignore[arg-type]
    dark = replace(known, location_id="b", exceedance=Exceedance.unknown(), level=RiskLevel.UNKNOWN)
    made = RegionForecast(
        region=Region(region_id, "R", "UTC", PLACES),
        issued_at=ISSUED,
        valid_from=HOUR,
        forecasts=(known, replace(dark, worst_flag=Flag.MISSING)),
        source="gauges",
        model_version="m1",
        model_source="gauges",
        model_is_seed=False,
        freshness=Freshness.FRESH,
        data_at=HOUR,
    )
    return replace(made, **changes)


@pytest.fixture
def ledger(ledger_url: str) -> SqlLedger:
    return SqlLedger(ledger_url)


def test_an_issue_is_kept_once(ledger: SqlLedger) -> None:
    assert ledger.record_forecast(issue()) == 2
    assert ledger.record_forecast(issue()) == 0
    assert ledger.record_forecast(issue(issued_at=ISSUED + timedelta(minutes=5))) == 0
    assert ledger.forecast_counts() == {"red": 1, "unknown": 1}


@pytest.mark.parametrize(
    "other",
    [
        {"valid_from": HOUR + timedelta(hours=1)},
        {"model_version": "m2"},
        {"model_version": None},
        {"freshness": Freshness.STALE},
        {"region_id": "elsewhere"},
    ],
    ids="-".join,
)
def test_another_hour_model_state_or_region_is_another_issue(ledger: SqlLedger, other: dict[str, Any]) -> None:
    moved = issue(**other)
    if "valid_from" in other:
        moved = replace(moved, forecasts=tuple(replace(f, valid_from=moved.valid_from) for f in moved.forecasts))
    if "freshness" in other:
        moved = replace(moved, forecasts=tuple(replace(f, freshness=moved.freshness) for f in moved.forecasts))
    assert ledger.record_forecast(issue()) == 2
    assert ledger.record_forecast(moved) == 2
    assert ledger.record_forecast(moved) == 0


def test_an_issue_without_places_is_nothing(ledger: SqlLedger) -> None:
    assert ledger.record_forecast(issue(forecasts=())) == 0
    assert ledger.forecast_counts() == {}


def at_hour(hours: int, **changes: Any) -> RegionForecast:
    """Return the issue of so many hours later."""
    later, made = timedelta(hours=hours), issue(**changes)
    moved = (replace(f, issued_at=ISSUED + later, valid_from=HOUR + later) for f in made.forecasts)
    return replace(made, issued_at=ISSUED + later, valid_from=HOUR + later, forecasts=tuple(moved))


def test_many_issues_are_kept_at_once_and_those_known_already_once(
    ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_outcomes, "ROWS", 3)  # parts that end within an issue
    many = [at_hour(i) for i in range(5)]
    assert ledger.record_forecasts(many[:2]) == 4
    assert ledger.record_forecasts(many) == 6
    assert ledger.record_forecasts(many) == 0
    assert ledger.record_forecasts([]) == 0
    assert ledger.forecast_counts() == {"red": 5, "unknown": 5}


def test_more_rows_than_a_statement_may_have_variables(ledger: SqlLedger) -> None:
    many = [at_hour(i) for i in range(1700)]  # 3,400 rows of 19 columns; SQLite takes 32,766 variables
    assert ledger.record_forecasts(many) == 3400
    assert ledger.forecast_counts() == {"red": 1700, "unknown": 1700}


def test_of_many_issues_all_are_kept_or_none(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_outcomes, "ROWS", 2)
    nameless = replace(at_hour(1), source=None)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="IntegrityError"):
        ledger.record_forecasts([at_hour(0), nameless, at_hour(2)])
    assert ledger.forecast_counts() == {}
    assert ledger.record_forecasts([at_hour(0), at_hour(2)]) == 4


def test_what_was_said_in_the_shadow_is_not_counted_as_shown(ledger: SqlLedger) -> None:
    assert ledger.record_forecast(issue()) == 2
    assert ledger.record_forecasts([issue(model_version="m2"), at_hour(1, model_version="m2")], shown=False) == 4
    assert ledger.record_forecast(issue(model_version="m2"), shown=False) == 0
    assert ledger.forecast_counts() == {"red": 1, "unknown": 1}


def test_a_challenger_that_is_promoted_is_shown_what_it_said_in_the_shadow(ledger: SqlLedger) -> None:
    assert ledger.record_forecast(issue(model_version="m2"), shown=False) == 2
    assert ledger.record_forecast(issue(model_version="m2")) == 2
    assert ledger.forecast_counts() == {"red": 1, "unknown": 1}
    for shown in (True, False):
        assert len(ledger.issued("gauges", "r", DEFAULT_WINDOW, shown=shown)) == 2


def test_unknown_probabilities_are_null(ledger: SqlLedger) -> None:
    ledger.record_forecast(issue())
    query = sa.text("SELECT location_id, p_15, p_100, p_50_2h, worst_flag FROM forecasts ORDER BY location_id")
    with ledger.reading() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    assert rows == [("a", 0.5, 0.02, 0.12, 1), ("b", None, None, None, 9)]
    assert math.isnan(issue().forecasts[1].exceedance.probability[0])


def test_runs_come_newest_first(ledger: SqlLedger) -> None:
    for i in range(5):
        ledger.record_run("train", "stored", {"n": i, "folder": Path("x")}, ISSUED + timedelta(hours=i))
    assert [run["detail"] for run in ledger.runs()] == [{"n": i, "folder": "x"} for i in (4, 3, 2, 1, 0)]
    assert [run["detail"]["n"] for run in ledger.runs(limit=2)] == [4, 3]
    assert {(run["kind"], run["status"]) for run in ledger.runs()} == {("train", "stored")}


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))])
def test_the_time_of_a_run_comes_back_as_the_same_moment(ledger: SqlLedger, zone: timezone) -> None:
    ledger.record_run("train", "stored", {}, ISSUED.astimezone(zone))
    assert ledger.runs()[0]["at"] == ISSUED


def test_another_instance_sees_the_rows(ledger_url: str, ledger: SqlLedger) -> None:
    ledger.record_forecast(issue())
    other = SqlLedger(ledger_url)
    assert other.forecast_counts() == {"red": 1, "unknown": 1}
    assert other.record_forecast(issue()) == 0
    other.record_run("watch", "ok", {}, ISSUED)
    assert [run["kind"] for run in ledger.runs()] == ["watch"]


def test_another_process_sees_the_rows_while_we_hold_the_ledger_open(ledger_url: str, ledger: SqlLedger) -> None:
    ledger.record_forecast(issue())
    code = "import sys; from core.adapters.ledger import SqlLedger; print(SqlLedger(sys.argv[1]).forecast_counts())"
    ran = subprocess.run(
        [sys.executable, "-c", code, ledger_url], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "{'red': 1, 'unknown': 1}"


def test_eight_threads_lose_nothing(ledger: SqlLedger) -> None:
    together = threading.Barrier(8)

    def write(number: int) -> int:
        together.wait(timeout=20)
        for i in range(6):
            ledger.record_run("job", "ok", {"by": number, "i": i}, ISSUED)
        return ledger.record_forecast(issue(f"region {number}"))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, range(8))) == [2] * 8
    runs = {(run["detail"]["by"], run["detail"]["i"]) for run in ledger.runs(limit=1000)}
    assert runs == {(by, i) for by in range(8) for i in range(6)}
    assert ledger.forecast_counts() == {"red": 8, "unknown": 8}


@contextlib.contextmanager
def meeting_before(statement: str) -> Iterator[None]:
    """Let two threads arrive at a statement, or at the lock before it, before either of them executes it."""
    met = threading.Event()
    door = threading.Barrier(2, action=met.set)

    def wait(_connection: Any, _cursor: Any, sql: str, *_others: Any) -> None:
        if sql.lstrip().startswith((statement, *ALONE.values())) and not met.is_set():
            with contextlib.suppress(threading.BrokenBarrierError):
                door.wait(timeout=1)

    sa.event.listen(sa.Engine, "before_cursor_execute", wait)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", wait)


def test_an_issue_that_two_threads_record_at_once_is_kept_once(ledger: SqlLedger) -> None:
    with meeting_before("INSERT INTO forecasts"), ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ledger.record_forecast, [issue(), issue()])) == [0, 2]


def test_an_issue_without_a_model_that_two_threads_record_at_once_is_kept_once(ledger: SqlLedger) -> None:
    with meeting_before("INSERT INTO forecasts"), ThreadPoolExecutor(2) as pool:
        list(pool.map(ledger.record_forecast, [issue(model_version=None)] * 2))
    assert ledger.forecast_counts() == {"red": 1, "unknown": 1}


def test_two_that_open_a_new_ledger_at_once_both_get_it(ledger_url: str) -> None:
    alone = ALONE[ledger_url.split(":", maxsplit=1)[0].split("+", maxsplit=1)[0]]
    with meeting_before(alone), ThreadPoolExecutor(2) as pool:
        for opened in list(pool.map(SqlLedger, [ledger_url] * 2)):
            opened.check()


def test_many_that_open_new_ledgers_at_once_all_get_them(tmp_path: Path) -> None:
    # Two that switch to the write-ahead log at once: SQLite refuses one of them without waiting (3 % of openings).
    with ThreadPoolExecutor(6) as pool:
        for i in range(40):
            for opened in list(pool.map(SqlLedger, [f"sqlite:///{tmp_path}/{i}.sqlite"] * 6)):
                opened.check()


def test_a_newer_schema_is_refused_and_left_alone(ledger_url: str, ledger: SqlLedger) -> None:
    with ledger.writing() as connection:
        connection.execute(sa.insert(schema), [{"version": SCHEMA_VERSION + 1}])
    with pytest.raises(ConfigurationError, match=f"schema {SCHEMA_VERSION + 1}") as error:
        SqlLedger(ledger_url)
    assert "newer program" in error.value.hint
    with ledger.reading() as connection:
        versions = connection.execute(sa.select(schema.c.version).order_by(schema.c.version)).scalars().all()
    assert versions == [SCHEMA_VERSION, SCHEMA_VERSION + 1]


@pytest.mark.parametrize("url", ["", "ledger.db", "nosuchdialect://x/y", "sqlite+nosuchdriver:///x.db", "mysql://h/db"])
def test_a_bad_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="ledger cannot be used") as error:
        SqlLedger(url)
    assert "CLOUDBURST_DATABASE_URL" in error.value.hint


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigurationError, match="ledger cannot be used"):
        SqlLedger(f"sqlite:///{tmp_path}/file/ledger.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("rain, rain, rain\n" * 100)
    with pytest.raises(ConfigurationError, match="ledger cannot be used"):
        SqlLedger(f"sqlite:///{tmp_path}/ledger.db")


def test_a_password_is_never_told() -> None:
    with pytest.raises(ConfigurationError) as error:
        SqlLedger("nosuchdialect://user:hunter2@host/db")
    assert "hunter2" not in str(error.value)


def test_check_is_silent_until_the_database_does_not_answer(ledger: SqlLedger) -> None:
    def refuse(*_call: Any) -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("disk I/O error"))

    ledger.check()
    sa.event.listen(sa.Engine, "before_cursor_execute", refuse)
    try:
        with pytest.raises(ConfigurationError, match="cannot be used"):
            ledger.check()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", refuse)
