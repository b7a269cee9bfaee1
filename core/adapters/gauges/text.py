"""Delimited text of observations: read fast by pyarrow; the offending line is looked for only after a failure."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from core.adapters.gauges.columns import mismatch
from core.errors import SchemaMismatch

#: What is read as a missing number beside nothing at all: how pandas and R write it.
MISSING = ("", "NaN", "nan", "NA", "null")
#: Few distinct texts in millions of rows: stations and hours are read as codes into a dictionary.
CODED = pa.dictionary(pa.int32(), pa.string())
#: Beyond it a float32 is infinite.
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class TextForm:
    """How a text file is written."""

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    #: Lines before the line of column names.
    preamble: int = 0

    def is_number(self, text: str) -> bool:
        """Say whether `text` is a finite number or a missing one."""
        text = text.strip()
        if text in MISSING:
            return True
        return _number(self.decimal).fullmatch(text) is not None and abs(self.number(text)) <= _LARGEST

    def number(self, text: str) -> float:
        """Return the number that `text` is, NaN where it is missing."""
        text = text.strip()
        return math.nan if text in MISSING else float(text.replace(self.decimal, "."))


@cache
def _number(decimal: str) -> re.Pattern[str]:
    decimal = re.escape(decimal)
    return re.compile(rf"[+-]?(\d+({decimal}\d*)?|{decimal}\d+)([eE][+-]?\d+)?", re.ASCII)


def check_utf8(path: Path) -> None:
    """Refuse a file that is not UTF-8.

    Raises
    ------
    SchemaMismatch
        Naming the first line that cannot be decoded.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                raise mismatch(path, "(text)", number, "is not UTF-8", "Save the file as UTF-8.") from None


def rows(path: Path, form: TextForm) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and fields of every row that is not empty; the first are the column names."""
    encoding = "utf-8-sig" if form.encoding == "utf-8" else form.encoding
    with path.open(encoding=encoding, newline="") as file:
        for _ in islice(file, form.preamble):
            pass
        reader = csv.reader(file, delimiter=form.delimiter)
        for fields in reader:
            if fields:
                yield form.preamble + reader.line_num, fields


def header(path: Path, form: TextForm) -> list[str]:
    """Return the column names.

    Raises
    ------
    SchemaMismatch
        If the file is empty or its first lines are no text.
    """
    try:
        first = next(rows(path, form), None)
    except (UnicodeDecodeError, csv.Error):
        check_utf8(path)
        raise mismatch(path, "(text)", 1, "has no line of column names") from None
    if first is None:
        raise mismatch(path, "(text)", 1, "is empty: there is no line of column names")
    return first[1]


def has_rows(path: Path, form: TextForm) -> bool:
    """Say whether there is a row below the column names."""
    try:
        return len(list(islice(rows(path, form), 2))) > 1
    except (UnicodeDecodeError, csv.Error):
        return True  # something is there; reading it will say what is wrong with it


def line_of_row(path: Path, form: TextForm, row: int) -> int:
    """Return the line in the file of a row counted from 0 below the column names."""
    found = next(islice(rows(path, form), row + 1, None), None)
    return found[0] if found else form.preamble + row + 2


def read_table(path: Path, form: TextForm, texts: Sequence[str], numbers: Sequence[str]) -> pa.Table:
    """Read some columns: `texts` as codes into a dictionary, `numbers` as float32, null where missing.

    Raises
    ------
    SchemaMismatch
        If a number is none or a row has too few or too many fields.
    """
    if form.encoding == "utf-8":
        check_utf8(path)
    types = dict.fromkeys(texts, CODED) | dict.fromkeys(numbers, pa.float32())
    try:
        return _read(path, form, types)
    except pa.ArrowInvalid:
        raise _explain(path, form, numbers) from None


def _read(path: Path, form: TextForm, types: Mapping[str, pa.DataType]) -> pa.Table:
    return pa.csv.read_csv(
        path,
        read_options=pa.csv.ReadOptions(encoding=form.encoding, skip_rows=form.preamble),
        parse_options=pa.csv.ParseOptions(delimiter=form.delimiter),
        convert_options=pa.csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=list(MISSING),
            decimal_point=form.decimal,
        ),
    )


def _explain(path: Path, form: TextForm, numbers: Sequence[str]) -> SchemaMismatch:
    """Return what is wrong with a file that pyarrow refused: a row of another length, or a text for a number."""
    try:
        table = rows(path, form)
        start, names = next(table)
        for line, fields in table:
            if len(fields) != len(names):
                return mismatch(path, "(row)", line, f"{len(fields)} fields where the header has {len(names)}")
        texts = _read(path, form, dict.fromkeys(numbers, CODED))
    except (csv.Error, pa.ArrowInvalid):
        return mismatch(path, "(table)", form.preamble + 1, "cannot be read as a table", "Are quotes broken?")
    found = []
    for name in numbers:
        codes, distinct = codes_of(texts.column(name))
        bad = [i for i, text in enumerate(distinct) if not form.is_number(text or "")]
        wrong = np.isin(codes, bad)
        if wrong.any():
            row = int(wrong.argmax())
            found.append((row, name, distinct[codes[row]] or ""))
    if not found:
        return mismatch(path, "(table)", start, "cannot be read as a table", "Are quotes or line ends broken?")
    row, name, text = min(found)
    return not_a_number(path, name, line_of_row(path, form, row), text, form.decimal)


def not_a_number(path: Path, column: str, line: int, text: str, decimal: str = ".") -> SchemaMismatch:
    """Return the error for a text where a number must be."""
    mark = "point" if decimal == "." else "comma"
    hint = f"Numbers are written with a decimal {mark}; a missing value is left empty."
    return mismatch(path, column, line, f"{text[:30]!r} is not a number", hint)


def codes_of(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str | None]]:
    """Return a column of texts as codes (-1 where null) and what they stand for."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # combine_chunks keeps a column without chunks as it is
        return np.empty(0, np.int64), []
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, whole.dictionary.to_pylist()
