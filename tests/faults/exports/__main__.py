"""Workbooks of texts that would rather be formulas: nothing is run, nothing is lost, as two foreign readers see it.

    python -m tests.faults.exports [--full] [--only GATE] [--out docs/RELIABILITY.md]

The full run goes over the last row of a sheet; the other calls a sheet full earlier.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, zip_longest
from pathlib import Path

import pytest
import xlsxwriter
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from core.adapters import excel
from core.adapters.excel.texts import LONGEST
from core.domain.workbook import Kind, Rows, Sheet, SheetColumn, Workbook
from tests.faults.gates import Gate, Result, main

#: Rows, and those after which the sheet of a short run is full.
ROWS, FULL, SHORT_SHEET = 60_000, 1_200_000, 25_000
#: Rows of the broken variant, enough for some of every text, and those beyond the end of its sheet.
CARELESS, SPILT = 5_000, 100
BEGIN = datetime(2026, 7, 1, tzinfo=UTC)
COLUMNS = SheetColumn("Place"), SheetColumn("Number", Kind.COUNT), SheetColumn("Valid from (UTC)", Kind.TIME)
#: What a foreign file may hold as the name of a station: formulas, links, marks, paths.
TEXTS = (
    "=1+1", '=cmd|" /C calc"!A0', "+1+1", "-2+3", "@SUM(A1)", "{=1+1}", "\t=1+1", "http://example.org/?a=b",
    "mailto:a@b.c", "external:..\\x.xlsx", "internal:Sheet!A1", "<r><t>bold</t></r>", "<img src=x>",
    "javascript:alert(1)", "../../etc/x", "0042", "1e5", "TRUE", "#N/A", "हरा ▲ 🌧", "two\nlines",
)  # fmt: skip
#: One that fills its cell to the last letter, now and then: longer ones are cut with a mark.
LONG, EVERY = "=" + "x" * (LONGEST - 1), 1_001

Row = tuple[str, int, datetime]


def rows_written(count: int) -> Iterator[Row]:
    for i in range(count):
        yield TEXTS[i % len(TEXTS)] if i % EVERY else LONG, i, BEGIN + timedelta(minutes=i)


@dataclass
class Read:
    """What a reader found: cells that are formulas, rows that are not there, rows that are other ones."""

    formulas: int = 0
    lost: int = 0
    other: int = 0

    @property
    def wrong(self) -> list[str]:
        """Findings in words."""
        return [f"{n} {what}" for what, n in vars(self).items() if n]


def _ours(path: Path, count: int) -> None:
    excel.write(Workbook("Cases", {}, (Sheet("Cases", COLUMNS, Rows(lambda: rows_written(count))),)), path)


def _as_it_comes(path: Path, count: int) -> None:
    """Write with xlsxwriter and its defaults, and without looking at what it returns."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet, day = book.add_worksheet("Cases"), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.xls_rowmax = count - SPILT  # the sheet of Excel has an end as well, where it says no word
        sheet.write_row(0, 0, [column.title for column in COLUMNS])
        for i, (text, number, at) in enumerate(rows_written(count), 1):
            sheet.write(i, 0, text)
            sheet.write(i, 1, number)
            sheet.write(i, 2, at.replace(tzinfo=None), day)


def _by_openpyxl(path: Path, count: int) -> Read:
    book, found = load_workbook(path, read_only=True), Read()

    def rows() -> Iterator[tuple[object, ...]]:
        for sheet in (sheet for sheet in book if sheet.title.startswith("Cases")):
            for row in sheet.iter_rows(min_row=2):
                found.formulas += sum(cell.data_type == "f" for cell in row)
                yield tuple(cell.value for cell in row)

    compared(rows(), count, found)
    book.close()
    return found


def _by_calamine(path: Path, count: int) -> Read:
    book, found = CalamineWorkbook.from_path(path), Read()
    sheets = [book.get_sheet_by_name(name) for name in book.sheet_names if name.startswith("Cases")]
    compared((_moments(row) for sheet in sheets for row in islice(sheet.iter_rows(), 1, None)), count, found)
    return found


def _moments(row: list[object]) -> tuple[object, ...]:
    """Return a row in which midnight is a moment: calamine makes a day of it."""
    return tuple(datetime.combine(v, time.min) if type(v) is date else v for v in row)


def compared(rows: Iterator[tuple[object, ...]], count: int, found: Read) -> None:
    """Hold the rows of a reader against those that were written, in their order."""
    for row, written in zip_longest(rows, rows_written(count)):
        if row is None:
            found.lost += 1
        elif written is None:
            found.other += 1
        else:
            text, number, at = written
            # A reader may lose blanks at the ends.
            same = isinstance(row[0], str) and row[0].strip() == text.strip()
            found.other += not (same and row[1] == number and row[2] == at.replace(tzinfo=None))


READERS: dict[str, Callable[[Path, int], Read]] = {"openpyxl": _by_openpyxl, "calamine": _by_calamine}


def gate_of_workbooks(folder: Path, full: bool) -> Result:
    """Write, read twice; and a workbook as xlsxwriter makes it by itself."""
    count, path = FULL if full else ROWS, folder / "ours.xlsx"
    with pytest.MonkeyPatch.context() as patch:
        if not full:
            patch.setattr("core.adapters.excel.book.MOST_ROWS", SHORT_SHEET)
        _ours(path, count)
    found = {name: read(path, count) for name, read in READERS.items()}
    careless = folder / "careless.xlsx"
    _as_it_comes(careless, CARELESS)
    control = _by_openpyxl(careless, CARELESS)
    sheets = sum(name.startswith("Cases") for name in load_workbook(path, read_only=True).sheetnames)
    return Result(
        f"{count:,} rows in {sheets} sheets read by {' and '.join(READERS)}:"
        f" {sum(one.formulas for one in found.values())} formulas, {sum(one.lost for one in found.values())} rows lost,"
        f" {sum(one.other for one in found.values())} changed",
        [f"{name}: {wrong}" for name, one in found.items() for wrong in one.wrong],
        f"as xlsxwriter comes {control.formulas} formulas, {control.other} rows changed and {control.lost} lost of"
        f" {CARELESS:,}",
        bool(control.formulas and control.other and control.lost >= SPILT),
    )


GATES: dict[str, Gate] = {"workbooks": gate_of_workbooks}

if __name__ == "__main__":
    sys.exit(main("tests.faults.exports", GATES))
