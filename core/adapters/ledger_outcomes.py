"""Forecasts as rows, and joined with what happened: the queries of the ledger about truth."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from core.adapters.ledger_tables import OUTCOME_KEY, column_of, forecasts, outcomes
from core.domain.forecast import EVENTS, EventDefinition, RegionForecast, Window, events_in, known_or_none
from core.domain.verification import Outcome, Truth, VerifiedCases
from core.ports import OpenPeriod, Period

#: Columns of `forecasts` with probabilities.
PROBABILITIES = tuple(event.key for event in EVENTS)
#: What an outcome says: its truth, and when that could be known and was written down.
TRUTH = ("state", "hourly_mm", "two_hour_mm")
SAID = (*TRUTH, "available_at", "joined_at")
#: Rows that are turned into arrays, or written, at once.
ROWS = 5_000
#: Every forecast, with its outcome where there is one.
_JOINED = forecasts.outerjoin(outcomes, sa.and_(*(forecasts.c[name] == outcomes.c[name] for name in OUTCOME_KEY)))


def issue_rows(issue: RegionForecast, shown: bool) -> Iterator[dict[str, Any]]:
    """Yield an issue as rows, one per place and window."""
    for forecast in issue.forecasts:
        said = {
            "region_id": issue.region.id,
            "location_id": forecast.location_id,
            "issued_at": forecast.issued_at,
            "valid_from": forecast.valid_from,
            "data_at": forecast.data_at,
            "source": issue.source,
            "model_version": forecast.model_version or "",
            "level": forecast.level.value,
            "freshness": forecast.freshness.value,
            "content": issue.content,
            "worst_flag": int(forecast.worst_flag),
            "shown": shown,
            **dict.fromkeys(PROBABILITIES),
        }
        for curve in forecast.curves:
            hours, columns = _columns(curve.events)
            yield said | hours | dict(zip(columns, map(known_or_none, curve.probability), strict=True))


def issued(
    connection: sa.Connection,
    source: str,
    region_id: str,
    window: Window,
    period: OpenPeriod,
    *,
    shown: bool,
    model_version: str | None,
) -> VerifiedCases:
    """Return every issue of a window whose `valid_from` lies in a period, with its truth: of one model or of all."""
    moments = [sa.type_coerce(forecasts.c[name], sa.DateTime) for name in ("valid_from", "issued_at")]
    texts = [forecasts.c.location_id, forecasts.c.level, forecasts.c.model_version, outcomes.c.state]
    numbers = [outcomes.c.hourly_mm, outcomes.c.two_hour_mm, *(forecasts.c[column_of(e)] for e in events_in(window))]
    wanted = _of(source, region_id) & (forecasts.c.begin_h == window.begin_h)
    wanted &= (forecasts.c.window_h == window.length_h) & (forecasts.c.shown == shown)
    if model_version is not None:
        wanted &= forecasts.c.model_version == model_version
    since, until = period
    if since is not None:
        wanted &= forecasts.c.valid_from >= since
    if until is not None:
        wanted &= forecasts.c.valid_from <= until
    query = sa.select(*moments, *texts, *numbers).select_from(_JOINED).where(wanted).order_by(forecasts.c.id)
    parts = [VerifiedCases.none(source, region_id, window)]
    with connection.execution_options(yield_per=ROWS).execute(query) as result:
        parts += [_cases(parts[0], rows) for rows in result.partitions()]
    return VerifiedCases.joined(parts)


def first_issued(connection: sa.Connection, source: str, region_id: str) -> datetime | None:
    """Return the first `valid_from` of a region, None where nothing was recorded."""
    query = sa.select(sa.func.min(forecasts.c.valid_from)).where(_of(source, region_id))
    first: datetime | None = connection.execute(query).scalar()
    return first


def awaited(
    connection: sa.Connection, source: str, region_id: str, period: Period, known_since: datetime
) -> tuple[Outcome, ...]:
    """Return the windows forecast in a period, without its end; known ones only from `known_since` on."""
    begin, end = period
    hour = forecasts.c.valid_from
    open_still = outcomes.c.state.is_(None) | (outcomes.c.state != Truth.KNOWN.value) | (hour >= known_since)
    columns = [forecasts.c[name] for name in ("location_id", "valid_from", "begin_h", "window_h")]
    query = sa.select(*columns, *(outcomes.c[name] for name in SAID)).distinct().select_from(_JOINED)
    found = connection.execute(query.where(_of(source, region_id), hour >= begin, hour < end, open_still))
    return tuple(
        Outcome(
            source=source,
            region_id=region_id,
            location_id=row.location_id,
            valid_from=row.valid_from,
            window=Window(row.begin_h, row.begin_h + row.window_h),
            truth=Truth(row.state or Truth.PENDING),
            hourly_mm=_number(row.hourly_mm),
            two_hour_mm=_number(row.two_hour_mm),
            available_at=row.available_at,
            joined_at=row.joined_at,
        )
        for row in found
    )


def row(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as a row."""
    return {
        "source": outcome.source,
        "region_id": outcome.region_id,
        "location_id": outcome.location_id,
        "valid_from": outcome.valid_from,
        "begin_h": outcome.window.begin_h,
        "window_h": outcome.window.length_h,
        "state": outcome.truth.value,
        "hourly_mm": known_or_none(outcome.hourly_mm),
        "two_hour_mm": known_or_none(outcome.two_hour_mm),
        "available_at": outcome.available_at,
        "joined_at": outcome.joined_at,
    }


@cache
def _columns(events: tuple[EventDefinition, ...]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return what the columns say of a window, and the columns of its events; there are as many as there are windows.

    Finding the names takes longer than writing the row.
    """
    window = events[0].window
    return {"begin_h": window.begin_h, "window_h": window.length_h}, tuple(column_of(event) for event in events)


def _of(source: str, region_id: str) -> sa.ColumnElement[bool]:
    return (forecasts.c.source == source) & (forecasts.c.region_id == region_id)


def _cases(none: VerifiedCases, rows: Any) -> VerifiedCases:
    """Return rows as cases of the kind of `none`: NULL is NaN, and no state is a truth that is pending."""
    valid_from, issued_at, location_id, level, model_version, state, hourly, two_hour, *given = zip(*rows, strict=True)
    return VerifiedCases(
        source=none.source,
        region_id=none.region_id,
        window=none.window,
        location_id=_texts(location_id),
        valid_from=np.array(valid_from, "datetime64[h]"),
        issued_at=np.array(issued_at, "datetime64[s]"),
        probability=np.array(given, float).T,
        level=_texts(level),
        model_version=_texts(model_version),
        truth=_texts(s or Truth.PENDING.value for s in state),
        hourly_mm=np.array(hourly, float),
        two_hour_mm=np.array(two_hour, float),
    )


def _texts(values: Iterable[str]) -> NDArray[np.object_]:
    """Return texts as one array; SQLite gives a text of its own for every row."""
    return np.array([sys.intern(value) for value in values], object)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
