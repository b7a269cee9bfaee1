"""Levels, tiers and freshness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.forecast import Freshness, RiskLevel
from core.domain.weather import ModelRun, Region, Thresholds
from core.risk import AgeLimits, Tiers

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
    assert tiers.text == "level by P(≥ 15 mm/h in 6 h): yellow from 2%, orange from 30%, red from 60%"


def test_no_places_have_no_levels() -> None:
    assert Tiers().levels(np.empty(0)) == ()


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
    assert "yellow from 10%" in tiers.of(OWN).text
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
