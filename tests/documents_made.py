"""Documents as a bulletin has them, in both languages, for the tests of printers and for looking at."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from core.domain.document import (
    Block,
    Chart,
    Column,
    Document,
    Facts,
    Heading,
    LevelMap,
    Notice,
    Paragraph,
    Ring,
    Series,
    Table,
)
from core.domain.forecast import RiskLevel

WORDS = {
    "en": {
        "title": "Bulletin of extreme short-duration rain",
        "district": "Uttarakhand, Kinnaur",
        "notice": "Simulated: the weather of this bulletin is made. It warns of nothing.",
        "text": "Hourly rain ≥ 15 mm within 6 h is likely (± 5 %) at 25.4 °C – above the ridge × 2. ",
        "page": "Page {n} of {all}",
        "levels": ("No warning", "Watch", "Be prepared", "Take action", "No data"),
        "rain": "Rain, mm/h",
    },
    "hi": {
        "title": "अल्पावधि अति वर्षा बुलेटिन",
        "district": "उत्तराखण्ड, किन्नौर",
        "notice": "कृत्रिम: इस बुलेटिन का मौसम बनाया गया है। यह कोई चेतावनी नहीं है।",
        "text": "अगले 6 घंटों में प्रति घंटा वर्षा ≥ 15 mm (± 5 %) की संभावना है, 25.4 °C – पर्वतीय क्षेत्रों में विशेष सतर्कता रखें। ",
        "page": "पृष्ठ {n}, कुल {all}",
        "levels": ("कोई चेतावनी नहीं", "नज़र रखें", "तैयार रहें", "कार्रवाई करें", "आँकड़े नहीं"),
        "rain": "वर्षा, मि.मी./घंटा",
    },
}
LEVELS = tuple(RiskLevel)


def bulletin(code: str = "en", rows: int = 60, blocks: tuple[Block, ...] | None = None) -> Document:
    """Return a document with a block of every kind and a table of `rows` rows, or with other blocks."""
    words = WORDS[code]
    return Document(
        title=str(words["title"]),
        subtitle="Uttarakhand–Himachal · 29 July 2026, 03:00 UTC",
        language=code,
        masthead=Facts((("Issued", "29 Jul 2026 03:00 IST"), ("Valid", "6 h"), ("Model", "rf-12"), ("°", "≥ 15 mm/h"))),
        blocks=blocks
        if blocks is not None
        else (
            Notice(str(words["notice"])),
            Heading(str(words["district"])),
            Paragraph(str(words["text"]) * 4),
            level_map(code),
            rain_table(code, rows),
            *charts(code),
            Facts((("Freshness", "fresh"), ("Long", str(words["text"]) * 2), ("Flags", "2 of 41"))),
        ),
        footer="Made 29 Jul 2026 03:04 IST from simulated observations by rf-12. " + str(words["notice"]),
        page=str(words["page"]),
        made_at=datetime(2026, 7, 29, 3, 4, tzinfo=UTC),
    )


def rain_table(code: str, rows: int) -> Table:
    """Return a table whose rows are numbered R0001, R0002, ..."""
    words = WORDS[code]
    columns = (Column("No."), Column(str(words["district"]), 2.4), Column("P(≥ 15 mm)", right=True), Column("Text", 3))
    return Table(
        title=f"{words['rain']} ({rows})",
        columns=columns,
        rows=tuple(
            (f"R{i + 1:04d}", str(words["district"]), f"{i % 97 / 97:.3f}", str(words["text"]) * (1 + (i % 11 == 0)))
            for i in range(rows)
        ),
        levels=tuple(LEVELS[i % 5] for i in range(rows)),
        note=str(words["text"]),
    )


def charts(code: str) -> tuple[Chart, ...]:
    """Return a chart of every kind: lines with bands and gaps, points with whiskers, bars, a logarithmic axis."""
    rain = str(WORDS[code]["rain"])
    hours = tuple(float(h) for h in range(24))
    wave = tuple(math.nan if h in (7, 8) else 8 + 6 * math.sin(h / 3) for h in hours)
    low, high = tuple(v - 2 for v in wave), tuple(v + 3 for v in wave)
    odds = tuple(0.05 + 0.1 * i for i in range(10))
    seen = tuple(p * 0.8 + 0.05 for p in odds)
    clock = tuple((h, f"{int(h):02d}:00") for h in hours)
    return (
        Chart(
            f"{rain}: 24 h",
            "UTC",
            rain,
            (Series(rain, hours, wave, "line", low, high), Series("ERA5", hours, tuple(v / 2 for v in wave))),
            x_labels=clock,
        ),
        Chart(
            "Reliability",
            "Forecast",
            "Observed",
            (Series("0–6 h", odds, seen, "points", tuple(p - 0.06 for p in seen), tuple(p + 0.06 for p in seen)),),
            y_range=(0.0, 1.0),
            diagonal=True,
        ),
        Chart(
            "Exceedance",
            "mm",
            "P",
            (
                Series("A", (15.0, 30.0, 50.0, 100.0), (0.2, 0.03, 0.002, 0.00001)),
                Series("B", (15.0, 30.0, 50.0, 100.0), (0.1, 0.0, 0.001, 0.0001)),
            ),
            y_logarithmic=True,
        ),
        Chart(
            "Bars",
            "",
            "mm",
            tuple(Series(n, (1.0, 2.0, 3.0), (3.0 + k, -1.0, 7.0), "bars") for k, n in enumerate("ABC")),
            x_labels=((1.0, "किन्नौर"), (2.0, "Chamoli"), (3.0, "Shimla")),
        ),
        Chart("Nothing", "h", "mm", (Series("none", (), ()),)),
    )


def level_map(code: str, wide: int = 24, high: int = 16) -> LevelMap:
    """Return a map of square cells of every level."""
    cells = tuple(_square(77 + 0.1 * i, 29 + 0.1 * j, 0.1) for j in range(high) for i in range(wide))
    levels = tuple(LEVELS[(i // 3) % 5] for i in range(len(cells)))
    words = WORDS[code]["levels"]
    return LevelMap(
        title=str(WORDS[code]["district"]),
        outlines=(_square(77, 29, 1.2), _square(78.2, 29, 1.2)),
        cells=cells,
        levels=levels,
        legend={level: words[i] for i, level in enumerate(LEVELS)},
        note=str(WORDS[code]["text"]),
    )


def _square(x: float, y: float, side: float) -> Ring:
    return ((x, y), (x + side, y), (x + side, y + side), (x, y + side))
