"""Recalling: how often it happened when a probability like this one was said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.domain.forecast import TARGET
from core.domain.verification import Truth
from core.workflows.recalling import FEW_SAID, Recall, recalled, said_like
from tests.verified_made import cases, untold


def test_the_bin_that_holds_the_probability_counts_exactly_its_cases() -> None:
    made = cases()
    found = said_like(recalled(made, TARGET), 0.07)
    assert found is not None
    p, y = made.probability_of(TARGET), made.happened(TARGET)
    inside = (p >= 0.05) & (p < 0.10)
    assert (found.low, found.high) == (0.05, 0.10)
    assert (found.n, found.events) == (inside.sum(), y[inside].sum())
    assert found.days == len(np.unique(made.valid_from[inside].astype("datetime64[D]")))
    assert found.state is Recall.KNOWN
    assert found.frequency == pytest.approx(y[inside].mean())
    assert found.interval is not None
    assert found.interval[0] <= y[inside].mean() <= found.interval[1]


@pytest.mark.parametrize(("probability", "low"), [(0.0, 0.0), (0.01, 0.01), (0.05, 0.05), (0.0999, 0.05), (1.0, 0.4)])
def test_a_bin_holds_its_lower_edge_and_the_last_one_is_whole(probability: float, low: float) -> None:
    found = said_like(recalled(cases(), TARGET), probability)
    assert found is not None
    assert found.low == low


def test_truth_that_is_not_known_is_not_counted_as_no_rain() -> None:
    made = cases()
    half = np.arange(len(made)) % 2 == 0
    there = said_like(recalled(untold(made, half, Truth.MISSING), TARGET), 0.07)
    alone = said_like(recalled(made.select(~half), TARGET), 0.07)
    assert there == alone


def test_few_cases_or_few_days_are_no_verdict() -> None:
    made = cases()
    p = made.probability_of(TARGET)
    inside = np.flatnonzero((p >= 0.05) & (p < 0.10))
    few = said_like(recalled(made.select(inside[: FEW_SAID - 1]), TARGET), 0.07)
    never = said_like(recalled(made.select(inside), TARGET), 0.3)
    days = made.valid_from[inside].astype("datetime64[D]")
    short = said_like(recalled(made.select(inside[days < days.min() + 6]), TARGET), 0.07)
    assert few is not None
    assert few.state is Recall.FEW
    assert short is not None
    assert short.n >= FEW_SAID
    assert short.state is Recall.FEW
    assert never is not None
    assert (never.n, never.state) == (0, Recall.NEVER)


def test_without_a_case_to_score_or_a_probability_there_is_nothing_to_recall() -> None:
    made = cases()
    assert recalled(untold(made, np.ones(len(made), bool), Truth.PENDING), TARGET) == ()
    assert said_like((), 0.07) is None
    assert said_like(recalled(made, TARGET), math.nan) is None
