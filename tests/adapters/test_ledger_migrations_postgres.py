"""Ledgers of every earlier schema on PostgreSQL are led to this one: every row stays, and nothing else differs."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from core.adapters.ledger import ALONE, SCHEMA_VERSION, SqlLedger
from core.adapters.ledger_tables import schema
from core.domain.forecast import DEFAULT_WINDOW
from tests.adapters.test_experiment_migration import SCHEMA_4
from tests.adapters.test_ledger import issue, meeting_before
from tests.adapters.test_ledger_deployments import deployment
from tests.adapters.test_ledger_migrations import SCHEMA_2, SCHEMA_3
from tests.adapters.test_ledger_quality import SCHEMA_1

#: The earlier schemas by number, and the places of which each has forecasts in the default window.
EARLIER = {1: (SCHEMA_1, "a"), 2: (SCHEMA_2, "aab"), 3: (SCHEMA_3, "ab"), 4: (SCHEMA_4, "ab")}
#: What SQLAlchemy says to PostgreSQL where it says the first to SQLite.
SAID = {
    r"\b(id|version) INTEGER NOT NULL": r"\1 SERIAL NOT NULL",
    r"\bDATETIME\b": "TIMESTAMP",
    r"\bDEFAULT 1\b": "DEFAULT true",
    r"('[0-9a-f]{16}'), 1\)": r"\1, true)",
}
COLUMNS = """
SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default FROM
information_schema.columns WHERE table_schema = current_schema()
"""
KEYS = (
    "SELECT tablename, regexp_replace(indexdef, '^.* USING ', '') FROM pg_indexes WHERE schemaname = current_schema()"
)


@pytest.fixture(params=EARLIER)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def old(postgres_url: str, version: int) -> str:
    """Return the address of a ledger of an earlier schema."""
    text = EARLIER[version][0]
    for sqlite, postgresql in SAID.items():
        text = re.sub(sqlite, postgresql, text)
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.connection.cursor().execute(text)  # as it is: a % in it is no parameter
        for table in sa.inspect(connection).get_table_names():
            if table != "schema_version":  # the rows of a program are counted by the database
                used = sa.select(sa.func.coalesce(sa.func.max(sa.column("id")), 0) + 1).select_from(sa.table(table))
                connection.execute(sa.select(sa.func.setval(f"{table}_id_seq", used.scalar_subquery())))
    engine.dispose()
    return postgres_url


def test_every_row_stays_and_new_ones_come(old: str, version: int) -> None:
    ledger = SqlLedger(old)
    places = EARLIER[version][1]
    assert sorted(ledger.issued("gauges", "r", DEFAULT_WINDOW).location_id) == list(places)
    assert len(ledger.runs()) == (version < 4)
    assert ledger.deployments("gauges", "r") == (() if version < 4 else (deployment(),))
    assert ledger.record_forecast(issue(model_version="new")) == 2
    ledger.record_run("train", "stored", {}, issue().issued_at)
    again = SqlLedger(old)
    assert len(again.issued("gauges", "r", DEFAULT_WINDOW)) == len(places) + 2
    with again.reading() as connection:
        assert connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar() == SCHEMA_VERSION


def test_its_tables_are_those_of_a_new_one(old: str, new_database: object) -> None:
    new = str(new_database())  # type: ignore[operator]
    assert _made(old) == _made(new)


def test_two_that_lead_it_at_once_both_get_it(old: str) -> None:
    with meeting_before(ALONE["postgresql"]), ThreadPoolExecutor(2) as pool:
        for opened in list(pool.map(SqlLedger, [old] * 2)):
            opened.check()


def _made(url: str) -> set[tuple[object, ...]]:
    """Return every column and key of a ledger; the names of sequences and keys are the database's own."""
    with SqlLedger(url).reading() as connection:
        columns = {
            (*row[:5], re.sub(r"^nextval.*", "counted", str(row[5]))) for row in connection.exec_driver_sql(COLUMNS)
        }
        return columns | {tuple(row) for row in connection.exec_driver_sql(KEYS)}


#: The tables that a schema brought where it changed no other.
BROUGHT = {
    6: ("alert_rules", "alert_states", "alert_watches", "alerts", "alert_acknowledgements", "level_overrides"),
    7: ("leases", "job_runs", "generations"),
}


@pytest.mark.parametrize("earlier", [5, 6])
def test_a_ledger_that_lacks_tables_only_gets_them(ledger_url: str, new_database: object, earlier: int) -> None:
    SqlLedger(ledger_url).record_forecast(issue())
    engine = sa.create_engine(ledger_url)
    with engine.begin() as connection:
        for table in (name for number, names in BROUGHT.items() if number > earlier for name in names):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.execute(sa.update(schema).values(version=earlier))
    engine.dispose()
    ledger = SqlLedger(ledger_url)
    assert len(ledger.issued("gauges", "r", DEFAULT_WINDOW)) == 2
    with ledger.reading() as connection:
        assert connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar() == SCHEMA_VERSION
    if ledger_url.startswith("postgresql"):
        assert _made(ledger_url) == _made(str(new_database()))  # type: ignore[operator]
    else:
        assert {table for names in BROUGHT.values() for table in names} <= set(
            sa.inspect(ledger.engine).get_table_names()
        )
