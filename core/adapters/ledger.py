"""The ledger: issued forecasts and runs, in one SQL database through SQLAlchemy Core."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from core.domain.forecast import EVENTS, RegionForecast
from core.errors import ConfigurationError

metadata = sa.MetaData()
#: Version of the tables below; a later one is refused, an earlier one is migrated.
SCHEMA_VERSION = 1

schema = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))
forecasts = sa.Table(
    "forecasts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("region_id", sa.String(64), nullable=False),
    sa.Column("location_id", sa.String(64), nullable=False),
    sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
    sa.Column("window_h", sa.Integer, nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("model_version", sa.String(96)),
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("freshness", sa.String(16), nullable=False),
    sa.Column("worst_flag", sa.Integer, nullable=False),
    *(sa.Column(event.key, sa.Float) for event in EVENTS),
    sa.UniqueConstraint("region_id", "location_id", "valid_from", "window_h", "model_version", "freshness"),
)
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
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
            metadata.create_all(self._engine)
            self._check_schema()
        except (SQLAlchemyError, ImportError, OSError) as error:
            hint = "Check CLOUDBURST_DATABASE_URL and that the folder can be written."
            raise ConfigurationError(f"The ledger cannot be opened: {type(error).__name__}.", hint=hint) from error

    def record_forecast(self, issue: RegionForecast) -> int:
        """Keep one issue as it was shown; the same valid time, model and freshness are kept once."""
        seen = sa.and_(
            forecasts.c.region_id == issue.region.id,
            forecasts.c.valid_from == issue.valid_from,
            forecasts.c.model_version.is_not_distinct_from(issue.model_version),
            forecasts.c.freshness == issue.freshness.value,
        )
        rows = [
            {
                "region_id": issue.region.id,
                "location_id": f.location_id,
                "issued_at": f.issued_at,
                "valid_from": f.valid_from,
                "window_h": f.window_h,
                "source": issue.source,
                "model_version": f.model_version,
                "level": f.level.value,
                "freshness": issue.freshness.value,
                "worst_flag": int(f.worst_flag),
                **{e.key: _known(f.exceedance.of(e)) for e in EVENTS},
            }
            for f in issue.forecasts
        ]
        with self._engine.begin() as connection:
            if not rows or connection.execute(sa.select(forecasts.c.id).where(seen).limit(1)).first():
                return 0
            connection.execute(sa.insert(forecasts), rows)
        return len(rows)

    def record_run(self, kind: str, status: str, detail: Mapping[str, Any], at: datetime) -> None:
        """Keep what a job did."""
        row = {"at": at, "kind": kind, "status": status, "detail": json.dumps(dict(detail), default=str)}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(runs), [row])

    def runs(self, limit: int = 50) -> tuple[Mapping[str, Any], ...]:
        """Return the newest runs first."""
        query = sa.select(runs.c.at, runs.c.kind, runs.c.status, runs.c.detail).order_by(runs.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            found = connection.execute(query).mappings().all()
        return tuple({**row, "detail": json.loads(row["detail"])} for row in found)

    def forecast_counts(self) -> Mapping[str, int]:
        """Return the number of issued forecasts by level."""
        query = sa.select(forecasts.c.level, sa.func.count()).group_by(forecasts.c.level)
        with self._engine.connect() as connection:
            return {str(level): int(count) for level, count in connection.execute(query)}

    def check(self) -> None:
        """Make sure the database answers."""
        try:
            with self._engine.connect() as connection:
                connection.execute(sa.select(1))
        except SQLAlchemyError as error:
            raise ConfigurationError("The ledger does not answer.", hint="Check CLOUDBURST_DATABASE_URL.") from error

    def _check_schema(self) -> None:
        with self._engine.begin() as connection:
            found = connection.execute(sa.select(sa.func.max(schema.c.version))).scalar()
            if found is None:
                connection.execute(sa.insert(schema), [{"version": SCHEMA_VERSION}])
            elif found > SCHEMA_VERSION:
                raise ConfigurationError(
                    f"The ledger has schema {found}, this program knows {SCHEMA_VERSION}.",
                    hint="Run the newer program on it, or set CLOUDBURST_DATABASE_URL to another database.",
                )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Readers beside one writer, durable, and patient with the other process."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
