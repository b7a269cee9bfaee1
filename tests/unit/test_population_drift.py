"""Drift against the same season and hour: what is planted is found, season and hour alone are not taken for drift."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain.drift import Aspect, DriftReport, Shift, VariableDrift
from core.verification import cusum
from core.verification.drift import EPOCH, PSI_DAYS, RATE, Periods, judge
from core.verification.standing import daily, days_of, stability_index, standing

Table = dict[str, NDArray[np.float32]]
PLACES = 5
FIRST = (date(2023, 1, 1) - EPOCH).days
REFERENCE, WATCHED = 730, 45
#: Two years of reference, then 45 days in January and February.
PERIODS = Periods((FIRST, FIRST + REFERENCE - 1), (FIRST + REFERENCE, FIRST + REFERENCE + WATCHED - 1))
SINCE = FIRST + REFERENCE + 15


def hours(periods: Periods = PERIODS) -> NDArray[np.int64]:
    return np.arange(24 * int(periods.axis[0]) + 1, 24 * (int(periods.axis[-1]) + 1) + 1)


def climate(periods: Periods = PERIODS, seed: int = 0) -> Table:
    """Return weather with seasons, days and nights, fronts that last for days, and rain in a tenth of the hours."""
    rng = np.random.default_rng(seed)
    hour = hours(periods)
    day = days_of(hour) - days_of(hour)[0]
    noise = rng.normal(size=(2, int(day[-1]) + 1))
    front = np.zeros_like(noise)
    for i in range(1, noise.shape[1]):
        front[:, i] = 0.6 * front[:, i - 1] + noise[:, i]
    year = np.cos(2 * np.pi * (days_of(hour) % 365.25) / 365.25)
    sun = np.cos(2 * np.pi * (hour % 24 - 9) / 24)
    own = rng.normal(size=(2, PLACES, len(hour)))
    temperature = 15 - 10 * year + 5 * sun + 2 * front[0, day] + own[0] + np.arange(PLACES)[:, None]
    humidity = 60 + 10 * year - 8 * sun - 6 * front[0, day] + 4 * front[1, day] + 3 * own[1]
    wet = rng.random((PLACES, len(hour))) < 0.1 / (1 + np.exp(-front[1, day])) * 2
    rain = np.where(wet, rng.gamma(0.6, 4, wet.shape).round(1), 0.0)
    table = {"temperature_c": temperature, "relative_humidity_pct": humidity, "precipitation_mm": rain}
    return {name: array.astype(np.float32) for name, array in table.items()}


def after(values: NDArray[np.float32], by: float = 0.0, times: float = 1.0) -> NDArray[np.float32]:
    """Return values that are changed from `SINCE` on."""
    out = values.copy()
    later = days_of(hours()) >= SINCE
    out[:, later] = out[:, later] * np.float32(times) + np.float32(by)
    return out


def judged(values: Table, periods: Periods = PERIODS, seed: int = 7) -> dict[str, VariableDrift]:
    found = judge(values, hours(periods), periods, RATE, np.random.default_rng(seed))
    return {one.variable: one for one in found}


def last_n(values: NDArray[np.float32], day: NDArray[np.int64], today: int) -> float:
    """Return the naive index: the newest 14 days by the deciles of the 14 days before, whatever season and hour."""
    new = values[:, (day > today - PSI_DAYS) & (day <= today)].ravel()
    old = values[:, (day > today - 2 * PSI_DAYS) & (day <= today - PSI_DAYS)].ravel()
    edges = np.quantile(old, np.arange(1, 10) / 10)
    masses = [np.bincount(np.searchsorted(edges, x), minlength=10).astype(float) for x in (new, old)]
    return float(stability_index(*masses))


def test_the_index_is_that_of_its_formula() -> None:
    # Siddiqi 2006, Credit Risk Scorecards, ch. 10: sum of (q - p) ln(q / p). By hand, for q = (.6, .4), p = (.5, .5):
    # .1 ln 1.2 - .1 ln .8 = .1 ln 1.5.
    assert stability_index(np.array([60.0, 40.0]), np.array([1.0, 1.0])) == pytest.approx(0.1 * math.log(1.5))
    # For q = (.2, .3, .5), p = (.5, .3, .2): -.3 ln .4 + .3 ln 2.5 = .6 ln 2.5.
    assert stability_index(np.array([2.0, 3, 5]), np.array([5.0, 3, 2])) == pytest.approx(0.6 * math.log(2.5))


def test_the_index_of_the_same_is_zero_and_of_empty_bins_finite() -> None:
    assert stability_index(np.full(10, 7.0)) == pytest.approx(0.0)
    one_bin = float(stability_index(np.r_[50.0, np.zeros(9)]))
    assert math.isfinite(one_bin)
    assert one_bin > 1
    assert stability_index(np.zeros(10)) == pytest.approx(0.0)


def test_ranks_of_another_season_and_hour_are_uniform() -> None:
    values = climate()["temperature_c"]
    hour = hours()
    low, high = standing(values, hour, PERIODS.in_reference(days_of(hour)), True)
    rank = (low + high) / 2
    january, afternoon = PERIODS.in_watched(days_of(hour)), (hour - 1) % 24 // 3 == 5
    for part in (january, january & afternoon, ~january & afternoon):
        assert float(rank[:, part].mean()) == pytest.approx(0.5, abs=0.12)
    assert float(np.abs(values[:, january].mean() - values.mean())) > 5  # although January is far from the year's mean


def test_ties_take_up_the_whole_interval_of_their_ranks() -> None:
    hour = np.arange(24 * 20000 + 1, 24 * 20100 + 1)
    values = np.zeros((1, len(hour)), np.float32)
    values[:, ::4] = np.random.default_rng(1).permutation(len(hour) // 4) + 1
    reference = days_of(hour) < 20090
    low, high = standing(values, hour, reference, False)
    dry = (values == 0) & ~reference
    assert np.allclose(low[dry], 0)
    assert float(high[dry].mean()) == pytest.approx(0.75, abs=0.05)
    axis = np.arange(20000, 20100)
    mass = daily(low, high, days_of(hour), axis, axis < 20090).mass[axis < 20090].sum(axis=0)
    assert np.allclose(mass / mass.sum(), 0.1, atol=0.01)  # dry hours fill seven bins and a half evenly


def test_missing_values_have_no_rank_and_a_day_without_values_no_statistic() -> None:
    values = climate()["temperature_c"]
    values[0, :100] = np.nan
    day = days_of(hours())
    values[:, day == FIRST + 50] = np.nan
    low, high = standing(values, hours(), PERIODS.in_reference(day), True)
    assert np.isnan(low[0, :100]).all()
    assert np.isnan(high[:, day == FIRST + 50]).all()
    days = daily(low, high, day, PERIODS.axis, PERIODS.in_reference(PERIODS.axis))
    assert np.isnan(days.level[50])
    assert np.isnan(days.shape[50])
    assert days.mass[50].sum() == 0
    assert np.isfinite(days.level[60:]).all()


def test_a_place_with_few_values_is_ranked_within_all() -> None:
    values = climate()["temperature_c"]
    hour = hours()
    reference = PERIODS.in_reference(days_of(hour))
    values[0, reference] = np.nan
    low, _ = standing(values, hour, reference, True)
    assert np.isfinite(low[0, ~reference]).all()
    values[1:, reference] = np.nan
    assert np.isnan(standing(values, hour, reference, True)[0]).all()


def test_weather_that_does_not_change_raises_no_alarm() -> None:
    found = judged(climate())
    assert [one.judged for one in found.values()] == [True] * 3
    assert [one.shifts for one in found.values()] == [()] * 3
    for one in found.values():
        assert one.psi is not None
        assert one.psi_usual is not None
        assert one.share is not None
        assert 0 <= one.share < 1
        assert "as usual for the season and hour" in one.text


def test_the_last_n_way_calls_the_seasons_drift_and_ours_does_not() -> None:
    spring = replace(PERIODS, watched=(FIRST + REFERENCE + 60, FIRST + REFERENCE + 60 + WATCHED))
    values = climate(spring)
    day = days_of(hours(spring))
    naive = [last_n(values["temperature_c"], day, today) for today in range(*spring.watched)]
    assert max(naive) > 0.25
    assert [one.shifts for one in judged(values, spring).values()] == [()] * 3


def test_nights_in_winter_alone_are_no_drift() -> None:
    hour = hours()
    day_time = PERIODS.in_watched(days_of(hour)) & ((hour - 1) % 24 >= 6)
    values = climate()
    for array in values.values():
        array[:, day_time] = np.nan
    found = judged(values)
    assert found["temperature_c"].judged
    assert [one.shifts for one in found.values()] == [()] * 3
    night = values["temperature_c"][:, PERIODS.in_watched(days_of(hour)) & ~day_time]
    assert float(night.mean()) < float(np.nanmean(values["temperature_c"])) - 8


@pytest.mark.parametrize(
    ("variable", "change", "rising"),
    [
        ("temperature_c", {"by": 3.0}, True),
        ("temperature_c", {"by": -3.0}, False),
        ("relative_humidity_pct", {"by": 10.0}, True),
    ],
)
def test_a_planted_shift_is_found_soon_and_named(variable: str, change: dict[str, float], rising: bool) -> None:
    values = climate()
    values[variable] = after(values[variable], **change)
    first = judged(values)[variable].shifts[0]
    assert first.rising is rising
    planted = EPOCH + timedelta(days=SINCE)
    assert -20 <= (first.since - planted).days <= 3  # a run may have begun by chance before
    assert 0 <= (first.raised - planted).days <= 21
    assert first.percentile is not None
    assert (first.percentile > 50) is rising
    assert first.key == f"{variable}:{first.since.isoformat()}"
    sentence = judged(values)[variable].sentences[0]
    assert ("higher" if rising else "lower") in sentence
    assert f"since {first.since.day} " in sentence


def test_rain_that_falls_four_times_as_often_is_found_although_most_hours_are_dry() -> None:
    values = climate()
    rng = np.random.default_rng(5)
    extra = after(np.zeros_like(values["precipitation_mm"]), by=1.0)
    wet = (rng.random(extra.shape) < 0.3) & (extra > 0)
    values["precipitation_mm"] = np.where(wet, np.float32(2.0), values["precipitation_mm"])
    assert judged(values)["precipitation_mm"].shifts


def test_one_shift_is_one_alarm_however_long_it_lasts() -> None:
    values = {"temperature_c": after(climate()["temperature_c"], by=8.0)}
    assert len(judged(values)["temperature_c"].shifts) == 1


def test_the_same_data_give_the_same_report_and_more_days_the_same_alarm() -> None:
    values = climate()
    values["temperature_c"] = after(values["temperature_c"], by=3.0)
    assert judged(values) == judged(values)
    today = replace(PERIODS, watched=(PERIODS.watched[0], PERIODS.watched[1] - 5))
    n = len(hours(today))
    earlier = judged({name: array[:, :n] for name, array in values.items()}, today)
    assert earlier["temperature_c"].shifts[0].key == judged(values)["temperature_c"].shifts[0].key


def test_a_short_reference_is_not_judged_and_says_what_is_needed() -> None:
    short = replace(PERIODS, reference=(PERIODS.watched[0] - 40, PERIODS.watched[0] - 1))
    values = climate(short)
    values["temperature_c"] += np.where(days_of(hours(short)) >= short.watched[0], np.float32(9), np.float32(0))
    for one in judged(values, short).values():
        assert not one.judged
        assert one.shifts == ()
        assert (one.psi, one.share) == (None, None)
        # Of the 40 days from 23 November on, those of March's neighbours are fewest: none stands beside February.
        assert "days of the same season of reference, 60 are needed" in one.not_judged
    endless = replace(short, seasonal=False)
    assert judged(values, endless)["temperature_c"].not_judged == "40 days of reference, 60 are needed"


def test_a_variable_that_is_missing_lately_is_named_and_the_others_are_judged() -> None:
    values = climate()
    values["relative_humidity_pct"][:, PERIODS.in_watched(days_of(hours()))] = np.nan
    found = judged(values)
    assert found["relative_humidity_pct"].text == "Humidity is not judged: it is missing on 45 of the last 45 days."
    assert found["temperature_c"].judged
    assert found["precipitation_mm"].judged


def test_gaps_in_places_and_days_raise_no_alarm() -> None:
    values = climate()
    rng = np.random.default_rng(2)
    for array in values.values():
        array[rng.random(array.shape) < 0.3] = np.nan
        array[2, -24 * 20 :] = np.nan
        array[:, -24 * 12 : -24 * 9] = np.nan
    assert [one.shifts for one in judged(values).values()] == [()] * 3


def test_values_that_are_all_equal_are_judged_and_their_end_is_found() -> None:
    values = {"precipitation_mm": np.zeros_like(climate()["precipitation_mm"])}
    quiet = judged(values)["precipitation_mm"]
    assert (quiet.judged, quiet.shifts, quiet.psi) == (True, (), 0.0)
    assert judged({"precipitation_mm": after(values["precipitation_mm"], by=1.0)})["precipitation_mm"].shifts


def test_nothing_known_is_nothing_judged() -> None:
    values = {"temperature_c": np.full((PLACES, len(hours())), np.nan, np.float32)}
    assert judged(values)["temperature_c"].not_judged.startswith("0 days")
    none = judge({"temperature_c": np.empty((0, 0), np.float32)}, np.empty(0, np.int64), PERIODS, RATE, _rng())
    assert not none[0].judged


def test_sums_are_those_of_page() -> None:
    # Page (1954): S(t) = max(0, S(t-1) + z(t) - k), here with k = 1/2; by hand.
    up = cusum.sums(np.array([[1.0], [0.0], [2.0], [-3.0], [1.5]]))[:, 0, 0]
    assert up.tolist() == [0.5, 0.0, 1.5, 0.0, 1.0]
    down = cusum.sums(np.array([[-1.0], [0.0], [-2.0]]))[:, 0, 1]
    assert down.tolist() == [0.5, 0.0, 1.5]


def test_a_sum_starts_anew_after_its_alarm_and_knows_when_it_began() -> None:
    scores = np.array([[0.0], [2.5], [2.5], [2.5], [0.0], [1.0]])
    total, found = cusum.crossings(scores, 3.0)
    assert found == (cusum.Crossing(0, 1, since=1, raised=2),)
    assert total[0, 0] == pytest.approx(2.0 - 0.5 + 0.5)  # what came after the alarm


def test_what_a_day_brings_is_what_the_day_before_did_not_tell() -> None:
    rng = np.random.default_rng(3)
    x = np.zeros((4000, 1))
    shock = rng.normal(size=x.shape)
    for i in range(1, len(x)):
        x[i] = 0.8 * x[i - 1] + shock[i]
    brought = cusum.news(x, np.ones(len(x), bool))
    assert np.isnan(brought[0]).all()
    assert float(np.corrcoef(brought[1:, 0], shock[1:, 0])[0, 1]) > 0.99


def test_the_threshold_is_higher_for_rarer_alarms_and_for_a_shorter_reference() -> None:
    brought = np.random.default_rng(1).normal(size=(300, 4))
    rare, common = (cusum.threshold(brought, 300, 90, rate, _rng()) for rate in (0.02, 0.5))
    assert rare > common
    assert cusum.threshold(brought, 30, 90, 0.05, _rng()) > cusum.threshold(brought, 300, 90, 0.05, _rng())


def test_a_change_of_one_variable_stands_out_of_those_it_goes_with() -> None:
    rng = np.random.default_rng(4)
    weather = rng.normal(size=(400, 1))
    days = weather + 0.2 * rng.normal(size=(400, 3))
    usual = np.arange(400) < 300
    days[300:, 1] += 0.5
    alone = cusum.relative(days, usual)
    plain, adjusted = (x[300:, 1].mean() / x[:300, 1].std() for x in (days, alone))
    assert adjusted > 1.5 > 3 * plain


def test_a_report_says_what_was_found_in_sentences() -> None:
    shift = Shift("relative_humidity_pct", Aspect.LEVEL, True, date(2026, 11, 12), date(2026, 11, 15), 71.2)
    found = VariableDrift("relative_humidity_pct", "", 270, 0.31, 0.12, 0.4, (shift,))
    absent = VariableDrift("wind_speed_ms", "it is missing on 30 of the last 30 days", 270)
    report = DriftReport(
        "gauges", "r", date(2026, 10, 20), date(2026, 11, 20), None, None, 40, 162, (found, absent)
    )  # fmt: skip
    sentence = (
        "Humidity has been higher than usual for the season and hour since 12 Nov 2026: on average percentile 71 of "
        "the reference, not 50; stability index of 14 days 0.31, usual is below 0.12."
    )
    assert report.alarms == (sentence,)
    assert shift.key == "relative_humidity_pct:2026-11-12"
    assert report.judged == ("relative_humidity_pct",)
    assert report.not_judged == ("Wind is not judged: it is missing on 30 of the last 30 days.",)
    assert report.text == f"{sentence} {report.not_judged[0]} 40 of 162 places were looked at."
    assert report.of("wind_speed_ms") is absent
    assert report.shifts == (shift,)
    assert replace(report, variables=(absent,)).text.startswith("Nothing could be judged.")


def _rng() -> np.random.Generator:
    return np.random.default_rng(7)
