"""Planning: days by the textbook where it is looked at once, and more where it is looked at always."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from core.experiments import inference
from core.experiments.planning import MOST_DAYS, Plan, plan


def planned(difference: float = 2.0, **changes: float) -> Plan:
    fields: dict[str, Any] = {
        "spread_percent": 7.6,
        "events_per_day": 3.2,
        "season_days": 122.0,
        "confidence": 95.0,
        "power": 80.0,
    }
    return plan(difference, **{**fields, **changes})


def test_one_look_is_as_in_the_textbook() -> None:
    # (1.959964 + .841621)^2 = 7.8489 times (spread / difference)^2: "about 7.85" (Fleiss et al. 2003, Statistical
    # Methods for Rates and Proportions, 3rd ed., ch. 4; Chow et al. 2008, ch. 3); with 7.6 / 2: 113.3 days.
    assert planned().days_for_one_look == 114
    assert planned(1.0, spread_percent=1.0).days_for_one_look == 8
    assert planned(power=90.0).days_for_one_look == math.ceil(10.5074 * 3.8**2)  # (1.959964 + 1.281552)^2
    assert planned(power=50.0).days_for_one_look == math.ceil(3.8415 * 3.8**2)  # 1.959964^2


def test_always_is_the_first_day_from_which_the_bounds_are_narrow_enough() -> None:
    found = planned()
    assert found.days is not None

    def reach(days: int) -> float:
        return inference.boundary(days, 95) + 0.841621 / math.sqrt(days)

    assert reach(found.days) <= 2 / 7.6 < reach(found.days - 1)
    assert found.events == math.ceil(found.days * 3.2)
    assert found.seasons == found.days / 122


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_with_so_many_days_a_difference_is_found_as_often_as_planned(seed: int) -> None:
    found = planned(20.0, spread_percent=40.0)
    assert found.days is not None
    gains = np.random.default_rng(seed).normal(0.2, 0.4, size=(2000, found.days))
    reach = inference.boundary(found.days, 95) * 0.4
    share = float((gains.mean(axis=1) > reach).mean())
    assert share == pytest.approx(0.8, abs=0.05)  # one day more or less is .01; five standard errors are .045


@settings(deadline=None)
@given(st.floats(0.2, 10), st.floats(1.01, 3))
def test_less_to_find_needs_more(difference: float, factor: float) -> None:
    more, less = planned(difference), planned(difference / factor)
    assert less.days_for_one_look >= more.days_for_one_look
    assert more.days is None or less.days is None or less.days >= more.days
    assert less.days is None or more.days is not None
    assert more.days is None or more.days > more.days_for_one_look


@pytest.mark.parametrize("changes", [{"power": 90.0}, {"confidence": 99.0}, {"spread_percent": 9.0}])
def test_more_certainty_and_more_spread_need_more(changes: dict[str, float]) -> None:
    usual, more = planned(), planned(**changes)
    assert usual.days is not None
    assert more.days is not None
    assert more.days > usual.days
    assert more.days_for_one_look > usual.days_for_one_look


def test_events_and_seasons_follow_from_the_days() -> None:
    usual = planned()
    assert planned(events_per_day=0.01) == replace(usual, events=math.ceil(0.01 * usual.days))  # type: ignore[operator]
    assert planned(season_days=61.0) == replace(usual, seasons=2 * usual.seasons)  # type: ignore[operator]


def test_what_needs_more_than_a_life_is_said_so() -> None:
    found = planned(0.05)
    assert (found.days, found.events, found.seasons) == (None, None, None)
    assert found.days_for_one_look == math.ceil((norm.ppf(0.975) + norm.ppf(0.8)) ** 2 * (7.6 / 0.05) ** 2)
    assert found.days_for_one_look > MOST_DAYS


@pytest.mark.parametrize("name", ["difference_percent", "spread_percent", "events_per_day", "season_days", "power"])
def test_what_is_not_above_nothing_is_refused(name: str) -> None:
    for value in (0.0, -1.0):
        with pytest.raises(ValueError, match="above 0"):
            planned(value) if name == "difference_percent" else planned(**{name: value})


@pytest.mark.parametrize("changes", [{"power": 100.0}, {"confidence": 100.0}, {"confidence": 0.0}, {"confidence": 101}])
def test_a_certainty_that_nobody_has_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        planned(**changes)
