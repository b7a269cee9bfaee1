"""Drift: a planted drift is found, weather is not taken for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.domain.units import hour_axis
from core.domain.weather import HourlyWeather, Location
from core.quality.drift import LIMITS, Trend, daily, departures, drifts, trend
from core.quality.neighbours import neighbours
from tests.weather_made import END

#: A network of nine stations some 30 km apart, at heights of 300 to 1,900 m.
NETWORK = tuple(
    Location(f"s{i}", f"Station {i}", 30.0 + 0.3 * (i // 3), 78.0 + 0.3 * (i % 3), 300.0 + 200.0 * i) for i in range(9)
)
GRAVITY_OVER_GAS = 9.80665 / 287.05


def network(
    days: int = 30, seed: int = 0, warming_k: float = 0.0, places: tuple[Location, ...] = NETWORK
) -> HourlyWeather:
    """Return weather that the stations share (fronts of days, a daily wave), and noise of each by day and hour."""
    rng = np.random.default_rng(seed)
    axis = hour_axis(END - timedelta(days=days) + timedelta(hours=1), END)
    shape = (len(places), len(axis))
    height = np.array([[p.elevation_m] for p in places])
    front = np.repeat(np.cumsum(rng.normal(0, 1.5, days)), 24)
    wave = 5 * np.sin(2 * np.pi * (np.arange(len(axis)) % 24) / 24)
    own = np.repeat(rng.normal(0, 0.3, (len(places), days)), 24, axis=1)
    sea_level_c = 28 + front + wave + warming_k * np.linspace(0, 1, len(axis))
    temperature = sea_level_c - 0.0065 * height + own + rng.normal(0, 0.3, shape)
    layer_k = 273.15 + sea_level_c - 0.0065 * height / 2
    sea_level_hpa = 1005 + 0.7 * front
    values = {
        "temperature_c": temperature,
        "relative_humidity_pct": 70 - 2 * front + 4 * own + rng.normal(0, 2, shape),
        "surface_pressure_hpa": sea_level_hpa * np.exp(-GRAVITY_OVER_GAS * height / layer_k)
        + rng.normal(0, 0.2, shape),
        "wind_speed_ms": np.exp(0.8 + 0.1 * front + 0.3 * own + rng.normal(0, 0.3, shape)),
    }
    return HourlyWeather(places, axis, {n: a.astype(np.float32) for n, a in values.items()}, "gauges")


def with_drift(made: HourlyWeather, place: int, variable: str, amount: float) -> HourlyWeather:
    """Let one sensor wander evenly by `amount` (of wind: by a factor)."""
    ramp = np.linspace(0, 1, len(made.valid_at), dtype=np.float32)
    array = made.values[variable].copy()
    array[place] = array[place] * amount**ramp if variable == "wind_speed_ms" else array[place] + amount * ramp
    return made.with_values({**made.values, variable: array})


@pytest.mark.parametrize(
    ("variable", "amount"),
    [
        ("temperature_c", 2.0),
        ("temperature_c", -2.0),
        ("relative_humidity_pct", 15.0),
        ("surface_pressure_hpa", -3.0),
        ("wind_speed_ms", 3.0),
        ("wind_speed_ms", 1 / 4),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_a_planted_drift_is_found_at_its_place_and_nowhere_else(variable: str, amount: float, seed: int) -> None:
    place = seed % len(NETWORK)
    (found,) = drifts(with_drift(network(seed=seed), place, variable, amount))
    assert (found.location_id, found.variable) == (NETWORK[place].id, variable)
    assert NETWORK[place].name in found.reason
    if variable == "wind_speed_ms":
        assert (found.shift > 0) == (amount > 1)
    else:
        assert found.shift == pytest.approx(amount, rel=0.35)


def test_networks_without_a_drift_give_none() -> None:
    assert [drifts(network(seed=seed, warming_k=warm)) for seed in range(25) for warm in (0.0, 10.0)] == [()] * 50


def test_pressure_at_different_heights_in_a_warming_month_is_no_drift() -> None:
    made = network(warming_k=15.0)
    raw = made.values["surface_pressure_hpa"].astype(float)
    shift = trend(daily(departures(raw[[8, 0, 1, 2, 3]]), made.valid_at))
    assert shift is not None
    assert abs(shift.shift) > 1.5  # what would be called a drift without one height for all
    assert drifts(made) == ()


def test_a_drift_is_found_through_gaps_and_changing_neighbours() -> None:
    made = with_drift(network(seed=3), 4, "temperature_c", 2.5)
    rng = np.random.default_rng(1)
    array = made.values["temperature_c"].copy()
    array[rng.random(array.shape) < 0.2] = np.nan
    array[3, :360] = np.nan
    array[5, 360:] = np.nan
    (found,) = drifts(made.with_values({**made.values, "temperature_c": array}))
    assert found.location_id == "s4"


def test_less_than_fourteen_days_or_three_neighbours_say_nothing() -> None:
    assert drifts(with_drift(network(days=13), 4, "temperature_c", 10.0)) == ()
    assert drifts(with_drift(network(days=14), 4, "temperature_c", 10.0)) != ()
    few = network(places=NETWORK[:3])
    assert drifts(with_drift(few, 1, "temperature_c", 10.0)) == ()


def test_nothing_known_is_nothing_found() -> None:
    made = network()
    silent = {name: np.full_like(array, np.nan) for name, array in made.values.items()}
    assert drifts(made.with_values(silent)) == ()
    assert drifts(made.with_values({})) == ()
    assert drifts(made.window(END + timedelta(hours=1), END + timedelta(hours=2))) == ()


def test_neighbours_are_the_nearest_within_the_radius() -> None:
    far = Location("far", "Far", 40.0, 78.0)
    near = neighbours((*NETWORK, far))
    assert len(near[9]) == 0
    assert set(near[4][:4].tolist()) == {1, 3, 5, 7}
    assert all(i not in others for i, others in enumerate(near))


@pytest.mark.parametrize(
    ("changes", "drifts_away"),
    [
        ({}, True),
        ({"shift": -2.0, "low": -2.3, "high": -1.7}, True),
        ({"shift": 1.4}, False),  # within the limit
        ({"scatter": 0.6}, False),  # the days scatter too much
        ({"days": 15.0}, False),  # half the time asks for more
        ({"low": 1.0}, False),  # it may well be within three quarters of the limit
    ],
)
def test_a_shift_must_be_large_steady_and_sure(changes: dict[str, float], drifts_away: bool) -> None:
    clear = Trend(shift=2.0, low=1.7, high=2.3, scatter=0.5, days=30.0)
    assert replace(clear, **changes).exceeds(1.5) is drifts_away


def test_every_limit_says_why() -> None:
    assert all(limit.shift > 0 and limit.reason for limit in LIMITS)


@pytest.mark.data
def test_real_stations_are_called_drifting_in_less_than_one_month_of_a_hundred(gauges: Path) -> None:
    stations = pd.read_csv(gauges / "stations.csv")
    places = tuple(
        Location(s.station_id, s.name, s.latitude, s.longitude, s.elevation_m)
        for s in stations[["station_id", "name", "latitude", "longitude", "elevation_m"]].itertuples(index=False)
    )
    hours = pd.read_parquet(gauges / "hourly_2022.parquet")
    judged = sum(len(others) >= 3 for others in neighbours(places, np.inf))
    found = months = 0
    for month in range(1, 13, 3):
        begin = pd.Timestamp(2022, month, 1, 1, tz="UTC")
        axis = pd.date_range(begin, periods=30 * 24, freq="h")
        part = hours[hours["valid_at"].between(axis[0], axis[-1])]
        values = {
            limit.variable: part.pivot_table(index="station_id", columns="valid_at", values=limit.variable)
            .reindex(index=stations["station_id"], columns=axis)
            .to_numpy(np.float32)
            for limit in LIMITS
        }
        made = HourlyWeather(places, axis.tz_localize(None).to_numpy().astype("datetime64[h]"), values, "gauges")
        found += len({drift.location_id for drift in drifts(made)})
        months += judged
    assert months > 100
    assert found <= 0.01 * months
