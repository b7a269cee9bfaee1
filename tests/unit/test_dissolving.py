"""Cells that melt into rings: exactly they are covered, by rings that are simple."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.dissolving import Cell, Corner, dissolved
from core.domain.geometry import inside

CELLS = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1)


def covered(ring: list[Corner]) -> set[Cell]:
    """Return the cells whose centres lie in a ring."""
    columns, rows = (axis.ravel() for axis in np.meshgrid(np.arange(-1, 9), np.arange(-1, 9)))
    well = inside(columns + 0.5, rows + 0.5, [tuple((float(x), float(y)) for x, y in ring)])
    return set(zip(columns[well].tolist(), rows[well].tolist(), strict=True))


def area(ring: list[Corner]) -> float:
    """Return the area of a ring by the shoelace formula, positive against the clock."""
    return sum(x * y_next - x_next * y for (x, y), (x_next, y_next) in pairwise(ring)) / 2


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(CELLS)
def test_the_rings_cover_exactly_the_cells_each_once_and_are_simple(cells: set[Cell]) -> None:
    seen: list[Cell] = []
    for shape, ring in dissolved(cells):
        assert covered(ring) == shape
        assert area(ring) == len(shape)  # neither hole nor overlap
        assert ring[0] == ring[-1]
        assert len(set(ring)) == len(ring) - 1 >= 4  # no point twice
        assert all((a[0] == b[0]) != (a[1] == b[1]) for a, b in pairwise(ring))
        seen += shape
    assert sorted(seen) == sorted(cells)


def test_as_few_as_are_right() -> None:
    block = {(x, y) for x in range(5) for y in range(4)}
    assert len(dissolved(block)) == 1
    assert dissolved(block)[0][1] == [(0, 0), (5, 0), (5, 4), (0, 4), (0, 0)]
    assert len(dissolved(block - {(2, 2)})) == 2  # a hole needs one cut
    assert len(dissolved(block - {(1, 1), (1, 2)})) == 2
    assert len(dissolved(block - {(0, 1)})) == 1  # a bay is no hole
    assert len(dissolved({(0, 0), (1, 1)})) == 2  # a corner joins nothing
    pinched = {(0, 0), (1, 0), (2, 0), (2, 1), (0, 1), (0, 2), (1, 2)}  # its ends touch in the corner (2, 2)
    assert sorted(len(shape) for shape, _ in dissolved(pinched)) == [2, 5]
    assert dissolved([]) == []


def test_many_cells_of_a_ragged_sky_are_cut_without_end() -> None:
    chosen = np.random.default_rng(0).random((80, 80)) < 0.8
    cells = {(int(x), int(y)) for x, y in np.argwhere(chosen)}
    shapes = dissolved(cells)
    assert sum(len(shape) for shape, _ in shapes) == len(cells)
