"""Checks of single hours hit what they should and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from core.domain.units import standard_pressure_hpa
from core.domain.weather import VARIABLES, Flag
from core.quality import instant, rules
from core.quality.baseline import fit
from tests.series_made import good, hits, weather

NAN = np.nan
BY_VARIABLE = {r.variable: r for r in rules.RANGES}
SUSPECT, FAIL = Flag.SUSPECT, Flag.FAIL


def arrays(**series: list[float]) -> dict[str, np.ndarray]:
    return {name: np.array([row], np.float32) for name, row in series.items()}


@pytest.mark.parametrize("rule", rules.RANGES, ids=lambda r: r.variable)
def test_range_fails_what_lies_outside_and_keeps_its_bounds(rule: rules.Range) -> None:
    low, high = np.float32(rule.low), np.float32(rule.high)
    row = [low, high, np.nextafter(low, np.float32(-1e9)), np.nextafter(high, np.float32(1e9)), NAN, np.inf, -np.inf]
    (finding,) = instant.outside_range({rule.variable: np.array([row], np.float32)})
    assert (finding.test, finding.variable, finding.flag) == ("range", rule.variable, FAIL)
    assert finding.where[0].tolist() == [False, False, True, True, False, True, True]
    assert rule.unit in finding.reason


def test_every_variable_of_the_house_has_a_range() -> None:
    assert set(BY_VARIABLE) == set(VARIABLES)
    assert len(BY_VARIABLE) == len(rules.RANGES)


@pytest.mark.parametrize("elevation_m", [0.0, 1500.0, 3500.0])
def test_pressure_is_suspect_far_from_that_of_its_height(elevation_m: float) -> None:
    normal = standard_pressure_hpa(elevation_m)
    row = [normal, normal + 29.9, normal + 30.1, normal - 29.9, normal - 30.1, NAN]
    found = instant.pressure_at_height(arrays(surface_pressure_hpa=row), np.array([[elevation_m]]))
    assert hits(found) == {("pressure at height", "surface_pressure_hpa", SUSPECT): [2, 4]}


def test_pressure_is_not_judged_where_the_height_is_unknown() -> None:
    assert hits(instant.instant(arrays(surface_pressure_hpa=[1010.0, 500.0]), NAN)) == {}


def test_dew_point_above_temperature_fails_beyond_rounding() -> None:
    found = instant.dew_point(arrays(temperature_c=[20.0, 20, 20, NAN, 20], dew_point_c=[20.0, 20.25, 20.5, 25, NAN]))
    assert hits(found) == {
        ("consistency", "dew_point_c", FAIL): [2],
        ("consistency", "temperature_c", SUSPECT): [2],
    }


def test_humidity_is_suspect_beyond_5_and_fails_beyond_20_percent() -> None:
    # 52.5 % at 20 °C with a dew point of 10 °C; see tests/golden/test_quality.py.
    row = [52.5, 57.0, 58.0, 72.0, 73.0, 48.0, 47.0, 32.0, NAN]
    found = instant.humidity(arrays(temperature_c=[20.0] * 9, dew_point_c=[10.0] * 9, relative_humidity_pct=row))
    for variable in rules.HUMIDITY:
        assert hits(found := list(found))["consistency", variable, SUSPECT] == [2, 3, 6]
        assert hits(found)["consistency", variable, FAIL] == [4, 7]


def test_gust_below_the_mean_wind_is_suspect() -> None:
    found = instant.gust(arrays(wind_speed_ms=[5.0, 5, 5, NAN], wind_gust_ms=[5.0, 4.9, NAN, 1]))
    assert hits(found) == {("consistency", "wind_gust_ms", SUSPECT): [1]}


def test_rain_out_of_dry_air_or_a_clear_sky_is_suspect_and_never_fails() -> None:
    found = instant.rain(
        arrays(
            precipitation_mm=[5.0, 5.1, 5.1, 200.0, 15.0, 14.9, 15.0, NAN],
            relative_humidity_pct=[40.0, 60, 61, 20, 90, 90, 90, 20],
            cloud_cover_pct=[100.0, 100, 100, 100, 50, 10, 51, 0],
        )
    )
    dry, clear = found
    for finding, hours in ((dry, [1, 3]), (clear, [4])):
        assert hits([finding]) == {("consistency", "precipitation_mm", SUSPECT): hours}


def test_arrays_of_any_shape_are_judged_alike() -> None:
    row = arrays(temperature_c=[20.0, 70.0], dew_point_c=[25.0, 10.0], surface_pressure_hpa=[1013.0, 700.0])
    flat = {name: values[0] for name, values in row.items()}
    single = {name: values[0, 1] for name, values in row.items()}
    as_row = [(f.variable, f.test, f.where[0].tolist()) for f in instant.instant(row, 0.0)]
    assert as_row == [(f.variable, f.test, f.where.tolist()) for f in instant.instant(flat, 0.0)]
    assert [w[1] for _, _, w in as_row] == [bool(f.where) for f in instant.instant(single, 0.0)]


def test_z_score_of_a_record_needs_a_past() -> None:
    past = good()
    cold = {"temperature_c": np.array([24.0, -20.0, NAN], np.float32)}
    assert "z-score" not in {f.test for f in instant.instant(cold, 800.0)}
    found = [f for f in instant.instant(cold, 800.0, fit(past), 0) if f.test == "z-score"]
    assert [f.where.tolist() for f in found] == [[False, True, False]]
    assert [(f.variable, f.flag) for f in found] == [("temperature_c", SUSPECT)]
    assert fit(past).spread_name in found[0].reason


def test_a_place_without_enough_past_has_no_z_score() -> None:
    short = fit(weather(temperature_c=[20.0 + i % 3 for i in range(rules.SCALE_VALUES - 1)]))
    found = instant.instant({"temperature_c": np.array([-40.0])}, NAN, short, 0)
    assert not any(f.where.any() for f in found if f.test == "z-score")


def test_every_suspicion_says_why() -> None:
    wet = arrays(precipitation_mm=[60.0], relative_humidity_pct=[5.0], cloud_cover_pct=[0.0])
    high = arrays(surface_pressure_hpa=[500.0])
    odd = arrays(temperature_c=[20.0], dew_point_c=[19.0], relative_humidity_pct=[60.0])
    loud = [finding for finding in instant.humidity(odd) if finding.where.any()]
    found = [*instant.rain(wet), *instant.pressure_at_height(high, np.array([[0.0]])), *loud]
    assert len(found) == 3 + 3
    assert all(finding.where.any() and str(finding.reason) for finding in found)
    assert all(isinstance(finding.reason, str) for finding in found)
