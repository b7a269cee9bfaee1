"""Finding a place by coordinates, name or part of one, and what lies around it."""

from __future__ import annotations

import numpy as np
import pytest

from core.domain.geometry import from_point
from core.domain.places import around, compass, coordinates, search
from core.domain.weather import Location, Region

CELLS = tuple(
    Location(f"c{i}{j}", f"Chamoli {30.25 + i / 4:.2f}N {79 + j / 4:.2f}E", 30.25 + i / 4, 79 + j / 4)
    for i in range(4)
    for j in range(4)
)
GRID = Region("grid", "The grid", "Asia/Kolkata", CELLS, (), 0.25)
STATIONS = Region(
    "stations", "The stations", "Asia/Kolkata",
    (Location("s1", "Kedarnath", 30.735, 79.067), Location("s2", "Lāhul & Spiti", 32.5, 77.6)),
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "30.73, 79.07", "30.73 79.07", " 30.73;79.07 ", "30.73N 79.07E", "30.73 n, 79.07 e", "N30.73 E79.07",
        "79.07E 30.73N", "30.73° N, 79.07° E", "30.73, 79.07E",
    ],
)  # fmt: skip
def test_coordinates_are_read_as_people_write_them(text: str) -> None:
    assert coordinates(text) == (30.73, 79.07)


def test_minutes_and_the_other_hemispheres_are_read() -> None:
    assert coordinates("30°30'S 79°15'W") == (-30.5, -79.25)
    assert coordinates("-30°30' 79°15'") == (-30.5, 79.25)
    assert coordinates("\N{MINUS SIGN}22.9, -43.2") == (-22.9, -43.2)


@pytest.mark.parametrize(
    "text",
    ["", "30.73", "Kedarnath", "91, 79", "30, 181", "30.73N 79.07N", "-30N 79E", "N30S 79E", "1 2 3", "nan, nan"],
)
def test_what_is_no_point_of_the_globe_is_none(text: str) -> None:
    assert coordinates(text) is None


def test_a_point_finds_the_cell_it_lies_in_and_outside_of_every_region_says_so() -> None:
    found = search("30.73, 79.07", [GRID])
    assert [m.place.id for m in found.matches] == ["c20"]
    assert search("12.97, 77.59", [GRID, STATIONS]).outside == (12.97, 77.59)
    assert search("12.97, 77.59", [GRID, STATIONS]).matches == ()


def test_a_town_is_spoken_for_by_its_cell_and_every_region_that_knows_it_is_offered() -> None:
    found = search("kedarnath", [GRID, STATIONS])
    assert [(m.region.id, m.place.id) for m in found.matches] == [("grid", "c20"), ("stations", "s1")]
    assert {m.name for m in found.matches} == {"Kedarnath"}


def test_a_part_of_a_name_offers_all_that_hold_it_in_order() -> None:
    assert len(search("chamoli", [GRID]).matches) == 12  # of 16: a list must stay a list
    assert [m.place.id for m in search("chamoli 30.50n", [GRID]).matches] == ["c10", "c11", "c12", "c13"]
    assert [m.place.id for m in search("lahul spiti", [STATIONS]).matches] == ["s2"]


def test_a_misspelt_name_counts_only_where_nothing_else_fits() -> None:
    assert [m.name for m in search("Kedarnat", [STATIONS]).matches] == ["Kedarnath"]
    assert [m.name for m in search("Kedernath", [STATIONS]).matches] == ["Kedarnath"]
    assert search("Kedernath", [STATIONS]).outside is None
    assert search("Xyzzy", [STATIONS]).matches == ()


def test_a_town_that_nobody_serves_is_named_as_outside() -> None:
    found = search("gangtok", [GRID])
    assert (found.matches, found.name, found.outside) == ((), "Gangtok", (27.33, 88.61))


@pytest.mark.parametrize("text", ["", "   ", "&", "(*["])
def test_nothing_is_found_for_nothing(text: str) -> None:
    found = search(text, [GRID])
    assert (found.matches, found.outside) == ((), None)


def test_around_a_cell_lie_the_eight_that_touch_it_and_fewer_at_the_rim() -> None:
    found = around(GRID, "c11")
    assert {n.place.id: n.compass for n in found} == {
        "c21": "N", "c22": "NE", "c12": "E", "c02": "SE", "c01": "S", "c00": "SW", "c10": "W", "c20": "NW",
    }  # fmt: skip
    assert [n.distance_km for n in found] == sorted(n.distance_km for n in found)
    assert {n.place.id for n in around(GRID, "c00")} == {"c01", "c10", "c11"}


def test_around_a_station_lie_the_nearest_others() -> None:
    (other,) = around(STATIONS, "s1")
    assert (other.place.id, other.compass) == ("s2", "NW")
    assert around(Region("one", "One", "UTC", STATIONS.locations[:1]), "s1") == ()


def test_distance_and_bearing_are_those_of_a_known_pair() -> None:
    # Baghdad (35 N, 45 E) to Osaka (35 N, 135 E): initial bearing 60 degrees (movable-type.co.uk/scripts/latlong).
    distance_km, bearing_deg = from_point(35, 45, [Location("o", "Osaka", 35, 135), Location("b", "Baghdad", 35, 45)])
    assert bearing_deg[0] == pytest.approx(60, abs=0.5)
    assert distance_km[0] == pytest.approx(7872, rel=0.005)
    assert (distance_km[1], np.isnan(bearing_deg[1])) == (0, True)
    assert compass(359.0) == "N"
