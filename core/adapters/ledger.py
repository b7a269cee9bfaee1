"""The ledger: issued forecasts, runs, deployments and quality metrics, in one SQL database through SQLAlchemy Core."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from core.adapters import ledger_deployments, ledger_outcomes
from core.adapters.ledger_tables import (
    JOBS,
    MIGRATIONS,
    OUTCOME_KEY,
    QUALITY_NUMBERS,
    SCHEMA_VERSION,
    deployments,
    forecasts,
    leases,
    metadata,
    outcomes,
    quality_metrics,
    runs,
    schema,
)
from core.domain.forecast import DEFAULT_WINDOW, RegionForecast, Window, known_or_none
from core.domain.lifecycle import Deployment
from core.domain.quality import QualityMetrics
from core.domain.told import tell
from core.domain.verification import Outcome, VerifiedCases
from core.errors import ConfigurationError, LeadershipLost
from core.ports import OpenPeriod, Period

#: How long a locked database is waited for, seconds.
PATIENCE_S = 5.0
#: Rows are counted by the database and not by their ids: a fifth faster on SQLite, five times on PostgreSQL. Where rows
#: are asked for in return SQLAlchemy makes one statement of many rows, and a connection to SQLite keeps 128 of them
#: with all their values: 2 MB of 700 outcomes, and each number of rows is another statement.
COUNTED = {"preserve_rowcount": True}
#: Rows of such a statement at the most, where there must be one.
ROWS_IN_RETURN = 100
#: What lets one process at a time write. Of PostgreSQL's many writers two would add to the same sums, or wait for one
#: another's rows without end; the number is ours alone, and of no meaning.
ALONE = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(7302406)"}
#: How long PostgreSQL may take for an answer, seconds; it may take any time for a new schema, and for a copy.
ANSWER_S = 10.0
#: The fencing number under which a job writes, None outside of jobs: see `core.adapters.ledger_lease`.
FENCE: ContextVar[int | None] = ContextVar("fence", default=None)


class SqlLedger:
    """Ledger at a database URL.

    Raises
    ------
    ConfigurationError
        If the URL is not understood or the database does not answer.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = sa.make_url(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            on_server = parsed.get_backend_name() == "postgresql"
            self.answer_s: float | None = None
            # A connection ends with a restart of the server, which is seen before it is used.
            self.engine = sa.create_engine(parsed, insertmanyvalues_page_size=ROWS_IN_RETURN, pool_pre_ping=on_server)
            if on_server:
                from core.adapters import postgres  # its driver takes a while to load

                postgres.prepare(self.engine, lambda: self.answer_s)
            else:
                sa.event.listen(self.engine, "connect", _prepare_sqlite)
            self._create()
            self.answer_s = ANSWER_S
        except (SQLAlchemyError, ImportError, OSError, ValueError, KeyError) as error:
            raise _refused(error) from error

    def record_forecast(self, issue: RegionForecast, *, shown: bool = True) -> int:
        """Keep one issue, a row per place and window; one that says the same again is kept once."""
        return self.record_forecasts([issue], shown=shown)

    def record_forecasts(self, issues: Sequence[RegionForecast], *, shown: bool = True) -> int:
        """Keep many issues, all or none of them; return the number of new rows."""
        rows = (row for issue in issues for row in ledger_outcomes.issue_rows(issue, shown))
        insert = self.insert(forecasts).on_conflict_do_nothing()
        count = 0
        with self.writing() as connection:
            while part := list(islice(rows, ledger_outcomes.ROWS)):
                count += connection.execute(insert, part, execution_options=COUNTED).rowcount
        return count

    def record_run(self, kind: str, status: str, detail: Mapping[str, Any], at: datetime) -> None:
        """Keep what a job did."""
        row = {"at": at, "kind": kind, "status": status, "detail": json.dumps(dict(detail), default=str)}
        with self.writing() as connection:
            connection.execute(sa.insert(runs), [row])

    def runs(self, limit: int = 50, kind: str | None = None) -> tuple[Mapping[str, Any], ...]:
        """Return the newest runs first, of one kind or of all."""
        query = sa.select(runs.c.at, runs.c.kind, runs.c.status, runs.c.detail).order_by(runs.c.id.desc()).limit(limit)
        if kind is not None:
            query = query.where(runs.c.kind == kind)
        with self.reading() as connection:
            found = connection.execute(query).mappings().all()
        return tuple({**row, "detail": json.loads(row["detail"])} for row in found)

    def forecast_counts(self) -> Mapping[str, int]:
        """Return the number of forecasts that were shown by level."""
        level, (begin_h, window_h) = forecasts.c.level, (forecasts.c.begin_h, forecasts.c.window_h)
        default = (begin_h == DEFAULT_WINDOW.begin_h) & (window_h == DEFAULT_WINDOW.length_h)
        query = sa.select(level, sa.func.count()).where(default & forecasts.c.shown).group_by(level)
        with self.reading() as connection:
            return {str(level): int(count) for level, count in connection.execute(query)}

    def issued(
        self,
        source: str,
        region_id: str,
        window: Window,
        period: OpenPeriod = (None, None),
        *,
        shown: bool = True,
        model_version: str | None = None,
    ) -> VerifiedCases:
        """Return every issue of a window with its truth; `period` is first and last `valid_from`, both included."""
        with self.reading() as connection:
            return ledger_outcomes.issued(
                connection, source, region_id, window, period, shown=shown, model_version=model_version
            )

    def first_issued(self, source: str, region_id: str) -> datetime | None:
        """Return the first hour from which a recorded forecast of a region is valid, None without any."""
        with self.reading() as connection:
            return ledger_outcomes.first_issued(connection, source, region_id)

    def awaited(self, source: str, region_id: str, period: Period, known_since: datetime) -> tuple[Outcome, ...]:
        """Return the windows forecast in a period, without its end; known ones only from `known_since` on."""
        with self.reading() as connection:
            return ledger_outcomes.awaited(connection, source, region_id, period, known_since)

    def record_outcomes(self, found: Sequence[Outcome]) -> int:
        """Keep what happened, the newest of one window; return the number of rows that are new or say something new."""
        insert = self.insert(outcomes)
        new = {name: insert.excluded[name] for name in ledger_outcomes.SAID}
        differs = sa.or_(*(outcomes.c[name].is_distinct_from(new[name]) for name in ledger_outcomes.TRUTH))
        kept = insert.on_conflict_do_update(index_elements=OUTCOME_KEY, set_=new, where=differs)
        count = 0
        for first in range(0, len(found), ledger_outcomes.ROWS):  # the others write in between
            rows = [ledger_outcomes.row(outcome) for outcome in found[first : first + ledger_outcomes.ROWS]]
            with self.writing() as connection:
                count += connection.execute(kept, rows, execution_options=COUNTED).rowcount
        return count

    def record_deployment(self, made: Deployment) -> bool:
        """Keep a change of who serves, the first of one generation; say whether it was new."""
        with self.writing() as connection:
            insert = self.insert(deployments).on_conflict_do_nothing().returning(deployments.c.id)
            return bool(connection.execute(insert, [ledger_deployments.row(made)]).all())

    def deployments(self, source: str, region_id: str, limit: int = 50) -> tuple[Deployment, ...]:
        """Return the changes of who serves a region, the newest generation first."""
        with self.reading() as connection:
            return ledger_deployments.newest(connection, source, region_id, limit)

    def record_quality(self, metrics: Sequence[QualityMetrics]) -> int:
        """Keep metrics; of one source, region, place and end the first are kept. Return the number of new rows."""
        rows = [
            {
                "source": m.source,
                "region_id": m.region_id,
                "location_id": m.location_id or "",
                "begin": m.begin,
                "end": m.end,
                **{name: known_or_none(getattr(m, name)) for name in QUALITY_NUMBERS},
            }
            for m in metrics
        ]
        if not rows:
            return 0
        with self.writing() as connection:
            insert = self.insert(quality_metrics).on_conflict_do_nothing()
            return int(connection.execute(insert, rows, execution_options=COUNTED).rowcount)

    def quality(self, region_id: str, since: datetime) -> tuple[QualityMetrics, ...]:
        """Return the metrics of a region as a whole whose period ends at `since` or later, oldest first."""
        table = quality_metrics
        wanted = (table.c.region_id == region_id) & (table.c.location_id == "") & (table.c.end >= since)
        with self.reading() as connection:
            query = sa.select(table).where(wanted).order_by(table.c.end, table.c.id)
            found = connection.execute(query).mappings().all()
        return tuple(_metrics(row) for row in found)

    def check(self) -> None:
        """Make sure the database answers."""
        with self.reading() as connection:
            connection.execute(sa.select(1))

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Return a connection to read with."""
        with _answering(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Return a connection that sees the ledger as it is now, whatever is written meanwhile; nobody waits for it."""
        with self.reading() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            else:
                connection.execute(sa.text("BEGIN"))
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Return a connection of which all changes are kept, or none; of several processes one writes at a time.

        Raises
        ------
        LeadershipLost
            If a job writes whose program does the jobs no more.
        """
        with _answering(), self.engine.begin() as connection:
            connection.execute(sa.text(ALONE[self.engine.dialect.name]))
            if (token := FENCE.get()) is not None:
                _refuse_late(connection, token)
            yield connection

    def _create(self) -> None:
        """Create what is missing and lead an earlier schema to this one; of several processes one does so."""
        with self.reading() as connection:
            if sa.inspect(connection).has_table(schema.name) and _version(connection) == SCHEMA_VERSION:
                return
        with self.writing() as connection:
            connection.execute(sa.schema.CreateTable(schema, if_not_exists=True))
            found = _version(connection)
            if found is not None and found > SCHEMA_VERSION:
                raise ConfigurationError(
                    f"The ledger has schema {found}, this program knows {SCHEMA_VERSION}.",
                    hint="Run the newer program on it, or set CLOUDBURST_DATABASE_URL to another database.",
                )
            for table in metadata.sorted_tables:
                connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
            for version in range((found or SCHEMA_VERSION) + 1, SCHEMA_VERSION + 1):
                for statement in MIGRATIONS[version]:
                    connection.execute(statement)
            for index in (index for table in metadata.sorted_tables for index in table.indexes):
                connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))
            if found != SCHEMA_VERSION:
                connection.execute(self.insert(schema).on_conflict_do_nothing(), [{"version": SCHEMA_VERSION}])

    def insert(self, table: sa.Table) -> Any:
        """Return the insert of this database, which knows ON CONFLICT."""
        from sqlalchemy.dialects import postgresql, sqlite

        return {"sqlite": sqlite, "postgresql": postgresql}[self.engine.dialect.name].insert(table)


def there(url: str) -> bool:
    """Say whether there is a ledger at a database URL; where there is none, none is made.

    Raises
    ------
    ConfigurationError
        If the URL is not understood or the database does not answer.
    """
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
            return False
        with sa.create_engine(parsed, poolclass=sa.NullPool).connect() as connection:
            return bool(sa.inspect(connection).has_table(schema.name))
    except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
        raise _refused(error) from error


def _refuse_late(connection: sa.Connection, token: int) -> None:
    """Raise LeadershipLost where a fencing number is not the newest; nobody changes it before we have written."""
    if connection.execute(sa.select(leases.c.token).where(leases.c.name == JOBS)).scalar() != token:
        raise LeadershipLost("Another program does the jobs by now; this one's job is not kept.", token=token)


def _version(connection: sa.Connection) -> int | None:
    """Return the schema of the ledger, None where it has none yet."""
    version: int | None = connection.execute(sa.select(sa.func.max(schema.c.version))).scalar()
    return version


def _metrics(row: Mapping[Any, Any]) -> QualityMetrics:
    """Return one row as metrics, NULL as NaN."""
    numbers = {name: float("nan") if row[name] is None else float(row[name]) for name in QUALITY_NUMBERS}
    place = row["location_id"] or None
    return QualityMetrics(row["source"], row["region_id"], place, row["begin"], row["end"], **numbers)


@contextmanager
def _answering() -> Iterator[None]:
    """Turn a database that does not answer into an error of ours."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _refused(error) from error


def _refused(error: Exception) -> ConfigurationError:
    hint = "Check CLOUDBURST_DATABASE_URL, that its server answers, or that its folder can be written and is not full."
    return ConfigurationError(tell("The ledger cannot be used: {error}.", error=type(error).__name__), hint=hint)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Readers beside one writer, durable, and patient with the other process."""
    connection.execute(f"PRAGMA busy_timeout={int(PATIENCE_S * 1000)}")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")


def _write_ahead(connection: Any) -> None:
    """Switch to the write-ahead log. SQLite refuses it at once while another does the same, whatever its timeout."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
