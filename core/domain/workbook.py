"""Tables for a spreadsheet, whatever writes them: sheets of typed columns, read row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.domain.weather import Flag


class Kind(StrEnum):
    """What a column holds. Text stays text, whatever it looks like; times are UTC; shares are in [0, 1]."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    SHARE = "share"
    TIME = "time"
    #: A `RiskLevel`, told by sign, word and colour.
    LEVEL = "level"
    #: A `Flag`, told by sign, word and colour.
    FLAG = "flag"


@dataclass(frozen=True)
class FlagStyle:
    """How a flag looks in a cell; `name` is a key of the catalogue."""

    name: str
    sign: str
    colour: str


#: How flags look, never by colour alone; those without a colour need no look.
FLAGS: Mapping[Flag, FlagStyle] = {
    Flag.PASS: FlagStyle("pass", "", ""),
    Flag.NOT_EVALUATED: FlagStyle("not evaluated", "○", ""),
    Flag.SUSPECT: FlagStyle("suspect", "▲", "#f4d03f"),
    Flag.FAIL: FlagStyle("fail", "✕", "#e6a5ad"),
    Flag.MISSING: FlagStyle("missing", "▨", "#e4e4e4"),
}
#: A spreadsheet takes a text that begins so for a formula, if only as soon as somebody edits it (OWASP, CSV Injection).
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Words of the file itself, keys of the catalogue: the sheet of provenance, its heads, and the mark of a text cut off.
PROVENANCE, SHEET, ROWS, NOTE, CUT = "Provenance", "Sheet", "Rows", "Note", "… (cut off here)"


@dataclass(frozen=True)
class SheetColumn:
    """Head of a column, with the unit in its title; `bar` draws shares as bars too."""

    title: str
    kind: Kind = Kind.TEXT
    width: float = 14.0
    decimals: int = 2
    bar: bool = False


@dataclass(frozen=True)
class Rows:
    """Rows that are made when they are read, as often as they are: a table is never held in memory."""

    make: Callable[[], Iterator[tuple[object, ...]]]

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        return self.make()


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
    """One table. Values are str, int, float (NaN is an empty cell), bool, aware datetimes, levels, flags, or None."""

    name: str
    columns: tuple[SheetColumn, ...]
    rows: Iterable[tuple[object, ...]] = field(repr=False)
    charts: tuple[SheetChart, ...] = ()
    #: In words: what the table is, and what it does not say.
    note: str = ""


@dataclass(frozen=True)
class Workbook:
    """Sheets, and what all of them are of: `about` stands on the sheet of provenance, beside the counts of rows."""

    title: str
    about: Mapping[str, str]
    sheets: tuple[Sheet, ...]
    #: What the keys above and the names of levels and flags are in the reader's language; English where it is silent.
    words: Mapping[str, str] = field(default_factory=dict)
    made_at: datetime | None = None

    def word(self, text: str) -> str:
        """Return a word of the file itself in the reader's language."""
        return self.words.get(text, text)
