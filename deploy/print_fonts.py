"""Makes the fonts of printed documents from Noto's: what English and Hindi need, in an eighth of the bytes.

Latin is not shaped, so its fonts lose their layout tables and gain the signs that Noto keeps in fonts of its own
(arrows, mathematics, geometric shapes). Devanagari keeps every glyph and all of GSUB and GPOS, which make conjuncts.
Hints for screens are dropped. Run as `python -m deploy.print_fonts FOLDER` on Debian's `fonts-noto-core`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FONTS = Path(__file__).parent.parent / "core/words/fonts"
LATIN = [
    *range(0x20, 0x7F),
    *range(0xA0, 0x250),
    *range(0x2B0, 0x400),
    *range(0x1E00, 0x1F00),
    *range(0x2000, 0x2070),
    *range(0x2070, 0x20C0),
    *range(0x2100, 0x2150),
    0xFFFD,
]
#: Blocks, and the font of Noto that draws them; the first that has a sign gives it.
SIGNS = [
    ("NotoSansMath-Regular.ttf", [*range(0x2150, 0x2400)]),
    ("NotoSansSymbols2-Regular.ttf", [*range(0x25A0, 0x2600)]),
]


def main() -> None:
    """Write the four fonts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("noto", type=Path, help="folder of Noto's fonts, such as /usr/share/fonts/truetype/noto")
    noto = parser.parse_args().noto
    for weight in ("Regular", "Bold"):
        latin = TTFont(noto / f"NotoSans-{weight}.ttf", recalcTimestamp=False)
        _reduce(latin, unicodes=LATIN, layout=False)
        for name, block in SIGNS:
            _add(latin, TTFont(noto / name), block)
        _save(latin, FONTS / f"NotoSans-{weight}.ttf")
        devanagari = TTFont(noto / f"NotoSansDevanagari-{weight}.ttf", recalcTimestamp=False)
        _reduce(devanagari, unicodes=sorted(devanagari.getBestCmap()), layout=True)
        _save(devanagari, FONTS / f"NotoSansDevanagari-{weight}.ttf")


def _reduce(font: TTFont, *, unicodes: list[int], layout: bool) -> None:
    options = Options(hinting=False, notdef_outline=True, layout_features=["*"] if layout else [], name_IDs=["*"])
    options.drop_tables += [] if layout else ["GSUB", "GPOS", "GDEF"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    subsetter.subset(font)


def _add(font: TTFont, other: TTFont, block: list[int]) -> None:
    """Copy the signs of a block that the font has not; both count a thousand units to the em."""
    if font["head"].unitsPerEm != other["head"].unitsPerEm:
        raise ValueError("the signs would have another size than the letters")
    known, given = font.getBestCmap(), other.getBestCmap()
    tables = [table for table in font["cmap"].tables if table.isUnicode()]
    for code in block:
        if code in known or code not in given:
            continue
        name, glyphs = f"uni{code:04X}", other.getGlyphSet()
        drawn, pen = DecomposingRecordingPen(glyphs), TTGlyphPen(None)
        glyphs[given[code]].draw(drawn)
        drawn.replay(pen)
        font["glyf"][name] = pen.glyph()  # appends to the order of glyphs, too
        font["hmtx"][name] = other["hmtx"][given[code]]
        for table in tables:
            table.cmap[code] = name


def _save(font: TTFont, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    font.save(path)
    print(f"{path.name}: {path.stat().st_size:,} bytes, {len(font.getBestCmap()):,} characters")


if __name__ == "__main__":
    main()
