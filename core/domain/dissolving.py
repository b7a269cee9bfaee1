"""Cells of a grid as few shapes: neighbours melt into one ring, without holes and without a point it passes twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: Column and row of a cell; its south-western corner is the corner of the same numbers.
Cell = tuple[int, int]
Corner = tuple[int, int]
Edge = tuple[Corner, Corner]


def dissolved(cells: Iterable[Cell]) -> list[tuple[frozenset[Cell], list[Corner]]]:
    """Return shapes that cover exactly the cells: of each its cells, and its ring.

    Cells that share a side are of one shape. Where such a shape has a hole, or touches itself in a point, it is cut
    along a meridian through that hole or point, as often as need be: a ring is then all that its shape needs.

    Returns
    -------
    Rings against the clock, closed, with corners alone and no points along a side.

    Examples
    --------
    >>> [(len(shape), ring) for shape, ring in dissolved([(0, 0), (1, 0)])]
    [(2, [(0, 0), (2, 0), (2, 1), (0, 1), (0, 0)])]
    """
    waiting = list(_connected(set(cells)))
    out = []
    while waiting:
        shape = waiting.pop()
        rings, cut = _rings(shape)
        if cut is None:
            out.append((frozenset(shape), _corners(rings[0])))
        else:
            for side in ({c for c in shape if c[0] < cut}, {c for c in shape if c[0] >= cut}):
                waiting += _connected(side)
    return sorted(out, key=lambda found: min(found[0]))


def _connected(cells: set[Cell]) -> Iterator[set[Cell]]:
    """Yield the cells that hang together by their sides."""
    left = set(cells)
    while left:
        edge = [left.pop()]
        shape = set(edge)
        while edge:
            column, row = edge.pop()
            for near in ((column + 1, row), (column - 1, row), (column, row + 1), (column, row - 1)):
                if near in left:
                    left.remove(near)
                    shape.add(near)
                    edge.append(near)
        yield shape


def _rings(shape: set[Cell]) -> tuple[list[list[Corner]], int | None]:
    """Return the outlines of a shape, or the column to cut it before, None where it has one outline and no twice."""
    follows: dict[Corner, Corner] = {}
    twice = []
    for begin, end in _sides(shape):
        if begin in follows:
            twice.append(begin[0])
        follows[begin] = end
    if twice:
        return [], _middle(twice)
    rings = []
    while follows:
        ring = [min(follows)]
        while ring[-1] in follows:
            ring.append(follows.pop(ring[-1]))
        rings.append(ring)
    # The south-western corner of all is on the outer ring, which comes first; the rest are holes.
    holes = [min(column for column, _ in ring) for ring in rings[1:]]
    return rings, _middle(holes) if holes else None


def _sides(shape: set[Cell]) -> Iterator[Edge]:
    """Yield the sides between a cell of the shape and one that is not, with the shape on their left."""
    for column, row in shape:
        corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
        beyond = ((column, row - 1), (column + 1, row), (column, row + 1), (column - 1, row))
        for i, other in enumerate(beyond):
            if other not in shape:
                yield corners[i], corners[(i + 1) % 4]


def _middle(columns: list[int]) -> int:
    """Return the column in the middle: cuts through many holes leave parts of like size."""
    return sorted(columns)[len(columns) // 2]


def _corners(ring: list[Corner]) -> list[Corner]:
    """Return a closed ring without the points along its sides; it begins at its south-western corner."""
    points = ring[:-1]
    turns = [
        here
        for before, here, after in zip([points[-1], *points[:-1]], points, [*points[1:], points[0]], strict=True)
        if not (before[0] == here[0] == after[0] or before[1] == here[1] == after[1])
    ]
    return [*turns, turns[0]]
