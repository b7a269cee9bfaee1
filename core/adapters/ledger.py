"""The ledger: issued forecasts and runs, in one SQL database through SQLAlchemy Core."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from core.domain.forecast import EVENTS, RegionForecast, known_or_none
from core.domain.units import as_utc
from core.errors import ConfigurationError

metadata = sa.MetaData()
#: Version of the tables below; a later one is refused, an earlier one is migrated.
SCHEMA_VERSION = 1


class UtcTime(sa.TypeDecorator[datetime]):
    """Moments in UTC: SQLite keeps no zone, so it is taken off on the way in and put on again on the way out."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """Return the moment in UTC without its zone."""
        return None if value is None else as_utc(value).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """Return the moment with its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


schema = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))
forecasts = sa.Table(
    "forecasts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("region_id", sa.String(64), nullable=False),
    sa.Column("location_id", sa.String(64), nullable=False),
    sa.Column("issued_at", UtcTime, nullable=False),
    sa.Column("valid_from", UtcTime, nullable=False),
    sa.Column("window_h", sa.Integer, nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("model_version", sa.String(96), nullable=False),  # "" where no model served
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("freshness", sa.String(16), nullable=False),
    sa.Column("worst_flag", sa.Integer, nullable=False),
    *(sa.Column(event.key, sa.Float) for event in EVENTS),
    sa.Column("content", sa.String(16), nullable=False),  # digest of the issue: the same numbers are kept once
    sa.UniqueConstraint("location_id", "content"),
)
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)


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
            self._engine = sa.create_engine(parsed)
            if parsed.get_backend_name() == "sqlite":
                sa.event.listen(self._engine, "connect", _prepare_sqlite)
            self._create()
        except (SQLAlchemyError, ImportError, OSError, ValueError, KeyError) as error:
            raise _refused(error) from error

    def record_forecast(self, issue: RegionForecast) -> int:
        """Keep one issue as it was shown; an issue that says the same again is kept once."""
        rows = [
            {
                "region_id": issue.region.id,
                "location_id": f.location_id,
                "issued_at": f.issued_at,
                "valid_from": f.valid_from,
                "window_h": f.window_h,
                "source": issue.source,
                "model_version": f.model_version or "",
                "level": f.level.value,
                "freshness": f.freshness.value,
                "content": issue.content,
                "worst_flag": int(f.worst_flag),
                **{e.key: known_or_none(f.exceedance.of(e)) for e in EVENTS},
            }
            for f in issue.forecasts
        ]
        if not rows:
            return 0
        with _answering(), self._engine.begin() as connection:
            insert = self._insert(forecasts).on_conflict_do_nothing().returning(forecasts.c.id)
            return len(connection.execute(insert, rows).all())

    def record_run(self, kind: str, status: str, detail: Mapping[str, Any], at: datetime) -> None:
        """Keep what a job did."""
        row = {"at": at, "kind": kind, "status": status, "detail": json.dumps(dict(detail), default=str)}
        with _answering(), self._engine.begin() as connection:
            connection.execute(sa.insert(runs), [row])

    def runs(self, limit: int = 50) -> tuple[Mapping[str, Any], ...]:
        """Return the newest runs first."""
        query = sa.select(runs.c.at, runs.c.kind, runs.c.status, runs.c.detail).order_by(runs.c.id.desc()).limit(limit)
        with _answering(), self._engine.connect() as connection:
            found = connection.execute(query).mappings().all()
        return tuple({**row, "detail": json.loads(row["detail"])} for row in found)

    def forecast_counts(self) -> Mapping[str, int]:
        """Return the number of issued forecasts by level."""
        query = sa.select(forecasts.c.level, sa.func.count()).group_by(forecasts.c.level)
        with _answering(), self._engine.connect() as connection:
            return {str(level): int(count) for level, count in connection.execute(query)}

    def check(self) -> None:
        """Make sure the database answers."""
        with _answering(), self._engine.connect() as connection:
            connection.execute(sa.select(1))

    def _create(self) -> None:
        """Create what is missing; two processes may do so at once."""
        with self._engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
        self._check_schema()

    def _insert(self, table: sa.Table) -> Any:
        """Return the insert of this database, which knows ON CONFLICT."""
        from sqlalchemy.dialects import postgresql, sqlite

        return {"sqlite": sqlite, "postgresql": postgresql}[self._engine.dialect.name].insert(table)

    def _check_schema(self) -> None:
        with self._engine.begin() as connection:
            found = connection.execute(sa.select(sa.func.max(schema.c.version))).scalar()
            if found is None:
                connection.execute(self._insert(schema).on_conflict_do_nothing(), [{"version": SCHEMA_VERSION}])
            elif found > SCHEMA_VERSION:
                raise ConfigurationError(
                    f"The ledger has schema {found}, this program knows {SCHEMA_VERSION}.",
                    hint="Run the newer program on it, or set CLOUDBURST_DATABASE_URL to another database.",
                )


@contextmanager
def _answering() -> Iterator[None]:
    """Turn a database that does not answer into an error of ours."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _refused(error) from error


def _refused(error: Exception) -> ConfigurationError:
    hint = "Check CLOUDBURST_DATABASE_URL, and that its folder can be written and is not full."
    return ConfigurationError(f"The ledger cannot be used: {type(error).__name__}.", hint=hint)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Readers beside one writer, durable, and patient with the other process."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")
