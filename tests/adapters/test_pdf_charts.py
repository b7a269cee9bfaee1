"""Charts and maps as they stand in the file: where values lie, what is left out, and that no document is refused."""

from __future__ import annotations

import io
import math
from unittest.mock import patch

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters.pdf import printed
from core.adapters.pdf.axes import decimals, horizontal, vertical
from core.adapters.pdf.sheet import Sheet
from core.domain.document import Block, Chart, Column, Facts, Heading, LevelMap, Notice, Paragraph, Series, Table
from core.domain.forecast import RiskLevel
from core.domain.levels import LEVELS
from tests.documents_made import bulletin, charts, level_map

NAN = math.nan


def chart(*series: Series, **said: object) -> Chart:
    return Chart("Title", "x", "y", series, **said)  # type: ignore[arg-type]


def strokes(block: Block) -> list[tuple[str, int]]:
    """Return dash and number of points of every thick line that is drawn."""
    seen: list[tuple[str, int]] = []
    draw = Sheet.draw_line

    def watched(sheet: Sheet, points: object, **look: object) -> None:
        if look.get("width") == 1.3:
            seen.append((str(look.get("dash")), len(points)))  # type: ignore[arg-type]
        draw(sheet, points, **look)  # type: ignore[arg-type]

    with patch.object(Sheet, "draw_line", watched):
        printed(bulletin(blocks=(block,)))
    return seen


def test_a_line_is_parted_where_nothing_is_known() -> None:
    x = tuple(float(i) for i in range(7))
    lines = strokes(chart(Series("", x, (1.0, 2.0, NAN, 4.0, 5.0, 6.0, NAN))))
    assert lines == [("", 2), ("", 3)]


def test_series_differ_by_more_than_colour() -> None:
    x = (1.0, 2.0)
    lines = strokes(chart(*(Series("", x, (1.0, float(i))) for i in range(5))))
    assert len({dash for dash, _ in lines}) == 5


def test_a_logarithmic_axis_has_whole_decades_and_no_place_for_zero() -> None:
    axis = vertical(chart(Series("", (1.0, 2.0, 3.0), (0.0, 0.03, 0.2)), y_logarithmic=True), 100.0, 0.0)
    assert (axis.low, axis.high) == (0.01, 1.0)
    assert axis.ticks() == pytest.approx([0.01, 0.1, 1.0])
    assert axis.place(0.1) == pytest.approx(50.0)
    assert math.isnan(axis.place(0.0))


def test_bars_begin_at_zero_and_stand_inside_the_axis() -> None:
    bars = chart(Series("", (1.0, 2.0, 3.0), (5.0, 6.0, 7.0), "bars"))
    assert vertical(bars, 100.0, 0.0).place(0.0) == 100.0
    across = horizontal(bars, 0.0, 300.0)
    assert (across.low, across.high) == (0.5, 3.5)


@pytest.mark.parametrize(
    ("low", "high", "ticks", "places"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], 1),
        (0.0, 13.0, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0], 0),
        (-0.03, 0.01, [-0.03, -0.02, -0.01, 0.0, 0.01], 2),
        (5.0, 5.0, [4.4, 4.6, 4.8, 5.0, 5.2, 5.4, 5.6], 1),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float], places: int) -> None:
    axis = vertical(chart(Series("", (0.0, 1.0), (low, high))), 0.0, 1.0)
    assert axis.ticks() == pytest.approx(ticks)
    assert decimals(axis.ticks()) == places


def test_a_chart_without_values_says_so_in_its_language() -> None:
    empty = chart(Series("none", (), ()), Series("unknown", (1.0, 2.0), (NAN, NAN)))
    read = pypdf.PdfReader(io.BytesIO(printed(bulletin("en", blocks=(empty,))))).pages[0].extract_text()
    assert "No data" in read


def test_a_map_has_every_cell_in_its_colour_its_sign_and_hatches_the_unknown() -> None:
    level = dict.fromkeys(LEVELS, 0)
    made = level_map("en", 10, 5)
    for cell in made.levels:
        level[cell] += 1
    text = drawn(made)
    assert text.count(" W n") == 2  # the cells that are not known, and their field in the legend
    for name, style in LEVELS.items():
        filled = [line for line in text.splitlines() if line.startswith(f"q {rgb(style.colour)} rg ")]
        assert max(line.count(" m ") for line in filled) == level[name]


def test_a_level_that_no_place_has_stands_in_the_legend_with_zero() -> None:
    made = level_map("en", 1, 1)
    page = pypdf.PdfReader(io.BytesIO(printed(bulletin(blocks=(made,))))).pages[0].extract_text()
    assert "Take action: 0" in page
    assert "No warning: 1" in page


def drawn(block: Block) -> str:
    """Return the operators of the page a block stands on."""
    page = pypdf.PdfReader(io.BytesIO(printed(bulletin(blocks=(block,))))).pages[0]
    contents = page.get_contents()
    assert contents is not None
    return contents.get_data().decode("latin-1")


def rgb(colour: str) -> str:
    return " ".join(f"{int(colour[i : i + 2], 16) / 255:.3f}" for i in (1, 3, 5))


TEXTS = st.text(max_size=60) | st.sampled_from(["", "किन्नौर " * 9, "a" * 500, "{n}", "\u200d", "\u094d", "((("])
NUMBERS = st.floats(-1e6, 1e6) | st.just(NAN) | st.sampled_from([0.0, 1e-12, math.inf, -math.inf, 1e300, 5e-324])
ROWS = st.lists(NUMBERS, max_size=8).map(tuple)
SERIES = st.builds(Series, TEXTS, ROWS, ROWS, st.sampled_from(["line", "points", "bars"]), ROWS, ROWS)
CHARTS = st.builds(
    Chart,
    TEXTS,
    TEXTS,
    TEXTS,
    st.lists(SERIES, max_size=4).map(tuple),
    st.lists(st.tuples(NUMBERS, TEXTS), max_size=3).map(tuple),
    st.none() | st.tuples(NUMBERS, NUMBERS),
    st.booleans(),
    st.booleans(),
)
TABLES = st.builds(
    Table,
    TEXTS,
    st.lists(st.builds(Column, TEXTS, st.floats(0.0, 9.0), st.booleans()), max_size=7).map(tuple),
    st.lists(st.lists(TEXTS, max_size=8).map(tuple), max_size=9).map(tuple),
    st.lists(st.none() | st.sampled_from(RiskLevel), max_size=9).map(tuple),
    TEXTS,
)
RINGS = st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5).map(tuple), max_size=5).map(tuple)
MAPS = st.builds(
    LevelMap,
    TEXTS,
    RINGS,
    RINGS,
    st.lists(st.sampled_from(RiskLevel), max_size=5).map(tuple),
    st.dictionaries(st.sampled_from(RiskLevel), TEXTS),
    TEXTS,
)
WORDS = (
    st.builds(Heading, TEXTS, st.booleans())
    | st.builds(Paragraph, TEXTS)
    | st.builds(Notice, TEXTS)
    | st.builds(Facts, st.lists(st.tuples(TEXTS, TEXTS), max_size=5).map(tuple))
)


@given(st.lists(WORDS | TABLES | CHARTS | MAPS, max_size=6), st.sampled_from(["en", "hi", "xx"]))
@settings(max_examples=10, deadline=None)
def test_no_document_is_refused(blocks: list[Block], code: str) -> None:
    document = bulletin("hi" if code == "hi" else "en", blocks=tuple(blocks))
    assert pypdf.PdfReader(io.BytesIO(printed(document))).pages


def test_every_chart_of_a_bulletin_is_drawn_as_lines_not_as_pictures() -> None:
    pages = pypdf.PdfReader(io.BytesIO(printed(bulletin(blocks=charts("hi"))))).pages
    assert all("/XObject" not in page["/Resources"] for page in pages)
