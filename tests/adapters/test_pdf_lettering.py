"""Letters: Devanagari is shaped, lines break where they may, and nothing is wider than its line."""

from __future__ import annotations

import re

import pytest
import uharfbuzz as harfbuzz
from fpdf import FPDF
from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters.pdf.lettering import Lettering, plain
from core.words import FONTS


@pytest.fixture(scope="module")
def letters() -> Lettering:
    return Lettering(FPDF(unit="pt"))


def glyphs(text: str) -> list[int]:
    """Return the glyphs that HarfBuzz itself makes of a text."""
    face = harfbuzz.Face(harfbuzz.Blob.from_file_path(str(FONTS / "NotoSansDevanagari-Regular.ttf")))
    font, buffer = harfbuzz.Font(face), harfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    harfbuzz.shape(font, buffer)
    return [info.codepoint for info in buffer.glyph_infos]


@pytest.mark.parametrize("word", ["उत्तराखण्ड", "किन्नौर"])
def test_conjuncts_are_drawn_as_harfbuzz_shapes_them(word: str) -> None:
    pdf = FPDF(unit="pt")
    (run,) = Lettering(pdf).word(word, bold=False).runs
    subset = {code: glyph.glyph_id for glyph, code in pdf.fonts["devanagari"].subset.items() if glyph}
    codes = re.findall(r"<(\w{4})>", " ".join(operands for _, operands in run.strings))
    assert [subset[int(code, 16)] for code in codes] == glyphs(word)
    assert len(codes) < len(word)


def test_the_vowel_i_stands_before_its_consonant() -> None:
    assert glyphs("कि") == [*glyphs("कि")[:1], *glyphs("क")]


def test_the_width_of_shaped_words_is_that_of_their_glyphs(letters: Lettering) -> None:
    assert letters.width("किन्नौर", 1000) != sum(letters.width(letter, 1000) for letter in "किन्नौर")
    assert letters.width("AVA", 10, bold=True) > letters.width("AVA", 10)


@given(
    text=st.text(st.sampled_from("abc W-.0 \n°≥कखितत्नौर्\u200d台\t"), max_size=120),
    width=st.floats(20.0, 300.0),
)
@settings(max_examples=60, deadline=None)
def test_lines_keep_all_letters_and_fit(letters: Lettering, text: str, width: float) -> None:
    lines = letters.lines(text, width, 9.0)
    kept = "".join(lines).replace(" ", "")
    assert kept == plain(text).replace("\n", "").replace(" ", "")
    for line in lines:
        assert letters.width(line, 9.0) <= width + 1e-6 or len(line) < 12


def test_a_syllable_is_never_broken(letters: Lettering) -> None:
    for line in letters.lines("किन्नौर" * 40, 31.0, 9.0)[1:]:
        assert line[0] in "कनर"  # neither a vowel's sign nor what follows a virama alone
        assert not line.endswith("\u094d")


def test_what_controls_the_direction_of_writing_is_left_out() -> None:
    assert plain("a\u202eb\u0007c\r\nd\te\u0301") == "abc\nd é"
