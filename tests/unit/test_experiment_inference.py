"""Inference on sums by day: against statsmodels, by hand, and at the edges where nothing can be said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm, t, ttest_1samp
from statsmodels.regression.linear_model import OLS

from core.domain.learning import Measure
from core.experiments import inference
from core.experiments.inference import Floats


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def days(n: int, effect: float = 0.0, seed: int = 1) -> tuple[Floats, Floats]:
    """Return gain and loss by day, both alike on neighbouring days; the gain is this share of the loss."""
    chance = rng(seed)
    spells = np.convolve(chance.gamma(1.0, size=n + 2), np.ones(3) / 3, "valid")
    return (effect + 0.2 * chance.normal(size=n)) * spells, spells


def hac(x: Floats, lags: int, kernel: str) -> float:
    """Return the standard error of a mean by statsmodels."""
    how = {"maxlags": lags, "kernel": kernel, "use_correction": False}
    return float(OLS(x, np.ones(len(x))).fit(cov_type="HAC", cov_kwds=how).bse[0])


@pytest.mark.parametrize("lags", [0, 1, 5, 12, 39])
def test_the_long_run_variance_is_that_of_statsmodels(lags: int) -> None:
    for seed in range(5):
        x = np.convolve(rng(seed).normal(size=44), np.ones(5), "valid")
        assert inference.long_run_variance(x, lags) == pytest.approx(hac(x, lags, "bartlett") ** 2 * 40, rel=1e-9)


def test_the_long_run_variance_by_hand() -> None:
    # Means 0; lag 0: (4 + 1 + 1 + 4) / 4, lag 1: (2 - 1 + 2) / 4, weight 1/2, counted twice.
    assert inference.long_run_variance(np.array([2.0, 1.0, -1.0, -2.0]), 1) == 2.5 + 0.75
    assert inference.long_run_variance(np.full(7, 3.0), 5) == 0.0
    assert inference.long_run_variance(np.array([1.0, 2.0]), 5) == pytest.approx(0.25 - 2 * 5 / 6 * 0.125)


@given(arrays(float, st.integers(1, 60), elements=st.floats(-1e3, 1e3)), st.integers(0, 70))
def test_a_variance_is_never_below_nothing(x: Floats, lags: int) -> None:
    assert inference.long_run_variance(x, lags) >= 0


@pytest.mark.parametrize("horizon", [1, 2, 3, 7])
def test_diebold_mariano_is_statsmodels_with_the_correction_for_small_samples(horizon: int) -> None:
    compared = 0
    for seed in range(8):
        x = np.convolve(rng(seed).normal(0.1, 1, size=61), np.ones(2), "valid")
        found = inference.diebold_mariano(x, horizon)
        with np.errstate(invalid="ignore"):
            error = hac(x, horizon - 1, "uniform")
        if not math.isfinite(error):  # rectangular weights may come to less than nothing
            assert found is None
            continue
        n = len(x)
        correction = math.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)
        expected = 2 * t.sf(abs(x.mean() / error * correction), n - 1)
        assert found == pytest.approx(expected, rel=1e-9)
        compared += 1
    assert compared >= 5


def test_diebold_mariano_looking_one_day_ahead_is_students_test() -> None:
    x = rng().normal(0.2, 1, size=25)
    assert inference.diebold_mariano(x) == pytest.approx(ttest_1samp(x, 0).pvalue, rel=1e-12)


@pytest.mark.parametrize(("x", "horizon"), [([], 1), ([1.0], 1), ([1.0, 2.0, 3.0], 2), ([0.0] * 9, 2), ([4.0] * 9, 1)])
def test_diebold_mariano_says_nothing_where_there_is_nothing_to_say(x: list[float], horizon: int) -> None:
    assert inference.diebold_mariano(np.array(x), horizon) is None


# Always-valid bounds


def test_the_boundary_by_hand() -> None:
    # a = .05: rho = (-2 log .05 + log(1 - 2 log .05)) / 90 = (5.991465 + 1.944690) / 90 = .0881795
    # after 90 days: t rho + 1 = 8.936155; sqrt(2 x 8.936155 / (8100 x .0881795) x log(sqrt(8.936155) / .05))
    # = sqrt(.02502223 x (1.0950614 + 2.9957323)) = .3199432
    assert inference.boundary(90, 95) == pytest.approx(0.31994, abs=2e-5)
    # Far from where it is narrowest: after 5 days sqrt(1.3072404 x 3.1783654), after 2000 sqrt(.00100567 x 5.5848202).
    assert inference.boundary(5, 95) == pytest.approx(2.038354, abs=1e-5)
    assert inference.boundary(2000, 95) == pytest.approx(0.0749432, abs=1e-6)


@pytest.mark.parametrize("confidence", [80.0, 95.0, 99.9])
def test_the_boundary_narrows_and_is_wider_than_that_of_one_look(confidence: float) -> None:
    reach = np.array([inference.boundary(day, confidence) for day in range(1, 2000)])
    assert (np.diff(reach) < 0).all()
    assert (reach > norm.ppf(0.5 + confidence / 200) / np.sqrt(np.arange(1, 2000))).all()
    assert inference.boundary(50, confidence + 0.05) > inference.boundary(50, confidence)


def test_the_boundary_is_narrowest_at_the_day_it_is_made_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reach = {}
    for narrowest in (30, 60, 90, 135, 270):
        monkeypatch.setattr(inference, "NARROWEST_DAYS", narrowest)
        reach[narrowest] = inference.boundary(90, 95)
    assert min(reach, key=reach.__getitem__) == 90


@settings(max_examples=25, deadline=None)
@given(st.integers(16, 60), st.integers(0, 10_000), st.floats(0.1, 1e3))
def test_the_bounds_of_a_day_know_nothing_of_later_days(n: int, seed: int, later: float) -> None:
    gain, loss = days(60, seed=seed)
    changed = [np.concatenate([part[:n], later * rng(seed).random(30)]) for part in (gain, loss)]
    whole = inference.sequence(gain, loss, 95, 14)
    for other in (inference.sequence(gain[:n], loss[:n], 95, 14), inference.sequence(*changed, 95, 14)):
        for part, prefix in zip(whole, other, strict=True):
            np.testing.assert_array_equal(part[:n], prefix[:n])


def test_a_sequence_is_the_ratio_between_bounds_that_begin_when_they_may() -> None:
    gain, loss = days(40, 0.1)
    mean, low, high = inference.sequence(gain, loss, 95, 14)
    np.testing.assert_allclose(mean, np.cumsum(gain) / np.cumsum(loss))
    assert np.isnan(low[:13]).all()
    assert np.isfinite([low[13:], high[13:]]).all()
    for day in (14, 30, 40):
        reach = inference.boundary(day, 95) * inference.deviation(gain[:day], loss[:day])
        assert (low[day - 1], high[day - 1]) == pytest.approx((mean[day - 1] - reach, mean[day - 1] + reach))
    assert high[39] - low[39] < high[13] - low[13]


def test_before_there_is_a_loss_there_are_no_bounds() -> None:
    loss = np.concatenate([np.zeros(20), days(30)[1]])
    mean, low, _ = inference.sequence(np.zeros(50), loss, 95, 14)
    assert np.isnan(mean[:20]).all()
    assert np.isnan(low[:20]).all()
    assert not np.isnan(mean[20:]).any()
    assert all(len(part) == 0 for part in inference.sequence(np.zeros(0), np.zeros(0), 95, 14))


def test_looking_every_day_finds_no_winner_among_equals() -> None:
    ever = 0
    for seed in range(60):
        _, low, high = inference.sequence(*days(90, seed=seed), 95, 14)
        ever += bool(np.any(low[13:] > 0) or np.any(high[13:] < 0))
    assert ever <= 6  # at most 5 % of them; more than 6 of 60 have a probability of 3 %


@pytest.mark.parametrize(("repeated", "sign", "larger"), [(5, 1, "long"), (1, -1, "plain")])
def test_a_deviation_is_that_of_the_ratio_and_wider_for_few_spells(repeated: int, sign: int, larger: str) -> None:
    gain = np.repeat(rng(2).normal(size=400 // repeated), repeated)  # neighbours alike
    gain, loss = gain * sign ** np.arange(400) + (sign < 0) * (-1.0) ** np.arange(400), np.ones(400)  # or opposite
    long_run = inference.long_run_variance(gain - gain.mean(), inference.spell_days(400))
    assert (long_run > gain.var()) == (larger == "long")
    spells = inference.effective_spells(loss)
    plain = max(gain.var(), inference.long_run_variance(gain, inference.spell_days(400)))
    student = t.isf(0.02275, spells - 1) / 2
    expected = math.sqrt(plain * spells / (spells - 1)) * student
    assert inference.deviation(gain, loss) == pytest.approx(expected)
    assert inference.deviation(gain, 7 * loss) == pytest.approx(expected / 7)
    assert inference.deviation(3 * loss, loss) == pytest.approx(0, abs=1e-12)
    assert inference.deviation(gain, np.where(np.arange(400) == 7, 1.0, 0.0)) == math.inf
    uneven = 1 + rng(3).random(400)
    assert inference.deviation(3 * uneven, uneven) == pytest.approx(0, abs=1e-12)


# Spells of days


def test_spells_are_counted_by_the_weight_of_their_losses() -> None:
    length = inference.spell_days(50)
    assert length == 7  # 1.8 x 50^(1/3) = 6.63
    assert (inference.spell_days(1), inference.spell_days(1000)) == (5, 18)
    assert inference.effective_spells(np.ones(49)[:49]) == 7
    one = np.zeros(49)
    one[3] = 5.0
    assert inference.effective_spells(one) == 1
    one[30] = 5.0
    assert inference.effective_spells(one) == 2
    one[30] = 10.0  # (5 + 10)^2 / (25 + 100)
    assert inference.effective_spells(one) == pytest.approx(1.8)


# The gain


def test_a_gain_is_the_ratio_of_the_sums_within_its_interval() -> None:
    gain, loss = days(60, 0.1)
    found = inference.relative_gain(gain, loss, 95, rng())
    assert found.value == gain.sum() / loss.sum()
    assert found.low < found.value < found.high  # type: ignore[operator]
    wider = inference.relative_gain(gain, loss, 99, rng())
    assert wider.low < found.low  # type: ignore[operator]
    assert wider.high > found.high  # type: ignore[operator]
    assert inference.relative_gain(gain, loss, 95, rng()) == found


def test_forecasts_that_are_identical_gain_nothing_without_doubt() -> None:
    _, loss = days(60)
    assert inference.relative_gain(np.zeros(60), loss, 95, rng()) == Measure(0.0, 0.0, 0.0)
    proportional = inference.relative_gain(0.25 * loss, loss, 95, rng())
    assert (proportional.low, proportional.high) == pytest.approx((0.25, 0.25), abs=1e-12)


def test_a_gain_without_losses_or_from_one_spell_has_no_interval() -> None:
    none = np.zeros(0)
    assert inference.relative_gain(none, none, 95, rng()) == Measure(None)
    assert inference.relative_gain(np.ones(30), np.zeros(30), 95, rng()) == Measure(None)
    loss = np.where(np.arange(30) == 12, 2.0, 0.0)
    assert inference.relative_gain(loss / 4, loss, 95, rng()) == Measure(0.25)


def test_neighbouring_days_that_are_alike_widen_the_interval() -> None:
    half = np.repeat(rng(4).normal(size=12), 5)  # 12 spells of five days that are the same
    # And their opposites, so that nothing is skewed.
    spell, alone = (np.concatenate([x, -x]) for x in (half, rng(4).permutation(half)))
    wide, narrow = (inference.relative_gain(x, np.ones(120), 95, rng()) for x in (spell, alone))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)  # type: ignore[operator]


def test_the_interval_of_a_few_spells_is_students_and_wider() -> None:
    half = rng(8).normal(size=10)
    gain = np.concatenate([half, -half])  # four spells of five days, skewed to no side
    ring = np.concatenate([gain, gain])
    spread = np.array([ring[i : i + 5].sum() for i in range(20)]).std() * math.sqrt(4) / 20
    reach = t.ppf(0.975, 3) * math.sqrt(4 / 3) * spread
    found = inference.relative_gain(gain, np.ones(20), 95, rng(), draws=100_000)
    assert found.value - found.low == pytest.approx(reach, rel=0.02)  # type: ignore[operator]
    assert found.high - found.value == pytest.approx(reach, rel=0.02)  # type: ignore[operator]


def test_the_interval_reaches_further_to_the_side_of_the_rare_and_large() -> None:
    gain = np.where(np.arange(100) % 20 == 7, 5.0, 0.3)  # five large days in a hundred
    up = inference.relative_gain(gain, np.ones(100), 95, rng())
    down = inference.relative_gain(-gain, np.ones(100), 95, rng())
    assert up.high - up.value > 1.4 * (up.value - up.low)  # type: ignore[operator]
    assert down.value - down.low > 1.4 * (down.high - down.value)  # type: ignore[operator]


def test_the_side_is_that_of_what_spells_gain_beyond_their_losses() -> None:
    # The losses are skewed, and the gains with them: beyond their share of the losses they are not.
    loss = np.where(np.arange(100) % 20 == 7, 20.0, 1.0)
    found = inference.relative_gain(0.5 * loss + np.resize([0.2, 0.2, 0.2, -0.2, -0.2, -0.2], 100), loss, 95, rng())
    assert found.high - found.value == pytest.approx(found.value - found.low, rel=0.25)  # type: ignore[operator]


def test_what_is_stretched_by_hand() -> None:
    # Values -1 (four times) and 4: spread 2, third moment 12, skewness 1.5.
    spells = np.array([-1.0, -1.0, -1.0, -1.0, 4.0])
    many = 2500.0  # acceleration 1.5 / (6 * 50) / .1 = .05
    assert inference.stretched(2.0, spells, many) == pytest.approx((2.0, 2 / 0.9))
    assert inference.stretched(2.0, -spells, many) == pytest.approx((2 / 0.9, 2.0))
    assert inference.stretched(2.0, spells, 5.0) == pytest.approx((2.0, 2 * inference.MOST_STRETCHED))
    assert inference.stretched(2.0, np.array([1.0, -1.0]), 5.0) == (2.0, 2.0)
    assert inference.stretched(2.0, np.zeros(4), 5.0) == (2.0, 2.0)


# Who is better


def test_the_probability_of_being_better_is_near_what_is_plain() -> None:
    better = rng(1).normal(1, 0.5, size=60)
    assert inference.probability_better(better, rng()) > 0.999  # type: ignore[operator]
    assert inference.probability_better(-better, rng()) < 0.001  # type: ignore[operator]
    even = np.tile([1.0, 0, 0, 0, 0, 0, 0, -1.0, 0, 0, 0, 0, 0, 0], 5)  # 70 days: spells of 7
    assert inference.probability_better(even, rng(), 20_000) == pytest.approx(0.5, abs=0.02)


def test_days_that_are_alike_within_spells_are_less_sure_than_the_same_days_mixed() -> None:
    spells, mixed = np.repeat([2.0] * 5 + [-1.0] * 5, 7), np.tile([2.0, -1.0], 35)
    assert inference.spell_days(70) == 7
    unsure, sure = (inference.probability_better(x, rng()) for x in (spells, mixed))
    assert unsure is not None and sure is not None
    assert unsure < 0.9
    assert sure > 0.99


def test_the_probability_of_being_better_is_that_of_the_mean_of_spells() -> None:
    by_spell = rng(6).normal(0.3, 1, size=40)
    gain = np.zeros(480)
    some = by_spell[: len(gain[:: inference.spell_days(480)])]
    gain[:: inference.spell_days(480)] = some
    usual = norm.cdf(some.mean() / (some.std() / math.sqrt(len(some) + 1)))
    assert inference.probability_better(gain, rng(), 50_000) == pytest.approx(usual, abs=0.02)


@pytest.mark.parametrize("gain", [np.zeros(0), np.ones(9), np.zeros(50)])
def test_nobody_is_better_in_a_few_days_or_by_nothing(gain: Floats) -> None:
    assert inference.probability_better(gain, rng()) is None
