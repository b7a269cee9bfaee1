"""Letters of two scripts in two weights: which font a letter stands in, how wide words are, where lines break.

Latin is set letter by letter; Devanagari is shaped by HarfBuzz word by word, since its conjuncts (किन्नौर) are made of
several letters and drawn in another order. What no font has is drawn as □, never left out. Words come again and again,
so each is set once per document.

Line breaking and bidirectional text of fpdf2 are not used: a cell of it costs half a millisecond with shaping.
"""

from __future__ import annotations

import re
import unicodedata
from codecs import BOM_UTF16_BE
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fpdf import FPDF
from fpdf.fonts import TTFFont

from core.words import FONTS

#: Family and file of every font; each has a Regular and a Bold.
LATIN, DEVANAGARI = "latin", "devanagari"
FILES = {LATIN: "NotoSans", DEVANAGARI: "NotoSansDevanagari"}
#: Drawn for a letter that no font has.
NO_LETTER, NO_MARK_BEARER = "□", "\u25cc"
#: Longest beginning of a word that is tried on a line: no page has room for more.
MOST_LETTERS = 400
SHAPING: dict[str, Any] = {"features": {}, "script": None, "language": None, "fragment_direction": None}
JOINER = "\u200d"
_VIRAMA, _JOINERS = "\u094d", "\u200c\u200d"
#: Devanagari with what joins and marks it; everything else is the Latin font's.
_SHAPED = re.compile(f"([\u0900-\u097f\u1cd0-\u1cff\ua8e0-\ua8ff{_JOINERS}\u25cc]+)")


@dataclass(frozen=True)
class Run:
    """Letters of one font as they are set: pairs of a rise and the operands of a TJ; both in thousandths of the size.

    `meant` is their text where their glyphs do not stand in its order: who searches or copies it gets this.
    """

    font: int
    width: float
    strings: tuple[tuple[float, str], ...]
    meant: str = ""


@dataclass(frozen=True)
class Word:
    """A word as it is set; its width in thousandths of the size."""

    width: float
    runs: tuple[Run, ...]


class Lettering:
    """The fonts of one document; they stand in its file with the letters it uses."""

    def __init__(self, pdf: FPDF) -> None:
        for family, file in FILES.items():
            pdf.add_font(family, "", FONTS / f"{file}-Regular.ttf")
            pdf.add_font(family, "B", FONTS / f"{file}-Bold.ttf")
        self._fonts: dict[tuple[str, bool], TTFFont] = {
            (family, bold): font
            for family in FILES
            for bold in (False, True)
            if isinstance(font := pdf.fonts[family + "B" * bold], TTFFont)
        }
        self._words: dict[tuple[str, bool], Word] = {}

    def width(self, text: str, size: float, bold: bool = False) -> float:
        """Return how wide a text is on one line, in points."""
        return sum(self.word(part, bold).width for part in _parts(plain(text))) * size / 1000

    def lines(self, text: str, width: float, size: float, bold: bool = False) -> list[str]:
        """Return a text broken into lines of at most a width: between words, within those longer than a line."""
        return [line for part in plain(text).split("\n") for line in self._broken(part, width * 1000 / size, bold)]

    def shown(self, text: str, x: float, y: float, size: float, bold: bool = False) -> tuple[str, set[int]]:
        """Return operators that draw one line from (x, y) on its baseline, and the numbers of the fonts they need."""
        out, used = [f"BT 1 0 0 1 {x:.2f} {y:.2f} Tm"], set()
        for part in _parts(plain(text).replace("\n", " ")):
            for run in self.word(part, bold).runs:
                used.add(run.font)
                out.append(f"/F{run.font} {size:.2f} Tf")
                if run.meant:
                    out.append(f"/Span <</ActualText <{(BOM_UTF16_BE + run.meant.encode('utf-16-be')).hex()}>>> BDC")
                for rise, operands in run.strings:
                    shift = f"{rise * size / 1000:.2f} Ts " if rise else ""
                    out.append(f"{shift}[{operands}] TJ{' 0 Ts' if rise else ''}")
                if run.meant:
                    out.append("EMC")
        return " ".join([*out, "ET"]), used

    def word(self, text: str, bold: bool) -> Word:
        """Return a word as it is set."""
        known = self._words.get((text, bold))
        if known is None:
            known = self._words[text, bold] = self._set(text, bold)
        return known

    def _set(self, text: str, bold: bool) -> Word:
        runs = []
        for part in _SHAPED.split(text):
            if part.strip(_JOINERS):
                shaped = _SHAPED.match(part) is not None
                font = self._fonts[DEVANAGARI if shaped else LATIN, bold]
                runs.append(_shaped(font, part) if shaped else _spelled(font, part))
        return Word(sum(run.width for run in runs), tuple(runs))

    def _broken(self, text: str, width: float, bold: bool) -> Iterator[str]:
        line, used = "", 0.0
        for part in _parts(text):
            wide = self.word(part, bold).width
            if used + wide <= width or part == " ":
                line, used = line + part, used + wide
                continue
            if line.strip():
                yield line.rstrip()
            line, used = part, wide
            while used > width or len(line) > MOST_LETTERS:
                head = self._fitting(line, width, bold)
                if len(head) == len(line):
                    break  # a single letter wider than the line
                yield head
                line = line[len(head) :]
                used = self._set(line[:MOST_LETTERS], bold).width
        yield line.rstrip()

    def _fitting(self, word: str, width: float, bold: bool) -> str:
        """Return the longest beginning of whole syllables that fits, at least one."""
        most = min(len(word), MOST_LETTERS)
        ends = [i for i in range(1, most) if _may_break(word, i)] + [most]
        low, high = 0, len(ends) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self._set(word[: ends[middle]], bold).width <= width:
                low = middle
            else:
                high = middle - 1
        return word[: ends[low]]


def plain(text: str) -> str:
    """Return a text of composed letters, without what controls a terminal or the direction of writing."""
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\t", " "))
    return "".join(c for c in composed if c in "\n" + _JOINERS or unicodedata.category(c) not in _UNSEEN)


#: Controls, formats (of direction), surrogates: nothing to see, and no font has them.
_UNSEEN = {"Cc", "Cf", "Cs"}


def _parts(text: str) -> list[str]:
    """Return words and the single spaces between them; a no-break space does not part."""
    return [part for part in re.split("( )", text) if part]


def _may_break(word: str, at: int) -> bool:
    """Return whether a line may end before a letter: not within a syllable of Devanagari or before an accent."""
    before, after = word[at - 1], word[at]
    return before not in _VIRAMA + _JOINERS and after not in _JOINERS and unicodedata.category(after)[0] != "M"


def _spelled(font: TTFFont, text: str) -> Run:
    """Return a run set letter by letter."""
    seen = [c if ord(c) in font.cmap else NO_LETTER for c in text]
    codes = "".join(f"{font.subset.pick(ord(c)):04X}" for c in seen)
    return Run(
        font.i, sum(font.cw[ord(c)] for c in seen), ((0.0, f"<{codes}>"),), "" if "".join(seen) == text else text
    )


def _shaped(font: TTFFont, text: str) -> Run:
    """Return a run of Devanagari: marks are steps there and back in TJ, their heights rises.

    A syllable's first glyph stands for all of its letters, and those that follow for a joiner, which is not seen.
    """
    seen = "".join(c if ord(c) in font.cmap else NO_MARK_BEARER for c in text)
    infos, places = font.perform_harfbuzz_shaping(seen, 10, SHAPING)
    starts = sorted({int(info.cluster) for info in infos})
    syllables = dict(zip(starts, [seen[a:b] for a, b in pairwise([*starts, len(seen)])], strict=True))
    strings: list[tuple[float, str]] = []
    for info, place in zip(infos, places, strict=True):
        name = font.ttfont.getGlyphName(info.codepoint)
        wide = int(font.ttfont["hmtx"].metrics[name][0])
        letters = tuple(map(ord, syllables.pop(info.cluster, JOINER)))
        glyph = font.subset.get_glyph(info.codepoint, letters, name, wide)
        if glyph is None:
            continue
        aside, back = place.x_offset, wide + place.x_offset - place.x_advance
        code = f"<{font.subset.pick_glyph(glyph):04X}>"
        operands = f"{-aside} " * bool(aside) + code + f" {back}" * bool(back)
        if strings and strings[-1][0] == place.y_offset:
            strings[-1] = (strings[-1][0], f"{strings[-1][1]} {operands}")
        else:
            strings.append((place.y_offset, operands))
    return Run(font.i, sum(place.x_advance for place in places), tuple(strings), text)
