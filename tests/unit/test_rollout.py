"""Shares of the variants: as the strategy says, split as they should be, and growing so that nobody leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from core.domain.experiment import Experiment, ModelVariant, Rollout, TrafficSplitStrategy
from core.experiments.assignment import BUCKETS, bucket, variant
from core.experiments.rollout import grown, shares
from tests.experiments_made import CHALLENGER, CONTROL, experiment

UNITS = tuple(f"station-{i % 500}/day-{i // 500}" for i in range(20_000))
#: Units of the tests of uniformity: two hundred thousand, in two seconds.
MANY = 200_000
SIGNIFICANCE = 0.001


def split(strategy: TrafficSplitStrategy, *percent: float, name: str = "monsoon") -> Experiment:
    variants = tuple(ModelVariant(f"v{i}", traffic_percentage=share) for i, share in enumerate(percent))
    return experiment(strategy=strategy, variants=variants, id=name)


GRADUAL = experiment(strategy=TrafficSplitStrategy.GRADUAL_ROLLOUT)


def test_chance_gives_equal_shares_whatever_the_percentages() -> None:
    assert shares(split(TrafficSplitStrategy.RANDOM, 90, 10, 0), 40) == {"v1": 1 / 3, "v2": 1 / 3, "v0": 1 / 3}


@pytest.mark.parametrize("strategy", [TrafficSplitStrategy.PERCENTAGE, TrafficSplitStrategy.USER_HASH])
def test_percentages_give_what_they_say(strategy: TrafficSplitStrategy) -> None:
    assert shares(split(strategy, 70, 20, 10), 40) == {"v1": 0.2, "v2": 0.1, "v0": 0.7}


@pytest.mark.parametrize("percent", [0.0, 10.0, 33.33, 100.0])
def test_a_rollout_gives_what_it_stands_at(percent: float) -> None:
    found = shares(GRADUAL, percent)
    assert found == {CHALLENGER: percent / 100, CONTROL: 1 - percent / 100}
    assert list(found) == [CHALLENGER, CONTROL]  # the challenger takes from the control


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=4))
def test_shares_to_a_hundredth_of_a_percent_are_exact(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), BUCKETS]
    percent = [(high - low) / 100 for low, high in pairwise(edges)]
    found = shares(split(TrafficSplitStrategy.PERCENTAGE, *percent), 0)
    names, upper = list(found), 0
    for name in names:
        size = round(100 * percent[int(name[1:])])
        for place in {upper, upper + size - 1} if size else ():  # the first and the last of its buckets
            assert _of_bucket(found, place) == name
        upper += size
    assert upper == BUCKETS


def _of_bucket(found: Mapping[str, float], place: int) -> str:
    """Return the variant of a bucket, as `variant` finds it from a unit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.experiments.assignment.bucket", lambda *_: place)
        return variant("monsoon", "", found)


def test_one_in_ten_thousand_is_shown_what_has_a_hundredth_of_a_percent() -> None:
    found = shares(split(TrafficSplitStrategy.PERCENTAGE, 99.99, 0.01), 0)
    chosen = [unit for unit in map(str, range(100_000)) if bucket("monsoon", unit) == 0]
    assert 1 <= len(chosen) <= 30
    assert {variant("monsoon", unit, found) for unit in chosen} == {"v1"}


def test_a_growing_share_keeps_everybody_it_has() -> None:
    before: set[str] = set()
    for percent in (0, 10, 30, 50, 100):
        now = {unit for unit in UNITS if variant("monsoon", unit, shares(GRADUAL, percent)) == CHALLENGER}
        assert before <= now
        assert len(now) == pytest.approx(percent / 100 * len(UNITS), abs=4 * 71)  # four standard deviations
        before = now
    assert before == set(UNITS)


def test_units_are_spread_evenly_and_two_experiments_have_nothing_to_do_with_each_other() -> None:
    places = np.array([_bucket(name, i) for name in ("monsoon", "winter") for i in range(MANY)]).reshape(2, MANY)
    assert _bucket("monsoon", 7) == bucket("monsoon", "7")
    for one in places:
        assert chisquare(np.bincount(one // 10, minlength=1000)).pvalue > SIGNIFICANCE
    table = np.zeros((20, 20))
    np.add.at(table, (places[0] // 500, places[1] // 500), 1)
    assert chi2_contingency(table).pvalue > SIGNIFICANCE


def _bucket(name: str, unit: int) -> int:
    """Return what `bucket` returns, without the way there."""
    return int.from_bytes(hashlib.sha256(b"%s\x00%d" % (name.encode(), unit)).digest()[:8], "big") % BUCKETS


def test_a_share_grows_by_time() -> None:
    rollout = Rollout((10.0, 30.0, 50.0, 100.0), 7.0)
    assert grown(rollout, 10, 6.999, harmless=True) is None
    assert grown(rollout, 10, 7, harmless=False) == 30
    assert [grown(rollout, percent, 8, harmless=False) for percent in (0, 30, 50, 100)] == [10, 50, 100, None]
    assert grown(rollout, 20, 8, harmless=False) == 30  # one that was set by hand


def test_a_share_grows_by_evidence_whatever_the_time() -> None:
    rollout = Rollout((10.0, 50.0), 7.0, by_evidence=True)
    assert grown(rollout, 10, 1000, harmless=False) is None
    assert grown(rollout, 10, 0, harmless=True) == 50
    assert grown(rollout, 50, 1000, harmless=True) is None
