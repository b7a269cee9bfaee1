"""Tables of the ledger, and what leads from one version of them to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa

from core.domain.forecast import DEFAULT_WINDOW, EVENTS, EventDefinition
from core.domain.units import as_utc

metadata = sa.MetaData()
#: Version of the tables below; a later one is refused, an earlier one is migrated.
SCHEMA_VERSION = 7


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


def _forecasts(of: sa.MetaData, *since: sa.Column[bool]) -> sa.Table:
    """Return the table of forecasts as it is since schema 3, with the columns that came later."""
    return sa.Table(
        "forecasts",
        of,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("region_id", sa.String(64), nullable=False),
        sa.Column("location_id", sa.String(64), nullable=False),
        sa.Column("issued_at", UtcTime, nullable=False),
        sa.Column("valid_from", UtcTime, nullable=False),
        sa.Column("begin_h", sa.Integer, nullable=False),  # first and number of the hours after valid_from
        sa.Column("window_h", sa.Integer, nullable=False),
        sa.Column("data_at", UtcTime),  # newest data behind it; NULL where there were none, or before schema 3
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("model_version", sa.String(96), nullable=False),  # "" where no model served
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("freshness", sa.String(16), nullable=False),
        sa.Column("worst_flag", sa.Integer, nullable=False),
        *(sa.Column(event.key, sa.Float) for event in EVENTS),  # by threshold, whatever the window; NULL is not known
        sa.Column("content", sa.String(16), nullable=False),  # digest of the issue: the same numbers are kept once
        *since,
        sa.UniqueConstraint("location_id", "content", "begin_h", "window_h", *(column.name for column in since)),
        sa.Index("forecasts_by_hour", "source", "region_id", "valid_from"),
    )


#: What was shown, and what a challenger said in the shadow of it. Both are kept where one model says both within an
#: hour: a challenger that is promoted says again, now to everybody, what it has just said in the shadow.
forecasts = _forecasts(metadata, sa.Column("shown", sa.Boolean, nullable=False, server_default=sa.true()))
#: What one truth is of: these columns of a forecast name its outcome.
OUTCOME_KEY = ("source", "region_id", "valid_from", "location_id", "begin_h", "window_h")
outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("region_id", sa.String(64), nullable=False),
    sa.Column("location_id", sa.String(64), nullable=False),
    sa.Column("valid_from", UtcTime, nullable=False),
    sa.Column("begin_h", sa.Integer, nullable=False),
    sa.Column("window_h", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # known or missing; what is pending has no row
    sa.Column("hourly_mm", sa.Float),
    sa.Column("two_hour_mm", sa.Float),
    sa.Column("available_at", UtcTime),
    sa.Column("joined_at", UtcTime, nullable=False),
    sa.UniqueConstraint(*OUTCOME_KEY),
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
deployments = sa.Table(
    "deployments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("region_id", sa.String(64), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("from_version", sa.String(96)),  # NULL is the shipped seed model
    sa.Column("to_version", sa.String(96), nullable=False),
    sa.Column("verdict", sa.Text),  # JSON; NULL where the gate was not asked
    sa.UniqueConstraint("source", "region_id", "generation"),
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
experiment_steps = sa.Table(
    "experiment_steps",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("experiment_id", sa.String(64), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),  # of two steps from the same one only one is made
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),  # JSON
    sa.UniqueConstraint("experiment_id", "number"),
)
#: What names one case of an experiment.
CASE_KEY = ("experiment_id", "valid_at", "location_id")
experiment_results = sa.Table(
    "experiment_results",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("experiment_id", sa.String(64), nullable=False),
    sa.Column("valid_at", UtcTime, nullable=False),
    sa.Column("location_id", sa.String(64), nullable=False),
    sa.Column("variant_id", sa.String(64), nullable=False),
    sa.Column("issued_at", UtcTime, nullable=False),
    sa.Column("shown", sa.Boolean, nullable=False),
    sa.Column("probability", sa.Float),  # NULL: the variant failed
    sa.Column("latency_ms", sa.Float),
    sa.Column("state", sa.String(8), nullable=False),  # pending, matured or expired
    sa.UniqueConstraint(*CASE_KEY, "variant_id"),
    sa.Index("experiment_results_by_state", "experiment_id", "state", "variant_id"),
)
#: What happened, known once: a result that comes afterwards is not taken for a forecast.
experiment_outcomes = sa.Table(
    "experiment_outcomes",
    metadata,
    sa.Column("experiment_id", sa.String(64), primary_key=True),
    sa.Column("valid_at", UtcTime, primary_key=True),
    sa.Column("location_id", sa.String(64), primary_key=True),
    sa.Column("happened", sa.Boolean, nullable=False),
)
#: Units that were shown a variant since the shares last changed (`step` is the number of that step).
experiment_units = sa.Table(
    "experiment_units",
    metadata,
    sa.Column("experiment_id", sa.String(64), primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),
    sa.Column("variant_id", sa.String(64), primary_key=True),
    sa.Column("unit", sa.String(160), primary_key=True),
)
#: Sums of the matured cases of a variant and a day (`core.experiments.sums`), JSON; they are only ever added to.
experiment_days = sa.Table(
    "experiment_days",
    metadata,
    sa.Column("experiment_id", sa.String(64), primary_key=True),
    sa.Column("variant_id", sa.String(64), primary_key=True),
    sa.Column("day", sa.Integer, primary_key=True),  # since 1970
    sa.Column("sums", sa.Text, nullable=False),
)
#: Rules of a region as they are or were; one that is gone keeps its row.
alert_rules = sa.Table(
    "alert_rules",
    metadata,
    sa.Column("region_id", sa.String(64), primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),  # JSON
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("removed", sa.Boolean, nullable=False),
)
#: How far a rule is in a district, from issue to issue.
alert_states = sa.Table(
    "alert_states",
    metadata,
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("region_id", sa.String(64), primary_key=True),
    sa.Column("rule_id", sa.String(64), primary_key=True),
    sa.Column("area", sa.String(160), primary_key=True),
    sa.Column("state", sa.Text, nullable=False),  # JSON
)
#: From which hour on issues of a region met its rules: events before that are no alert's miss.
alert_watches = sa.Table(
    "alert_watches",
    metadata,
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("region_id", sa.String(64), primary_key=True),
    sa.Column("since", UtcTime, nullable=False),
)
alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.String(20), primary_key=True),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("region_id", sa.String(64), nullable=False),
    sa.Column("rule_id", sa.String(64), nullable=False),
    sa.Column("area", sa.String(160), nullable=False),  # name of a district, "" for the places in none
    sa.Column("begun", UtcTime, nullable=False),
    sa.Column("raised_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("level_rank", sa.Integer, nullable=False),  # of the highest level since
    sa.Column("probability", sa.Float),  # the highest since; NULL is not known
    sa.Column("places", sa.Text, nullable=False),  # JSON
    sa.Column("model_version", sa.String(96), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),  # JSON: the rule in words, its event, source in words, who said it
    sa.Column("ended", UtcTime),
    sa.Column("ended_at", UtcTime),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("untold", sa.String(16), nullable=False),  # what is to be told of it yet, "" where nothing is
    sa.Index("alerts_by_time", "region_id", "raised_at"),
)
#: Of a rule and district one alert stands at most, however many processes raise it.
sa.Index(
    "alerts_standing",
    *(alerts.c[name] for name in ("source", "region_id", "rule_id", "area")),
    unique=True,
    sqlite_where=alerts.c.ended_at.is_(None),
    postgresql_where=alerts.c.ended_at.is_(None),
)
acknowledgements = sa.Table(
    "alert_acknowledgements",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("alert_id", sa.String(20), nullable=False, index=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)
overrides = sa.Table(
    "level_overrides",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("region_id", sa.String(64), nullable=False),
    sa.Column("scope", sa.String(16), nullable=False),
    sa.Column("target", sa.String(160), nullable=False),
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("until", UtcTime, nullable=False),
    sa.Column("withdrawn_at", UtcTime),
    sa.Index("level_overrides_by_time", "source", "region_id", "at"),
)
#: Which of several programs does the jobs, in the row of this name: `token` counts the holders, `beat` the signs of
#: life of the one there is.
JOBS = "jobs"
leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("beat", sa.Integer, nullable=False),
    sa.Column("holder", sa.String(160), nullable=False),  # "" once it was given back
)
#: The last run of every job, whoever did it; without an end it was cut off, or goes on.
job_runs = sa.Table(
    "job_runs",
    metadata,
    sa.Column("job", sa.String(96), primary_key=True),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("begun_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Column("error", sa.Text),
)
#: How often what every program keeps in its memory has changed, by what it is of.
generations = sa.Table(
    "generations",
    metadata,
    sa.Column("name", sa.String(96), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
)
KEPT = (
    "region_id, location_id, issued_at, valid_from, window_h, source, model_version, level, freshness, worst_flag, "
    "p_15, p_30, p_50, p_100, p_50_2h, content"
)
KEPT_3 = f"{KEPT}, begin_h, data_at"
#: What leads from an earlier schema to the next: run once each, in their order, by one process at a time. Tables that
#: are new are created before, indexes afterwards. Ids are given anew: PostgreSQL counts them for the new table only.
MIGRATIONS: dict[int, tuple[sa.Executable, ...]] = {
    2: (),  # quality_metrics is new
    3: (  # outcomes is new; SQLite cannot change a unique constraint, so forecasts are copied
        sa.text("ALTER TABLE forecasts RENAME TO forecasts_2"),
        sa.schema.CreateTable(_forecasts(sa.MetaData())),
        sa.text(f"INSERT INTO forecasts ({KEPT}, begin_h) SELECT {KEPT}, 0 FROM forecasts_2 ORDER BY id"),  # noqa: S608
        sa.text("DROP TABLE forecasts_2"),
    ),
    4: (  # deployments is new; all that was recorded before was shown
        sa.text("ALTER TABLE forecasts RENAME TO forecasts_3"),
        sa.schema.CreateTable(forecasts),
        sa.text(f"INSERT INTO forecasts ({KEPT_3}) SELECT {KEPT_3} FROM forecasts_3 ORDER BY id"),  # noqa: S608
        sa.text("DROP TABLE forecasts_3"),
    ),
    5: (),  # the tables of the experiments are new
    6: (),  # rules, alerts and people's levels are new
    7: (),  # leases, job_runs and generations are new
}


def column_of(event: EventDefinition) -> str:
    """Return the column of `forecasts` that holds the probability of an event: that of its threshold.

    >>> column_of(EventDefinition(50.0, 2, 3))
    'p_50_2h'
    """
    return replace(event, begin_h=DEFAULT_WINDOW.begin_h, window_h=DEFAULT_WINDOW.length_h).key
