"""A PostgreSQL that stands still, ends or comes back: whoever asks is told in time, and goes on afterwards."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from core.adapters import ledger as module
from core.adapters import postgres as adapter
from core.adapters.ledger import SqlLedger
from core.errors import ConfigurationError
from tests import postgres
from tests.adapters.test_ledger import ISSUED, issue


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    if why := postgres.missing():
        pytest.skip(why)
    with postgres.serving() as made:
        yield made


@pytest.fixture
def ledger(server: postgres.Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlLedger]:
    """Return a ledger that has been used, and waits for answers for half a second."""
    monkeypatch.setattr(module, "ANSWER_S", 0.5)
    made = SqlLedger(server.new())
    assert made.record_forecast(issue()) == 2
    yield made
    made.engine.dispose()


def refused(ledger: SqlLedger) -> float:
    """Return after how many seconds a reader was told that the ledger does not answer."""
    begun = time.monotonic()
    with pytest.raises(ConfigurationError, match="cannot be used") as error:
        ledger.forecast_counts()
    assert "its server answers" in error.value.hint
    return time.monotonic() - begun


def test_a_server_that_stands_still_is_left_in_time_and_used_again(
    server: postgres.Server, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "PATIENCE_S", 2)  # the least that libpq knows
    server.send(signal.SIGSTOP)
    try:
        assert refused(ledger) < 10  # the look before the use, then a new connection
        assert refused(ledger) < 10
    finally:
        server.send(signal.SIGCONT)
    assert ledger.forecast_counts() == {"red": 1, "unknown": 1}
    ledger.record_run("watch", "ok", {}, ISSUED)
    assert len(ledger.runs()) == 1


def test_a_statement_that_takes_too_long_ends_its_connection_and_no_other(ledger: SqlLedger) -> None:
    with pytest.raises(ConfigurationError), ledger.reading() as connection:
        connection.exec_driver_sql("SELECT pg_sleep(20)")
    assert ledger.forecast_counts() == {"red": 1, "unknown": 1}
    ledger.answer_s = None
    with ledger.reading() as connection:
        connection.exec_driver_sql("SELECT pg_sleep(0.7)")


def test_after_a_restart_of_the_server_nobody_notices(server: postgres.Server, ledger: SqlLedger) -> None:
    server.end()
    assert refused(ledger) < 5
    server.start()
    assert ledger.forecast_counts() == {"red": 1, "unknown": 1}
    server.end()
    server.start()
    assert ledger.record_forecast(issue()) == 0


def test_a_writer_that_was_stopped_keeps_the_others_out_for_so_long_only(
    ledger: SqlLedger, server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "PATIENCE_S", 1)
    monkeypatch.setattr(adapter, "IDLE_S", 2)
    monkeypatch.setattr(module, "ANSWER_S", 5)
    one, other = (SqlLedger(str(ledger.engine.url)) for _ in range(2))
    with pytest.raises(ConfigurationError), one.writing() as connection:
        with pytest.raises(ConfigurationError):
            other.record_run("watch", "ok", {}, ISSUED)
        time.sleep(2.5)
        other.record_run("watch", "ok", {}, ISSUED)
        connection.exec_driver_sql("SELECT 1")
    assert len(other.runs()) == 1
    for each in (one, other):
        each.engine.dispose()
