"""Which place speaks for a point: the cell that it lies in, or the nearest station within reach."""

from __future__ import annotations

import pytest

from core.domain.weather import Location, Region

CELLS = tuple(Location(f"{lat}/{lon}", "", lat, lon) for lat in (30.0, 30.5) for lon in (78.0, 78.5))


def region(places: tuple[Location, ...], spacing_deg: float | None) -> Region:
    return Region("r", "R", "UTC", places, spacing_deg=spacing_deg)


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((30.0, 78.0), "30.0/78.0"),
        ((30.24, 78.26), "30.0/78.5"),
        ((30.26, 77.76), "30.5/78.0"),
        ((29.74, 78.0), None),
        ((30.0, 78.76), None),
    ],
)
def test_a_point_of_a_grid_belongs_to_its_cell(point: tuple[float, float], expected: str | None) -> None:
    found = region(CELLS, 0.5).place_at(*point)
    assert (found.id if found else None) == expected


def test_the_nearest_station_within_fifteen_kilometres_speaks_for_a_point() -> None:
    stations = (Location("a", "", 60.0, 10.0), Location("b", "", 60.0, 10.4))
    made = region(stations, None)
    found = made.place_at(60.0, 10.25)  # 13.9 km west of it lies a, 8.3 km east b: a degree is short up there
    assert found is not None
    assert found.id == "b"
    assert made.place_at(60.14, 10.0) is None  # 15.6 km
    assert made.place_at(60.13, 10.0) is not None  # 14.5 km


def test_a_cell_at_the_date_line_reaches_across() -> None:
    found = region((Location("edge", "", 0.0, 180.0),), 0.5).place_at(0.1, -179.8)
    assert found is not None


def test_an_empty_region_answers_nothing() -> None:
    assert region((), None).place_at(0.0, 0.0) is None
