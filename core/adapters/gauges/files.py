"""One observation file, Parquet or CSV, read and checked into one form.

The form is a frame with `station_id` (categorical of text), `valid_at` (datetime64[s, UTC], end of the hour) and the
variables that the file has as float32, NaN where missing, in the order of the rows of the file. Values are as they
came: single wild values are kept for the quality checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.adapters.gauges.columns import LineOf, check_columns, check_units, mismatch
from core.adapters.gauges.text import (
    TextForm,
    codes_of,
    has_rows,
    header,
    line_of_row,
    not_a_number,
    read_table,
)
from core.adapters.gauges.times import PER_SECOND, Seconds, check_time_type, epoch_s, times
from core.domain.weather import Values

#: First and last second (since 1970, UTC) that is wanted or there, both included.
Span = tuple[int, int]

#: Written by many archives where nothing was measured.
SENTINEL = -9999.0

_FORM = TextForm()


class ObservationFile(Protocol):
    """One file of observations, of any form."""

    @property
    def path(self) -> Path:
        """Where it is."""

    def has_rows(self) -> bool:
        """Say whether it holds a row, without reading all of it."""

    def variables(self) -> tuple[str, ...]:
        """Return the variables that it has, after a check of the names and types of its columns."""

    def span(self) -> Span | None:
        """Return the first and last second it holds if that can be known without reading it."""

    def read(self, wanted: Span | None = None) -> pd.DataFrame:
        """Return all rows after all checks, or the wanted ones of a file that was checked before."""

    def line_of(self, row: int) -> int:
        """Return the line of a row of the whole file, counted from 0."""


@dataclass(frozen=True)
class CsvFile:
    """Observations as comma-separated text in UTF-8."""

    path: Path

    def has_rows(self) -> bool:
        """Say whether there is a row below the column names."""
        return has_rows(self.path, _FORM)

    def variables(self) -> tuple[str, ...]:
        """Return the variables among the column names."""
        return check_columns(header(self.path, _FORM), self.path)

    def span(self) -> Span | None:
        """Return None: text must be read to be known."""
        return None

    def read(self, wanted: Span | None = None) -> pd.DataFrame:  # noqa: ARG002 - text is read as a whole
        """Return all rows."""
        names = self.variables()
        table = read_table(self.path, _FORM, ("station_id", "valid_at"), names)
        return canonical(table, names, self.path, self.line_of)

    def line_of(self, row: int) -> int:
        """Return the line in the file; the column names are line 1."""
        return line_of_row(self.path, _FORM, row)


@dataclass(frozen=True)
class ParquetFile:
    """Observations as a Parquet file."""

    path: Path

    def has_rows(self) -> bool:
        """Say whether there is a row."""
        with self._open() as file:
            return bool(file.metadata.num_rows > 0)

    def variables(self) -> tuple[str, ...]:
        """Return the variables of the schema."""
        with self._open() as file:
            schema = file.schema_arrow
        names = check_columns(schema.names, self.path)
        check_time_type(schema.field("valid_at").type, self.path)
        return names

    def span(self) -> Span | None:
        """Return what the statistics of the row groups say of valid_at, None where they say nothing."""
        with self._open() as file:
            kind = file.schema_arrow.field("valid_at").type
            place = file.metadata.schema.names.index("valid_at")
            groups = [file.metadata.row_group(i).column(place).statistics for i in range(file.metadata.num_row_groups)]
        if not pa.types.is_timestamp(kind) or not groups or not all(s is not None and s.has_min_max for s in groups):
            return None
        first, last = min(s.min for s in groups), max(s.max for s in groups)
        return epoch_s(pd.Timestamp(first)), epoch_s(pd.Timestamp(last))

    def read(self, wanted: Span | None = None) -> pd.DataFrame:
        """Return all rows, or only the wanted ones: then row groups without any are not read."""
        names = self.variables()
        columns = ["station_id", "valid_at", *names]
        with self._open() as file:
            kind = file.schema_arrow.field("valid_at").type
        keep = None if wanted is None or not pa.types.is_timestamp(kind) else _between(wanted, kind)
        try:
            # Without partitioning=None a folder called "year=2020" would become a column.
            table = pq.read_table(
                self.path, columns=columns, filters=keep, partitioning=None, read_dictionary=["station_id"]
            )
        except (pa.ArrowException, OSError):
            raise self._unreadable() from None
        try:
            return canonical(table, names, self.path, self.line_of, check=keep is None)
        except UnicodeDecodeError:
            raise mismatch(self.path, "(text)", _undecodable_row(table) + 1, "is not UTF-8") from None

    def line_of(self, row: int) -> int:
        """Return the number of the row, from 1."""
        return row + 1

    def _open(self) -> Any:
        try:
            return pq.ParquetFile(self.path)
        except (FileNotFoundError, PermissionError):
            raise
        except (pa.ArrowException, OSError):
            raise self._unreadable() from None

    def _unreadable(self) -> Exception:
        return mismatch(self.path, "(file)", 1, "cannot be read as Parquet", "Is the file complete?")


def canonical(
    table: pa.Table, names: tuple[str, ...], path: Path, line_of: LineOf, *, check: bool = True
) -> pd.DataFrame:
    """Return a table of observations in the form of the house, checked value by value.

    Raises
    ------
    SchemaMismatch
        If a station, a time, a number or a unit is not what it must be.
    """
    seconds = times(table.column("valid_at"), path, line_of)
    values = {name: numbers(table.column(name), name, path, line_of) for name in names}
    if check:
        check_units(values, path, line_of)
    return frame_of(_stations(table.column("station_id"), path, line_of), seconds, values)


def frame_of(stations: pd.Categorical, seconds: Seconds, values: Mapping[str, Values]) -> pd.DataFrame:
    """Return the frame of one file from its columns."""
    valid_at = pd.DatetimeIndex(seconds.view("datetime64[s]")).tz_localize("UTC")
    return pd.DataFrame({"station_id": stations, "valid_at": valid_at, **values}, copy=False)


def numbers(column: pa.ChunkedArray, name: str, path: Path, line_of: LineOf) -> Values:
    """Return a column as float32, NaN where it is missing or -9999.

    Raises
    ------
    SchemaMismatch
        If a value is no number, or infinite.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = _numbers_in_text(column, name, path, line_of)
    elif not (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or kind == pa.null()
    ):
        raise mismatch(path, name, 1, f"the column holds {kind}, not numbers")
    values: Values = np.array(column.cast(pa.float32(), safe=False).to_numpy(), np.float32)
    infinite = np.isinf(values)
    if infinite.any():
        raise mismatch(path, name, line_of(int(infinite.argmax())), "the value is infinite", "Missing is left empty.")
    values[values == SENTINEL] = np.nan
    return values


def _numbers_in_text(column: pa.ChunkedArray, name: str, path: Path, line_of: LineOf) -> pa.ChunkedArray:
    codes, texts = codes_of(column)
    bad = [i for i, text in enumerate(texts) if text is not None and not _FORM.is_number(text)]
    if bad:
        row = int(np.isin(codes, bad).argmax())
        raise not_a_number(path, name, line_of(row), str(texts[codes[row]]))
    known = [_FORM.number(text or "") for text in texts]
    return pa.chunked_array([pa.array(np.array([*known, np.nan], np.float64)[codes])])


def _stations(column: pa.ChunkedArray, path: Path, line_of: LineOf) -> pd.Categorical:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_integer(kind):
        column = column.cast(kind).cast(pa.string())
    elif not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.null()):
        raise mismatch(path, "station_id", 1, f"the column holds {kind}, not text")
    codes, texts = codes_of(column)
    names = [(text or "").strip() for text in texts]
    unnamed = np.isin(codes, [-1, *(i for i, name in enumerate(names) if not name)])
    if unnamed.any():
        raise mismatch(path, "station_id", line_of(int(unnamed.argmax())), "the station is missing")
    unique = list(dict.fromkeys(names))
    place = {name: i for i, name in enumerate(unique)}
    renumbered = np.array([place[name] for name in names], np.int32)[codes]
    stations = pd.Categorical.from_codes(renumbered, categories=pd.Index(unique, dtype="str"))
    return stations.remove_unused_categories()  # a dictionary may hold stations of other files


def _undecodable_row(table: pa.Table) -> int:
    """Return the first row with a text that is not UTF-8."""
    for name in table.column_names:
        column = table.column(name)
        column = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            for row, raw in enumerate(column.cast(pa.large_binary()).to_pylist()):
                if raw is not None and raw.decode("utf-8", "replace").encode() != raw:
                    return row
    return 0


def _between(wanted: Span, kind: Any) -> Any:
    first, last = (pa.scalar(second * PER_SECOND[kind.unit], pa.int64()).cast(kind) for second in wanted)
    return (pc.field("valid_at") >= first) & (pc.field("valid_at") <= last)
