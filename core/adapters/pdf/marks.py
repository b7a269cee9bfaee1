"""Marks of levels on paper: colour and sign, so that they can be told apart without colour; UNKNOWN is hatched."""

from __future__ import annotations

from core.adapters.pdf.sheet import INK, RULE, Points, Sheet, box
from core.domain.forecast import RiskLevel
from core.domain.levels import LEVELS

#: Ink of a level's sign on its colour.
SIGN_INK = {RiskLevel.RED: "#ffffff"}
HATCH = "#6b7a86"


def draw_mark(sheet: Sheet, level: RiskLevel, x: float, y: float, *, width: float, height: float) -> None:
    """Draw a field of a level from its upper left corner, with its sign as a letter that can be read out."""
    style = LEVELS[level]
    field = box(x, y, width, height)
    sheet.draw_areas([field], fill=style.colour)
    if level is RiskLevel.UNKNOWN:
        sheet.hatch([field], colour=HATCH)
    sheet.draw_areas([field], line=RULE)
    if level is not RiskLevel.UNKNOWN and style.sign:
        size = min(7.5, height * 0.85)
        sheet.write_line(
            style.sign,
            x + width / 2,
            y + height / 2 + size * 0.36,
            size,
            colour=SIGN_INK.get(level, INK),
            align="centre",
        )


def sign_shape(level: RiskLevel, x: float, y: float, size: float) -> Points:
    """Return the corners of a level's sign about its centre, empty where it has none; maps have thousands."""
    half = size / 2
    shapes: dict[RiskLevel, Points] = {
        RiskLevel.YELLOW: [(x - half, y + half * 0.8), (x, y - half * 0.9), (x + half, y + half * 0.8)],
        RiskLevel.ORANGE: [(x, y - half), (x + half, y), (x, y + half), (x - half, y)],
        RiskLevel.RED: box(x - half * 0.8, y - half * 0.8, half * 1.6, half * 1.6),
    }
    return shapes.get(level, ())
