"""Diagrams and economic value: against `scores`, by hand, and where there is nothing to draw."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scores.plotdata import relative_economic_value_from_rates
from scores.probability import roc_curve_data
from scores.processing import isotonic_fit
from sklearn.metrics import roc_auc_score

from core.verification.diagrams import POINTS, RARE_EDGES, Meant, meant, reliability, warning_curve, wilson
from core.verification.economic import COST_LOSS, economic_value

Floats = NDArray[np.float64]


def season(n: int = 4000, seed: int = 5) -> tuple[Floats, Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    p = rng.beta(0.4, 6, n)
    return p, (rng.random(n) < p).astype(float), np.arange(n) // 40


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


# --------------------------------------------------------------------------------------------- reliability


def test_reliability_counts_every_case_in_its_bin() -> None:
    p, y = np.array([0.0, 0.005, 0.30, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])
    found = reliability(p, y, np.arange(4), draws=20, rng=rng())
    assert found.n.tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1]  # a bound belongs to the bin above it, 1 to the last
    assert found.events.tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    np.testing.assert_allclose(found.forecast, np.where(found.n > 0, found.forecast, np.nan))
    assert np.isnan(found.frequency[found.n == 0]).all()
    assert np.isnan(found.low[found.n == 0]).all()
    assert (found.forecast[0], found.frequency[10]) == (0.0, 1.0)


def test_a_calibrated_forecast_lies_in_its_band_nine_times_of_ten() -> None:
    inside = []
    for seed in range(20):
        p, y, day = season(6000, seed)
        found = reliability(p, y, day, draws=100, rng=rng())
        assert ((found.low <= found.frequency) & (found.frequency <= found.high)).all()
        assert (found.high - found.low > 0).all()
        assert (found.n.sum(), found.events.sum(), len(found.begin)) == (6000, y.sum(), len(RARE_EDGES) - 1)
        inside += ((found.low <= found.forecast) & (found.forecast <= found.high)).tolist()
    assert 0.86 < np.mean(inside) < 0.96


def test_days_that_are_alike_within_widen_the_band() -> None:
    p = np.full(1000, 0.1)
    day = np.arange(1000) // 50
    y = np.isin(day, (3, 11)).astype(float)  # all or nothing by day: twenty cases, not a thousand
    whole = reliability(p, y, day, draws=400, rng=rng())
    single = reliability(p, y, np.arange(1000), draws=400, rng=rng())
    assert whole.high[5] - whole.low[5] > 3 * (single.high[5] - single.low[5])


def test_a_bin_without_events_is_not_sure_of_it() -> None:
    found = reliability(np.full(50, 0.5), np.zeros(50), np.arange(50), draws=100, rng=rng())
    # Wilson 1927 for 0 of 50: z^2 / (n + z^2).
    assert found.high[9] == pytest.approx(1.6449**2 / (50 + 1.6449**2))
    assert found.low[9] == 0.0


def test_wilsons_interval_has_its_published_bounds() -> None:
    # Newcombe 1998, Statistics in Medicine 17, 857, table I: 81 of 263 at 95 % is .2553 to .3662.
    low, high = wilson(np.array([81.0]), np.array([263.0]), z=1.959964)
    assert (round(low[0], 4), round(high[0], 4)) == (0.2553, 0.3662)


def test_the_corp_curve_is_the_isotonic_fit_of_scores() -> None:
    p, y, day = season(600)
    found = reliability(p, y, day, draws=0, rng=rng())
    theirs = isotonic_fit(fcst=p, obs=y)
    fit = np.interp(found.curve_forecast, theirs["fcst_sorted"], theirs["regression_values"])
    np.testing.assert_allclose(found.curve_frequency, fit, atol=1e-9)
    assert (np.diff(found.curve_forecast) >= 0).all()
    assert len(found.curve_forecast) <= POINTS


def test_reliability_of_nothing_draws_nothing() -> None:
    found = reliability(np.empty(0), np.empty(0), np.empty(0, int), draws=10, rng=rng())
    assert found.n.sum() == 0
    assert np.isnan(found.frequency).all()
    assert len(found.curve_forecast) == 0


def test_what_the_numbers_meant_is_said_in_words() -> None:
    p, y = np.array([0.15] * 8 + [0.7]), np.array([1.0] + [0.0] * 7 + [1.0])
    rows = meant(p, y, np.arange(9), draws=100, rng=rng())
    assert [(row.n, row.events) for row in rows] == [(0, 0)] * 4 + [(8, 1), (0, 0), (1, 1)]
    assert rows[4].text.startswith("Said 10 to 20 %: it happened in 1 of 8 (12.5 %, 90 % interval ")
    assert rows[0].text == "Said 0 to 1 %: never."
    assert (rows[0].frequency, rows[0].interval) == (None, None)
    text = Meant(0.1, 0.2, 1085, 120, 0.1106, (0.08, 0.215)).text
    assert text == "Said 10 to 20 %: it happened in 120 of 1,085 (11.1 %, 90 % interval 8 to 21.5 %)."


# ------------------------------------------------------------------------------------------ warning curves


def test_warning_curve_is_that_of_scores_and_scikit_learn() -> None:
    p, y, _ = season(3000)
    found = warning_curve(p, y)
    theirs = roc_curve_data(xr.DataArray(p, dims="case"), xr.DataArray(y, dims="case"), np.sort(found.alarm))
    np.testing.assert_allclose(found.pod, theirs.POD.to_numpy()[-2:0:-1])  # scores adds both corners
    np.testing.assert_allclose(found.pofd, theirs.POFD.to_numpy()[-2:0:-1])
    assert found.auc == pytest.approx(roc_auc_score(y, p))


def test_warning_curve_is_short_goes_all_the_way_and_holds_the_best_csi() -> None:
    p, y, _ = season(30_000)
    found = warning_curve(p, y)
    assert len(found.alarm) <= POINTS
    assert (found.pod[-1], found.pofd[-1]) == (1.0, 1.0)
    assert np.diff(found.pod).max() < 0.02
    every = [((p >= t) & (y == 1)).sum() / ((p >= t) | (y == 1)).sum() for t in np.unique(p[y == 1])]
    assert found.best is not None
    assert found.csi[found.best] == pytest.approx(max(every))
    assert found.csi.max() == found.csi[found.best]
    np.testing.assert_allclose(found.csi, 1 / (1 / found.success_ratio + 1 / found.pod - 1))  # Roebber 2009, eq. 7
    np.testing.assert_allclose(found.frequency_bias, found.pod / found.success_ratio)


def test_warning_curve_without_events_or_cases() -> None:
    quiet = warning_curve(np.array([0.1, 0.2]), np.zeros(2))
    assert (quiet.auc, quiet.best) == (None, None)
    assert np.isnan(quiet.pod).all()
    assert len(warning_curve(np.empty(0), np.empty(0)).alarm) == 0


# ------------------------------------------------------------------------------------------ economic value


def test_economic_value_is_that_of_scores() -> None:
    p, y, day = season(3000)
    ours = economic_value(p, y, day, draws=0, rng=rng())
    warned = p[None, :] >= COST_LOSS[:, None]
    pod = (warned & (y == 1)).sum(axis=1) / y.sum()
    pofd = (warned & (y == 0)).sum(axis=1) / (1 - y).sum()
    theirs = relative_economic_value_from_rates(
        xr.DataArray(pod, dims="alarm"), xr.DataArray(pofd, dims="alarm"), xr.DataArray(y.mean()), COST_LOSS.tolist()
    )
    every = theirs.transpose("cost_loss_ratio", "alarm").to_numpy()
    np.testing.assert_allclose(ours.value, np.diag(every), atol=1e-9)
    assert (ours.envelope >= every.max(axis=1) - 1e-9).all()


def test_one_protects_at_a_probability_of_just_the_ratio() -> None:
    p, y = np.array([0.5, 0.5, 0.1, 0.1]), np.array([1.0, 0.0, 0.0, 0.0])
    found = economic_value(p, y, np.arange(4), draws=0, rng=rng(), cost_loss=np.array([0.5]))
    # Richardson 2000: expense 2/4 x .5 = .25 is that of never protecting, and of a perfect forecast .125.
    assert found.value.tolist() == [0.0]
    lower = economic_value(p, y, np.arange(4), draws=0, rng=rng(), cost_loss=np.array([0.1]))
    assert lower.value[0] == pytest.approx(0.0)  # all four protect, as climatology does
    between = economic_value(p, y, np.arange(4), draws=0, rng=rng(), cost_loss=np.array([0.25]))
    assert between.value[0] == pytest.approx((0.25 - 0.125) / (0.25 - 0.0625))


def test_value_at_the_base_rate_is_peirces_skill() -> None:
    # Richardson 2000, section 3: the highest value is that at C/L = base rate, and is the Peirce (HK) score.
    p, y = np.array([0.9] * 10 + [0.1] * 90), np.array([1.0] * 7 + [0.0] * 3 + [1.0] * 3 + [0.0] * 87)
    found = economic_value(p, y, np.arange(100), draws=0, rng=rng(), cost_loss=np.array([0.1]))
    assert found.envelope[0] == pytest.approx(0.7 - 3 / 90)
    assert found.best_alarm[0] == 0.9


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_value_exceeds_that_of_the_best_alarm_nor_one(cases: list[tuple[int, bool]]) -> None:
    p, y = (np.array(column, float) for column in zip(*cases, strict=True))
    found = economic_value(p / 20, y, np.arange(len(y)), draws=5, rng=rng())
    if 0 < y.sum() < len(y):
        assert (found.value <= found.envelope + 1e-9).all()
        assert (found.envelope <= 1 + 1e-9).all()
        assert (found.envelope >= -1e-9).all()  # never, or always, does as well as knowing the base rate
    elif not y.sum():
        assert np.isnan(found.value).all()


def test_a_perfect_forecast_has_all_the_value_and_an_interval_around_it() -> None:
    y = np.tile([1.0, 0.0, 0.0, 0.0], 50)
    found = economic_value(y, y, np.arange(200) // 4, draws=50, rng=rng())
    np.testing.assert_allclose(found.value, 1.0)
    np.testing.assert_allclose(found.low, 1.0)
    p, z, day = season()
    blurred = economic_value(p, z, day, draws=100, rng=rng())
    assert ((blurred.low <= blurred.value) & (blurred.value <= blurred.high)).mean() > 0.95


def test_economic_value_of_nothing_is_nan() -> None:
    found = economic_value(np.empty(0), np.empty(0), np.empty(0, int), draws=3, rng=rng())
    assert np.isnan(found.value).all()
    assert np.isnan(found.envelope).all()
