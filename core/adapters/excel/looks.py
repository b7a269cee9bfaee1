"""How a sheet looks: its head, colours that repeat what signs say, bars of shares, and native charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xlsxwriter.worksheet import Worksheet

from core.adapters.excel.cells import Cells, must
from core.adapters.excel.texts import clean
from core.domain.levels import LEVELS
from core.domain.workbook import FLAGS, Kind, Sheet, SheetChart, SheetColumn

#: Points: three lines of a title.
HEAD_HEIGHT = 45
BAR = "#9ecae1"
#: Colour of the text on a dark cell, and the lightness below which a cell is dark.
ON_DARK, DARK = "#ffffff", 110
CHART = {"width": 760, "height": 380}
#: Rows between the tops of two charts.
CHART_ROWS = 20
SUBTYPES = {"scatter": "straight_with_markers"}


def words_of(text: str) -> str:
    """Return a title for places where xlsxwriter would take a leading sign of equality for a formula."""
    return clean(text, "").lstrip("=")


def head(cells: Cells, sheet: Worksheet, columns: Sequence[SheetColumn]) -> None:
    """Write the head of a table; it stays in sight."""
    must(sheet.set_row(0, HEAD_HEIGHT), "the height of the head")
    for i, column in enumerate(columns):
        must(sheet.set_column(i, i, column.width), "a width")
        cells.text(sheet, 0, i, column.title, cells.head)
    sheet.freeze_panes(1, 1)


def finish(cells: Cells, sheet: Worksheet, table: Sheet, rows: int, *, with_charts: bool) -> None:
    """Add filter, colours, bars and charts to a table of so many rows."""
    if not table.columns:
        return
    must(sheet.autofilter(0, 0, rows, len(table.columns) - 1), "the filter")
    if not rows:
        return
    for i, column in enumerate(table.columns):
        for look in _colours(cells, column):
            must(sheet.conditional_format(1, i, rows, i, look), "a colour")
    for number, chart in enumerate(table.charts if with_charts else ()):
        _draw(cells, sheet, chart, min(rows, chart.rows or rows), (1 + CHART_ROWS * number, len(table.columns) + 1))


def _colours(cells: Cells, column: SheetColumn) -> list[dict[str, Any]]:
    if column.kind is Kind.LEVEL:
        return [_where(cells, cells.level(level), style.colour) for level, style in LEVELS.items()]
    if column.kind is Kind.FLAG:
        return [_where(cells, cells.flag(flag), style.colour) for flag, style in FLAGS.items() if style.colour]
    if column.bar:
        ends = {"min_type": "num", "min_value": 0, "max_type": "num", "max_value": 1}
        return [{"type": "data_bar", "bar_color": BAR, **ends}]
    return []


def _where(cells: Cells, text: str, colour: str) -> dict[str, Any]:
    """Return the look of cells that say a text."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < DARK
    form = {"bg_color": colour, "font_color": ON_DARK if dark else "#000000"}
    quoted = text.replace('"', '""')
    return {"type": "cell", "criteria": "==", "value": f'"{quoted}"', "format": cells.book.add_format(form)}


def _draw(cells: Cells, sheet: Worksheet, asked: SheetChart, rows: int, at: tuple[int, int]) -> None:
    kind = {"type": asked.kind}
    if asked.kind in SUBTYPES:
        kind["subtype"] = SUBTYPES[asked.kind]
    chart = cells.book.add_chart(kind)
    for y in asked.y:
        series = {
            "name": [sheet.name, 0, y],
            "categories": [sheet.name, 1, asked.x, rows, asked.x],
            "values": [sheet.name, 1, y, rows, y],
        }
        must(chart.add_series(series), "a series")
    columns = {"x": asked.x, "y": asked.y[0]}
    chart.set_title({"name": words_of(asked.title), "name_font": {"size": 12}})
    chart.set_x_axis({"name": [sheet.name, 0, columns["x"]]})
    chart.set_y_axis({"name": [sheet.name, 0, columns["y"]]} if len(asked.y) == 1 else {})
    chart.set_legend({"position": "bottom"})
    chart.set_size(CHART)
    must(sheet.insert_chart(*at, chart), "a chart")
