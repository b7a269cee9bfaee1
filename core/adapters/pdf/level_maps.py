"""The map of a region: every place's cell in the colour of its level with its sign, outlines above, words beside."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from core.adapters.pdf.marks import HATCH, draw_mark, sign_shape
from core.adapters.pdf.sheet import FLOOR, INK, LEADING, LEFT, RULE, SOFT, SPAN, TOP, Points, Sheet
from core.domain.document import LevelMap, Ring
from core.domain.forecast import RiskLevel
from core.domain.levels import LEVELS
from core.words import language

#: Most room of the map itself; its legend stands below.
WIDE, TALL = SPAN, 400.0
#: A map that is not smaller than this is fitted into what is left of a page.
SMALL = 300.0
SIZE = 8.5
#: Least and most size of a sign on a cell.
SIGN = (1.2, 7.0)


def print_level_map(sheet: Sheet, level_map: LevelMap) -> None:
    """Print a map with its legend; levels that no place has stand in the legend with a count of zero."""
    titles = sheet.letters.lines(level_map.title, SPAN, 10, bold=True) if level_map.title else []
    legend = _legend(sheet, level_map)
    words = (len(titles) * 10 + (len(legend) + 1) * SIZE * 1.2) * LEADING + 24
    left = FLOOR - sheet.y - words
    scale, height = _scale(level_map, min(TALL, left if left >= SMALL else FLOOR - TOP - words))
    sheet.room(min(words + height, FLOOR - TOP))
    sheet.write_lines(titles, LEFT, 10, bold=True)
    sheet.y += 3
    if scale:
        _print_cells(sheet, level_map, scale, sheet.y)
        rings = [_placed(ring, scale, sheet.y) for ring in level_map.outlines]
        sheet.draw_areas(rings, line=SOFT, width=0.5)
        sheet.y += height + 6
    for level, line in legend:
        sheet.room(SIZE * 1.3 * LEADING)
        if level is not None:
            draw_mark(sheet, level, LEFT, sheet.y + 0.5, width=18, height=SIZE * 1.25)
        sheet.write_line(line, LEFT + 25, sheet.y + SIZE * 1.02, SIZE)
        sheet.y += SIZE * 1.2 * LEADING
    if level_map.note:
        sheet.write_lines(sheet.letters.lines(level_map.note, SPAN, 7.5), LEFT, 7.5, colour=SOFT)
    sheet.y += 8


def _legend(sheet: Sheet, level_map: LevelMap) -> list[tuple[RiskLevel | None, str]]:
    """Return lines of the legend, the gravest level first; those that go on have no level."""
    counts, words = Counter(level_map.levels), language(sheet.language)
    shown = [level for level in _gravest_first() if level in level_map.legend or counts[level]]
    out: list[tuple[RiskLevel | None, str]] = []
    for level in shown:
        meant = level_map.legend.get(level, words.say(LEVELS[level].name))
        lines = sheet.letters.lines(f"{meant}: {words.number(counts[level])}", SPAN - 25, SIZE)
        out += [(level if i == 0 else None, line) for i, line in enumerate(lines)]
    return out


def _gravest_first() -> list[RiskLevel]:
    known = [level for level in LEVELS if level is not RiskLevel.UNKNOWN]
    return [*reversed(known), RiskLevel.UNKNOWN]


#: Longitude of the left edge, latitude of the upper one, points per degree of either, and the left edge on the paper.
_Scale = tuple[float, float, float, float, float]


def _scale(level_map: LevelMap, tall: float) -> tuple[_Scale | None, float]:
    corners = [c for rings in (level_map.outlines, level_map.cells) for ring in rings for c in ring]
    corners = [(x, y) for x, y in corners if math.isfinite(x) and math.isfinite(y)]
    if not corners:
        return None, 0.0
    west, east = min(x for x, _ in corners), max(x for x, _ in corners)
    south, north = min(y for _, y in corners), max(y for _, y in corners)
    narrowing = max(math.cos(math.radians((south + north) / 2)), 0.01)
    wide, high = max((east - west) * narrowing, 1e-6), max(north - south, 1e-6)
    per_degree = min(WIDE / wide, tall / high)
    left = LEFT + (WIDE - wide * per_degree) / 2
    return (west, north, per_degree * narrowing, per_degree, left), high * per_degree


def _placed(ring: Ring, scale: _Scale, top: float) -> Points:
    west, north, across, down, left = scale
    known = (c for c in ring if math.isfinite(c[0]) and math.isfinite(c[1]))
    return [(left + (x - west) * across, top + (north - y) * down) for x, y in known]


def _print_cells(sheet: Sheet, level_map: LevelMap, scale: _Scale, top: float) -> None:
    by_level: dict[RiskLevel, list[Points]] = {level: [] for level in LEVELS}
    for ring, level in zip(level_map.cells, level_map.levels, strict=False):
        placed = _placed(ring, scale, top)
        if len(placed) > 2:
            by_level[level].append(placed)
    for level, rings in by_level.items():
        sheet.draw_areas(rings, fill=LEVELS[level].colour)
        if level is RiskLevel.UNKNOWN:
            sheet.hatch(rings, colour=HATCH, step=3.5)
        sheet.draw_areas(rings, line="#ffffff" if level is not RiskLevel.UNKNOWN else RULE, width=0.25)
    for level, rings in by_level.items():
        sheet.draw_areas(_signs(level, rings), fill="#ffffff" if level is RiskLevel.RED else INK)


def _signs(level: RiskLevel, rings: Iterable[Points]) -> list[Points]:
    out = []
    for ring in rings:
        xs, ys = [x for x, _ in ring], [y for _, y in ring]
        size = min(max(min(max(xs) - min(xs), max(ys) - min(ys)) * 0.5, SIGN[0]), SIGN[1])
        out.append(sign_shape(level, (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2, size))
    return out
