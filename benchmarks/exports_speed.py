"""How fast documents are printed: this house's tables beside fpdf2's own `table()`, the same rows in the same run.

Both print one table in the same fonts with text shaping and a fallback font for Devanagari; times are the best of
several prints, fonts loaded each time as a request would; beside the clock's seconds stand those of the processor, for
a machine that does other things too. Exits 1 where twenty pages take more than 2 s.

Run: python -m benchmarks.exports_speed [--rows 840]
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable

import pypdf
from fpdf import FPDF
from fpdf.fonts import FontFace

from core.adapters.pdf import printed
from core.adapters.pdf.lettering import DEVANAGARI, FILES, LATIN
from core.domain.document import Chart as DocumentChart
from core.domain.document import Column, Document, Facts, Series, Table
from core.domain.forecast import RiskLevel
from core.words import FONTS

PAGES, MOST_S = 20, 2.0
WORDS = {
    "en": ("Uttarakhand, Kinnaur", "Rain of {i} mm/h ≥ 15 mm near the ridge"),
    "hi": ("उत्तराखण्ड, किन्नौर", "पर्वतीय क्षेत्र में {i} मि.मी. वर्षा ≥ 15 mm"),
}
HEAD = ("No.", "Place", "P(≥ 15 mm)", "P(≥ 50 mm)", "Text")
WIDTHS = (1.0, 2.2, 1.2, 1.2, 3.0)


def main() -> int:
    """Print pages, seconds and megabytes of every printer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=840)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    slow = False
    for code in WORDS:
        rows = _rows(code, options.rows)
        printers: dict[str, Callable[[], bytes]] = {
            "printed(), table": lambda code=code, rows=rows: printed(_document(code, rows)),
            "printed(), table and 12 charts": lambda code=code, rows=rows: printed(_document(code, rows, charts=12)),
            "fpdf2 table()": lambda rows=rows: _peer(rows),
        }
        for name, print_it in printers.items():
            rounds = 1 if "fpdf2" in name else options.rounds
            seconds, busy, file = min(_timed(print_it) for _ in range(rounds))
            pages = len(pypdf.PdfReader(io.BytesIO(file)).pages)
            scaled = seconds * PAGES / pages
            cost = f"{seconds:6.2f} s ({busy:5.2f} s busy), {scaled:5.2f} s per {PAGES} pages"
            print(f"{code} {name:31} {pages:3} pages {cost} {len(file):9,} B")
            slow |= "fpdf2" not in name and scaled > MOST_S
    return int(slow)


def _timed(print_it: Callable[[], bytes]) -> tuple[float, float, bytes]:
    start, busy = time.perf_counter(), time.process_time()
    file = print_it()
    return time.perf_counter() - start, time.process_time() - busy, file


def _rows(code: str, n: int) -> list[tuple[str, ...]]:
    place, text = WORDS[code]
    return [(f"R{i:04d}", place, f"{i % 97 / 97:.3f}", f"{i % 89 / 890:.4f}", text.format(i=i)) for i in range(n)]


def _document(code: str, rows: list[tuple[str, ...]], charts: int = 0) -> Document:
    levels = tuple(RiskLevel)
    columns = tuple(Column(HEAD[i], WIDTHS[i], right=i in (2, 3)) for i in range(len(HEAD)))
    x = tuple(float(i) for i in range(240))
    series = Series(
        "P", x, tuple(v % 24 for v in x), "line", tuple(v % 24 - 1 for v in x), tuple(v % 24 + 1 for v in x)
    )
    chart = DocumentChart("P", "h", "mm", (series,))
    table = Table("P", columns, tuple(rows), tuple(levels[i % 5] for i in range(len(rows))))
    return Document("Speed", "", code, Facts(()), (table, *[chart] * charts), "Benchmark")


def _peer(rows: list[tuple[str, ...]]) -> bytes:
    pdf = FPDF(unit="pt", format="A4")
    for family, file in FILES.items():
        pdf.add_font(family, "", FONTS / f"{file}-Regular.ttf")
        pdf.add_font(family, "B", FONTS / f"{file}-Bold.ttf")
    pdf.set_font(LATIN, size=8)
    pdf.set_text_shaping(True)
    pdf.set_fallback_fonts([DEVANAGARI])
    pdf.add_page()
    head = FontFace(emphasis="BOLD")
    with pdf.table(col_widths=WIDTHS, line_height=11.4, padding=3, headings_style=head) as table:
        for row in (HEAD, *rows):
            table.row(row)
    return bytes(pdf.output())


if __name__ == "__main__":
    sys.exit(main())
