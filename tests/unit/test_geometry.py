"""Distances and directions on the globe."""

from __future__ import annotations

import numpy as np
import pytest

from core.domain import geometry
from core.domain.weather import Location


def places(*positions: tuple[float, float]) -> tuple[Location, ...]:
    return tuple(Location(str(i), "", latitude, longitude) for i, (latitude, longitude) in enumerate(positions))


def test_distances_are_those_of_known_cities() -> None:
    # Great-circle distances on a sphere of 6,371 km: Delhi-Mumbai 1,148 km, Delhi-Leh 618 km (movable-type.co.uk form).
    index, distance_km = geometry.nearest(places((28.6139, 77.2090), (19.0760, 72.8777), (34.1526, 77.5771)), 2000, 2)
    assert index.tolist() == [[2, 1], [0, 2], [0, 1]]
    assert distance_km[0] == pytest.approx([616.9, 1148.1], abs=2)


def test_what_lies_beyond_the_radius_is_no_neighbour() -> None:
    index, distance_km = geometry.nearest(places((0, 0), (0, 1), (0, 5)), 120, 2)
    assert index.tolist() == [[1, -1], [0, -1], [-1, -1]]
    assert distance_km[0, 0] == pytest.approx(111.19, abs=0.01)
    assert np.isinf(distance_km[2]).all()


def test_nobody_and_one_alone_have_no_neighbours() -> None:
    assert geometry.nearest((), 100, 3)[0].shape == (0, 3)
    assert geometry.nearest(places((10, 10)), 100, 3)[0].tolist() == [[-1, -1, -1]]


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    many = places(*zip(rng.uniform(20, 30, 40), rng.uniform(70, 80, 40), strict=True))
    whole = geometry.nearest(many, 300, 5)
    monkeypatch.setattr(geometry, "BLOCK", 7)
    for one, other in zip(whole, geometry.nearest(many, 300, 5), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("to", "degrees"), [((31, 78), 0), ((30, 79), 90), ((29, 78), 180), ((30, 77), -90), ((30.1, 78.115), 45)]
)
def test_bearing_is_counted_east_of_north(to: tuple[float, float], degrees: float) -> None:
    pair = places((30, 78), to)
    index, _ = geometry.nearest(pair, 500, 1)
    assert np.degrees(geometry.bearing_rad(pair, index)[0, 0]) == pytest.approx(degrees, abs=0.5)


def test_bearing_across_the_date_line() -> None:
    pair = places((0, 179.5), (0, -179.5))
    index, _ = geometry.nearest(pair, 500, 1)
    assert np.degrees(geometry.bearing_rad(pair, index)[:, 0]) == pytest.approx([90, -90])


@pytest.mark.parametrize(
    ("ring", "simple"),
    [
        ([(0, 0), (2, 0), (2, 2), (1, 1), (0, 2), (0, 0)], True),
        ([(0, 0), (2, 2), (2, 0), (0, 2), (0, 0)], False),  # a bow
        ([(0, 0), (2, 0), (2, 2), (1, 0), (0, 2), (0, 0)], False),  # a corner on a side
        ([(0, 0), (3, 0), (3, 1), (2, 0), (1, 0), (0, 1), (0, 0)], False),  # a side on a side
        ([(0, 0), (2, 0), (1, 0), (0, 0)], False),  # there and back
        ([(0, 0), (1, 0), (1, 1), (0, 0), (-1, 0), (-1, -1), (0, 0)], False),  # one corner twice
        ([(0, 0), (1, 0), (2, 0), (2, 1), (0, 1), (0, 0)], True),  # a point along a side
    ],
)
def test_a_ring_that_crosses_or_touches_itself_is_not_simple(ring: list[tuple[float, float]], simple: bool) -> None:
    for turned in (ring, ring[::-1], [(y / 7 + 30, x / 7 + 78) for x, y in ring]):
        assert geometry.is_simple(turned) is simple
