"""Cells by the kind of their column: text stays text, times are dates in UTC, what is not known is left empty."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, SupportsFloat

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from core.adapters.excel.texts import clean
from core.domain.forecast import RiskLevel
from core.domain.levels import LEVELS
from core.domain.weather import Flag
from core.domain.workbook import CUT, FLAGS, FORMULA_SIGNS, Kind, SheetColumn, Workbook

#: Day 0 of Excel's calendar. It counts a 29 February 1900 that never was: nothing before March of that year is right.
DAY_ZERO, FIRST_DAY = datetime(1899, 12, 30, tzinfo=UTC), datetime(1900, 3, 1, tzinfo=UTC)
TIME_FORM = "yyyy-mm-dd hh:mm"
#: Writes one value into one cell and returns xlsxwriter's code: 0 where it is written.
Put = Callable[[int, int, Any], int]


def must(code: int | None, what: str) -> None:
    """Refuse that something was not written: xlsxwriter only returns a code.

    Raises
    ------
    ValueError
        If the code says so.
    """
    if code:
        raise ValueError(f"{what} could not be written (code {code}).")


class Cells:
    """Writes values of one workbook; holds its formats."""

    def __init__(self, workbook: Workbook, book: xlsxwriter.Workbook) -> None:
        self.workbook, self.book = workbook, book
        self.head = book.add_format(
            {"bold": True, "bottom": 1, "bg_color": "#eef2f5", "text_wrap": True, "valign": "top"}
        )
        self.count = book.add_format({"num_format": "#,##0"})
        self._time = book.add_format({"num_format": TIME_FORM})
        self._quoted = book.add_format({"quote_prefix": True})
        self._formats: dict[str, Format] = {}
        self.clean = lru_cache(maxsize=4096)(partial(clean, mark=workbook.word(CUT)))

    def text(self, sheet: Worksheet, row: int, column: int, text: str, form: Format | None = None) -> None:
        """Write a text; one that looks like a formula is marked as text for those who edit it."""
        must(self._put_text(sheet, row, column, text, form), f"cell {row}, {column} of {sheet.name}")

    def rows(self, sheet: Worksheet, columns: Sequence[SheetColumn], rows: Iterable[tuple[object, ...]]) -> int:
        """Write rows below the head; return how many there were.

        Raises
        ------
        ValueError
            If a row has not as many values as there are columns, or a value could not be written.
        """
        puts = [self._put(sheet, column) for column in columns]
        count = 0
        for count, values in enumerate(rows, 1):
            for column, (put, value) in enumerate(zip(puts, values, strict=True)):
                if value is not None and put(count, column, value):
                    raise ValueError(f"cell {count}, {column} of {sheet.name} could not be written: {value!r:.80}")
        return count

    def level(self, level: RiskLevel) -> str:
        """Return sign and word of a level."""
        return f"{LEVELS[level].sign} {self.workbook.word(LEVELS[level].name)}".strip()

    def flag(self, flag: Flag) -> str:
        """Return sign and word of a flag."""
        return f"{FLAGS[flag].sign} {self.workbook.word(FLAGS[flag].name)}".strip()

    def _put(self, sheet: Worksheet, column: SheetColumn) -> Put:
        """Return what writes the values of a column."""
        if column.kind is Kind.TEXT:
            return partial(self._put_text, sheet)
        if column.kind is Kind.TIME:
            return partial(self._put_time, sheet)
        if column.kind in (Kind.LEVEL, Kind.FLAG):
            levels: dict[Any, str] = {level: self.level(level) for level in RiskLevel}
            known = levels if column.kind is Kind.LEVEL else {flag: self.flag(flag) for flag in Flag}
            return lambda row, at, value: int(sheet.write_string(row, at, known[value]))
        return partial(_put_number, sheet, self._number(column))

    def _number(self, column: SheetColumn) -> Format:
        digits = "." + column.decimals * "0" if column.decimals else ""
        forms = {Kind.COUNT: "#,##0", Kind.SHARE: f"0{digits}%"}
        form = forms.get(column.kind, f"0{digits}")
        if form not in self._formats:
            self._formats[form] = self.book.add_format({"num_format": form})
        return self._formats[form]

    def _put_text(self, sheet: Worksheet, row: int, column: int, text: object, form: Format | None = None) -> int:
        shown = self.clean(str(text))
        if not shown:
            return 0
        if form is None and shown.startswith(FORMULA_SIGNS):
            form = self._quoted
        return int(sheet.write_string(row, column, shown, form))

    def _put_time(self, sheet: Worksheet, row: int, column: int, moment: datetime) -> int:
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no time zone: nobody knows what it means.")
        if moment < FIRST_DAY:
            return self._put_text(sheet, row, column, moment.astimezone(UTC).isoformat(" "))
        days = (moment - DAY_ZERO).total_seconds() / 86_400
        return int(sheet.write_number(row, column, days, self._time))


def _put_number(sheet: Worksheet, form: Format, row: int, column: int, value: SupportsFloat) -> int:
    if isinstance(value, str):
        raise ValueError(f"{value!r:.80} is text, no number: a text is never taken for one.")
    number = float(value)
    if math.isfinite(number):
        return int(sheet.write_number(row, column, number, form))
    return 0 if math.isnan(number) else int(sheet.write_string(row, column, "∞" if number > 0 else "−∞"))
