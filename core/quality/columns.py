"""Weather records as columns: from records that were read, or straight from a frame, with what does not fit the schema.

The schema of a frame is that of `core.quality.schema`, column by column: NaN is missing there, everything else that is
no finite number is refused, value by value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from core.domain.quality import Finding, Mask
from core.domain.weather import VARIABLES, Flag
from core.quality import schema

Numbers = NDArray[np.float64]
Moments = NDArray[np.datetime64]

#: The name of the check that a record fits the schema.
SCHEMA = "schema"
NOT_A_TIME = np.datetime64("NaT", "s")


@dataclass(frozen=True)
class Places:
    """Who sent each record: `row` (records,) points into `ids`, -1 where a record does not say."""

    ids: tuple[str, ...]
    row: NDArray[np.int64]


@dataclass(frozen=True)
class Columns:
    """Records as columns, every array of shape (records,).

    `values` has the variables that were sent and those that are required, NaN where missing, raw where refused;
    `position` latitude, longitude (degrees) and elevation_m; `valid_at` and `available_at` are datetime64[s], UTC, NaT
    where not sent.
    `misfits` says what does not fit the schema: FAIL, or MISSING where something required was not sent.
    """

    records: int
    values: Mapping[str, Numbers]
    position: Mapping[str, Numbers]
    places: Places
    valid_at: Moments
    available_at: Moments
    misfits: tuple[Finding, ...]
    extra: int


def from_readings(readings: Sequence[schema.Reading]) -> Columns:
    """Return records that were read one by one as columns."""
    sent = frozenset[str]().union(*(r.sent for r in readings))
    misfits: dict[schema.Misfit, list[int]] = {}
    for row, reading in enumerate(readings):
        for misfit in reading.misfits:
            misfits.setdefault(misfit, []).append(row)
    wanted = sent | {m.field for m in misfits}
    columns = {
        name: np.array([r.values.get(name, np.nan) for r in readings])
        for name in (*VARIABLES, *schema.POSITION)
        if name in wanted or name in schema.POSITION
    }
    fits = [r.record for r in readings]
    ids = [None if record is None else record.location_id for record in fits]
    return Columns(
        len(readings),
        {name: array for name, array in columns.items() if name not in schema.POSITION},
        {name: columns[name] for name in schema.POSITION},
        _numbered(ids),
        _written([None if record is None else record.valid_at for record in fits]),
        _written([None if record is None else record.available_at for record in fits]),
        tuple(_finding(m.field, m.reason, _at(rows, len(readings)), m.missing) for m, rows in misfits.items()),
        max((r.extra for r in readings), default=0),
    )


def from_frame(frame: pd.DataFrame) -> Columns:
    """Return a frame as columns; it is not changed, and columns of float64 are not copied."""
    records = len(frame)
    fields = [schema.FIELD_OF.get(name) if isinstance(name, str) else None for name in frame.columns]
    found: dict[str, pd.Series] = {}
    misfits: list[Finding] = []
    for at, field in enumerate(fields):
        if field in found:
            misfits.append(_finding(field, schema.TWICE, np.ones(records, bool)))
        elif field is not None:
            found[field] = frame.iloc[:, at]
    numbers: dict[str, Numbers] = {}
    for field in (*VARIABLES, *schema.POSITION):
        numbers[field] = np.empty(0)
        if field in found:
            numbers[field], wrong = _numbers(found[field])
            misfits += [_finding(field, reason, where) for reason, where in wrong]
    absent = {field for field, array in numbers.items() if field not in found}
    empty = np.broadcast_to(np.nan, records)  # read-only, and costs nothing
    needed = {*schema.REQUIRED, *schema.POSITION}
    if not set(schema.PRESSURES) & set(found):
        needed.add(schema.PRESSURES[0])
    numbers = {f: empty if f in absent else array for f, array in numbers.items() if f in needed or f not in absent}
    places, wrong_ids = _places(found.get("location_id"), records)
    valid_at, wrong_times = _moments(found.get("valid_at"), "valid_at", records)
    available_at, wrong_news = _moments(found.get("available_at"), "available_at", records)
    misfits += [*wrong_ids, *wrong_times, *wrong_news, *_outside(numbers)]
    refused = {f.variable: f.where for f in misfits}
    return Columns(
        records,
        {f: array for f, array in numbers.items() if f not in schema.POSITION},
        {f: numbers[f] for f in schema.POSITION},
        places,
        valid_at,
        available_at,
        (*misfits, *_missing(numbers, refused)),
        fields.count(None),
    )


def _finding(field: str, reason: str, where: Mask, missing: bool = False) -> Finding:
    return Finding(SCHEMA, field, Flag.MISSING if missing else Flag.FAIL, reason, where)


def _at(rows: Sequence[int], records: int) -> Mask:
    where = np.zeros(records, bool)
    where[list(rows)] = True
    return where


def _numbered(ids: Sequence[str | None]) -> Places:
    known = {name: i for i, name in enumerate(dict.fromkeys(name for name in ids if name is not None))}
    rows = [-1 if name is None else known[name] for name in ids]
    return Places(tuple(known), np.array(rows, np.int64))


def _numbers(column: pd.Series) -> tuple[Numbers, list[tuple[str, Mask]]]:
    """Return a column as numbers, NaN where missing, and where it holds something else."""
    wrong: list[tuple[str, Mask]] = []
    dtype = column.dtype
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_complex_dtype(dtype):
        return np.full(len(column), np.nan), [(schema.NO_NUMBER, column.notna().to_numpy())]
    if pd.api.types.is_numeric_dtype(dtype):
        plain = isinstance(dtype, np.dtype)
        array = column.to_numpy(np.float64) if plain else column.to_numpy(np.float64, na_value=np.nan)
    else:
        array, no_number = _cells(column)
        if no_number.any():
            wrong.append((schema.NO_NUMBER, no_number))
    if not np.isfinite(array).all():
        infinite = np.isinf(array)
        if infinite.any():
            wrong.append((schema.NOT_FINITE, infinite))
    return array, wrong


def _cells(column: pd.Series) -> tuple[Numbers, Mask]:
    """Return the numbers of a column of mixed cells, and where a cell is neither a number nor missing."""
    array, wrong = np.full(len(column), np.nan), np.zeros(len(column), bool)
    for row, cell in enumerate(column.to_numpy(object)):
        if schema.is_number(cell):
            try:
                array[row] = float(cell)
            except OverflowError:  # an integer beyond every float
                wrong[row] = True
        else:
            wrong[row] = not (cell is None or cell is pd.NA or cell is pd.NaT)
    return array, wrong


def _places(column: pd.Series | None, records: int) -> tuple[Places, list[Finding]]:
    if column is None:
        return Places((), np.broadcast_to(np.int64(-1), records)), []
    row, names = pd.factorize(column)
    good = np.array([schema.is_plain_text(name) for name in names], bool)
    wrong = (row >= 0) & ~np.append(good, False)[row]
    ids = tuple(str(name) if fits else "" for name, fits in zip(names, good, strict=True))
    findings = [_finding("location_id", schema.NO_TEXT, wrong)] if wrong.any() else []
    return Places(ids, np.where(wrong, -1, row).astype(np.int64)), findings


def _written(times: Sequence[datetime | None]) -> Moments:
    """Return times (UTC) as an array."""
    return np.array([NOT_A_TIME if t is None else np.datetime64(t.replace(tzinfo=None), "s") for t in times], "M8[s]")


def _moments(column: pd.Series | None, field: str, records: int) -> tuple[Moments, list[Finding]]:
    """Return times in UTC, and where there is something else; each distinct cell is read once."""
    if column is None:
        return np.broadcast_to(NOT_A_TIME, records), []
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("M8[s]"), []
    row, cells = pd.factorize(column)
    moments, reasons = np.full(len(cells) + 1, NOT_A_TIME), np.full(len(cells) + 1, "", object)
    for i, cell in enumerate(cells):
        try:
            moments[i] = _written([schema.read_moment(cell)])[0]
        except PydanticCustomError as error:
            reasons[i] = error.message()
    said = reasons[row]
    findings = [_finding(field, str(reason), said == reason) for reason in dict.fromkeys(reasons) if reason]
    return moments[row], findings


def _outside(numbers: Mapping[str, Numbers]) -> Iterator[Finding]:
    for field, (low, high) in schema.LIMITS.items():
        where = (numbers[field] < low) | (numbers[field] > high)
        if where.any():
            yield _finding(field, schema.OUTSIDE, where)


def _missing(numbers: Mapping[str, Numbers], refused: Mapping[str, Mask]) -> Iterator[Finding]:
    """Yield what is required and was not sent; a value that was refused was sent."""

    def absent(field: str) -> Mask | np.bool_:
        if field not in numbers:
            return np.True_
        gone = np.isnan(numbers[field])
        return gone & ~refused[field] if field in refused else gone

    for field in schema.REQUIRED:
        where = np.asarray(absent(field))
        if where.any():
            yield _finding(field, schema.MISSING, where, missing=True)
    one, other = schema.PRESSURES
    neither = np.asarray(absent(one) & absent(other))
    if neither.any():
        yield _finding(one if one in numbers else other, schema.NO_PRESSURE, neither, missing=True)
