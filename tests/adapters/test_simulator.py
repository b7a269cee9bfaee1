"""The simulated weather: the same however it is asked for, blind to the future, physical, heavy-tailed and hard."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from core.adapters.maps import load_region
from core.adapters.simulator.source import SimulatedRegion, Simulator
from core.adapters.simulator.storms import peak_rain_mm
from core.domain.weather import VARIABLES, HourlyWeather

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
REGION = load_region(ROOT / "data/regions/uttarakhand-himachal.toml", ROOT / "data/maps", 0.25)
SIMULATOR = Simulator((REGION,), 7, lambda: NOW)
ELEVATION = np.array([place.elevation_m for place in REGION.locations])


def same(one: HourlyWeather, other: HourlyWeather) -> None:
    for name in VARIABLES:
        np.testing.assert_array_equal(one.get(name), other.get(name), err_msg=name)


@pytest.fixture(scope="module")
def live() -> HourlyWeather:
    return SIMULATOR.hours(REGION, NOW - timedelta(days=30), NOW)


@pytest.fixture(scope="module")
def monsoons() -> dict[int, HourlyWeather]:
    return {year: SIMULATOR.monsoon(REGION, year) for year in SIMULATOR.past_monsoons}


@pytest.fixture(scope="module")
def rain(monsoons: dict[int, HourlyWeather]) -> np.ndarray:
    return np.concatenate([weather.get("precipitation_mm") for weather in monsoons.values()], axis=1)


@pytest.fixture(scope="module", params=["live", "monsoon"])
def weather(request: pytest.FixtureRequest, live: HourlyWeather, monsoons: dict[int, HourlyWeather]) -> HourlyWeather:
    return live if request.param == "live" else monsoons[2025]


def test_it_is_a_weather_source_with_all_variables(live: HourlyWeather) -> None:
    assert (SIMULATOR.name, live.source, SIMULATOR.regions()) == ("simulator", "simulator", (REGION,))
    assert set(live.values) == set(VARIABLES)
    assert all(values.dtype == np.float32 and np.isfinite(values).all() for values in live.values.values())
    assert live.locations == REGION.locations


def test_live_weather_plays_29_july_and_a_past_monsoon_the_calendar(
    live: HourlyWeather, monsoons: dict[int, HourlyWeather]
) -> None:
    assert live.season_day == 210
    assert all(weather.season_day is None for weather in monsoons.values())
    assert str(monsoons[2025].valid_at[0]) == "2025-06-01T00"
    assert str(monsoons[2025].valid_at[-1]) == "2025-09-30T23"
    # November would be dry and below 15 deg C in the plain.
    plain = ELEVATION < 300
    assert 24 < live.get("temperature_c")[plain].mean() < 31
    assert live.get("dew_point_c")[plain].mean() > 20


def test_past_monsoons_are_over() -> None:
    def years(*now: int) -> tuple[int, ...]:
        return Simulator((REGION,), 7, lambda: datetime(*now, tzinfo=UTC)).past_monsoons  # type: ignore[misc,arg-type]

    assert years(2026, 11, 24) == years(2026, 10, 1) == (2024, 2025, 2026)
    assert years(2026, 9, 30, 23) == years(2026, 2, 1) == (2023, 2024, 2025)


def test_hours_after_the_clock_are_missing_and_values_come_five_minutes_late() -> None:
    weather = SIMULATOR.hours(REGION, NOW - 3 * HOUR, NOW + 30 * HOUR)
    past = weather.valid_at <= np.datetime64("2026-11-24T03")
    assert past.sum() == 4
    for values in weather.values.values():
        assert np.isfinite(values[:, past]).all()
        assert np.isnan(values[:, ~past]).all()
    assert weather.available_at is not None
    assert (weather.available_at - weather.valid_at == np.timedelta64(5, "m")).all()
    assert not SIMULATOR.hours(REGION, NOW + HOUR, NOW + 5 * HOUR).observed().any()


@settings(max_examples=20, deadline=None)
@given(first=st.integers(0, 240), length=st.integers(0, 60), fresh=st.booleans())
def test_any_window_is_cut_from_the_same_weather(live: HourlyWeather, first: int, length: int, fresh: bool) -> None:
    simulator = Simulator((REGION,), 7, lambda: NOW) if fresh else SIMULATOR
    start = NOW - timedelta(hours=first + length)
    window = (start, start + timedelta(hours=length))
    same(simulator.hours(REGION, *window), live.window(*window))


def test_an_earlier_clock_sees_the_same_hours() -> None:
    start, then = NOW - timedelta(days=2), NOW - timedelta(hours=13)
    earlier = Simulator((REGION,), 7, lambda: then).hours(REGION, start, NOW)
    same(earlier.window(start, then), SIMULATOR.hours(REGION, start, then))


def test_seeds_and_regions_differ() -> None:
    other = Simulator((REGION,), 8, lambda: NOW).hours(REGION, NOW - HOUR, NOW)
    here = SIMULATOR.hours(REGION, NOW - HOUR, NOW)
    there = SIMULATOR.hours(replace(REGION, id="elsewhere"), NOW - HOUR, NOW)
    for different in (other, there):
        assert (different.get("temperature_c") != here.get("temperature_c")).mean() > 0.99


class Tampered:
    """A generator whose numbers for the hours from `first_h` on are others: rows of the axis of length 24."""

    def __init__(self, true: np.random.Generator, first_h: int) -> None:
        self._true, self._other, self._first_h = true, np.random.default_rng(99), first_h

    def __getattr__(self, law: str) -> Any:
        def draw(shape: tuple[int, ...]) -> np.ndarray:
            numbers = np.moveaxis(getattr(self._true, law)(shape), shape.index(24), 0)
            numbers[self._first_h :] = getattr(self._other, law)(numbers[self._first_h :].shape)
            return np.moveaxis(numbers, 0, shape.index(24))

        return draw


@pytest.mark.parametrize("first_h", [0, 7, 23])
def test_no_hour_knows_the_chance_of_later_hours(monkeypatch: pytest.MonkeyPatch, first_h: int) -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    window = (start - timedelta(hours=30), start + timedelta(hours=40))
    true = SIMULATOR.hours(REGION, *window)
    hidden = SIMULATOR.latent(REGION, *window)
    turn = (start.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days
    chance = SimulatedRegion.chance

    def tampered(self: SimulatedRegion, day: int, stream: int) -> Any:
        return chance(self, day, stream) if day < turn else Tampered(chance(self, day, stream), first_h * (day == turn))

    monkeypatch.setattr(SimulatedRegion, "chance", tampered)
    simulator = Simulator((REGION,), 7, lambda: NOW)
    other = simulator.hours(REGION, *window)
    before = 30 + first_h
    for name in VARIABLES:
        np.testing.assert_array_equal(true.get(name)[:, :before], other.get(name)[:, :before], err_msg=name)
        if name != "precipitation_mm":
            assert (true.get(name)[:, before:] != other.get(name)[:, before:]).any()
    # Nor does the latent state: it would be no fair judge of what can be foreseen.
    for name, values in simulator.latent(REGION, *window).items():
        np.testing.assert_allclose(values[:, :before], hidden[name][:, :before], rtol=1e-5, atol=1e-6, err_msg=name)


def test_humidity_wind_and_pressure_are_consistent(weather: HourlyWeather) -> None:
    t, td = weather.get("temperature_c").astype(float), weather.get("dew_point_c").astype(float)
    assert (td <= t).all()
    # Magnus formula, WMO-No. 8 (2018), annex 4.B.
    humidity = 100 * np.exp(17.62 * td / (243.12 + td) - 17.62 * t / (243.12 + t))
    np.testing.assert_allclose(weather.get("relative_humidity_pct"), humidity, atol=0.1)
    assert (weather.get("wind_gust_ms") >= weather.get("wind_speed_ms")).all()
    standard = 1013.25 * (1 - ELEVATION / 44_330.77) ** 5.25588
    assert np.abs(weather.get("surface_pressure_hpa") - standard[:, None]).max() < 30
    assert np.abs(weather.get("surface_pressure_hpa").mean(axis=1) - standard).max() < 16  # the monsoon trough


# fmt: off
BOUNDS = {
    "temperature_c": (-25, 46), "dew_point_c": (-30, 33), "relative_humidity_pct": (5, 100),
    "pressure_msl_hpa": (980, 1025), "surface_pressure_hpa": (450, 1020), "wind_speed_ms": (0, 25),
    "wind_direction_deg": (0, 360), "wind_gust_ms": (0, 55), "cloud_cover_pct": (0, 100),
    # The world record of one hour is 305 mm (Holt, Missouri, 1947; WMO).
    "precipitation_mm": (0, 305), "cape_j_kg": (0, 6000), "lifted_index_k": (-15, 10),
    "convective_inhibition_j_kg": (0, 800), "precipitable_water_mm": (1, 90), "freezing_level_m": (2500, 7500),
}
# fmt: on


def test_values_stay_within_physical_bounds(weather: HourlyWeather) -> None:
    assert set(BOUNDS) == set(VARIABLES)
    for name, (low, high) in BOUNDS.items():
        assert low <= weather.get(name).min() <= weather.get(name).max() <= high, name


def test_heavy_rain_falls_from_clouds_in_moist_air(weather: HourlyWeather) -> None:
    heavy = weather.get("precipitation_mm") > 5
    assert heavy.any()
    assert weather.get("relative_humidity_pct")[heavy].min() > 60
    assert weather.get("cloud_cover_pct")[heavy].min() > 50


def test_it_cools_with_height_by_about_six_kelvin_per_km(live: HourlyWeather) -> None:
    slope = np.polyfit(ELEVATION / 1000, live.get("temperature_c").mean(axis=1), 1)[0]
    assert -6.6 < slope < -5.4


def test_the_day_is_warmest_in_the_early_afternoon_of_the_sun(live: HourlyWeather) -> None:
    solar = solar_hour(live)
    course = [live.get("temperature_c")[(solar >= hour) & (solar < hour + 1)].mean() for hour in range(24)]
    assert 12 <= int(np.argmax(course)) <= 16
    assert max(course) - min(course) > 3


def test_the_pressure_has_its_half_day_tide(live: HourlyWeather) -> None:
    solar = solar_hour(live)
    turn = np.exp(2j * np.pi * solar / 12)
    pressure = live.get("pressure_msl_hpa") - live.get("pressure_msl_hpa").mean(axis=1, keepdims=True)
    amplitude = 2 * np.abs((pressure * turn).mean())
    assert 0.7 < amplitude < 1.3


def test_a_gust_front_cools(monsoons: dict[int, HourlyWeather]) -> None:
    weather = monsoons[2025]
    wet = weather.get("precipitation_mm")[:, 1:] >= 15
    fresh = wet & (weather.get("precipitation_mm")[:, :-1] < 1)
    assert np.diff(weather.get("temperature_c"), axis=1)[fresh].mean() < -2
    assert np.diff(weather.get("wind_gust_ms"), axis=1)[fresh].mean() > 5


def test_cloudbursts_are_rare_but_occur(rain: np.ndarray) -> None:
    assert (rain >= 100).sum() >= 1
    assert (rain >= 100).mean() < 1e-4
    assert 0.002 < (rain >= 15).mean() < 0.008
    assert 3.5 < (rain >= 15).sum() / (rain >= 30).sum() < 12
    assert (rain == 0).mean() > 0.5


def test_peaks_rise_without_a_step_from_body_to_tail() -> None:
    peaks = peak_rain_mm(np.linspace(0, 1, 100_001))
    assert (np.diff(peaks) >= 0).all()
    assert np.diff(peaks[:99_000]).max() < 0.5
    assert 200 < peaks[-1] <= 220


def test_heavy_rain_prefers_afternoon_and_night(monsoons: dict[int, HourlyWeather], rain: np.ndarray) -> None:
    solar = np.concatenate([solar_hour(weather) for weather in monsoons.values()], axis=1)[rain >= 15]
    count = np.histogram(solar, bins=np.arange(25))[0]
    afternoon_and_night, morning_and_evening = (count[15:19], count[1:5]), (count[7:11], count[20:22])
    assert min(map(np.mean, afternoon_and_night)) > 1.25 * max(map(np.mean, morning_and_evening))


def test_heavy_rain_prefers_the_slopes(rain: np.ndarray) -> None:
    share = (rain >= 15).mean(axis=1)
    slopes, plain, heights = (ELEVATION > 800) & (ELEVATION < 2500), ELEVATION < 400, ELEVATION > 4200
    assert share[slopes].mean() > 1.5 * share[plain].mean() > 3 * share[heights].mean()


def test_the_season_rises_and_falls(monsoons: dict[int, HourlyWeather]) -> None:
    def change_from_early_june_to_late_july(name: str) -> float:
        values = np.stack([weather.get(name) for weather in monsoons.values()])
        return float(values[:, :, 50 * 24 : 70 * 24].mean() - values[:, :, : 10 * 24].mean())

    assert change_from_early_june_to_late_july("precipitation_mm") > 0
    assert change_from_early_june_to_late_july("dew_point_c") > 2
    assert change_from_early_june_to_late_july("temperature_c") < -1


def test_rain_is_correlated_in_space_and_time(live: HourlyWeather) -> None:
    wet = live.get("precipitation_mm") >= 1
    assert 0.02 < wet.mean() < 0.35
    at = np.array([(place.latitude, place.longitude) for place in REGION.locations])
    apart = np.abs(at - at[:, None]).sum(axis=2)
    one, other = np.nonzero((apart > 0) & (apart < 0.3))
    assert wet[:, 1:][wet[:, :-1]].mean() > 2 * wet.mean()
    assert (wet[one] & wet[other]).mean() / wet[one].mean() > 1.5 * wet.mean()


def test_even_who_knows_the_hidden_state_cannot_foresee_everything(monsoons: dict[int, HourlyWeather]) -> None:
    def cases(year: int) -> tuple[np.ndarray, np.ndarray]:
        window = (datetime(year, 7, 1, tzinfo=UTC), datetime(year, 8, 11, tzinfo=UTC))
        latent = SIMULATOR.latent(REGION, *window, calendar=True)
        fallen = monsoons[year].window(*window).get("precipitation_mm") >= 15
        ahead = np.zeros(fallen[:, :-6].shape, bool)
        for lead in range(1, 7):
            ahead |= fallen[:, lead : fallen.shape[1] - 6 + lead]
        return np.stack([values[:, :-6].ravel() for values in latent.values()], axis=1), ahead.ravel()

    features, events = cases(2024)
    model = HistGradientBoostingClassifier(max_iter=40, learning_rate=0.1, min_samples_leaf=100, random_state=1)
    with threadpool_limits(1):  # on a busy machine OpenMP's threads wait for each other for minutes
        chance = model.fit(features[::4], events[::4]).predict_proba(cases(2025)[0])[:, 1]
    assert 0.7 < roc_auc_score(cases(2025)[1], chance) <= 0.95


def test_the_known_rain_falls(monsoons: dict[int, HourlyWeather]) -> None:
    window = (datetime(2025, 7, 10, tzinfo=UTC), datetime(2025, 7, 20, tzinfo=UTC))
    known = SIMULATOR.latent(REGION, *window, calendar=True)["known_rain_1h_mm"][:, :-1]
    fallen = monsoons[2025].window(*window).get("precipitation_mm")[:, 1:]
    # Chance of the hour, log-normal with a spread of 0.35, is all that lies between.
    assert (known > 10).any()
    assert np.abs(np.log(fallen[known > 10] / known[known > 10])).mean() < 0.4


def solar_hour(weather: HourlyWeather) -> np.ndarray:
    longitude = np.array([place.longitude for place in weather.locations])
    return (weather.valid_at.astype(int)[None, :] + longitude[:, None] / 15) % 24
