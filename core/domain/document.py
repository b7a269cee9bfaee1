"""A document for people, whatever it is printed on: blocks of text, facts, tables, charts and a map.

Everything is said already: texts are in the document's language, numbers and times are written as its readers write
them. Whoever prints it decides where it stands on the page, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.domain.forecast import RiskLevel

#: Corners of a polygon, (longitude, latitude), degrees.
Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Heading:
    """Begins a part of the document, on a new page where `new_page`."""

    text: str
    new_page: bool = False


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Notice:
    """What must not be overlooked, such as that the weather is simulated or that data are stale."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Names with what they are, in their order."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """Head of a column; `width` is its share beside the others."""

    title: str
    width: float = 1.0
    right: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of texts; `levels` gives each row a level to be marked with, empty: none."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    levels: tuple[RiskLevel | None, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Series:
    """A line, points or bars of a chart; values that are not known are NaN. `low` and `high` are a band or whiskers."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    kind: str = "line"  # line, points or bars
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True)
class Chart:
    """Series over one pair of axes; `x_labels` puts words at places of the x axis, empty: numbers."""

    title: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    x_labels: tuple[tuple[float, str], ...] = ()
    y_range: tuple[float, float] | None = None
    y_logarithmic: bool = False
    diagonal: bool = False


@dataclass(frozen=True)
class LevelMap:
    """A region with the level of every place.

    Parameters
    ----------
    outlines
        Rings of its districts.
    cells
        Ring of every place's cell; for a station a square around it.
    levels
        Level of every cell, in the order of `cells`.
    legend
        What each level is called and means.
    """

    title: str
    outlines: tuple[Ring, ...] = field(repr=False)
    cells: tuple[Ring, ...] = field(repr=False)
    levels: tuple[RiskLevel, ...] = field(repr=False)
    legend: Mapping[RiskLevel, str]
    note: str = ""


Block = Heading | Paragraph | Notice | Facts | Table | Chart | LevelMap


@dataclass(frozen=True)
class Document:
    """A bulletin or a report.

    Parameters
    ----------
    language
        Its code, such as "hi".
    masthead
        What stands at the head of its first page beside the title: issue and valid time, region, model.
    footer
        One line for the foot of every page: when it was made, from which data, by which model.
    page
        The foot's words for the number of a page, with {n} and {all}.
    made_at
        When it was made; None leaves the date out of its file.
    """

    title: str
    subtitle: str
    language: str
    masthead: Facts
    blocks: tuple[Block, ...]
    footer: str
    page: str = "Page {n} of {all}"
    made_at: datetime | None = None
