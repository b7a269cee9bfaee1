"""Features of the surroundings: neighbours weighted by distance, nothing missing made up, nothing from ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.domain.units import hour_axis
from core.domain.weather import HourlyWeather, Location
from core.features import surroundings, table

START = datetime(2026, 6, 1, tzinfo=UTC)
#: A cross around a place: 55.6 km north, east, south and west of it.
CROSS = (
    Location("c", "Centre", 0.0, 0.0),
    Location("n", "North", 0.5, 0.0),
    Location("e", "East", 0.0, 0.5),
    Location("s", "South", -0.5, 0.0),
    Location("w", "West", 0.0, -0.5),
)
NAMES = ("precipitation_mm", "temperature_c", "dew_point_c", "surface_pressure_hpa", "relative_humidity_pct")


def weather(hours: int = 400, seed: int = 1, places: tuple[Location, ...] = CROSS) -> HourlyWeather:
    rng = np.random.default_rng(seed)
    shape = (len(places), hours)
    values = {name: (20 + rng.normal(0, 2, shape)).astype(np.float32) for name in NAMES}
    values["surface_pressure_hpa"] += 900
    values["precipitation_mm"] = np.where(rng.random(shape) < 0.2, rng.gamma(1, 4, shape), 0).astype(np.float32)
    return HourlyWeather(places, hour_axis(START, START + timedelta(hours=hours - 1)), values, "made up")


def test_rain_around_is_that_of_the_neighbours_and_not_ones_own() -> None:
    made = weather(10)
    rain = np.zeros((5, 10), np.float32)
    rain[0, 5], rain[1, 5] = 90.0, 16.0
    built = surroundings.build(made.with_values({**made.values, "precipitation_mm": rain}))
    # Four neighbours at one distance: the mean of the roots 4, 0, 0, 0.
    assert built["around_150km_root_rain"][0, 5] == pytest.approx(1.0)
    assert built["rain_3h_north"][0, 5] == pytest.approx(4.0)
    assert built["rain_3h_south"][0, 5] == 0.0
    assert built["rain_3h_heaviest_around_mm"][0, 5] == 16.0
    assert built["around_150km_wet"][0, 5] == pytest.approx(0.25)
    assert built["nearest_neighbour_km"][0, 0] == pytest.approx(55.6, abs=0.1)


def test_nearer_neighbours_weigh_more() -> None:
    places = (CROSS[0], Location("near", "", 0.0, 0.2), Location("far", "", 0.0, 1.2))
    made = weather(10, places=places)
    rain = np.zeros((3, 10), np.float32)
    rain[1, 4] = rain[2, 7] = 9.0
    built = surroundings.build(made.with_values({**made.values, "precipitation_mm": rain}))["around_150km_root_rain"]
    near_km, far_km = 22.24, 133.43
    share = (1 / (near_km + 50)) / (1 / (near_km + 50) + 1 / (far_km + 50))
    assert built[0, 4] == pytest.approx(3 * share, rel=1e-3)
    assert built[0, 7] == pytest.approx(3 * (1 - share), rel=1e-3)


def test_a_missing_neighbour_is_passed_over_and_no_neighbour_is_unknown() -> None:
    made = weather(10)
    rain = np.full((5, 10), np.nan, np.float32)
    rain[1] = 4.0
    built = surroundings.build(made.with_values({**made.values, "precipitation_mm": rain}))
    assert built["around_150km_root_rain"][0] == pytest.approx(np.full(10, 2.0))
    assert np.isnan(built["around_150km_root_rain"][1]).all()
    alone = surroundings.build(weather(10, places=CROSS[:1]))
    assert np.isnan(np.stack([v for n, v in alone.items() if n != "nearest_neighbour_km"])).all()
    assert (alone["nearest_neighbour_km"] == surroundings.RADIUS_KM).all()


@pytest.mark.parametrize("hour", [0, 3, 30, 250, 398])
def test_nothing_looks_ahead(hour: int) -> None:
    made, other = weather(), weather(seed=2)
    changed = {name: array.copy() for name, array in made.values.items()}
    for name, array in changed.items():
        array[:, hour + 1 :] = other.values[name][:, hour + 1 :]
    before, after = surroundings.build(made), surroundings.build(made.with_values(changed))
    for name, values in before.items():
        np.testing.assert_array_equal(values[:, : hour + 1], after[name][:, : hour + 1], name)


def test_parts_of_a_network_see_all_of_it() -> None:
    made = weather()
    whole = table.build(made)
    assert whole.names == table.feature_names()
    for part, built in table.in_parts(made, 2):
        np.testing.assert_array_equal(built.values, whole.values[part])
