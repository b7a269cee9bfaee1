"""Levels, tiers and freshness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.forecast import Freshness, RiskLevel
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
