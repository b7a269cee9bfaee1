"""All checks together: good weather is left alone, extremes are no errors, nothing looks ahead."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from core.domain.quality import Finding, FlaggedWeather
from core.domain.weather import VARIABLES, Flag, HourlyWeather, Location
from core.quality import checks, rules
from core.quality.baseline import Baseline, fit
from core.quality.checks import check
from core.quality.neighbours import buddy, neighbours
from core.quality.sequence import RECORD
from core.quality.thresholds import thresholds
from tests.series_made import START, good, hits, weather


@pytest.mark.parametrize("hindsight", [False, True])
def test_good_weather_is_left_alone(hindsight: bool) -> None:
    checked = check(good(), hindsight)
    assert [f for f in checked.findings if f.flag != Flag.PASS] == []
    assert {int(checked.flags(v).max()) for v in VARIABLES} == {Flag.PASS}


def test_every_place_is_judged_at_its_own_height() -> None:
    one = good()
    values = {name: np.repeat(row, 2, axis=0) for name, row in one.values.items()}
    places = tuple(Location(name, name, 30.0 + i, 78.0, 800.0 + 1500 * i) for i, name in enumerate("ab"))
    found = [
        finding.where.any(axis=1).tolist()
        for finding in check(HourlyWeather(places, one.valid_at, values, one.source)).findings
        if finding.test == "pressure at height"
    ]
    assert found == [[False, True]], "the pressure of 800 m is none of 2,300 m"


def test_extreme_rain_is_confirmed_by_what_belongs_to_it_and_isolated_without() -> None:
    storm = good()
    assert hits(check(storm).findings) == {("extreme rain", "precipitation_mm", Flag.PASS): [20]}
    bare = weather(precipitation_mm=np.where(np.arange(96) == 20, 120.0, 0.0))
    assert hits(check(bare).findings) == {("extreme rain", "precipitation_mm", Flag.SUSPECT): [20]}
    wet_after = weather(
        precipitation_mm=np.select([np.arange(96) == 20, np.arange(96) == 21], [120.0, 14.0], 0.0),
        relative_humidity_pct=np.where(np.arange(96) == 20, 95.0, 70.0 + np.arange(96) % 5),
    )
    assert Flag.SUSPECT in {f.flag for f in check(wet_after).findings}
    assert {f.flag for f in check(wet_after, hindsight=True).findings} == {Flag.PASS}


@pytest.mark.parametrize("amount", [60.0, 120.0, 305.0])
def test_rain_never_fails_for_being_rare(amount: float) -> None:
    rain = np.zeros(400)
    rain[[200, 201, 202]] = (amount, amount / 3, amount)
    checked = check(weather(precipitation_mm=rain), hindsight=True)
    assert Flag.FAIL not in checked.flags("precipitation_mm")


def test_a_wet_neighbour_speaks_for_extreme_rain() -> None:
    places = (Location("a", "A", 30.0, 78.0), Location("b", "B", 30.2, 78.0), Location("c", "C", 35.0, 78.0))
    rain = np.zeros((3, 96), np.float32)
    humid = np.full((3, 96), 70, np.float32) + np.arange(96) % 5
    rain[0, 30], humid[0, 30], rain[1, 30] = 80, 95, 5
    rain[2, 60], humid[2, 60] = 80, 95
    axis = weather(precipitation_mm=[0.0] * 96).valid_at
    made = HourlyWeather(places, axis, {"precipitation_mm": rain, "relative_humidity_pct": humid}, "made up")
    found = {f.flag: np.argwhere(f.where).tolist() for f in check(made).findings}
    assert found == {Flag.PASS: [[0, 30]], Flag.SUSPECT: [[2, 60]]}


def test_the_same_amount_again_speaks_for_nothing() -> None:
    humid = np.where(np.arange(96) >= 20, 95.0, 70.0 + np.arange(96) % 5)
    rain = np.select([np.arange(96) == 20, np.arange(96) == 21], [300.0, 300.0], 0.0)
    found = {f.flag for f in check(weather(precipitation_mm=rain, relative_humidity_pct=humid), True).findings}
    assert found == {Flag.SUSPECT}


def test_a_region_without_places_has_no_finding() -> None:
    one = good()
    nobody = HourlyWeather((), one.valid_at, {n: a[:0] for n, a in one.values.items()}, "made up")
    assert check(nobody, True).findings == ()


def _network(heights: tuple[float, ...]) -> HourlyWeather:
    places = tuple(Location(str(i), "", 30 + 0.1 * i, 78.0, h) for i, h in enumerate(heights))
    day = 6 * np.sin(2 * np.pi * np.arange(96) / 24)
    rows = np.array([25 + day - 0.0065 * h for h in heights], np.float32)
    rows += np.random.default_rng(5).normal(0, 0.5, rows.shape).astype(np.float32)
    return HourlyWeather(places, weather(temperature_c=[0.0] * 96).valid_at, {"temperature_c": rows}, "made up")


def test_a_temperature_far_from_the_neighbours_at_the_same_height_is_suspect() -> None:
    made = _network((300.0, 500.0, 700.0, 800.0, 850.0))
    made.values["temperature_c"][2, 40:60] += 15  # for hours: no spike, no jump tells it
    (finding,) = buddy(made, neighbours(made.locations))
    assert np.argwhere(finding.where).tolist() == [[2, h] for h in range(40, 60)]


def test_a_place_of_unknown_height_is_not_held_against_known_ones() -> None:
    made = _network((2500.0, 2500.0, 2500.0, 2500.0, np.nan))
    made.values["temperature_c"][4] = made.values["temperature_c"][0] + 0.5
    (finding,) = buddy(made, neighbours(made.locations))
    assert not finding.where.any()


def test_neighbours_are_near_and_of_similar_height() -> None:
    made = _network((300.0, 500.0, 3000.0, 800.0, np.nan))
    near = neighbours(made.locations)
    assert near[2].tolist() == [4]  # an unknown height excludes nobody
    assert near[0].tolist() == [1, 3, 4]
    assert [n.tolist() for n in neighbours(made.locations[:1])] == [[]]
    far = (Location("a", "", 0.0, 0.0), Location("b", "", 0.0, 1.35))  # 150.1 km along the equator
    assert [len(n) for n in neighbours(far)] == [0, 0]


def _broken() -> HourlyWeather:
    """Return weather in which most checks find something."""
    rows = {name: array[0].copy() for name, array in good().values.items()}
    rows["temperature_c"][4:14], rows["relative_humidity_pct"][4:14] = 20.0, 60.0
    rows["surface_pressure_hpa"][4:14] = rows["surface_pressure_hpa"][4]
    rows["surface_pressure_hpa"][30] = 700.0
    rows["temperature_c"][33] = 44.0
    rows["dew_point_c"][35] = 39.0
    rows["wind_gust_ms"][36] = 1.0
    rows["wind_speed_ms"][37:40] = 25.0
    rows["precipitation_mm"][38:44] = 35.0
    rows["precipitation_mm"][45] = -1.0
    for name in RECORD:
        rows[name][60:66] = rows[name][50:56]
    return weather(800.0, **rows)


def test_no_check_looks_ahead_unless_in_hindsight() -> None:
    whole = _broken()
    past = fit(good())
    full = {(f.test, f.variable, f.flag, f.reason): f.where for f in check(whole, baseline=past).findings}
    assert {key[0] for key in full} >= {"range", "step", "flat line", "consistency", "z-score", "repeated"}
    for last in range(1, 96):
        part = whole.window(START, START + timedelta(hours=last))
        for f in check(part, baseline=past).findings:
            np.testing.assert_array_equal(f.where, full[f.test, f.variable, f.flag, f.reason][:, : last + 1], f.reason)
    assert "spike" in {f.test for f in check(whole, True).findings}


@pytest.mark.parametrize("hindsight", [False, True])
def test_every_check_is_told_whether_it_may_look_ahead(monkeypatch: pytest.MonkeyPatch, hindsight: bool) -> None:
    asked: dict[str, tuple[Any, ...]] = {}
    names = ("step", "flat_line", "gale", "repeated", "gap", "doubled", "spike", "wind_spike", "clock", "rare",
             "climatology", "buddy", "extremes")  # fmt: skip
    for name in names:
        monkeypatch.setattr(checks, name, lambda *given, of=name: asked.update({of: given}) or [])
    made, known, near = good(), fit(good()), object()
    monkeypatch.setattr(checks, "neighbours", lambda locations: near if locations == made.locations else None)
    assert checks.check(made, hindsight, known).findings == ()
    ahead = ("spike", "wind_spike", "clock")
    told = {
        "flat_line": (made, hindsight),
        "repeated": (made, hindsight),
        "rare": (made, known, hindsight),
        "climatology": (made, known),
        "buddy": (made, near),
        "extremes": (made, known, near, hindsight),
    }
    assert asked == {name: told.get(name, (made,)) for name in names if hindsight or name not in ahead}


def test_without_a_past_what_does_not_fail_is_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def fitted(usable: HourlyWeather, plain: bool = False) -> Baseline:
        asked.append((usable, plain))
        return fit(usable, plain)

    monkeypatch.setattr(checks, "fit", fitted)
    made = weather(temperature_c=[20.0] * 40 + [99.0])  # which no weather is
    for plain in (False, True):
        checks.check(made, plain_z=plain)
        usable, told = asked.pop()
        assert told is plain
        assert np.isnan(usable.get("temperature_c")[0, 40])
        assert usable.get("temperature_c")[0, 0] == 20


def test_raw_values_stay_as_they_came() -> None:
    raw = _broken()
    kept = {name: array.copy() for name, array in raw.values.items()}
    checked = check(raw, True)
    checked.usable()
    assert checked.count() > 10
    for name, array in kept.items():
        np.testing.assert_array_equal(checked.weather.values[name], array)


def test_infinite_values_fail_without_a_warning() -> None:
    checked = check(weather(temperature_c=[20.0, np.inf, 20, -np.inf, 20]), True)
    assert checked.flags("temperature_c")[0].tolist() == [1, Flag.MISSING, 1, Flag.MISSING, 1]
    assert not np.isinf(checked.usable().get("temperature_c")).any()


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
    assert late.flags("temperature_c").tolist() == [[Flag.PASS, Flag.FAIL, Flag.PASS]]
    assert checked.since(START).flags("temperature_c").tolist() == checked.flags("temperature_c").tolist()
    nothing = checked.since(START + timedelta(hours=9))
    assert nothing.weather.valid_at.size == 0
    assert nothing.flags("temperature_c").shape == (1, 0)


def test_every_check_has_its_thresholds_in_words() -> None:
    listed = {t.test for t in thresholds()}
    assert {f.test for f in check(_broken(), True).findings} <= listed
    assert listed >= {"range", "step", "spike", "flat line", "z-score", "climatology", "buddy", "clock", "gap"}
    assert all(t.reason and t.limit for t in thresholds())
    assert {t.variable for t in thresholds() if t.test == "range"} == {r.variable for r in rules.RANGES}
