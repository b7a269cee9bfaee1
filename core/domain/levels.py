"""How a level looks and reads, wherever it is drawn: on a page, on paper, in a table."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.forecast import RiskLevel


@dataclass(frozen=True)
class LevelStyle:
    """How a level looks: never by colour alone, so each above green has a sign of its own.

    `symbol` is what Plotly calls the sign; `name` and `meaning` are keys of the catalogue.
    """

    name: str
    colour: str
    symbol: str
    sign: str
    meaning: str


#: Ordered; lightness falls with risk, so that the order shows without colour vision.
LEVELS: dict[RiskLevel, LevelStyle] = {
    RiskLevel.GREEN: LevelStyle("Green", "#bfe3d0", "", "", "no warning"),
    RiskLevel.YELLOW: LevelStyle("Yellow", "#f4d03f", "triangle-up", "▲", "watch"),
    RiskLevel.ORANGE: LevelStyle("Orange", "#e67e22", "diamond", "◆", "be prepared"),
    RiskLevel.RED: LevelStyle("Red", "#a3123f", "square", "■", "take action"),
    RiskLevel.UNKNOWN: LevelStyle("No data", "#ffffff", "", "▨", "nothing can be said"),
}
#: Known levels by rising gravity; UNKNOWN is no step of it.
LADDER: tuple[RiskLevel, ...] = tuple(level for level in LEVELS if level is not RiskLevel.UNKNOWN)


def rank(level: RiskLevel) -> int:
    """Return the gravity of a level, -1 for UNKNOWN."""
    return _RANKS.get(level, -1)


_RANKS = {level: i for i, level in enumerate(LADDER)}
