"""Slopes of the ground and the air that wind drives up them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.adapters.maps import load_region
from core.domain.units import EARTH_RADIUS_KM
from core.domain.weather import Location
from core.features import terrain, thermo

ROOT = Path(__file__).resolve().parents[2]
DEGREE_M = math.radians(1) * EARTH_RADIUS_KM * 1000  # 111,195 m


def test_a_degree_is_as_long_as_on_every_map() -> None:
    assert pytest.approx(111_195, abs=1) == DEGREE_M


def test_a_ramp_has_its_slope_everywhere_also_at_the_edges() -> None:
    # A rise of 100 m per column of 0.1 degrees at 60 north, where a degree of longitude is half as long (cos 60 = .5).
    height = np.broadcast_to(100.0 * np.arange(5), (4, 5))
    east, north = terrain.slopes(height, np.full(4, 60.0), 0.1)
    np.testing.assert_allclose(east, 100 / (0.1 * DEGREE_M * 0.5), rtol=1e-9)
    np.testing.assert_array_equal(north, 0)


def test_the_first_row_lies_in_the_north() -> None:
    height = np.broadcast_to(np.array([[300.0], [200.0], [100.0]]), (3, 2))
    east, north = terrain.slopes(height, np.array([30.2, 30.1, 30.0]), 0.1)
    np.testing.assert_allclose(north, 100 / (0.1 * DEGREE_M), rtol=1e-9)
    np.testing.assert_array_equal(east, 0)


def test_differences_are_central() -> None:
    height = np.zeros((3, 5))
    height[:, 2] = 1000.0
    east, _ = terrain.slopes(height, np.zeros(3), 0.1)
    flank = 1000 / (2 * 0.1 * DEGREE_M)
    np.testing.assert_allclose(east[1], [0, flank, 0, -flank, 0], rtol=1e-9)


def test_a_missing_height_makes_its_neighbours_unknown_and_no_zero() -> None:
    height = np.zeros((5, 5))
    height[2, 2] = np.nan
    east, north = terrain.slopes(height, np.zeros(5), 0.1)
    assert np.isnan(east[2, [1, 3]]).all()
    assert np.isnan(north[[1, 3], 2]).all()
    assert np.isfinite(east[0]).all()


@pytest.mark.parametrize(
    ("direction_deg", "lift_ms"),
    # Ground that rises 1 in 10 to the north: south wind of 10 m/s is driven up at 1 m/s, north wind down, west neither.
    [(180, 1.0), (0, -1.0), (270, 0.0), (225, math.sqrt(0.5))],
)
def test_wind_up_the_slope_lifts(direction_deg: float, lift_ms: float) -> None:
    place = Location("a", "A", 30.0, 78.0, 900.0, slope_east=0.0, slope_north=0.1)
    wind = thermo.wind_components_ms(np.full((1, 2), 10.0), np.full((1, 2), float(direction_deg)))
    np.testing.assert_allclose(terrain.orographic_lift_ms((place,), *wind), lift_ms, atol=1e-6)


def test_without_slope_or_wind_there_is_no_lift_and_no_zero() -> None:
    places = (Location("a", "A", 30.0, 78.0), Location("b", "B", 30.0, 78.0, 900.0, 0.1, 0.1))
    east = np.array([[3.0, 3.0], [3.0, np.nan]], np.float32)
    lift = terrain.orographic_lift_ms(places, east, np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(np.isnan(lift), [[True, True], [False, True]])
    assert lift.dtype == np.float32


def test_regions_know_the_slope_of_their_ground() -> None:
    region = load_region(ROOT / "data/regions/uttarakhand-himachal.toml", ROOT / "data/maps", 0.25)
    slope = np.array([[place.slope_east, place.slope_north] for place in region.locations])
    assert np.isfinite(slope).all()
    # The Himalaya rises to the north-east of its forelands, 1 in 50 over the width of the region.
    assert (slope.mean(axis=0) > 0.01).all()
    assert np.abs(slope).max() < 0.2
    plain = next(place for place in region.locations if place.id == "uh-28.875-79.625")  # Udham Singh Nagar
    assert math.hypot(plain.slope_east, plain.slope_north) < 0.005


def test_a_place_beyond_the_elevation_map_has_no_slope(tmp_path: Path) -> None:
    pack = tmp_path / "points.toml"
    text = (ROOT / "data/regions/points-example.toml").read_text("utf-8")
    pack.write_text(text.replace("latitude = 34.16", "latitude = 48"), "utf-8")
    leh, *others = load_region(pack, ROOT / "data/maps", 0.25).locations
    assert math.isnan(leh.slope_east)
    assert math.isnan(leh.slope_north)
    assert all(math.isfinite(place.slope_north) for place in others)


def test_a_gauge_has_no_slope_unless_it_is_given() -> None:
    place = Location("a", "A", 30.0, 78.0, 900.0)
    assert math.isnan(place.slope_east)
    assert math.isnan(place.slope_north)
