"""The paper: A4 pages with a cursor, text, lines and areas on them, and a foot that knows how many pages there are.

Lengths are points; y is counted from the top of the page down. Drawing writes PDF's own operators: for
a table of twenty pages that makes the difference between seconds and a tenth of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from fpdf import FPDF
from fpdf.enums import PDFResourceType
from fpdf.output import OutputProducer, PDFInfo
from fpdf.prefs import ViewerPreferences

from core.adapters.pdf.lettering import Lettering
from core.domain.document import Document

WIDTH, HEIGHT = 595.28, 841.89
LEFT, TOP, BOTTOM = 42.0, 42.0, 52.0
#: Width of what is printed, and the lowest y it reaches.
SPAN, FLOOR = WIDTH - 2 * LEFT, HEIGHT - BOTTOM
#: Line height by size of the letters: Devanagari reaches higher and lower than Latin.
LEADING = 1.42
INK, SOFT, RULE, TINT, ACCENT = "#1b2733", "#4a5a68", "#c3ccd4", "#eef2f5", "#0b4f6c"
CREATOR = "Cloudburst Watch"

Points = Sequence[tuple[float, float]]


class Sheet(FPDF):
    """A document as it is being printed; `y` is where its next block begins."""

    def __init__(self, document: Document) -> None:
        super().__init__(unit="pt", format="A4")
        self.letters = Lettering(self)
        self.language = document.language
        self.set_auto_page_break(False)
        self.set_margins(LEFT, TOP, LEFT)
        self.set_title(document.title)
        self.set_subject(document.subtitle)
        self.set_creator(CREATOR)
        self.set_lang(document.language)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.set_creation_date(document.made_at or datetime.fromtimestamp(0, UTC))
        self.dated = document.made_at is not None
        self.add_page()

    def room(self, height: float) -> None:
        """Begin a new page unless a height is left on this one."""
        if self.y + height > FLOOR and self.y > TOP:
            self.add_page()
            self.y = TOP

    def write_line(
        self,
        text: str,
        x: float,
        y: float,
        size: float = 9.0,
        *,
        bold: bool = False,
        colour: str = INK,
        align: str = "left",
    ) -> None:
        """Write one line of text on a baseline; `align` says what x is: its left, centre or right."""
        if align != "left":
            x -= self.letters.width(text, size, bold) * (0.5 if align == "centre" else 1.0)
        shown, fonts = self.letters.shown(text, x, HEIGHT - y, size, bold)
        for font in fonts:
            self._resource_catalog.add(PDFResourceType.FONT, font, self.page)
        self._out(f"{_rgb(colour)} rg {shown}")

    def write_lines(
        self, lines: Iterable[str], x: float, size: float = 9.0, *, bold: bool = False, colour: str = INK
    ) -> None:
        """Write lines from the cursor down, over pages where they must; the cursor stands below them."""
        for line in lines:
            self.room(size * LEADING)
            self.write_line(line, x, self.y + size * 1.06, size, bold=bold, colour=colour)
            self.y += size * LEADING

    def draw_line(self, points: Points, *, colour: str = INK, width: float = 0.6, dash: str = "") -> None:
        """Draw a line through points; `dash` are lengths of strokes and gaps."""
        if len(points) > 1:
            self._out(f"q {_rgb(colour)} RG {width:.2f} w 1 j 1 J [{dash}] 0 d {_path(points)} S Q")

    def draw_areas(self, rings: Iterable[Points], *, fill: str = "", line: str = "", width: float = 0.4) -> None:
        """Draw closed rings alike: filled, outlined or both."""
        paths = [f"{_path(ring)} h" for ring in rings if len(ring) > 2]
        if not paths or not (fill or line):
            return
        colours = (f"{_rgb(fill)} rg " if fill else "") + (f"{_rgb(line)} RG {width:.2f} w 1 j " if line else "")
        if not (fill and line):
            self._out(f"q {colours}{' '.join(paths)} {'f' if fill else 'S'} Q")
        else:  # one by one: a later cell may lie on the line of an earlier one
            self._out(f"q {colours}{' '.join(path + ' B' for path in paths)} Q")

    def draw_box(self, x: float, y: float, width: float, height: float, *, fill: str = "", line: str = "") -> None:
        """Draw a rectangle from its upper left corner."""
        self.draw_areas([box(x, y, width, height)], fill=fill, line=line)

    def hatch(self, rings: Sequence[Points], *, colour: str = SOFT, step: float = 3.0, falling: bool = False) -> None:
        """Hatch rings with parallel lines, which run through all of them as one."""
        corners = [point for ring in rings if len(ring) > 2 for point in ring]
        if not corners:
            return
        xs = [min(max(x, 0.0), WIDTH) for x, _ in corners]
        ys = [min(max(y, 0.0), HEIGHT) for _, y in corners]
        left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        tall = bottom - top
        first = int((left - tall) // step)
        starts = [i * step for i in range(first, int(right // step) + 1)]
        ends = (top, bottom) if falling else (bottom, top)
        lines = " ".join(_path([(x, ends[0]), (x + tall, ends[1])]) for x in starts)
        with self.clipped(rings):
            self._out(f"{_rgb(colour)} RG 0.4 w {lines} S")

    @contextmanager
    def clipped(self, rings: Iterable[Points]) -> Iterator[None]:
        """Let nothing be drawn outside of rings."""
        self._out(f"q {' '.join(f'{_path(ring)} h' for ring in rings if len(ring) > 2)} W n")
        yield
        self._out("Q")

    def foot(self, document: Document) -> None:
        """Write the foot of every page; called last, when their number is known."""
        last = self.page
        for page in range(1, last + 1):
            self.page = page
            y = HEIGHT - BOTTOM + 16
            self.draw_line([(LEFT, y), (WIDTH - LEFT, y)], colour=RULE, width=0.5)
            number = document.page.replace("{n}", str(page)).replace("{all}", str(last))
            self.write_line(number, WIDTH - LEFT, y + 11, 7.5, colour=SOFT, align="right")
            free = SPAN - self.letters.width(number, 7.5) - 12
            lines = self.letters.lines(document.footer, free, 7.5)
            for i, line in enumerate(lines if len(lines) <= 3 else [*lines[:2], lines[2] + " …"]):
                self.write_line(line, LEFT, y + 11 + 10 * i, 7.5, colour=SOFT)
        self.page = last

    def finished(self) -> bytes:
        """Return the document; nothing can be drawn any more."""
        return bytes(self.output(output_producer_class=_Producer))


class _Producer(OutputProducer):
    """Writes no date where the document has none: fpdf2 would take the clock's, and equal documents would differ."""

    def _add_info(self) -> PDFInfo:
        info = super()._add_info()
        if not getattr(self.fpdf, "dated", True):
            info.creation_date = None  # type: ignore[assignment]  # left out by the serializer, as every None is
        return info


def box(x: float, y: float, width: float, height: float) -> Points:
    """Return the ring of a rectangle from its upper left corner."""
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def _path(points: Points) -> str:
    return " ".join(f"{x:.2f} {HEIGHT - y:.2f} {'l' if i else 'm'}" for i, (x, y) in enumerate(points))


def _rgb(colour: str) -> str:
    """Return a colour such as #a3123f as PDF's operands."""
    return " ".join(f"{int(colour[i : i + 2], 16) / 255:.3f}" for i in (1, 3, 5))
