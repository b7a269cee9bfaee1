"""Databases for the ledger's contract, a `ledger_url` on SQLite and on PostgreSQL, and servers for the cache's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests import postgres
from tests.caches_made import Services


@pytest.fixture(scope="session")
def new_database() -> Iterator[Callable[[], str]]:
    """Return a function that makes room for a ledger on a PostgreSQL."""
    if why := postgres.missing():
        pytest.skip(why)
    with postgres.serving() as server:
        yield server.new


@pytest.fixture
def postgres_url(new_database: Callable[[], str]) -> Iterator[str]:
    """Return the address of a ledger that is not there yet; whatever was opened is closed afterwards."""
    opened: list[Any] = []

    def keep(connection: Any, _record: object) -> None:
        opened.append(connection)

    sa.event.listen(sa.Pool, "connect", keep)
    yield new_database()
    sa.event.remove(sa.Pool, "connect", keep)
    for connection in opened:
        connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a ledger that is not there yet."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'new folder' / 'ledger.db'}"


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """Return the servers behind caches."""
    with Services() as services:
        yield services
