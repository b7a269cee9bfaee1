"""Checks of the hours of one place hit what they should and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from core.domain.weather import Flag
from core.quality import rules, sequence
from core.quality.baseline import fit
from core.quality.clock import clock
from tests.series_made import hits, weather

NAN = np.nan
SUSPECT, FAIL = Flag.SUSPECT, Flag.FAIL


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def test_a_jump_is_suspect_but_not_the_way_back_from_it() -> None:
    row = [20.0, 32.0, 20.0, 20.0, 33.0, 20.5, NAN, 40.0, 40.0, 27.0, 27.0]
    found = sequence.step(weather(temperature_c=row))
    assert hits(found) == {("step", "temperature_c", SUSPECT): [4, 9]}  # hour 7 follows a gap


def test_a_jump_of_just_the_limit_is_none_and_one_back_to_just_the_limit_is_no_jump() -> None:
    (limit,) = (course.step for course in rules.COURSES if course.variable == "temperature_c")
    assert limit is not None
    assert hits(sequence.step(weather(temperature_c=[0.0, 0.0, limit, limit]))) == {}
    assert hits(sequence.step(weather(temperature_c=[0.0, 0.0, limit + 0.125])))["step", "temperature_c", SUSPECT] == [
        2
    ]
    assert hits(sequence.step(weather(temperature_c=[limit, 3 * limit, 0.0]))) == {
        ("step", "temperature_c", SUSPECT): [1]
    }


def test_every_finding_of_a_course_says_why() -> None:
    jump = weather(temperature_c=[0.0, 0, 0, 30, 0, 0])
    windy = weather(wind_speed_ms=[4.0, 4, 14.4, 4, 4], wind_gust_ms=[7.0, 8, 27, 8, 7])
    rain = weather(precipitation_mm=[20.0] * 4)
    still = weather(temperature_c=[20.0] * 30, surface_pressure_hpa=[900.0] * 30, relative_humidity_pct=[50.0] * 30)
    silent = weather(temperature_c=[20.0, *[NAN] * 60])
    twice = weather(**dict.fromkeys(sequence.RECORD, [10.0, 20, 10, 20] * 5))
    stormy = weather(wind_speed_ms=[30.0] * 6, surface_pressure_hpa=[900.0] * 6)
    usual = weather(temperature_c=[20.0 + i % 7 for i in range(60 * 24)])
    heat = weather(temperature_c=[20.0, 21, 70])
    found = [
        *sequence.step(jump), *sequence.spike(jump), *sequence.wind_spike(windy), *sequence.flat_line(rain),
        *sequence.flat_line(still), *sequence.repeated(twice), *sequence.gap(silent), *sequence.gale(stormy),
        *sequence.rare(heat, fit(usual)), *sequence.climatology(heat, fit(usual)),
    ]  # fmt: skip
    hit = [finding for finding in found if finding.where.any()]
    assert {finding.test for finding in hit} == {
        "step", "spike", "flat line", "repeated", "gap", "consistency", "z-score", "climatology",
    }  # fmt: skip
    assert all(isinstance(finding.reason, str) and len(finding.reason) > 10 for finding in hit)
    assert not any("None" in finding.reason for finding in hit)


def test_a_jump_beside_a_gap_is_judged_by_the_hour_that_is_there() -> None:
    assert hits(sequence.step(weather(temperature_c=[NAN, 20.0, 35.0]))) == {("step", "temperature_c", SUSPECT): [2]}


@pytest.mark.parametrize(("height", "flag"), [(5.9, None), (6.1, SUSPECT), (12.1, FAIL), (-6.1, SUSPECT), (-15, FAIL)])
def test_one_hour_beyond_both_neighbours_is_a_spike(height: float, flag: Flag | None) -> None:
    found = hits(sequence.spike(weather(temperature_c=[20.0, 20, 20 + height, 20, 20])))
    assert found == ({("spike", "temperature_c", flag): [2]} if flag else {})


def test_a_front_is_no_spike_and_a_missing_neighbour_is_stood_in_for() -> None:
    assert hits(sequence.spike(weather(temperature_c=[30.0, 30, 15, 15, 14]))) == {}
    assert hits(sequence.spike(weather(temperature_c=[20.0, 20, 30, 25, 25]))) == {}  # beyond one of them only
    found = hits(sequence.spike(weather(temperature_c=[20.0, NAN, 35.0, NAN, 20.0, 20.0])))
    assert found == {("spike", "temperature_c", FAIL): [2]}
    assert hits(sequence.spike(weather(temperature_c=[20.0, 20.0, 35.0]))) == {}  # the hour after is not known yet


def test_one_hour_of_wind_in_other_units_is_suspect_unless_a_gust_front_explains_it() -> None:
    wind, gust = [4.0, 4, 14.4, 4, 4], [7.0, 8, 27, 8, 7]
    key = ("spike", "wind_speed_ms", SUSPECT)
    assert hits(sequence.wind_spike(weather(wind_speed_ms=wind, wind_gust_ms=gust)))[key] == [2]
    assert hits(sequence.wind_spike(weather(wind_speed_ms=wind)))[key] == [2]
    cooled = weather(wind_speed_ms=wind, wind_gust_ms=gust, temperature_c=[30.0, 30, 24, 24, 24])
    wet = weather(wind_speed_ms=wind, wind_gust_ms=gust, precipitation_mm=[0.0, 0, 3, 0, 0])
    assert hits(sequence.wind_spike(cooled)) == {} == hits(sequence.wind_spike(wet))
    assert hits(sequence.wind_spike(weather(wind_speed_ms=wind, wind_gust_ms=[9.0] * 5))) == {}  # no gust with it


def test_rain_that_repeats_a_large_amount_fails_from_the_third_hour_in_hindsight_from_the_first() -> None:
    made = weather(precipitation_mm=[0.0, 20, 20, 20, 20, 0, 19.9, 19.9, 19.9, 19.9, 0, 0, 0])
    key = ("flat line", "precipitation_mm", FAIL)
    assert hits(sequence.flat_line(made)) == {key: [3, 4]}
    assert hits(sequence.flat_line(made, hindsight=True)) == {key: [1, 2, 3, 4]}


def test_no_rain_may_stand_for_ever() -> None:
    assert hits(sequence.flat_line(weather(precipitation_mm=[0.0] * 500), hindsight=True)) == {}
    three = weather(precipitation_mm=[0.0, 20, 20, 20, 0])
    assert hits(sequence.flat_line(three, hindsight=True)) == {("flat line", "precipitation_mm", FAIL): [1, 2, 3]}


def test_sensors_that_stand_still_together_fail_from_the_sixth_hour_in_hindsight_after_the_first() -> None:
    still = [20.0] * 8 + [21.0]
    made = weather(
        temperature_c=still, relative_humidity_pct=still, surface_pressure_hpa=[900.0] * 8 + [901], dew_point_c=still
    )
    for variable in made.values:
        assert hits(sequence.flat_line(made))["flat line", variable, FAIL] == [5, 6, 7]
        assert hits(sequence.flat_line(made, hindsight=True))["flat line", variable, FAIL] == [1, 2, 3, 4, 5, 6, 7]


def test_one_sensor_alone_may_stand_still_for_a_while() -> None:
    moving = [900.0 + i for i in range(30)]
    key = ("flat line", "temperature_c", SUSPECT)
    assert hits(sequence.flat_line(weather(temperature_c=[20.0] * 17, surface_pressure_hpa=moving[:17]))) == {}
    found = hits(sequence.flat_line(weather(temperature_c=[20.0] * 20, surface_pressure_hpa=moving[:20])))
    assert found == {key: [17, 18, 19]}


def test_fog_and_calm_may_stand() -> None:
    made = weather(relative_humidity_pct=[99.0] * 60, wind_speed_ms=[0.0] * 60, wind_gust_ms=[0.0] * 60)
    assert hits(sequence.flat_line(made)) == {}
    assert hits(sequence.flat_line(weather(relative_humidity_pct=[60.0] * 25))) != {}


def test_a_gap_ends_a_standstill() -> None:
    gap = [20.0] * 5 + [NAN] + [20.0] * 5
    assert hits(sequence.flat_line(weather(temperature_c=gap, relative_humidity_pct=gap))) == {}


def test_sensors_that_stand_still_fail_also_where_a_third_one_was_never_there() -> None:
    row = [20.0] * 8
    found = sequence.flat_line(weather(temperature_c=row, surface_pressure_hpa=row, relative_humidity_pct=[NAN] * 8))
    assert ("flat line", "temperature_c", FAIL) in hits(found)


def test_a_rare_value_is_suspect_unless_the_hours_around_share_it(rng: np.random.Generator) -> None:
    row = 20 + rng.standard_normal(200)
    row[100] = 32  # alone
    row[150:153] = (30, 31, 30)  # a hot spell
    made = weather(temperature_c=row)
    known = fit(made)
    assert hits(sequence.rare(made, known, hindsight=True)) == {("z-score", "temperature_c", SUSPECT): [100]}
    assert hits(sequence.rare(made, known)) == {("z-score", "temperature_c", SUSPECT): [100, 150]}
    plain = fit(made, plain=True)
    assert hits(sequence.rare(made, plain))["z-score", "temperature_c", SUSPECT] == [100, 150, 151, 152]


@pytest.mark.parametrize("beside", [-2, -1, 1, 2])
def test_one_hour_around_that_is_nearly_as_rare_is_enough(beside: int, rng: np.random.Generator) -> None:
    row = 20 + rng.standard_normal(200)
    known = fit(weather(temperature_c=row))
    row[100] = row[100 + beside] = 32
    hit = {("z-score", "temperature_c", SUSPECT): [100]}
    made = weather(temperature_c=row)
    assert hits(sequence.rare(made, known, hindsight=True)) == {}
    assert hits(sequence.rare(made, known)) == (
        hit if beside > 0 else {("z-score", "temperature_c", SUSPECT): [100 + beside]}
    )


def test_the_robust_z_score_does_not_flag_wet_hours_and_the_plain_one_does(rng: np.random.Generator) -> None:
    rain = np.where(rng.random(2000) < 0.08, rng.gamma(0.7, 3, 2000) + 0.2, 0)
    made = weather(precipitation_mm=rain, temperature_c=20 + rng.standard_normal(2000))
    assert hits(sequence.rare(made, fit(made), hindsight=True)) == {}
    heavy = np.flatnonzero(rain >= 10)
    flagged = hits(sequence.rare(made, fit(made, plain=True)))["z-score", "precipitation_mm", SUSPECT]
    assert len(heavy) > 3
    assert set(heavy) <= set(flagged)


def test_stuck_hours_do_not_raise_the_robust_spread(rng: np.random.Generator) -> None:
    row = 20 + rng.standard_normal(300)
    clean = fit(weather(temperature_c=row)).spread["temperature_c"][0]
    row[:10] = 300
    assert fit(weather(temperature_c=row)).spread["temperature_c"][0] == pytest.approx(clean, abs=0.2)
    assert fit(weather(temperature_c=row), plain=True).spread["temperature_c"][0] > 30


def test_a_value_its_month_and_hour_have_not_seen_is_suspect(rng: np.random.Generator) -> None:
    t = np.arange(60 * 24)
    row = 20 + 8 * np.sin(2 * np.pi * t / 24) + rng.standard_normal(len(t))
    made = weather(temperature_c=row)
    later = weather(temperature_c=[20.0, 28.0], start=made.valid_at[18].astype("datetime64[s]").item().astimezone())
    known = fit(made)
    assert hits(sequence.climatology(made, known)) == {}
    # 28 °C is the daily maximum of this place, and never comes at its coldest hours.
    assert hits(sequence.climatology(later, known)) == {("climatology", "temperature_c", SUSPECT): [0, 1]}


def test_wind_that_nobody_has_seen_belongs_to_the_storm_it_comes_with(rng: np.random.Generator) -> None:
    made = weather(wind_speed_ms=3 + rng.random(60 * 24), wind_gust_ms=6 + rng.random(60 * 24))
    wind, wet = [25.0, 25.0, 3.5], [3.0, 0.0, 0.0]
    later = weather(wind_speed_ms=wind, wind_gust_ms=[35.0, 35.0, 6.5], precipitation_mm=wet)
    found = hits(sequence.climatology(later, fit(made)))
    assert found == {("climatology", name, SUSPECT): [1] for name in sequence.WIND}


def test_too_short_a_past_has_no_percentiles(rng: np.random.Generator) -> None:
    made = weather(temperature_c=20 + rng.standard_normal(10 * 24))
    assert np.isnan(fit(made).low["temperature_c"]).all()


def test_wind_belongs_to_its_front_and_temperature_to_its_rain(rng: np.random.Generator) -> None:
    calm, mild = 3 + rng.random(300), 20 + 0.5 * rng.standard_normal(300)
    known = fit(weather(wind_speed_ms=calm, temperature_c=mild))
    calm[100], mild[100] = 40, mild[99] - 12  # a dry front: its wind is its own, so cold without rain is not
    made = weather(wind_speed_ms=calm, temperature_c=mild)
    assert hits(sequence.rare(made, known)) == {("z-score", "temperature_c", SUSPECT): [100]}
    rain = np.where(np.arange(300) == 100, 3.0, 0.0)
    assert hits(sequence.rare(weather(wind_speed_ms=calm, temperature_c=mild, precipitation_mm=rain), known)) == {}


def test_cold_that_nobody_has_seen_is_suspect_also_as_it_comes(rng: np.random.Generator) -> None:
    known = fit(weather(temperature_c=20 + rng.standard_normal(60 * 24)))
    assert hits(sequence.climatology(weather(temperature_c=[20.0, -5.0]), known)) == {
        ("climatology", "temperature_c", SUSPECT): [1]
    }


def test_two_hours_of_wind_are_no_spike_and_only_cooling_of_their_hour_explains_one() -> None:
    plateau = weather(wind_speed_ms=[4.0, 16, 16, 4, 4], wind_gust_ms=[7.0, 26, 26, 7, 7])
    assert hits(sequence.wind_spike(plateau)) == {}
    wind, gust = [4.0, 4, 14.4, 4, 4], [7.0, 8, 27, 8, 7]
    key = ("spike", "wind_speed_ms", SUSPECT)
    now, earlier = (
        weather(wind_speed_ms=wind, wind_gust_ms=gust, temperature_c=row)
        for row in ([20.0, 20, 18, 18, 18], [25.0, 18, 18, 18, 18])
    )
    assert hits(sequence.wind_spike(now)) == {}
    assert hits(sequence.wind_spike(earlier))[key] == [2]


def test_a_gale_needs_a_pressure_that_moves() -> None:
    wind = [5.0, 5, 5, 22, 22]
    still = weather(wind_speed_ms=wind, surface_pressure_hpa=[900.0] * 5)
    moving = weather(wind_speed_ms=wind, surface_pressure_hpa=[900.0, 899, 898, 897, 896])
    assert hits(sequence.gale(still)) == {("consistency", "wind_speed_ms", SUSPECT): [3, 4]}
    assert hits(sequence.gale(moving)) == {}


def test_hours_that_stand_there_twice_are_suspect(rng: np.random.Generator) -> None:
    rows = {name: rng.uniform(10, 20, 40).round(1) for name in sequence.RECORD}
    for row in rows.values():
        row[26:31] = row[20:25]
    made = weather(**rows)
    key = ("repeated", "temperature_c", SUSPECT)
    assert hits(sequence.repeated(made))[key] == [29, 30]
    assert hits(sequence.repeated(made, hindsight=True))[key] == [*range(20, 25), *range(26, 31)]
    for row in rows.values():
        row[29] += 0.1
    assert hits(sequence.repeated(weather(**rows), hindsight=True)) == {}


def test_a_record_that_stands_still_is_no_repetition() -> None:
    rows = dict.fromkeys(sequence.RECORD, [20.0] * 30)
    assert hits(sequence.repeated(weather(**rows))) == {}
    rows["relative_humidity_pct"] = [50.0, 51, 52, 53, 54, 55] * 5  # it does not stand, and comes back every six hours
    assert hits(sequence.repeated(weather(**rows)))["repeated", "temperature_c", SUSPECT] == [*range(9, 30)]


def test_two_hours_are_told_from_one_that_is_twice_as_far_back() -> None:
    rows = {name: [10.0 + i, 20 + i, 10 + i, 20 + i] * 5 for i, name in enumerate(sequence.RECORD)}
    key = ("repeated", "temperature_c", SUSPECT)
    assert hits(sequence.repeated(weather(**rows)))[key] == [*range(5, 20)]
    few = {name: rows[name] for name in sequence.RECORD[:4]}
    assert hits(sequence.repeated(weather(**few)))[key] == [*range(5, 20)]
    assert hits(sequence.repeated(weather(**{name: rows[name] for name in sequence.RECORD[:3]}))) == {}


def test_a_silent_place_has_a_gap() -> None:
    row = [20.0] + [NAN] * 7 + [20.0]
    assert hits(sequence.gap(weather(temperature_c=row))) == {("gap", "temperature_c", Flag.MISSING): [6, 7]}
    assert hits(sequence.gap(weather(temperature_c=row[:6]))) == {}


@pytest.fixture
def sunny(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return a month of fair days."""
    t = np.arange(24 * 30)
    noise = rng.standard_normal((3, len(t)))
    sun, tide = np.sin(2 * np.pi * (t - 9) / 24), np.sin(4 * np.pi * t / 24)
    return {
        "temperature_c": 25 + 6 * sun + noise[0],
        "relative_humidity_pct": 60 - 20 * sun + 4 * noise[1],
        "surface_pressure_hpa": 900 + 1.5 * tide + 0.4 * noise[2],
        "precipitation_mm": np.zeros(len(t)),
    }


@pytest.mark.parametrize("lag", [6, -6, 9])
def test_a_day_whose_clock_was_hours_off_is_suspect(lag: int, sunny: dict[str, np.ndarray]) -> None:
    wrong = {name: row.copy() for name, row in sunny.items()}
    for name, row in wrong.items():
        row[240:264] = sunny[name][240 + lag : 264 + lag]
    hours = hits(clock(weather(**wrong)))["clock", "temperature_c", SUSPECT]
    assert len(set(hours) & set(range(240, 264))) >= 20
    assert len(set(hours) - set(range(240, 264))) <= 4
    assert hits(clock(weather(**sunny))) == {}


def test_a_cool_rainy_afternoon_is_no_wrong_clock(sunny: dict[str, np.ndarray]) -> None:
    for name in ("temperature_c", "relative_humidity_pct"):
        sunny[name][240:264] = sunny[name][246:270]
    assert hits(clock(weather(**sunny))) != {}
    sunny["precipitation_mm"][250] = rules.CLOCK_WET_DAY_MM
    assert hits(clock(weather(**sunny))) == {}
