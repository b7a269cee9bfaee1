"""Assignment: sticky, uniform, independent between experiments, and growing without shuffling."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from core.experiments.assignment import BUCKETS, bucket, variant

#: Fixed names: places and days, as the experiments have them.
UNITS = tuple(f"station-{i % 500}/2026-{1 + i // 500 % 12:02d}-{1 + i // 6000:02d}" for i in range(100_000))
#: The names are fixed, so these tests either always or never fail: one in a thousand is far from chance.
SIGNIFICANCE = 0.001


def _buckets(experiment: str, units: tuple[str, ...] = UNITS) -> np.ndarray:
    return np.array([bucket(experiment, unit) for unit in units])


def test_the_hundred_thousand_units_are_distinct() -> None:
    assert len(set(UNITS)) == 100_000


def test_buckets_are_uniform() -> None:
    counts = np.bincount(_buckets("summer") // 100, minlength=BUCKETS // 100)
    assert len(counts) == 100
    assert chisquare(counts).pvalue > SIGNIFICANCE


def test_variants_have_their_shares() -> None:
    shares = {"champion": 0.7, "challenger": 0.2, "climatology": 0.1}
    counts = Counter(variant("summer", unit, shares) for unit in UNITS)
    observed = [counts[name] for name in shares]
    assert chisquare(observed, [share * len(UNITS) for share in shares.values()]).pvalue > SIGNIFICANCE


def test_two_experiments_have_nothing_to_do_with_each_other() -> None:
    one, two = _buckets("summer") // 1000, _buckets("summer-2") // 1000
    table = np.zeros((10, 10))
    np.add.at(table, (one, two), 1)
    assert chi2_contingency(table).pvalue > SIGNIFICANCE


def test_a_unit_keeps_its_variant() -> None:
    shares = {"a": 0.5, "b": 0.5}
    first = [variant("summer", unit, shares) for unit in UNITS[:1000]]
    assert [variant("summer", unit, dict(shares)) for unit in reversed(UNITS[:1000])] == first[::-1]
    assert set(first) == {"a", "b"}


def test_name_and_unit_cannot_run_into_each_other() -> None:
    pairs = [("ab", "c"), ("a", "bc"), ("", "abc"), ("abc", "")]
    assert len({bucket(*pair) for pair in pairs}) == len(pairs)


def test_a_growing_share_takes_from_the_next_variant_only() -> None:
    small, large = {"a": 0.2, "b": 0.5, "c": 0.3}, {"a": 0.4, "b": 0.3, "c": 0.3}
    moves = Counter((variant("e", unit, small), variant("e", unit, large)) for unit in UNITS[:20_000])
    assert {move for move in moves if move[0] != move[1]} == {("b", "a")}
    assert moves["b", "a"] == pytest.approx(0.2 * 20_000, rel=0.1)


@pytest.mark.parametrize("shares", [{"a": 1.0}, {"a": 1.0, "b": 0.0}, {"b": 0.0, "a": 1.0}])
def test_a_share_of_nothing_gets_nobody(shares: dict[str, float]) -> None:
    assert {variant("e", unit, shares) for unit in UNITS[:3000]} == {"a"}


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=7), st.text(max_size=20))
def test_every_unit_has_a_variant_whatever_the_rounding(parts: list[int], unit: str) -> None:
    shares = {str(i): part / sum(parts) for i, part in enumerate(parts)}
    assert variant("e", unit, shares) in shares


@pytest.mark.parametrize("shares", [{}, {"a": 0.5}, {"a": 0.7, "b": 0.7}, {"a": 1.5, "b": -0.5}])
def test_shares_that_are_none_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        variant("e", "u", shares)
