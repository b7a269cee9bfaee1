"""The checks hit what they should and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.domain.quality import Finding, FlaggedWeather
from core.domain.units import hour_axis, standard_pressure_hpa
from core.domain.weather import VARIABLES, Flag, HourlyWeather, Location
from core.quality import rules
from core.quality.checks import check

START = datetime(2026, 7, 1, tzinfo=UTC)
BY_VARIABLE = {r.variable: r for r in rules.RANGES}


def weather(elevation_m: float = np.nan, **series: list[float]) -> HourlyWeather:
    """Return one place with the given series."""
    hours = len(next(iter(series.values())))
    values = {name: np.array([row], np.float32) for name, row in series.items()}
    place = Location("a", "A", 30.0, 78.0, elevation_m)
    return HourlyWeather((place,), hour_axis(START, START + timedelta(hours=hours - 1)), values, "made up")


def good(hours: int = 48) -> HourlyWeather:
    """Return weather that no check may touch, with every variable of the house and rain of 120 mm."""
    t = np.arange(hours)
    wave = np.sin(2 * np.pi * t / 24)
    values = dict.fromkeys(VARIABLES, 50 + wave)
    values |= {
        "temperature_c": 24 + 6 * wave,
        "dew_point_c": 15 + wave,
        "surface_pressure_hpa": standard_pressure_hpa(800) + wave,
        "pressure_msl_hpa": 1005 + wave,
        "wind_speed_ms": 5 + wave,
        "wind_gust_ms": 9 + wave,
        "precipitation_mm": np.where(t == 20, 120.0, 0.0),
    }
    rows = {name: row.tolist() for name, row in values.items()}
    return weather(800.0, **rows)


def hits(flagged: FlaggedWeather) -> dict[tuple[str, str, Flag], list[int]]:
    """Return the hours of every finding of the one place."""
    return {(f.test, f.variable, f.flag): np.flatnonzero(f.where[0]).tolist() for f in flagged.findings}


def test_good_weather_has_no_finding() -> None:
    checked = check(good())
    assert checked.findings == ()
    assert {int(checked.flags(v).max()) for v in VARIABLES} == {Flag.PASS}


@pytest.mark.parametrize("rule", rules.RANGES, ids=lambda r: r.variable)
def test_range_fails_what_lies_outside_and_keeps_its_bounds(rule: rules.Range) -> None:
    low, high = np.float32(rule.low), np.float32(rule.high)
    row = [low, high, np.nextafter(low, np.float32(-1e9)), np.nextafter(high, np.float32(1e9)), np.nan]
    one_hour = HourlyWeather(
        tuple(Location(str(i), "", 0.0, 0.0) for i in range(5)),
        hour_axis(START, START),
        {rule.variable: np.array(row, np.float32)[:, None]},
        "made up",
    )
    (finding,) = check(one_hour).findings
    assert (finding.test, finding.variable, finding.flag) == ("range", rule.variable, Flag.FAIL)
    assert finding.where[:, 0].tolist() == [False, False, True, True, False]
    assert rule.unit in finding.reason


def test_every_range_is_one_of_a_variable_of_the_house() -> None:
    assert len(BY_VARIABLE) == len(rules.RANGES)
    assert set(BY_VARIABLE) <= set(VARIABLES)


@pytest.mark.parametrize("elevation_m", [0.0, 1500.0, 3500.0])
def test_pressure_is_suspect_far_from_that_of_its_height(elevation_m: float) -> None:
    normal = standard_pressure_hpa(elevation_m)
    off = rules.PRESSURE_AT_HEIGHT_TOLERANCE_HPA
    row = [normal, normal + off - 0.1, normal + off + 0.1, normal - off + 0.1, normal - off - 0.1, np.nan]
    assert hits(check(weather(elevation_m, surface_pressure_hpa=row))) == {
        ("pressure at height", "surface_pressure_hpa", Flag.SUSPECT): [2, 4]
    }


def test_pressure_is_not_judged_where_the_height_is_unknown() -> None:
    assert check(weather(surface_pressure_hpa=[1010.0, 500.0])).findings == ()


def test_dew_point_above_temperature_fails_beyond_rounding() -> None:
    found = check(weather(temperature_c=[20.0, 20, 20, np.nan, 20], dew_point_c=[20.0, 20.25, 20.5, 25, np.nan]))
    assert hits(found) == {("consistency", "dew_point_c", Flag.FAIL): [2]}


def test_gust_below_the_mean_wind_is_suspect() -> None:
    found = check(weather(wind_speed_ms=[5.0, 5, 5, np.nan], wind_gust_ms=[5.0, 4.9, np.nan, 1]))
    assert hits(found) == {("consistency", "wind_gust_ms", Flag.SUSPECT): [1]}


def test_a_jump_of_temperature_is_suspect_and_a_fall_too() -> None:
    step = rules.TEMPERATURE_STEP_K
    found = check(weather(temperature_c=[20.0, 20 + step, 20, 20 + step + 1, 20.5, np.nan, 40]))
    assert hits(found) == {("step", "temperature_c", Flag.SUSPECT): [3, 4]}


def test_rain_of_120_mm_is_never_failed_for_being_rare() -> None:
    rain = [0.0] * 200 + [120.0, 31.0, 120.0, 120.0] + [0.0] * 200
    assert check(weather(precipitation_mm=rain)).findings == ()


def test_rain_that_repeats_a_large_amount_fails_from_the_third_hour() -> None:
    found = check(weather(precipitation_mm=[0.0, 20, 20, 20, 20, 0, 19.9, 19.9, 19.9, 19.9, 0, 0, 0]))
    assert hits(found) == {("flat line", "precipitation_mm", Flag.FAIL): [3, 4]}


def test_sensors_that_stand_still_together_fail_from_the_sixth_hour() -> None:
    still = [20.0] * 8 + [21.0]
    found = check(weather(temperature_c=still, relative_humidity_pct=still, surface_pressure_hpa=[900.0] * 8 + [901]))
    assert hits(found) == {
        ("flat line", v, Flag.FAIL): [5, 6, 7]
        for v in ("temperature_c", "relative_humidity_pct", "surface_pressure_hpa")
    }


def test_one_sensor_alone_may_stand_still() -> None:
    moving = [900.0 + i for i in range(12)]
    assert check(weather(temperature_c=[20.0] * 12)).findings == ()
    assert check(weather(temperature_c=[20.0] * 12, surface_pressure_hpa=moving)).findings == ()


def test_a_gap_ends_a_standstill() -> None:
    gap = [20.0] * 5 + [np.nan] + [20.0] * 5
    assert check(weather(temperature_c=gap, relative_humidity_pct=gap)).findings == ()


def test_sensors_that_stand_still_fail_also_where_a_third_one_was_never_there() -> None:
    row = [20.0] * 8
    found = check(weather(temperature_c=row, surface_pressure_hpa=row, relative_humidity_pct=[np.nan] * 8))
    assert ("flat line", "temperature_c", Flag.FAIL) in hits(found)


def _broken() -> HourlyWeather:
    """Return weather in which every check finds something."""
    rows = {name: array[0].tolist() for name, array in good().values.items()}
    rows["temperature_c"][4:14] = [20.0] * 10
    rows["relative_humidity_pct"][4:14] = [60.0] * 10
    rows["surface_pressure_hpa"][4:14] = [standard_pressure_hpa(800)] * 10
    rows["surface_pressure_hpa"][30] = 700.0
    rows["temperature_c"][33] = 44.0
    rows["dew_point_c"][35] = 39.0
    rows["wind_gust_ms"][36] = 1.0
    rows["precipitation_mm"][38:44] = [35.0] * 6
    rows["precipitation_mm"][45] = -1.0
    return weather(800.0, **rows)


def test_no_check_uses_hindsight() -> None:
    whole = _broken()
    full = {(f.test, f.variable): f.where for f in check(whole).findings}
    assert len(full) > 6
    for last in range(1, 48):
        part = whole.window(START, START + timedelta(hours=last))
        for finding in check(part).findings:
            np.testing.assert_array_equal(finding.where, full[finding.test, finding.variable][:, : last + 1])


def test_raw_values_stay_as_they_came() -> None:
    raw = _broken()
    kept = {name: array.copy() for name, array in raw.values.items()}
    checked = check(raw)
    checked.usable()
    assert checked.count() > 10
    for name, array in kept.items():
        np.testing.assert_array_equal(checked.weather.values[name], array)


def test_usable_hides_what_failed_and_keeps_what_is_suspect() -> None:
    checked = check(weather(temperature_c=[20.0, 90, 35, 20], wind_speed_ms=[9.0] * 4, wind_gust_ms=[1.0] * 4))
    usable = checked.usable()
    np.testing.assert_array_equal(usable.get("temperature_c"), [[20, np.nan, 35, 20]])
    np.testing.assert_array_equal(usable.get("wind_gust_ms"), [[1, 1, 1, 1]])
    assert checked.flags("wind_gust_ms").tolist() == [[Flag.SUSPECT] * 4]


def test_the_worst_flag_of_a_value_counts_and_missing_is_missing() -> None:
    checked = check(weather(temperature_c=[20.0, 90, np.nan, 20]))  # 90 is out of range and a step
    assert checked.flags("temperature_c").tolist() == [[Flag.PASS, Flag.FAIL, Flag.MISSING, Flag.PASS]]
    assert checked.flags("dew_point_c").tolist() == [[Flag.MISSING] * 4]
    everywhere = Finding("made up", "temperature_c", Flag.FAIL, "why", np.ones((1, 4), bool))
    assert FlaggedWeather(checked.weather, (everywhere,)).flags("temperature_c")[0, 2] == Flag.MISSING


def test_worst_and_reasons_speak_of_one_place_and_hour() -> None:
    checked = check(weather(temperature_c=[20.0, 90, np.nan, 20], precipitation_mm=[0.0, -1, np.nan, 0]))
    assert [checked.worst(0, h) for h in range(4)] == [Flag.PASS, Flag.FAIL, Flag.MISSING, Flag.PASS]
    assert checked.reasons(0, 0) == ()
    first, second, third = sorted(checked.reasons(0, 1))
    assert first.startswith("precipitation_mm: outside 0..500 mm")
    assert second.startswith("temperature_c: more than 12 K")
    assert third.startswith("temperature_c: outside -50..60")
    assert checked.count() == 3


def test_since_keeps_findings_beside_their_hours() -> None:
    checked = check(weather(temperature_c=[90.0, 20, 20, 90, 20]))
    late = checked.since(START + timedelta(hours=2))
    assert late.weather.get("temperature_c").tolist() == [[20, 90, 20]]
    assert late.flags("temperature_c").tolist() == [[Flag.PASS, Flag.FAIL, Flag.SUSPECT]]
    assert checked.since(START).flags("temperature_c").tolist() == checked.flags("temperature_c").tolist()
    nothing = checked.since(START + timedelta(hours=9))
    assert nothing.weather.valid_at.size == 0
    assert nothing.flags("temperature_c").shape == (1, 0)
