"""Tables for a spreadsheet, whatever writes them: sheets of typed columns, read row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a column holds. Text stays text, whatever it looks like; times are UTC; shares are in [0, 1]."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    SHARE = "share"
    TIME = "time"
    LEVEL = "level"


@dataclass(frozen=True)
class SheetColumn:
    """Head of a column, with the unit in its title."""

    title: str
    kind: Kind = Kind.TEXT
    width: float = 14.0
    decimals: int = 2


@dataclass(frozen=True)
class SheetChart:
    """A chart beside a table: columns by their position, of its first `rows` rows (None: of all on the sheet)."""

    title: str
    kind: str  # line, column or scatter
    x: int
    y: tuple[int, ...]
    rows: int | None = None


@dataclass(frozen=True)
class Sheet:
    """One table. Values are str, int, float (NaN is an empty cell), aware datetimes, or None."""

    name: str
    columns: tuple[SheetColumn, ...]
    rows: Iterable[tuple[object, ...]] = field(repr=False)
    charts: tuple[SheetChart, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Workbook:
    """Sheets, and what all of them are of: `about` stands on the sheet of provenance, beside the counts of rows."""

    title: str
    about: Mapping[str, str]
    sheets: tuple[Sheet, ...]
    #: Name of the sheet of provenance, and its words for a sheet, its rows and what a text says of more than fit.
    words: Mapping[str, str] = field(default_factory=dict)
