"""Quality checks against numbers of the literature: records that must pass, tables and definitions that must hold."""

from __future__ import annotations

import numpy as np
import pytest

from core.domain.units import saturation_vapour_pressure_hpa, standard_pressure_hpa
from core.domain.weather import Flag, HourlyWeather, Location
from core.quality import instant, rules, sequence
from core.quality.baseline import fit
from core.quality.checks import check
from core.quality.clock import clock
from core.quality.neighbours import buddy, neighbours
from tests.series_made import hits, weather

# World records of the WMO archive of weather and climate extremes (wmo.asu.edu), each in its own variable.
RECORDS = {
    "temperature_c": 56.7,  # Furnace Creek, 1913
    "pressure_msl_hpa": 870.0,  # typhoon Tip, 1979
    "wind_gust_ms": 113.2,  # Barrow Island, 1996
    "precipitation_mm": 305.0,  # Holt, Missouri, 1947, in 42 minutes
    "dew_point_c": 35.0,  # Dhahran, 2003
}


@pytest.mark.parametrize("variable", RECORDS)
def test_the_worlds_records_are_weather(variable: str) -> None:
    assert not any(f.where.any() for f in instant.outside_range({variable: np.array([RECORDS[variable]])}))


@pytest.mark.parametrize(
    ("value", "variable"),
    [(-50.1, "temperature_c"), (1085.8, "pressure_msl_hpa"), (-0.1, "precipitation_mm"), (361.0, "wind_direction_deg")],
)
def test_beyond_the_products_ranges_is_no_weather(value: float, variable: str) -> None:
    # 1085.8 hPa is the reduced value of Tosontsengel (2001), whose reduction from 1,725 m WMO holds unreliable.
    assert any(f.where.any() for f in instant.outside_range({variable: np.array([value])}))


# ICAO standard atmosphere, Doc 7488, table 1: geometric height in m, pressure in hPa.
@pytest.mark.parametrize(("height_m", "hpa"), [(0, 1013.25), (1000, 898.76), (2000, 795.01), (3000, 701.21)])
def test_pressure_at_height_is_that_of_the_standard_atmosphere(height_m: float, hpa: float) -> None:
    assert standard_pressure_hpa(float(height_m)) == pytest.approx(hpa, abs=0.15)
    off = {"surface_pressure_hpa": np.array([hpa - 29.5, hpa + 29.5, hpa - 30.5, hpa + 30.5])}
    (finding,) = instant.pressure_at_height(off, float(height_m))
    assert finding.where.tolist() == [False, False, True, True]


# Saturation vapour pressure over water, WMO-No. 8 (2018), annex 4.B and Smithsonian tables: 0, 10, 20, 30 °C.
@pytest.mark.parametrize(("celsius", "hpa"), [(0, 6.11), (10, 12.27), (20, 23.37), (30, 42.43)])
def test_humidity_is_the_ratio_of_vapour_pressures(celsius: float, hpa: float) -> None:
    assert float(saturation_vapour_pressure_hpa(np.array(celsius))) == pytest.approx(hpa, rel=2e-3)


def test_a_dew_point_of_10_at_20_degrees_is_52_5_percent() -> None:
    # 12.27 / 23.37 = .525: within 5 % of it nothing, beyond SUSPECT, beyond 20 % FAIL.
    rows = {"temperature_c": np.full(4, 20.0), "dew_point_c": np.full(4, 10.0)}
    humidity = np.array([52.5, 57.4, 57.7, 72.7])
    found = list(instant.humidity({**rows, "relative_humidity_pct": humidity}))
    assert {(f.flag, tuple(np.flatnonzero(f.where))) for f in found} == {(Flag.SUSPECT, (2,)), (Flag.FAIL, (3,))}


def test_median_absolute_deviation_of_leys_et_al() -> None:
    # Leys et al. 2013, J. Exp. Soc. Psychol. 49:764, doi:10.1016/j.jesp.2013.03.013: of 1, 3, 3, 6, 8, 10, 10 and 1000
    # the median is 7 and 1.4826 times the median absolute deviation 5.1891.
    series = np.tile([1.0, 3, 3, 6, 8, 10, 10, 1000], 6)
    known = fit(weather(temperature_c=series))
    assert known.centre["temperature_c"][0] == pytest.approx(7.0)
    assert known.spread["temperature_c"][0] == pytest.approx(5.1891, abs=1e-4)
    plain = fit(weather(temperature_c=series), plain=True)
    assert plain.centre["temperature_c"][0] == pytest.approx(130.125)
    assert plain.spread["temperature_c"][0] == pytest.approx(328.80, abs=0.01)  # population standard deviation
    # Their point: 1000 lies 2.6 standard deviations from the mean and passes; it is 191 robust ones from the median.
    ((_, z),) = known.z_scores({"temperature_c": np.array([[1000.0]])})
    ((_, z_plain),) = plain.z_scores({"temperature_c": np.array([[1000.0]])})
    assert z[0, 0] == pytest.approx(191.4, abs=0.1)
    assert z_plain[0, 0] == pytest.approx(2.645, abs=0.001)


def test_the_mad_of_rain_is_zero_and_its_wet_hours_are_not() -> None:
    rain = np.where(np.arange(1000) % 12 == 0, 1.0 + np.arange(1000) % 7, 0.0)
    assert np.median(np.abs(rain - np.median(rain))) == 0
    assert fit(weather(precipitation_mm=rain)).spread["precipitation_mm"][0] == np.float32(0.8)  # the floor


def test_spike_is_the_smaller_of_both_differences() -> None:
    # ioos_qc, spike_test, method "differential": the smaller of |x[n] - x[n-1]| and |x[n] - x[n+1]|, opposite in sign.
    row = np.array([[3.0, 4.99, 5, 6, 8, 6, 6, 6.75, 6, 6, 5.3, 6, 6, 9, 5, 0]], np.float32)
    height = sequence.spike_height(row)[0]
    assert height[[4, 7, 10, 13]] == pytest.approx([2.0, 0.75, 0.7, 3.0], abs=1e-5)
    assert height[[1, 2, 3, 5, 6]].tolist() == [0, 0, 0, 0, 0]


def test_flat_line_counts_hours_as_qartod_counts_observations() -> None:
    # QARTOD, Manual for Real-Time Quality Control of Wind Data, test 8: values equal to REP_CNT previous ones.
    still = [20.0] * rules.FLAT_LINE_H + [20.1]
    made = weather(temperature_c=still, surface_pressure_hpa=[900.0] * rules.FLAT_LINE_H + [900.1])
    found = hits(sequence.flat_line(made))
    assert found["flat line", "temperature_c", Flag.FAIL] == [rules.FLAT_LINE_H - 1]
    shorter = weather(temperature_c=still[1:], surface_pressure_hpa=[900.0] * (rules.FLAT_LINE_H - 1) + [900.1])
    assert hits(sequence.flat_line(shorter)) == {}


def test_climatology_bounds_are_the_percentiles_with_their_margin() -> None:
    # 1..101 repeated: the 1st and 99th of these are 2 and 100 (numpy.percentile, "lower" and "higher").
    days = 101
    row = np.repeat(1.0 + np.arange(days), 24)
    made = HourlyWeather(
        (Location("a", "A", 0.0, 0.0),),
        np.datetime64("2026-05-01T00", "h") + np.arange(24 * days),
        {"temperature_c": row[None].astype(np.float32)},
        "made up",
    )
    month = row[made.valid_at.astype("datetime64[M]") == np.datetime64("2026-07")]
    low, high = (np.percentile(month[::8], q, method=m) for q, m in ((1, "lower"), (99, "higher")))
    known = fit(made)
    width = rules.CLIMATE_MARGIN * (high - low)
    assert known.low["temperature_c"][0, 6 * 8] == pytest.approx(low - width, abs=1.01 * (1 + rules.CLIMATE_MARGIN * 2))
    assert known.high["temperature_c"][0, 6 * 8] == pytest.approx(
        high + width, abs=1.01 * (1 + rules.CLIMATE_MARGIN * 2)
    )


def test_buddies_of_the_standard_atmosphere_agree() -> None:
    # ICAO Doc 7488: 15, 11.75, 8.5 and 5.25 °C at 0, 500, 1000 and 1500 m.
    places = tuple(Location(str(i), "", 30 + 0.05 * i, 78.0, 500.0 * i) for i in range(4))
    rows = np.array([[15.0], [11.75], [8.5], [5.25]], np.float32)
    made = HourlyWeather(places, weather(temperature_c=[0.0]).valid_at, {"temperature_c": rows}, "made up")
    everyone = tuple(np.array([j for j in range(4) if j != i]) for i in range(4))
    (finding,) = buddy(made, everyone)
    assert not finding.where.any()
    made.values["temperature_c"][3] = 15.0 + 2.6  # as warm as the valley and a little: 12.35 K from its neighbours
    (finding,) = buddy(made, everyone)
    assert finding.where[:, 0].tolist() == [False, False, False, True]


def test_neighbours_by_great_circle_distance() -> None:
    # One degree of a great circle is 111.19 km on a sphere of 6,371 km; at 60° N a degree of longitude is half of it.
    def pair(latitude: float, longitude: float) -> int:
        return len(neighbours((Location("a", "", latitude, 0.0), Location("b", "", latitude, longitude)))[0])

    assert [pair(0, 1.34), pair(0, 1.36), pair(60, 2.69), pair(60, 2.71)] == [1, 0, 1, 0]


def test_gain_of_a_half_day_shift_of_a_pure_wave() -> None:
    # x = A sin(2 pi h / 24) shifted by 12 h is -x: the misfit to the own course is 4 times the day's sum of squares,
    # 4 * 12 A^2, to the shifted course 0. With the usual misfit s^2 = sigma^2 the gain is 48 A^2 / (24 sigma^2).
    from core.quality.clock import _gain

    rng = np.random.default_rng(1)
    hour = np.arange(24 * 40) % 24
    wave, sigma = 5 * np.sin(2 * np.pi * hour / 24), 1.0
    values = wave + sigma * rng.standard_normal(len(hour))
    values[240:264] = -wave[240:264]
    course = np.tile(5 * np.sin(2 * np.pi * np.arange(24) / 24), 12)
    gain = _gain(values.astype(np.float32), course[hour], course[(hour + 12) % 24])
    assert gain[240] == pytest.approx(48 * 25 / 24, rel=0.1)
    assert hits(clock(weather(temperature_c=values))) == {}  # one variable alone convicts no clock


@pytest.mark.parametrize(("beaufort", "ms"), [(9, 20.8)])
def test_a_gale_begins_where_beaufort_says(beaufort: int, ms: float) -> None:
    # WMO-No. 306, code table 1100: strong gale, 20.8 to 24.4 m/s; v = 0.836 B^1.5 at the middle of a force.
    assert ms == rules.GALE_MS
    assert 0.836 * (beaufort - 0.5) ** 1.5 == pytest.approx(ms, abs=0.1)


def test_the_cloudburst_of_mumbai_is_confirmed_and_never_failed() -> None:
    # Santacruz, 26 July 2005: 190.3 mm from 14:30 to 15:30, 944 mm in the day (Jenamani, Bhan and Kalsi 2006, Current
    # Science 90:1344-1362); the hours around it are made up. Every one is rare for any past, and none is an error.
    rain = np.zeros(240)
    rain[200:206] = (18.0, 100.2, 190.3, 90.3, 100.4, 95.0)
    humid = np.where(rain > 0, 97.0, 84.0 + np.arange(240) % 7)
    checked = check(weather(precipitation_mm=rain, relative_humidity_pct=humid), hindsight=True)
    assert Flag.FAIL not in checked.flags("precipitation_mm")
    assert Flag.SUSPECT not in checked.flags("precipitation_mm")
    confirmed = hits(checked.findings)["extreme rain", "precipitation_mm", Flag.PASS]
    assert set(confirmed) >= {201, 202, 203, 204, 205}


def test_wind_in_km_h_is_1_9_times_its_root() -> None:
    # 1 m/s = 3.6 km/h, so the root of the number grows by sqrt(3.6) = 1.897: by .9 (m/s)^.5 from 1 m/s on.
    assert np.sqrt(3.6) == pytest.approx(1.897, abs=1e-3)
    calm = [3.0, 3.2, 3.1, 3.0, 3.2]
    gust = [5.0, 5.5, 5.2, 5.1, 5.0]
    wind_kmh, gust_kmh = calm.copy(), gust.copy()
    wind_kmh[2] *= 3.6
    gust_kmh[2] *= 3.6
    assert hits(sequence.wind_spike(weather(wind_speed_ms=calm, wind_gust_ms=gust))) == {}
    found = hits(sequence.wind_spike(weather(wind_speed_ms=wind_kmh, wind_gust_ms=gust_kmh)))
    assert found["spike", "wind_speed_ms", Flag.SUSPECT] == [2]


def test_a_gap_is_counted_from_its_length() -> None:
    # QARTOD, Manual for Real-Time Quality Control of Wind Data, test 1 (gap): data absent for longer than GAP_H.
    silent = [20.0, *[np.nan] * rules.GAP_H, 20.0]
    assert hits(sequence.gap(weather(temperature_c=silent))) == {("gap", "temperature_c", Flag.MISSING): [rules.GAP_H]}


def test_a_clock_put_back_gives_hours_twice() -> None:
    # By definition: a logger whose clock ran L hours ahead and is put back sends L hours under two times.
    rng = np.random.default_rng(8)
    true = {name: rng.uniform(0, 100, 60).round(1) for name in sequence.RECORD}
    ahead = {name: np.concatenate([row[:20], row[26:50], row[44:60]]) for name, row in true.items()}
    hours = hits(sequence.repeated(weather(**ahead), hindsight=True))["repeated", "wind_speed_ms", Flag.SUSPECT]
    assert hours == list(range(38, 50))
