"""A ledger is copied into another database whole or not at all, in either direction."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.__main__ import main
from core.adapters.ledger import SqlLedger
from core.adapters.ledger_alerts import SqlAlerts
from core.adapters.ledger_copy import TABLES, copied
from core.adapters.ledger_experiments import SqlExperiments
from core.adapters.ledger_generations import Generations
from core.adapters.ledger_lease import Lease
from core.adapters.ledger_tables import runs
from core.domain.alerts import Acknowledgement, AlertRule, State
from core.domain.experiment import Stage, Step
from core.domain.forecast import RiskLevel
from core.errors import ConfigurationError
from tests.adapters.test_ledger import ISSUED, issue
from tests.adapters.test_ledger_alerts import ALERT, OVERRIDE
from tests.adapters.test_ledger_deployments import deployment
from tests.adapters.test_ledger_migrations import SCHEMA_2
from tests.adapters.test_ledger_outcomes import in_windows, missing, outcome
from tests.adapters.test_ledger_quality import metrics
from tests.experiments_made import BEGIN, both, counted
from tests.experiments_made import outcome as happened

New = Callable[[], str]


@pytest.fixture(params=["sqlite to postgresql", "postgresql to sqlite"])
def urls(request: pytest.FixtureRequest, postgres_url: str, tmp_path: Path) -> tuple[str, str]:
    """Return where a ledger is, and where it is to be."""
    file = f"sqlite:///{tmp_path / 'ledger.db'}"
    return (file, postgres_url) if request.param.startswith("sqlite") else (postgres_url, file)


def filled(url: str) -> SqlLedger:
    """Return a ledger that has rows in every table."""
    ledger = SqlLedger(url)
    ledger.record_forecasts([in_windows(), issue(model_version="m2")], shown=False)
    ledger.record_forecast(in_windows())
    ledger.record_outcomes([outcome(), missing(location_id="b")])
    ledger.record_run("train", "stored", {"text": 'δ, "quoted", 20 %'}, ISSUED)
    ledger.record_deployment(deployment())
    ledger.record_quality([metrics()])
    experiments = SqlExperiments(ledger)
    experiments.record_step(Step("monsoon", BEGIN, "create", Stage.DRAFT, "tests"), 1)
    shown = [replace(one, shown=True) for one in both()]
    experiments.record_results(shown, {"monsoon": 1})
    experiments.mature("monsoon", [happened()], counted)
    alerts = SqlAlerts(ledger)
    alerts.keep_rule(AlertRule("x", "r", RiskLevel.RED), "Asha", ISSUED)
    alerts.watch("gauges", "r", ISSUED)
    alerts.keep_states("gauges", "r", "x", {"Chamoli": State()})
    alerts.raised(ALERT)
    alerts.acknowledge(Acknowledgement(ALERT.id, ISSUED, "Asha", "seen"))
    alerts.override(OVERRIDE)
    Generations(ledger, print).changed("r")
    lease = Lease(ledger, now=lambda: ISSUED)
    assert lease.keep()
    with lease.turn("refresh", recorded=True) as ours:
        assert ours
    return ledger


def rows(ledger: SqlLedger) -> Mapping[str, list[tuple[Any, ...]]]:
    """Return every row of every table, without the numbers that the database counts."""
    with ledger.reading() as connection:
        return {
            table.name: [
                tuple(row[1:] if table.autoincrement_column is not None else row)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in TABLES
        }


def test_every_row_of_every_table_arrives_as_it_was(urls: tuple[str, str]) -> None:
    source, target = filled(urls[0]), SqlLedger(urls[1])
    told: list[float] = []
    before = rows(source)
    assert all(before.values())
    assert copied(source, target, lambda share, _what: told.append(share)) == {k: len(v) for k, v in before.items()}
    assert rows(target) == before
    assert rows(source) == before
    assert told == sorted(told)


def test_what_was_copied_goes_on_as_the_ledger_that_it_was(urls: tuple[str, str]) -> None:
    copied(filled(urls[0]), SqlLedger(urls[1]))
    ledger = SqlLedger(urls[1])
    assert ledger.record_forecast(in_windows()) == 0
    assert ledger.record_forecast(issue(model_version="m3")) == 2
    assert not SqlAlerts(ledger).raised(replace(ALERT, id="another"))
    ledger.record_run("watch", "ok", {}, ISSUED)
    assert [run["kind"] for run in ledger.runs()] == ["watch", "train"]


def test_a_ledger_with_rows_is_not_copied_to(urls: tuple[str, str]) -> None:
    source, target = filled(urls[0]), SqlLedger(urls[1])
    target.record_run("watch", "ok", {}, ISSUED)
    with pytest.raises(ConfigurationError, match="has rows in runs"):
        copied(source, target)
    assert [run["kind"] for run in target.runs()] == ["watch"]


def test_where_one_row_does_not_fit_none_is_copied(tmp_path: Path, postgres_url: str) -> None:
    source, target = filled(f"sqlite:///{tmp_path / 'ledger.db'}"), SqlLedger(postgres_url)
    with source.writing() as connection:  # SQLite takes texts of any length
        connection.execute(sa.update(runs).values(kind="k" * 33))
    with pytest.raises(ConfigurationError, match="DataError"):
        copied(source, target)
    assert not any(rows(target).values())


def test_the_command_copies_a_ledger_of_an_earlier_schema_once(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.executescript(SCHEMA_2)
        connection.commit()
    command = ["migrate", "--from", f"sqlite:///{tmp_path / 'old.db'}", "--to", postgres_url]
    assert main(command) == 0
    assert "5 rows copied" in capsys.readouterr().out
    assert SqlLedger(postgres_url).forecast_counts() == {"orange": 1, "unknown": 1, "green": 1}
    assert main(command) == 2
    assert "has rows in forecasts, quality_metrics, runs" in capsys.readouterr().err


@pytest.mark.parametrize("same", [True, False])
def test_the_command_refuses_what_is_no_copy_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], same: bool
) -> None:
    ones = [f"sqlite:///{tmp_path / name}.db" for name in ("a", "a" if same else "b")]
    assert main(["migrate", "--from", ones[0], "--to", ones[1]]) == 2
    said = capsys.readouterr().err
    assert ("same ledger" if same else "no ledger at --from") in said
    assert "hint: Name" in said
    assert list(tmp_path.glob("*.db")) == []
