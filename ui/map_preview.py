"""What stands in the map's place until the browser has read the library that draws it: the same levels, without clicks.

That library is 4.7 MB of script, and a browser takes a second to make something of it.
"""

from __future__ import annotations

import base64
from html import escape

import numpy as np

from core import LADDER, LEVELS, RiskLevel
from ui.map_grid import MOST_SPOTS, Grid, grid_of
from ui.map_layers import HATCH_COLOUR, LEVEL, OUTLINE_COLOUR, Picture
from ui.shared import shared

#: Units of the drawing to a degree of latitude.
SCALE = 100.0
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{body}</svg>'
#: Streamlit lets no SVG into a page but as an image. shell.css hides it as soon as the map itself is drawn.
IMAGE = '<img class="map-preview" alt="" src="data:image/svg+xml;base64,{data}">'


@shared(24)
def preview(key: tuple[str, ...], _picture: Picture) -> str:  # noqa: ARG001 - keys the cache
    """Return the levels of a picture as HTML; nothing for other layers, and for grids too fine to be as quick.

    Parameters
    ----------
    key
        What names the picture, as for `maps.risk_map`.
    """
    return drawn(_picture)


def drawn(picture: Picture) -> str:
    """Return the same, drawn anew."""
    grid = grid_of(picture.region)
    if picture.layer != LEVEL or len(grid.row) > MOST_SPOTS:
        return ""
    narrow = float(np.cos(np.radians(grid.y.mean()))) * SCALE
    wide, high = grid.step * narrow, grid.step * SCALE
    left, top = float(grid.x.min()) * narrow - wide, -float(grid.y.max()) * SCALE - high
    box = f"{left:.0f} {top:.0f} {np.ptp(grid.x) * narrow + 2 * wide:.0f} {np.ptp(grid.y) * SCALE + 2 * high:.0f}"
    body = "".join(_cells(grid, picture, level, (narrow, wide, high)) for level in (*LADDER, RiskLevel.UNKNOWN))
    svg = SVG.format(box=box, body=body + (_outlines(picture, narrow) if picture.outlines else ""))
    return IMAGE.format(data=base64.b64encode(svg.encode()).decode())


def _cells(grid: Grid, picture: Picture, level: RiskLevel, sizes: tuple[float, float, float]) -> str:
    """Return the cells of one level with its sign; those without data are white and crossed, never a colour."""
    narrow, wide, high = sizes
    step = -1 if level is RiskLevel.UNKNOWN else LADDER.index(level)
    at = np.flatnonzero(picture.standing.step == step)
    x, y = grid.longitude[at] * narrow - wide / 2, -grid.latitude[at] * SCALE - high / 2
    style, corners = LEVELS[level], list(zip(x, y, strict=True))
    cells = "".join(f"M{i:.1f} {j:.1f}h{wide:.1f}v{high:.1f}h{-wide:.1f}z" for i, j in corners)
    drawn = f'<path d="{cells}" fill="{style.colour}" stroke="#ffffff"/>'
    if step < 0:
        lines = "".join(f"M{i:.1f} {j + high:.1f}L{i + wide:.1f} {j:.1f}" for i, j in corners)
        return f'{drawn}<path d="{cells}{lines}" fill="none" stroke="{HATCH_COLOUR}"/>'
    signs = "".join(
        f'<text x="{i + wide / 2:.1f}" y="{j + 0.65 * high:.1f}">{escape(style.sign)}</text>' for i, j in corners
    )
    return drawn + (f'<g text-anchor="middle" font-size="{high / 2:.0f}">{signs}</g>' if style.sign else "")


def _outlines(picture: Picture, narrow: float) -> str:
    lines = (
        "M" + "L".join(f"{x * narrow:.0f} {-y * SCALE:.0f}" for x, y in ring)
        for outline in picture.region.outlines
        for ring in outline.rings
    )
    return f'<path d="{"".join(lines)}" fill="none" stroke="{OUTLINE_COLOUR}"/>'
