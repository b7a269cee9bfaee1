"""Tables of the ledger, and what leads from one version of them to the next."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from core.domain.forecast import EVENTS
from core.domain.units import as_utc

metadata = sa.MetaData()
#: Version of the tables below; a later one is refused, an earlier one is migrated.
SCHEMA_VERSION = 2


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


#: The numbers of `core.domain.quality.QualityMetrics`, in its order.
QUALITY_NUMBERS = ("completeness", "validity", "consistency", "timeliness", "delay_min", "anomaly_rate", "overall")

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
quality_metrics = sa.Table(
    "quality_metrics",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("region_id", sa.String(64), nullable=False),
    sa.Column("location_id", sa.String(64), nullable=False),  # "" is the whole region
    sa.Column("begin", UtcTime, nullable=False),
    sa.Column("end", UtcTime, nullable=False),
    *(sa.Column(name, sa.Float) for name in QUALITY_NUMBERS),  # NULL is not known
    sa.UniqueConstraint("source", "region_id", "location_id", "end"),
)
#: What leads from an earlier schema to the next: run once each, in their order, harmless when two processes run them
#: at once. Tables that are new are created before.
MIGRATIONS: dict[int, tuple[str, ...]] = {
    2: (),  # quality_metrics is new
}
