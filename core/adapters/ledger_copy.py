"""A ledger copied into another database, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from core.adapters.ledger import SqlLedger
from core.adapters.ledger_tables import metadata, schema
from core.errors import ConfigurationError
from core.ports import Progress, silent

#: Rows that are carried at once.
ROWS = 5_000
#: Every table but the one of the schema, which each ledger writes for itself.
TABLES = tuple(table for table in metadata.sorted_tables if table is not schema)


def copied(source: SqlLedger, target: SqlLedger, told: Progress = silent) -> Mapping[str, int]:
    """Copy every row into a ledger that has none, in the order of the source; return their numbers by table.

    The source is copied as it is at one moment, whoever writes to it meanwhile. Numbers that a database counts are
    given anew: nothing refers to them.

    Raises
    ------
    ConfigurationError
        If the target has rows, one of both does not answer, or a row does not fit; the target is as it was then.
    """
    source.answer_s = target.answer_s = None
    with source.snapshot() as old, target.writing() as new:
        _refuse_rows(new)
        counts = {}
        for done, table in enumerate(TABLES):
            told(done / len(TABLES), f"copying {table.name}")
            counts[table.name] = _copy(old, new, table)
            if _count(new, table) != _count(old, table):
                raise ConfigurationError(
                    f"Not every row of {table.name} arrived; nothing was kept.", hint="Stop all programs and try again."
                )
    return counts


def refuse_rows(target: SqlLedger) -> None:
    """Refuse a ledger that has rows.

    Raises
    ------
    ConfigurationError
        If it has, or does not answer.
    """
    with target.reading() as connection:
        _refuse_rows(connection)


def _refuse_rows(connection: sa.Connection) -> None:
    found = [table.name for table in TABLES if _count(connection, table)]
    if found:
        raise ConfigurationError(
            f"The ledger to copy to has rows in {', '.join(found)}.", hint="Name an empty database."
        )


def _copy(old: sa.Connection, new: sa.Connection, table: sa.Table) -> int:
    """Carry the rows of a table over."""
    counted = table.autoincrement_column
    columns = [column for column in table.columns if column is not counted]
    query = sa.select(*columns).order_by(*table.primary_key.columns).execution_options(yield_per=ROWS)
    count = 0
    with old.execute(query) as result:
        for rows in result.mappings().partitions():
            new.execute(sa.insert(table), [dict(row) for row in rows])
            count += len(rows)
    return count


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
