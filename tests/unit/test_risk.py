"""Levels, tiers and freshness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.domain.forecast import HOURLY_EVENTS, TARGET, Freshness, RiskLevel
from core.domain.learning import Measure, Scorecard
from core.domain.weather import ModelRun, Region, Thresholds
from core.risk import AgeLimits, LevelRule, Tiers, base_rate_of
from tests.models_made import manifest

NOW = datetime(2026, 7, 29, 18, 20, tzinfo=UTC)
LADDER = [RiskLevel.GREEN, RiskLevel.YELLOW, RiskLevel.ORANGE, RiskLevel.RED]


@pytest.mark.parametrize(
    ("probability", "level"),
    [
        (0.0, RiskLevel.GREEN),
        (0.0499, RiskLevel.GREEN),
        (0.05, RiskLevel.YELLOW),
        (0.1499, RiskLevel.YELLOW),
        (0.15, RiskLevel.ORANGE),
        (0.3999, RiskLevel.ORANGE),
        (0.40, RiskLevel.RED),
        (1.0, RiskLevel.RED),
    ],
)
def test_a_level_holds_from_its_tier_on(probability: float, level: RiskLevel) -> None:
    assert Tiers().levels(np.array([probability])) == (level,)


@pytest.mark.parametrize("unknown", [np.nan, np.inf, -np.inf])
def test_an_unknown_probability_is_unknown_and_never_green(unknown: float) -> None:
    assert Tiers().levels(np.array([0.9, unknown, 0.0])) == (RiskLevel.RED, RiskLevel.UNKNOWN, RiskLevel.GREEN)


@given(st.lists(st.floats(0, 1), min_size=2))
def test_a_higher_probability_never_has_a_lower_level(probabilities: list[float]) -> None:
    levels = Tiers().levels(np.sort(np.array(probabilities)))
    assert [LADDER.index(level) for level in levels] == sorted(LADDER.index(level) for level in levels)


def test_the_tiers_of_the_user_count() -> None:
    tiers = Tiers(yellow=0.02, orange=0.3, red=0.6)
    assert tiers.levels(np.array([0.02, 0.29, 0.3, 0.6])) == (
        RiskLevel.YELLOW,
        RiskLevel.YELLOW,
        RiskLevel.ORANGE,
        RiskLevel.RED,
    )
    assert tiers.text == (
        "level by P(≥ 15 mm/h in 6 h): yellow from 2 %, orange from 30 %, red from 60 %; "
        "a level ends 20 % below its threshold"
    )


def test_no_places_have_no_levels() -> None:
    assert Tiers().levels(np.empty(0)) == ()
    assert Tiers().levels(np.empty(0), []) == ()
    assert Tiers().along(np.empty(0), np.empty(0, int), np.empty(0, "datetime64[h]")) == ()


def card(events: int, n: int = 1000) -> Scorecard:
    return Scorecard(TARGET, n, events, events / n, {"auc": Measure(0.9)}, "cases")


@given(st.integers(1, 999), st.sampled_from([0.05, 0.15, 0.4]))
def test_one_lift_is_one_level_whatever_the_base_rate(events: int, tier: float) -> None:
    tiers = Tiers(rule=LevelRule.LIFT).of(PLAIN, manifest(scorecards=(card(events),)))
    odds = tiers.thresholds / (1 - tiers.thresholds)
    base = events / 1000
    plain = np.array([0.05, 0.15, 0.4])
    np.testing.assert_allclose(odds / (base / (1 - base)), plain / (1 - plain) / (0.01 / 0.99))
    assert (np.diff(tiers.thresholds) > 0).all()
    assert ((tiers.thresholds > 0) & (tiers.thresholds < 1)).all()


def test_at_a_base_rate_of_one_percent_lift_and_probability_are_the_same() -> None:
    served = manifest(scorecards=(card(10),))
    np.testing.assert_allclose(Tiers(rule=LevelRule.LIFT).of(PLAIN, served).thresholds, [0.05, 0.15, 0.4])
    np.testing.assert_allclose(Tiers().of(PLAIN, manifest(scorecards=(card(300),))).thresholds, [0.05, 0.15, 0.4])


def test_the_lift_rule_says_its_probabilities_and_how_many_times_climatology_they_are() -> None:
    text = Tiers(rule=LevelRule.LIFT).of(PLAIN, manifest(scorecards=(card(5),))).text
    # odds(.05) odds(.005) / odds(.01) = .05263 x .005025 / .010101 = .02618, a probability of .02552
    assert "yellow from 2.6 % (5.1 times climatology)" in text
    assert "climatology is 0.5 % where the model learned" in text


@pytest.mark.parametrize("cards", [(), (card(0),), (card(1000),), (Scorecard(HOURLY_EVENTS[1], 9, 3, 1 / 3, {}, ""),)])
def test_without_a_base_rate_the_lift_rule_takes_the_numbers_as_they_stand_and_says_so(cards: tuple) -> None:
    tiers = Tiers(rule=LevelRule.LIFT).of(PLAIN, manifest(scorecards=cards))
    assert base_rate_of(manifest(scorecards=cards)) is None
    np.testing.assert_allclose(tiers.thresholds, [0.05, 0.15, 0.4])
    assert "not scaled to climatology" in tiers.text
    assert Tiers(rule=LevelRule.LIFT).of(PLAIN) == tiers


def test_cost_and_loss_act_where_the_probability_reaches_their_ratio() -> None:
    tiers = Tiers(0.02, 0.1, 0.5, LevelRule.COST_LOSS).of(PLAIN, manifest(scorecards=(card(5),)))
    assert tiers.levels(np.array([0.0199, 0.02, 0.1, 0.5])) == tuple(LADDER)
    assert "yellow from 2 %, worth it for measures that cost up to 2 %; orange" in tiers.text
    assert "of the loss they avoid" in tiers.text


def test_the_probabilities_of_a_region_are_its_own_under_every_rule() -> None:
    served = manifest(scorecards=(card(300),))
    for rule in LevelRule:
        tiers = Tiers(rule=rule).of(OWN, served)
        np.testing.assert_allclose(tiers.thresholds, [0.1, 0.2, 0.3])
        assert "climatology" not in tiers.text


probabilities = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.04, 0.05, 0.12, 0.15, 0.32, 0.4])), min_size=1)
margins = st.floats(0, 0.95)


@given(probabilities, st.sampled_from(list(RiskLevel)), margins)
def test_with_a_level_before_a_higher_probability_never_has_a_lower_level(
    found: list[float], before: RiskLevel, margin: float
) -> None:
    levels = Tiers(margin=margin).levels(np.sort(np.array(found)), [before] * len(found))
    assert [LADDER.index(level) for level in levels] == sorted(LADDER.index(level) for level in levels)


@given(probabilities, margins)
def test_without_a_level_before_the_plain_rule_holds(found: list[float], margin: float) -> None:
    p, tiers = np.array(found), Tiers(margin=margin)
    plain = tiers.levels(p)
    assert tiers.levels(p, None) == plain
    assert tiers.levels(p, [RiskLevel.UNKNOWN] * len(p)) == plain
    assert tiers.levels(p, [RiskLevel.GREEN] * len(p)) == plain  # a level rises at once
    assert Tiers(margin=0).levels(p, [RiskLevel.RED] * len(p)) == plain  # 0 switches the margin off


@given(st.lists(st.floats(0.0401, 0.1499), min_size=1))
def test_within_the_margin_a_level_never_flickers(found: list[float]) -> None:
    tiers, level = Tiers(), RiskLevel.YELLOW
    for p in found:  # all between the end of yellow (4 %) and orange (15 %)
        (level,) = tiers.levels(np.array([p]), [level])
        assert level is RiskLevel.YELLOW


@pytest.mark.parametrize(
    ("probability", "before", "level"),
    [
        (0.13, RiskLevel.ORANGE, RiskLevel.ORANGE),
        (0.119, RiskLevel.ORANGE, RiskLevel.YELLOW),
        (0.041, RiskLevel.RED, RiskLevel.YELLOW),
        (0.039, RiskLevel.RED, RiskLevel.GREEN),
        (0.33, RiskLevel.YELLOW, RiskLevel.ORANGE),
        (0.5, RiskLevel.GREEN, RiskLevel.RED),
        (np.nan, RiskLevel.RED, RiskLevel.UNKNOWN),
        (0.045, RiskLevel.UNKNOWN, RiskLevel.GREEN),
    ],
)
def test_a_level_rises_at_once_and_falls_by_the_margin(probability: float, before: RiskLevel, level: RiskLevel) -> None:
    assert Tiers().levels(np.array([probability]), [before]) == (level,)


hourly = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 9), st.one_of(st.just(np.nan), st.floats(0, 0.6))), max_size=60
)


@given(hourly, margins)
@example([(0, 1, 0.05), (0, 1, 0.045), (0, 1, np.nan), (0, 4, 0.045), (0, 1, np.nan), (0, 6, 0.045)], 0.2)
def test_levels_along_the_hours_are_those_of_one_hour_after_the_other(
    cases: list[tuple[int, int, float]], margin: float
) -> None:
    cases.sort(key=lambda case: case[0])
    place = np.array([c[0] for c in cases], int)
    at = np.cumsum([c[1] for c in cases], dtype=int).astype("datetime64[h]")
    p, tiers = np.array([c[2] for c in cases], float), Tiers(margin=margin)
    known: dict[int, tuple[RiskLevel, np.datetime64]] = {}
    one_by_one = []
    for series, hour, value in zip(place.tolist(), at, p, strict=True):
        level, since = known.get(series, (RiskLevel.UNKNOWN, hour))
        previous = level if hour - since <= np.timedelta64(6, "h") else RiskLevel.UNKNOWN
        (level,) = tiers.levels(np.array([value]), [previous])
        if level is not RiskLevel.UNKNOWN:
            known[series] = level, hour
        one_by_one.append(level)
    assert tiers.along(p, place, at) == tuple(one_by_one)


@pytest.mark.parametrize(
    ("age", "freshness"),
    [
        (timedelta(0), Freshness.FRESH),
        (timedelta(minutes=89), Freshness.FRESH),
        (timedelta(minutes=91), Freshness.STALE),
        (timedelta(hours=5, minutes=59), Freshness.STALE),
        (timedelta(hours=6, minutes=1), Freshness.NO_DATA),
        (timedelta(days=900), Freshness.NO_DATA),
    ],
)
def test_data_grow_stale_and_then_are_no_data(age: timedelta, freshness: Freshness) -> None:
    assert AgeLimits().freshness(NOW - age, NOW) is freshness


def test_data_that_never_came_are_no_data() -> None:
    assert AgeLimits().freshness(None, NOW) is Freshness.NO_DATA


def test_the_age_limits_of_the_user_count() -> None:
    limits = AgeLimits(amber=timedelta(minutes=10), no_data=timedelta(minutes=20))
    assert limits.freshness(NOW - timedelta(minutes=15), NOW) is Freshness.STALE
    assert limits.freshness(NOW - timedelta(minutes=25), NOW) is Freshness.NO_DATA


OWN = Region("r", "R", "UTC", (), thresholds=Thresholds((0.1, 0.2, 0.3), (timedelta(minutes=30), timedelta(hours=2))))
PLAIN = Region("p", "P", "UTC", ())


def test_the_thresholds_of_a_region_come_before_those_of_the_settings() -> None:
    tiers, limits = Tiers(), AgeLimits(run_amber=timedelta(hours=5))
    assert tiers.of(OWN) == Tiers(0.1, 0.2, 0.3)
    assert "yellow from 10 %" in tiers.of(OWN).text
    assert limits.of(OWN) == AgeLimits(timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5))
    assert limits.of(OWN).text == "Amber from 30 min on, no data from 2 h on."
    assert (tiers.of(PLAIN), limits.of(PLAIN)) == (tiers, limits)


@pytest.mark.parametrize(
    ("seen_h", "out_h", "freshness"),
    [
        (0, 8.99, Freshness.FRESH),
        (0, 9, Freshness.STALE),
        (0, 23.99, Freshness.STALE),
        (0, 24, Freshness.NO_DATA),
        (2, 1, Freshness.STALE),
        (7, 1, Freshness.NO_DATA),
        (2, 24, Freshness.NO_DATA),
        (7, 10, Freshness.NO_DATA),
        (0, None, Freshness.STALE),
        (7, None, Freshness.NO_DATA),
    ],
)
def test_of_two_ages_the_worse_counts(seen_h: float, out_h: float | None, freshness: Freshness) -> None:
    run = ModelRun("m", None, None if out_h is None else NOW - timedelta(hours=out_h))
    assert AgeLimits().freshness(NOW - timedelta(hours=seen_h), NOW, run) is freshness
    assert AgeLimits().freshness(None, NOW, run) is Freshness.NO_DATA


def test_freshness_lasts_until_the_next_limit_of_either_age() -> None:
    limits = AgeLimits()
    assert limits.lasts_s(NOW - timedelta(minutes=30), NOW) == 3600
    assert limits.lasts_s(NOW - timedelta(minutes=30), NOW, ModelRun("m", None, NOW - timedelta(hours=8.5))) == 1800
    assert limits.lasts_s(NOW - timedelta(hours=3), NOW, ModelRun()) == 3 * 3600
    assert limits.lasts_s(NOW - timedelta(days=3), NOW, ModelRun("m", None, NOW - timedelta(days=3))) == float("inf")
