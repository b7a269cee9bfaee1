"""Rules, alerts and levels that people set, in the tables of the ledger."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.adapters.ledger import SqlLedger
from core.adapters.ledger_tables import acknowledgements, alert_rules, alert_states, alert_watches, alerts, overrides
from core.domain.alerts import Acknowledgement, Alert, AlertOutcome, AlertRule, State
from core.domain.forecast import EVENTS, EventDefinition, RiskLevel, known_or_none
from core.domain.levels import LADDER, rank
from core.domain.notices import NoticeKind
from core.domain.overrides import Override, Scope

_EVENTS = {event.key: event for event in EVENTS}
_DETAIL = ("rule_text", "source_text", "said_by")
_PLAIN = ("id", "source", "region_id", "rule_id", "area", "begun", "raised_at", "changed_at", "model_version")
_OVERRIDE = ("id", "source", "region_id", "target", "who", "why", "at", "until", "withdrawn_at")


class SqlAlerts:
    """Port `AlertRecords` in the database of a ledger."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger, self._insert = ledger, ledger.insert

    def rules(self, region_id: str) -> Mapping[str, AlertRule | None]:
        """Return every rule of a region by its id, None for one that was removed."""
        query = sa.select(alert_rules).where(alert_rules.c.region_id == region_id).order_by(alert_rules.c.id)
        with self._ledger.reading() as connection:
            found = connection.execute(query).mappings().all()
        return {row["id"]: None if row["removed"] else _rule(row) for row in found}

    def keep_rule(self, rule: AlertRule, who: str, at: datetime, *, removed: bool = False) -> None:
        """Keep a rule in the place of the one of its id, or as removed."""
        said = {**asdict(rule), "level": rule.level.value, "event": rule.event.key}
        key = {name: said.pop(name) for name in ("region_id", "id")}
        row = {"rule": json.dumps(said), "who": who, "at": at, "removed": removed}
        insert = self._insert(alert_rules).on_conflict_do_update(index_elements=list(key), set_=row)
        with self._ledger.writing() as connection:
            connection.execute(insert, [key | row])

    def watch(self, source: str, region_id: str, hour: datetime) -> None:
        """Keep that issues meet the rules of a region from an hour on, unless they did before."""
        insert = self._insert(alert_watches).on_conflict_do_nothing()
        with self._ledger.writing() as connection:
            connection.execute(insert, [{"source": source, "region_id": region_id, "since": hour}])

    def watched_since(self, source: str, region_id: str) -> datetime | None:
        """Return the hour from which on issues met the rules of a region, None where none ever did."""
        table = alert_watches
        query = sa.select(table.c.since).where((table.c.source == source) & (table.c.region_id == region_id))
        with self._ledger.reading() as connection:
            found: datetime | None = connection.execute(query).scalar()
        return found

    def states(self, source: str, region_id: str, rule_id: str) -> Mapping[str, State]:
        """Return the states of a rule by district."""
        table = alert_states
        wanted = (table.c.source == source) & (table.c.region_id == region_id) & (table.c.rule_id == rule_id)
        with self._ledger.reading() as connection:
            found = connection.execute(sa.select(table.c.area, table.c.state).where(wanted)).all()
        return {area: _state(text) for area, text in found}

    def keep_states(self, source: str, region_id: str, rule_id: str, states: Mapping[str, State]) -> None:
        """Keep states in the place of those before."""
        key = {"source": source, "region_id": region_id, "rule_id": rule_id}
        rows = [{**key, "area": area, "state": _state_text(state)} for area, state in states.items()]
        insert = self._insert(alert_states)
        insert = insert.on_conflict_do_update(index_elements=[*key, "area"], set_={"state": insert.excluded.state})
        with self._ledger.writing() as connection:
            if rows:
                connection.execute(insert, rows)

    def raised(self, alert: Alert) -> bool:
        """Keep a new alert; False where it, or another of its rule and district, stands already."""
        row = {name: getattr(alert, name) for name in (*_PLAIN, "ended", "ended_at")} | {
            "level_rank": max(rank(alert.level), 0),
            "probability": known_or_none(alert.probability),
            "places": json.dumps(alert.places),
            "detail": json.dumps({"event": alert.event.key, **{name: getattr(alert, name) for name in _DETAIL}}),
            "outcome": alert.outcome.value,
            "untold": NoticeKind.RAISED.value,
        }
        insert = self._insert(alerts).on_conflict_do_nothing().returning(alerts.c.id)
        with self._ledger.writing() as connection:
            return bool(connection.execute(insert, [row]).all())

    def risen(self, alert_id: str, level: RiskLevel, probability: float, places: tuple[str, ...], at: datetime) -> bool:
        """Keep a higher peak and more places of a standing alert; say whether its level is graver than before."""
        mine = (alerts.c.id == alert_id) & alerts.c.ended_at.is_(None)
        graver = sa.update(alerts).where(mine, alerts.c.level_rank < rank(level))
        likelier = alerts.c.probability.is_(None) | (alerts.c.probability < probability)
        with self._ledger.writing() as connection:
            risen = {"level_rank": rank(level), "changed_at": at, "untold": NoticeKind.CHANGED.value}
            new = connection.execute(graver.values(risen)).rowcount == 1
            if not math.isnan(probability):
                connection.execute(sa.update(alerts).where(mine, likelier).values(probability=probability))
            before = connection.execute(sa.select(alerts.c.places).where(mine)).scalar()
            together = sorted({*json.loads(before or "[]"), *places})
            if before is not None and together != json.loads(before):
                connection.execute(sa.update(alerts).where(mine).values(places=json.dumps(together)))
        return new

    def ended(self, alert_id: str, hour: datetime, at: datetime) -> bool:
        """Keep that an alert ended; say whether it stood."""
        update = sa.update(alerts).where(alerts.c.id == alert_id, alerts.c.ended_at.is_(None))
        with self._ledger.writing() as connection:
            found = connection.execute(
                update.values(ended=hour, ended_at=at, changed_at=at, untold=NoticeKind.ENDED.value)
            )
        return found.rowcount == 1

    def untold(self, source: str, region_id: str) -> tuple[tuple[Alert, NoticeKind], ...]:
        """Return the alerts of which something is to be told yet, the oldest first, and what."""
        wanted = (alerts.c.source == source) & (alerts.c.region_id == region_id) & (alerts.c.untold != "")
        query = sa.select(alerts).where(wanted).order_by(alerts.c.changed_at, alerts.c.rule_id, alerts.c.area)
        with self._ledger.reading() as connection:
            found = connection.execute(query).mappings().all()
        return tuple((_alert(row, ()), NoticeKind(row["untold"])) for row in found)

    def told(self, alert_id: str, kind: NoticeKind) -> None:
        """Keep that this was told of an alert, unless it is another thing by now."""
        mine = (alerts.c.id == alert_id) & (alerts.c.untold == kind.value)
        with self._ledger.writing() as connection:
            connection.execute(sa.update(alerts).where(mine).values(untold=""))

    def judged(self, alert_id: str, outcome: AlertOutcome) -> None:
        """Keep what became of an alert."""
        with self._ledger.writing() as connection:
            connection.execute(sa.update(alerts).where(alerts.c.id == alert_id).values(outcome=outcome.value))

    def acknowledge(self, made: Acknowledgement) -> None:
        """Keep that somebody has seen an alert."""
        with self._ledger.writing() as connection:
            connection.execute(sa.insert(acknowledgements), [asdict(made)])

    def alerts(self, source: str, region_id: str, since: datetime | None = None) -> tuple[Alert, ...]:
        """Return the alerts of a region that stand, or were changed since a moment, the newest first."""
        mine = (alerts.c.source == source) & (alerts.c.region_id == region_id)
        wanted: sa.ColumnElement[bool] = alerts.c.ended_at.is_(None)
        if since is not None:
            wanted |= alerts.c.changed_at >= since
        query = sa.select(alerts).where(mine, wanted).order_by(alerts.c.raised_at.desc(), alerts.c.area)
        seen = sa.select(acknowledgements).join(alerts, alerts.c.id == acknowledgements.c.alert_id)
        seen = seen.where(mine, wanted).order_by(acknowledgements.c.id)
        known: dict[str, list[Acknowledgement]] = {}
        with self._ledger.reading() as connection:
            for row in connection.execute(seen):
                known.setdefault(row.alert_id, []).append(Acknowledgement(row.alert_id, row.at, row.who, row.why))
            found = connection.execute(query).mappings().all()
        return tuple(_alert(row, tuple(known.get(row["id"], ()))) for row in found)

    def override(self, made: Override) -> None:
        """Keep a level that a person set."""
        row = {name: getattr(made, name) for name in _OVERRIDE} | {
            "scope": made.scope.value,
            "level": made.level.value,
        }
        with self._ledger.writing() as connection:
            connection.execute(sa.insert(overrides), [row])

    def withdraw(self, override_id: str, at: datetime) -> bool:
        """Keep that an override was withdrawn; say whether it had not been before."""
        update = sa.update(overrides).where(overrides.c.id == override_id, overrides.c.withdrawn_at.is_(None))
        with self._ledger.writing() as connection:
            return connection.execute(update.values(withdrawn_at=at)).rowcount == 1

    def overrides(self, source: str, region_id: str, since: datetime) -> tuple[Override, ...]:
        """Return the overrides of a region that end after a moment, the oldest first."""
        table = overrides
        wanted = (table.c.source == source) & (table.c.region_id == region_id) & (table.c.until > since)
        wanted &= table.c.withdrawn_at.is_(None) | (table.c.withdrawn_at > since)
        query = sa.select(table).where(wanted).order_by(table.c.at, table.c.id)
        with self._ledger.reading() as connection:
            found = connection.execute(query).mappings().all()
        return tuple(
            Override(
                **{name: row[name] for name in _OVERRIDE}, scope=Scope(row["scope"]), level=RiskLevel(row["level"])
            )
            for row in found
        )


def _rule(row: Mapping[Any, Any]) -> AlertRule:
    said = json.loads(row["rule"])
    said |= {"level": RiskLevel(said["level"]), "event": _event(said["event"])}
    return AlertRule(id=row["id"], region_id=row["region_id"], **said)


def _event(key: str) -> EventDefinition:
    return _EVENTS[key]


def _state_text(state: State) -> str:
    hour = None if state.hour is None else state.hour.isoformat()
    return json.dumps({**asdict(state), "hour": hour, "peak": state.peak.value})


def _state(text: str) -> State:
    said = json.loads(text)
    hour = None if said["hour"] is None else datetime.fromisoformat(said["hour"])
    return State(**said | {"hour": hour, "peak": RiskLevel(said["peak"])})


def _alert(row: Mapping[Any, Any], acknowledged: tuple[Acknowledgement, ...]) -> Alert:
    detail = json.loads(row["detail"])
    return Alert(
        **{name: row[name] for name in (*_PLAIN, "ended", "ended_at")},
        **{name: detail[name] for name in _DETAIL},
        event=_event(detail["event"]),
        level=LADDER[row["level_rank"]],
        probability=math.nan if row["probability"] is None else row["probability"],
        places=tuple(json.loads(row["places"])),
        outcome=AlertOutcome(row["outcome"]),
        acknowledged=acknowledged,
    )
