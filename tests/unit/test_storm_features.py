"""Gust fronts and intermittent rain: found where they are, zero where they are not, NaN where nobody can say."""

from __future__ import annotations

import numpy as np
import pytest

from core.domain.weather import Values
from core.features import history, storms

HOURS = 24 * 14
FRONT = HOURS - 5  # hour of the passage
NAN = np.nan


def quiet() -> dict[str, Values]:
    """Return fourteen days of the same weather with a daily course: cooling of 3 K/h at dusk, a tide of 2 hPa."""
    t = np.arange(HOURS)
    day = np.where(t % 24 < 12, t % 24, 24 - t % 24)
    return {
        "temperature_c": np.array([20 + 3.0 * day], np.float32),
        "wind_gust_ms": np.full((1, HOURS), 4.0, np.float32),
        "surface_pressure_hpa": np.array([900 + 2 * np.sin(4 * np.pi * t / 24)], np.float32),
    }


def passed(cooling_k: float = 6.6, growth_ms: float = 8.8, rise_hpa: float = 6.4) -> dict[str, Values]:
    """Return the same with a front that passed in the hour before `FRONT`."""
    air = quiet()
    air["temperature_c"][0, FRONT:] -= cooling_k
    air["wind_gust_ms"][0, FRONT] += growth_ms
    air["surface_pressure_hpa"][0, FRONT:] += rise_hpa
    return air


def test_a_front_is_the_geometric_mean_of_its_three_marks() -> None:
    found = storms.gust_front(**passed())
    assert found[0, FRONT] == pytest.approx(2.0, rel=1e-4)  # twice the typical in each
    assert storms.gust_front(**passed(3.3, 4.4, 3.2))[0, FRONT] == pytest.approx(1.0, rel=1e-4)
    assert storms.gust_front(**passed(3.3, 8 * 4.4, 3.2))[0, FRONT] == pytest.approx(2.0, rel=1e-4)


def test_a_front_is_seen_for_two_hours_and_not_before() -> None:
    found = storms.gust_front(**passed())[0]
    assert (found[FRONT - 30 : FRONT] == 0).all()
    assert (found[FRONT : FRONT + 2] > 1.9).all()
    assert (found[FRONT + 2 :] == 0).all()


@pytest.mark.parametrize("without", [{"cooling_k": 0}, {"growth_ms": 0}, {"rise_hpa": 0}, {"rise_hpa": -4}])
def test_two_of_three_are_no_front(without: dict[str, float]) -> None:
    assert storms.gust_front(**passed(**without))[0, FRONT] == pytest.approx(0, abs=0.02)


def test_nightfall_and_the_tide_of_pressure_are_no_front() -> None:
    air = quiet()
    air["wind_gust_ms"][0, ::5] = 15.0  # wind that comes and goes
    found = storms.gust_front(**air)[0]
    known = np.isfinite(found)
    assert known[96:].all()
    assert found[known].max() < 0.05
    # Without looking at the days before it would be one: the same changes are far from zero.
    assert np.nanmin(history.change(air["temperature_c"], 2)) < -5


@pytest.mark.parametrize("name", ["temperature_c", "wind_gust_ms", "surface_pressure_hpa"])
def test_a_missing_value_is_no_missing_front(name: str) -> None:
    air = passed()
    air[name][0, FRONT] = NAN
    found = storms.gust_front(**air)[0]
    assert np.isnan(found[FRONT])
    assert found[FRONT - 1] == 0
    air[name][:] = NAN
    assert np.isnan(storms.gust_front(**air)).all()


def test_at_the_beginning_nobody_knows_what_is_usual() -> None:
    found = storms.gust_front(**quiet())[0]
    assert np.isnan(found[: 24 * 3]).all()
    assert (found[24 * 3 + 2 :] == 0).all()


def test_rain_that_comes_and_goes_changes_more_often_than_steady_rain() -> None:
    rain = np.zeros((3, 48), np.float32)
    rain[0, 24:36] = 2.0  # one spell: begins and ends once in 24 h
    rain[1, 25:48:2] = 2.0  # every other hour
    found = storms.intermittency(rain)
    np.testing.assert_allclose(found[:, 47], [2 / 24, 23 / 24, 0], rtol=1e-5)


def test_gaps_do_not_make_rain_look_steadier() -> None:
    rain = np.zeros((1, 48), np.float32)
    rain[0, 1::2] = 2.0
    rain[0, 30:35] = NAN  # six of 24 pairs are lost, every other one is a change
    assert storms.intermittency(rain)[0, 47] == pytest.approx(1.0)
    rain[0, 24:37] = NAN
    assert np.isnan(storms.intermittency(rain)[0, 47])  # fewer than half of the pairs


def test_hours_since_rain_are_counted_up_to_the_bound() -> None:
    rain = np.zeros((2, 100), np.float32)
    rain[0, [0, 40]] = 0.2
    found = storms.hours_since_rain(rain, 24)
    assert found[0, [0, 1, 23, 24, 39, 40, 41, 60, 64, 99]].tolist() == [0, 1, 23, 24, 24, 0, 1, 20, 24, 24]
    assert np.isnan(found[1, :11]).all()  # it may have rained before the series began
    assert (found[1, 24:] == 24).all()
    assert found.dtype == np.float32


def test_hours_since_rain_are_not_known_through_long_gaps() -> None:
    rain = np.zeros((1, 60), np.float32)
    rain[0, 10] = 1.0
    rain[0, 12:20] = NAN
    found = storms.hours_since_rain(rain, 48)[0]
    assert found[[10, 11, 12, 13]].tolist() == [0, 1, 2, 3]  # half is known
    assert np.isnan(found[19])
    assert found[30] == 20
    assert np.isnan(storms.hours_since_rain(np.full((1, 60), NAN, np.float32))).all()


@pytest.mark.parametrize("hour", [80, 150, 300])
def test_a_series_cut_to_the_look_back_gives_the_same(hour: int) -> None:
    rng = np.random.default_rng(5)
    rain = np.where(rng.random((2, HOURS)) < 0.1, 3.0, 0.0).astype(np.float32)
    rain[rng.random(rain.shape) < 0.1] = NAN
    whole, cut = (
        storms.hours_since_rain(part, 72)[:, -1] for part in (rain[:, : hour + 1], rain[:, hour - 72 : hour + 1])
    )
    np.testing.assert_array_equal(whole, cut)
