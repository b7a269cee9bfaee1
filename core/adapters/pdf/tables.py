"""Tables: a head on every page, rows marked by level, numbers to the right, texts broken within their column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.adapters.pdf.marks import draw_mark
from core.adapters.pdf.sheet import ACCENT, FLOOR, INK, LEADING, LEFT, RULE, SOFT, SPAN, TINT, TOP, WIDTH, Sheet
from core.domain.document import Column, Table
from core.domain.forecast import RiskLevel
from core.words import UNKNOWN

SIZE, PAD, MARK = 8.0, 3.0, 15.0
LINE = SIZE * LEADING
#: The head stands on every page: it may not fill it.
MOST_HEAD_LINES = 8


@dataclass(frozen=True)
class _Frame:
    """Where the columns of a table stand: their left edges and widths."""

    columns: tuple[Column, ...]
    lefts: tuple[float, ...]
    widths: tuple[float, ...]


def print_table(sheet: Sheet, table: Table) -> None:
    """Print a table; one without rows says so by a dash."""
    frame = _frame(table)
    head = [
        lines if len(lines) <= MOST_HEAD_LINES else [*lines[: MOST_HEAD_LINES - 1], "…"]
        for lines in _broken(sheet, frame, [column.title for column in table.columns], bold=True)
    ]
    title = sheet.letters.lines(table.title, SPAN, 10, bold=True) if table.title else []
    rows: Sequence[Sequence[str]] = table.rows or ((UNKNOWN,),)
    levels = table.levels if table.rows else ()
    sheet.room(min(len(title) * 10 * LEADING + _height(head) + 3 * (LINE + 2 * PAD), FLOOR - TOP))
    sheet.write_lines(title, LEFT, 10, bold=True)
    _print_head(sheet, frame, head)
    for i, row in enumerate(rows):
        _print_row(sheet, frame, head, _broken(sheet, frame, row), levels[i] if i < len(levels) else None)
    sheet.y += 3
    if table.note:
        sheet.write_lines(sheet.letters.lines(table.note, SPAN, 7.5), LEFT, 7.5, colour=SOFT)
    sheet.y += 8


def _frame(table: Table) -> _Frame:
    first = LEFT + (MARK if any(table.levels) else 0.0)
    shares = [max(column.width, 0.05) for column in table.columns]
    unit = (WIDTH - LEFT - first) / (sum(shares) or 1.0)
    widths = tuple(share * unit for share in shares)
    lefts = tuple(first + sum(widths[:i]) for i in range(len(widths)))
    return _Frame(table.columns, lefts, widths)


def _broken(sheet: Sheet, frame: _Frame, row: Sequence[str], bold: bool = False) -> list[list[str]]:
    """Return the lines of every cell; cells beyond the columns do not exist."""
    return [
        sheet.letters.lines(text, width - 2 * PAD, SIZE, bold) for text, width in zip(row, frame.widths, strict=False)
    ]


def _height(cells: list[list[str]]) -> float:
    return max((len(lines) for lines in cells), default=1) * LINE + 2 * PAD - 1


def _print_head(sheet: Sheet, frame: _Frame, head: list[list[str]]) -> None:
    height = _height(head)
    sheet.draw_box(LEFT, sheet.y, SPAN, height, fill=TINT)
    _write_cells(sheet, frame, head, bold=True, colour=ACCENT)
    sheet.y += height
    sheet.draw_line([(LEFT, sheet.y), (WIDTH - LEFT, sheet.y)], colour=ACCENT, width=0.7)


def _print_row(
    sheet: Sheet, frame: _Frame, head: list[list[str]], cells: list[list[str]], level: RiskLevel | None
) -> None:
    """Print a row, on the next page where it does not fit; only one longer than a page goes on over the next."""
    while True:
        space = FLOOR - sheet.y
        whole = FLOOR - TOP - _height(head)
        if _height(cells) > space and (_height(cells) <= whole or space < 4 * LINE):
            sheet.add_page()
            sheet.y = TOP
            _print_head(sheet, frame, head)
            continue
        most = max(int((space - 2 * PAD) / LINE), 1)
        part = [lines[:most] for lines in cells]
        height = _height(part)
        if level is not None:
            draw_mark(sheet, level, LEFT + 0.5, sheet.y + 0.5, width=MARK - 2, height=height - 1)
        _write_cells(sheet, frame, part)
        sheet.y += height
        sheet.draw_line([(LEFT, sheet.y), (WIDTH - LEFT, sheet.y)], colour=RULE, width=0.35)
        cells = [lines[most:] for lines in cells]
        if not any(cells):
            return


def _write_cells(sheet: Sheet, frame: _Frame, cells: list[list[str]], *, bold: bool = False, colour: str = INK) -> None:
    for column, left, width, lines in zip(frame.columns, frame.lefts, frame.widths, cells, strict=False):
        x, align = (left + width - PAD, "right") if column.right else (left + PAD, "left")
        for i, line in enumerate(lines):
            y = sheet.y + PAD + i * LINE + SIZE * 0.98
            sheet.write_line(line, x, y, SIZE, bold=bold, colour=colour, align=align)
