"""Writes a workbook: every cell once, in constant memory, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import xlsxwriter
from xlsxwriter.exceptions import XlsxFileError, XlsxWriterException
from xlsxwriter.worksheet import Worksheet

from core.adapters.excel import looks
from core.adapters.excel.cells import Cells, must
from core.adapters.excel.lean import LeanSheet
from core.adapters.excel.texts import sheet_name
from core.adapters.files import unwritable, write_whole
from core.domain.workbook import NOTE, PROVENANCE, ROWS, SHEET, Sheet, Workbook

#: Rows of data on one sheet: as many as Excel has, less the head.
MOST_ROWS = 1_048_575
#: What else stands in a file: no text is ever taken for a formula, a link or a number.
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write(workbook: Workbook, path: Path) -> Mapping[str, int]:
    """Write a workbook whole or not at all; return the number of rows of data on every sheet, by its name in the file.

    The first sheet is that of provenance. A table of more rows than a sheet has goes on in the next one, "name (2)".

    Raises
    ------
    ConfigurationError
        If the file cannot be written; what stood there stays.
    ValueError
        If a value does not fit its column, or a cell lies outside the sheet.
    """
    counts: dict[str, int] = {}
    try:
        write_whole(path, lambda temporary: counts.update(_fill(workbook, temporary)))
    except OSError as error:
        raise unwritable(f"the workbook {path.name}", error) from None
    except XlsxFileError as error:  # holds the error of the disk, where there was one
        reason = error.args[0] if error.args else error
        cause = reason if isinstance(reason, OSError) else OSError(0, str(reason))
        raise unwritable(f"the workbook {path.name}", cause) from None
    except XlsxWriterException as error:
        raise ValueError(f"{path.name}: {error}") from error
    return counts


def _fill(workbook: Workbook, path: Path) -> dict[str, int]:
    with TemporaryDirectory(prefix="workbook") as rows_folder:  # constant memory keeps rows in files until the end
        book = xlsxwriter.Workbook(str(path), {**OPTIONS, "tmpdir": rows_folder})
        try:
            return _filled(workbook, book)
        except BaseException:
            for sheet in book.worksheets():
                sheet._opt_close()  # no public way to let go of the files without writing the workbook
            book.fileclosed = True
            raise


def _filled(workbook: Workbook, book: xlsxwriter.Workbook) -> dict[str, int]:
    properties: dict[str, object] = {"title": looks.words_of(workbook.title), "comments": "Cloudburst Watch"}
    if workbook.made_at is not None:
        properties["created"] = workbook.made_at.astimezone(UTC).replace(tzinfo=None)
    book.set_properties(properties)
    cells = Cells(workbook, book)
    first = book.add_worksheet(sheet_name(workbook.word(PROVENANCE), ()))
    found = [(name, n, sheet.note) for sheet in workbook.sheets for name, n in _table(cells, sheet)]
    _provenance(cells, first, found)
    first.activate()
    book.close()
    return {name: n for name, n, _ in found}


def _table(cells: Cells, sheet: Sheet) -> list[tuple[str, int]]:
    """Write a table on as many sheets as it needs; return their names and numbers of rows."""
    rows = iter(sheet.rows)
    found: list[tuple[str, int]] = []
    following: tuple[tuple[object, ...], ...] = ()
    while not found or following:
        name = sheet_name(sheet.name, (s.name for s in cells.book.worksheets()), len(found) + 1)
        target = cells.book.add_worksheet(name, LeanSheet)
        looks.head(cells, target, sheet.columns)
        count = cells.rows(target, sheet.columns, islice(chain(following, rows), MOST_ROWS))
        looks.finish(cells, target, sheet, count, with_charts=not found)
        found.append((name, count))
        following = tuple(islice(rows, 1))
    return found


def _provenance(cells: Cells, target: Worksheet, found: list[tuple[str, int, str]]) -> None:
    """Write what the workbook is of, then its sheets with their rows of data."""
    book, workbook = cells.book, cells.workbook
    bold, plain = (
        book.add_format({"bold": True, "valign": "top"}),
        book.add_format({"text_wrap": True, "valign": "top"}),
    )
    must(target.set_column(0, 0, 34), "a width")
    must(target.set_column(1, 1, 16), "a width")
    must(target.set_column(2, 2, 90), "a width")
    wide = book.add_format({"bold": True, "font_size": 14})
    cells.text(target, 0, 0, workbook.title, wide)
    row = 2
    for key, value in workbook.about.items():
        cells.text(target, row, 0, key, bold)
        if value:
            cells.text(target, row, 1, value)
        row += 1
    row += 1
    for column, head in enumerate((SHEET, ROWS, NOTE)):
        cells.text(target, row, column, workbook.word(head), cells.head)
    for name, count, note in found:
        row += 1
        cells.text(target, row, 0, name, bold)
        must(target.write_number(row, 1, count, cells.count), f"cell {row}, 1")
        if note:
            cells.text(target, row, 2, note, plain)
