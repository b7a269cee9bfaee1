"""Forecasts of the simulated weather: the same however they are asked for, known in time, wrong as forecasts are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.adapters.maps import load_region
from core.adapters.simulator.forecasts import FAULTS, SimulatedForecasts
from core.adapters.simulator.source import Simulator
from core.domain.weather import HourlyWeather

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
WHOLE = load_region(ROOT / "data/regions/uttarakhand-himachal.toml", ROOT / "data/maps", 0.25)
REGION = replace(WHOLE, locations=tuple(p for p in WHOLE.locations if p.longitude > 78.2 and p.latitude < 31.2))
SIMULATOR = Simulator((REGION,), 7, lambda: NOW)
MONSOON = datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 9, 30, 23, tzinfo=UTC)


def forecasts(seed: int = 7, now: datetime = NOW, calendar: bool = False) -> SimulatedForecasts:
    return SimulatedForecasts(Simulator((REGION,), seed, lambda: now), lambda: now, calendar=calendar)


def same(one: HourlyWeather, other: HourlyWeather) -> None:
    assert set(one.values) == set(other.values) == set(FAULTS)
    for name in FAULTS:
        np.testing.assert_array_equal(one.get(name), other.get(name), err_msg=name)


@pytest.fixture(scope="module")
def live() -> HourlyWeather:
    return forecasts().fields(REGION, NOW - 72 * HOUR, NOW + 40 * HOUR)


@pytest.fixture(scope="module")
def past() -> HourlyWeather:
    return forecasts(calendar=True).fields(REGION, *MONSOON)


@pytest.fixture(scope="module")
def truth() -> HourlyWeather:
    return SIMULATOR.monsoon(REGION, 2025)


@pytest.mark.parametrize(("first", "length"), [(0, 0), (13, 50), (60, 30), (71, 24)])
def test_any_window_is_cut_from_the_same_forecasts(live: HourlyWeather, first: int, length: int) -> None:
    window = NOW + (first - 72) * HOUR, NOW + (first - 72 + length) * HOUR
    same(forecasts().fields(REGION, *window), live.window(*window))


def test_an_earlier_clock_had_the_same_forecasts(live: HourlyWeather) -> None:
    then = NOW - 20 * HOUR
    earlier = forecasts(now=then).fields(REGION, NOW - 72 * HOUR, then + 24 * HOUR)
    same(earlier, live.window(NOW - 72 * HOUR, then + 24 * HOUR))


def test_seeds_and_regions_differ(live: HourlyWeather) -> None:
    window = NOW, NOW + 3 * HOUR
    elsewhere = forecasts().fields(replace(REGION, id="elsewhere"), *window)
    for other in (forecasts(seed=8).fields(REGION, *window), elsewhere):
        assert (other.get("cape_j_kg") != live.window(*window).get("cape_j_kg")).mean() > 0.99


def test_every_value_was_known_a_day_before_its_hour_and_none_two_days(live: HourlyWeather) -> None:
    assert live.available_at is not None
    ahead_h = (live.valid_at - live.available_at).astype("timedelta64[s]").astype(int) / 3600
    assert ahead_h.min() == 24
    assert ahead_h.max() == 35
    # Runs of 00 and 12 UTC are out four hours later.
    assert set((live.available_at.astype("datetime64[h]").astype(int) % 24).ravel().tolist()) == {4, 16}


def test_the_next_day_is_known_and_what_no_run_has_forecast_is_missing(live: HourlyWeather) -> None:
    known = live.available_at <= np.datetime64("2026-11-24T03:20")  # type: ignore[operator]
    day_ahead = live.valid_at <= np.datetime64("2026-11-25T03")
    assert known[:, day_ahead].all()
    assert not known.all()
    for name in FAULTS:
        np.testing.assert_array_equal(np.isfinite(live.get(name)), known, name)


def test_a_live_night_and_a_monsoon_are_forecast_each_in_its_own_season(
    live: HourlyWeather, past: HourlyWeather
) -> None:
    assert (live.season_day, past.season_day) == (210, None)
    # Before the onset of the monsoon: the same days as of 29 July are wetter, with the same chance drawn.
    before = MONSOON[0], MONSOON[0] + timedelta(days=14)
    as_july = forecasts().fields(REGION, *before)
    assert as_july.get("precipitation_mm").mean() > 1.5 * past.window(*before).get("precipitation_mm").mean()


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_forecasts_know_something_and_not_all(name: str, past: HourlyWeather, truth: HourlyWeather) -> None:
    def by_day(array: np.ndarray) -> np.ndarray:
        """Return the regional mean of every day, freed of the course of the season."""
        daily = array.mean(axis=0).reshape(-1, 24).mean(axis=1)
        return daily - np.convolve(np.pad(daily, 10, mode="edge"), np.ones(21) / 21, mode="valid")

    related = np.corrcoef(by_day(past.get(name)), by_day(truth.get(name)))[0, 1]
    assert 0.2 < related < 0.97


def test_errors_grow_with_the_lead(past: HourlyWeather, truth: HourlyWeather) -> None:
    error = past.get("freezing_level_m") - truth.get("freezing_level_m")
    hour = past.valid_at.astype(int) % 12
    # Leads of 28 and 29 h against 38 and 39 h: neighbouring hours of the day, so the air's own course is the same.
    near, far = error[:, np.isin(hour, (4, 5))], error[:, np.isin(hour, (2, 3))]
    assert far.std() > 1.1 * near.std()


def test_errors_are_smooth_in_space_and_change_from_run_to_run(past: HourlyWeather, truth: HourlyWeather) -> None:
    error = past.get("freezing_level_m") - truth.get("freezing_level_m")
    at = np.array([[p.latitude, p.longitude] for p in REGION.locations])
    apart = np.hypot(*(at[:, None] - at).transpose(2, 0, 1))
    related = np.corrcoef(error)
    assert related[(apart > 0) & (apart < 0.6)].mean() > related[apart > 2.5].mean() + 0.2
    hourly = error.mean(axis=0)
    hourly = hourly - hourly.reshape(-1, 24).mean(axis=0)[np.arange(len(hourly)) % 24]
    assert abs(np.corrcoef(hourly[:-240], hourly[240:])[0, 1]) < 0.3


def test_rain_is_smeared_and_biased_low_and_comes_out_of_nothing_too(past: HourlyWeather, truth: HourlyWeather) -> None:
    forecast, fell = past.get("precipitation_mm"), truth.get("precipitation_mm")
    assert 0.5 < forecast.mean() / fell.mean() < 0.95
    assert forecast.max() < 0.3 * fell.max()
    assert (forecast > 0.1).mean() > (fell > 0.1).mean()


def test_no_storm_shows_at_its_hour_and_place(past: HourlyWeather, truth: HourlyWeather) -> None:
    rain, forecast = truth.get("precipitation_mm"), past.get("precipitation_mm")
    place, hour = np.nonzero(rain[:, 6:-6] > 30)
    assert len(place) > 50
    around = np.stack([forecast[place, hour + lag] for lag in range(13)])  # six hours before and after
    assert (around.argmax(axis=0) == 6).mean() < 0.25
    wettest = forecast.argmax(axis=0)[hour + 6]
    assert (wettest == place).mean() < 0.25
