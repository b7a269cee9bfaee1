"""The records of experiments, in the tables of the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from core.adapters.ledger import COUNTED, SqlLedger
from core.adapters.ledger_tables import (
    experiment_days,
    experiment_outcomes,
    experiment_results,
    experiment_steps,
    experiment_units,
)
from core.domain.experiment import CaseOutcome, Counts, ExperimentResult, Matured, Stage, Step
from core.domain.units import as_utc
from core.ports import Fold

#: Cases that are joined at once: two numbers each, where a database takes some 30,000.
CASES = 1_000
#: Rows that are read at once.
ROWS = 20_000
PENDING, MATURED, EXPIRED = "pending", "matured", "expired"


class SqlExperiments:
    """Port `ExperimentRecords` in the database of a ledger.

    Every call is one transaction, and writes before it reads: of several processes each waits for the other.
    """

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger, self._insert = ledger, ledger.insert

    def record_step(self, step: Step, number: int) -> bool:
        """Keep a step as the one of this number; say whether nobody else has made one in between."""
        row = {**asdict(step), "stage": step.stage.value, "detail": json.dumps(dict(step.detail)), "number": number}
        insert = self._insert(experiment_steps).on_conflict_do_nothing().returning(experiment_steps.c.id)
        with self._ledger.writing() as connection:
            return bool(connection.execute(insert, [row]).all())

    def steps(self, experiment_id: str) -> tuple[Step, ...]:
        """Return the steps of an experiment, oldest first."""
        table = experiment_steps
        query = sa.select(table).where(table.c.experiment_id == experiment_id).order_by(table.c.number)
        with self._ledger.reading() as connection:
            found = connection.execute(query).mappings().all()
        return tuple(
            Step(
                row["experiment_id"],
                row["at"],
                row["action"],
                Stage(row["stage"]),
                row["who"],
                row["why"],
                json.loads(row["detail"]),
            )
            for row in found
        )

    def record_results(self, results: Sequence[ExperimentResult], steps: Mapping[str, int]) -> int:
        """Keep results, the first of a variant and case; return how many are new."""
        if not results:
            return 0
        units = {
            (r.experiment_id, steps[r.experiment_id], r.variant_id, r.unit_or_day): None for r in results if r.shown
        }
        names = [column.name for column in experiment_units.columns]
        with self._ledger.writing() as connection:
            new = self._insert(experiment_results).on_conflict_do_nothing()
            count = connection.execute(new, [_row(r) for r in results], execution_options=COUNTED).rowcount
            if units:
                rows = [dict(zip(names, unit, strict=True)) for unit in units]
                connection.execute(self._insert(experiment_units).on_conflict_do_nothing(), rows)
        return int(count)

    def pending(self, experiment_id: str) -> tuple[tuple[str, datetime], ...]:
        """Return the cases whose outcome is not known yet, oldest first."""
        table = experiment_results
        wanted = (table.c.experiment_id == experiment_id) & (table.c.state == PENDING)
        query = sa.select(table.c.location_id, table.c.valid_at).where(wanted).distinct().order_by(table.c.valid_at)
        with self._ledger.reading() as connection:
            return tuple((place, at) for place, at in connection.execute(query))

    def mature(self, experiment_id: str, outcomes: Sequence[CaseOutcome], fold: Fold) -> int:
        """Join outcomes and add the results of their cases to the sums; return how many results matured."""
        count = 0
        for first in range(0, len(outcomes), CASES):  # the others write in between
            rows = [
                {
                    "experiment_id": experiment_id,
                    "valid_at": as_utc(one.valid_at),
                    "location_id": one.location_id,
                    "happened": one.happened,
                }
                for one in outcomes[first : first + CASES]
            ]
            with self._ledger.writing() as connection:
                matured = self._joined(connection, experiment_id, rows)
                count += len(matured)
                if matured:
                    self._add(connection, experiment_id, fold(matured))
        return count

    def _joined(self, connection: sa.Connection, experiment_id: str, rows: list[dict[str, Any]]) -> list[Matured]:
        """Keep the outcomes that are new, and return the results of their cases, which are now matured."""
        known, table = experiment_outcomes, experiment_results
        insert = (
            self._insert(known)
            .on_conflict_do_nothing()
            .returning(known.c.valid_at, known.c.location_id, known.c.happened)
        )
        happened = {(at, place): bool(what) for at, place, what in connection.execute(insert, rows)}
        if not happened:
            return []
        by_hour: dict[datetime, list[str]] = {}
        for at, place in happened:
            by_hour.setdefault(at, []).append(place)
        wanted = (table.c.experiment_id == experiment_id) & (table.c.state == PENDING)
        names = ("variant_id", "location_id", "valid_at", "probability", "latency_ms")
        found: list[sa.Row[Any]] = []
        # Hour by hour the key of the cases leads to them; of a list of pairs SQLite would read every case there is.
        for at, places in by_hour.items():
            mine = wanted & (table.c.valid_at == at) & table.c.location_id.in_(places)
            update = sa.update(table).where(mine).values(state=MATURED).returning(*(table.c[name] for name in names))
            found += connection.execute(update).all()
        return [
            Matured(
                row.variant_id,
                row.location_id,
                row.valid_at,
                row.probability,
                row.latency_ms,
                happened[row.valid_at, row.location_id],
            )
            for row in found
        ]

    def _add(
        self, connection: sa.Connection, experiment_id: str, new: Mapping[tuple[str, int], NDArray[np.float64]]
    ) -> None:
        table = experiment_days
        wanted = (table.c.experiment_id == experiment_id) & table.c.day.in_({day for _, day in new})
        before = {
            (row.variant_id, row.day): np.array(json.loads(row.sums))
            for row in connection.execute(sa.select(table).where(wanted))
        }
        rows = [
            {
                "experiment_id": experiment_id,
                "variant_id": variant,
                "day": day,
                "sums": json.dumps((vector + before.get((variant, day), 0.0)).tolist()),
            }
            for (variant, day), vector in new.items()
        ]
        insert = self._insert(table)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["experiment_id", "variant_id", "day"], set_={"sums": insert.excluded.sums}
            ),
            rows,
        )

    def expire(self, experiment_id: str, before: datetime) -> int:
        """Give up waiting for the outcome of results before a moment; return how many."""
        table = experiment_results
        wanted = (table.c.experiment_id == experiment_id) & (table.c.state == PENDING) & (table.c.valid_at < before)
        with self._ledger.writing() as connection:
            return int(connection.execute(sa.update(table).where(wanted).values(state=EXPIRED)).rowcount)

    def sums(self, experiment_id: str) -> Mapping[str, Mapping[int, NDArray[np.float64]]]:
        """Return the sums by variant and day."""
        table = experiment_days
        query = sa.select(table).where(table.c.experiment_id == experiment_id).order_by(table.c.day)
        found: dict[str, dict[int, NDArray[np.float64]]] = {}
        with self._ledger.reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.variant_id, {})[row.day] = np.array(json.loads(row.sums))
        return found

    def counts(self, experiment_id: str, step: int) -> Mapping[str, Counts]:
        """Return by variant what became of its results, and the units that were shown it since a step."""
        table, units = experiment_results, experiment_units
        by_state = (
            sa.select(table.c.variant_id, table.c.state, sa.func.count())
            .where(table.c.experiment_id == experiment_id)
            .group_by(table.c.variant_id, table.c.state)
        )
        by_unit = (
            sa.select(units.c.variant_id, sa.func.count())
            .where((units.c.experiment_id == experiment_id) & (units.c.step == step))
            .group_by(units.c.variant_id)
        )
        found: dict[str, dict[str, int]] = {}
        with self._ledger.reading() as connection:
            for variant, state, count in connection.execute(by_state):
                found.setdefault(variant, {})[state] = count
            for variant, count in connection.execute(by_unit):
                found.setdefault(variant, {})["units"] = count
        return {variant: Counts(**numbers) for variant, numbers in found.items()}

    def results(self, experiment_id: str) -> Iterator[Mapping[str, Any]]:
        """Yield every result with what became of it, in the order of recording."""
        table, known = experiment_results, experiment_outcomes
        same = sa.and_(*(table.c[name] == known.c[name] for name in ("experiment_id", "valid_at", "location_id")))
        names = ("variant_id", "location_id", "valid_at", "issued_at", "shown", "probability", "latency_ms", "state")
        query = (
            sa.select(*(table.c[name] for name in names), known.c.happened)
            .select_from(table.outerjoin(known, same))
            .where(table.c.experiment_id == experiment_id)
            .order_by(table.c.id)
        )
        with self._ledger.reading() as connection:
            for row in connection.execution_options(yield_per=ROWS).execute(query).mappings():
                yield dict(row)


def _row(result: ExperimentResult) -> dict[str, Any]:
    return {
        "experiment_id": result.experiment_id,
        "valid_at": result.valid_at,
        "location_id": result.location_id,
        "variant_id": result.variant_id,
        "issued_at": result.issued_at or result.valid_at,
        "shown": result.shown,
        "probability": result.prediction,
        "latency_ms": result.latency_ms,
        "state": PENDING,
    }
