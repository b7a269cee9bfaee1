"""Learning: truth, folds, sampling, calibration, tail, the coherent curve, and the laws of every algorithm."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from core.domain.forecast import EVENTS, HOURLY_EVENTS, MINI_CLOUDBURST, Window
from core.errors import ConfigurationError, InsufficientData
from core.learning import calendar, calibration, estimators, tail, training
from core.learning.exceedance import Cases, ExceedanceModel, fit_curve
from core.learning.scorer import Scorer


def _by_loop(rain: NDArray[np.float32], window_h: int, accumulation_h: int) -> NDArray[np.float32]:
    out = np.full_like(rain, np.nan)
    for place, hour in np.ndindex(rain.shape):
        ahead = range(hour + 1, hour + window_h + 1)
        if ahead[-1] >= rain.shape[1] or np.isnan(rain[place, ahead]).any():
            continue
        within = rain[place, ahead]  # rain that has fallen before the window is no part of what is to come
        spans = range(window_h - accumulation_h + 1)
        out[place, hour] = max(within[i : i + accumulation_h].sum() for i in spans)
    return out


@pytest.mark.parametrize(("window_h", "accumulation_h"), [(1, 1), (3, 1), (6, 1), (2, 2), (3, 2), (6, 2)])
@pytest.mark.parametrize("hours", [5, 60])
def test_highest_ahead_is_what_a_plain_loop_finds(window_h: int, accumulation_h: int, hours: int) -> None:
    rng = np.random.default_rng(8)
    rain = rng.exponential(4, (3, hours)).astype(np.float32)
    rain[rng.random(rain.shape) < 0.06] = np.nan
    found = training.highest_ahead(rain, Window(0, window_h), accumulation_h)
    np.testing.assert_allclose(found, _by_loop(rain, window_h, accumulation_h), rtol=1e-6)


def test_missing_truth_is_never_a_zero() -> None:
    rain = np.array([[0, 0, np.nan, 0, 50, 0]], np.float32)
    np.testing.assert_array_equal(
        training.highest_ahead(rain, Window(0, 2)), [[np.nan, np.nan, 50, 50, np.nan, np.nan]]
    )


def test_a_window_ahead_begins_where_it_says() -> None:
    rain = np.array([[0, 9, 7, 3, 5, 1]], np.float32)
    np.testing.assert_array_equal(training.highest_ahead(rain, Window(2, 4))[0, :2], [5 - 0, 5])
    np.testing.assert_array_equal(training.highest_ahead(rain, Window(2, 4), 2)[0, :2], [8, 6])
    assert np.isnan(training.highest_ahead(rain, Window(0, 1), 2)).all(), "one hour holds no sum of two"


@pytest.mark.parametrize("purge_h", [0, 1, 78])
def test_folds_are_apart_by_the_purge_and_test_every_case_once(purge_h: int) -> None:
    hour = np.random.default_rng(1).integers(400_000, 401_000, 3000)  # several places share an hour, some hours lack
    tested = np.zeros(len(hour), int)
    for train, test in training.folds(hour, 3, purge_h):
        tested += test
        assert not (train & test).any()
        gap = np.abs(hour[train][:, None] - np.unique(hour[test])[None, :]).min()
        assert gap > purge_h
        far = np.abs(hour[:, None] - np.unique(hour[test])[None, :]).min(axis=1) > purge_h + 2
        assert train[far].all()  # nothing is thrown away beyond the purge and the width of an edge
        assert not set(hour[test]) & set(hour[~test])  # all places of one hour lie in the same fold
    assert (tested == 1).all()


@pytest.mark.parametrize(
    ("events", "others", "max_rows"), [(50, 5000, 400), (500, 5000, 400), (50, 100, 400), (30, 1, 9)]
)
def test_weights_undo_the_sampling(events: int, others: int, max_rows: int) -> None:
    event = np.random.default_rng(0).permutation(np.arange(events + others) < events)
    keep, weight = training.sample(event, max_rows, np.random.default_rng(2))
    assert len(keep) <= max_rows
    assert len(set(keep)) == len(keep) == len(weight)
    assert weight[event[keep]].sum() == pytest.approx(events, rel=1e-5)
    assert weight[~event[keep]].sum() == pytest.approx(others, rel=1e-5)
    if events <= max_rows // 2:
        assert event[keep].sum() == events  # every event is kept


@pytest.mark.parametrize(("a", "b"), [(-1.5, 0.8), (0.4, 1.7), (-3.0, -0.5)])
def test_fit_sigmoid_recovers_what_made_the_cases(a: float, b: float) -> None:
    score = np.linspace(-4, 4, 200)
    n = np.full(200, 5e4)
    events = np.random.default_rng(3).binomial(n.astype(int), 1 / (1 + np.exp(-(a + b * score)))).astype(float)
    assert calibration.fit_sigmoid(score, n, events) == pytest.approx((a, b), abs=0.02)


def test_fit_sigmoid_stays_finite_where_events_are_separated() -> None:
    a, b = calibration.fit_sigmoid(np.array([-1.0, 1.0]), np.array([50.0, 50.0]), np.array([0.0, 50.0]))
    assert abs(a) < 1e-6
    assert 3 < b < 100


def _scored(distinct: int, n: int = 6000) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    rng = np.random.default_rng(6)
    score = np.round(rng.normal(-3, 1, n) * distinct) / distinct
    return score, rng.random(n) < calibration.sigmoid(score), np.arange(n) // 100


def test_isotonic_curve_rises_along_rising_scores() -> None:
    score, event, day = _scored(distinct=10**6)
    steps, curve = calibration.fit_isotonic(calibration.bin_scores(score, event, day, np.ones(len(score), bool)))
    assert (np.diff(steps) > 0).all()
    assert (np.diff(curve) >= 0).all()
    assert np.interp(-3.0, steps, curve) == pytest.approx(calibration.sigmoid(np.array(-3.0)), abs=0.02)


@pytest.mark.parametrize(("distinct", "n"), [(4, 6000), (10**6, 200)])
def test_isotonic_steps_are_sorted_also_with_ties_and_few_cases(distinct: int, n: int) -> None:
    score, event, day = _scored(distinct, n)
    steps, _ = calibration.fit_isotonic(calibration.bin_scores(score, event, day, np.ones(len(score), bool)))
    assert (np.diff(steps) > 0).all()


def test_bins_lose_no_case_and_no_event() -> None:
    score, event, day = _scored(distinct=4)
    where = score > -3.5
    binned = calibration.bin_scores(score, event, day, where)
    np.testing.assert_array_equal(binned.n.sum(axis=1), np.bincount(day[where], minlength=60))
    assert binned.events.sum() == event[where].sum()
    assert (np.diff(binned.score[binned.n.sum(axis=0) > 0]) > 0).all()
    n, events = binned.drawn(np.array([2, 2, 5]))
    assert n.sum() == 2 * binned.n[2].sum() + binned.n[5].sum()
    assert events.sum() == 2 * binned.events[2].sum() + binned.events[5].sum()


@pytest.mark.parametrize(("scale", "shape"), [(8.0, 0.114), (5.0, 0.0), (12.0, 0.3)])
def test_fit_pareto_recovers_the_law_of_a_sample(scale: float, shape: float) -> None:
    u = np.random.default_rng(9).random(60_000)
    excess = -scale * np.log(u) if shape == 0 else scale / shape * (u**-shape - 1)
    assert tail.fit_pareto(excess) == pytest.approx((scale, shape), rel=0.04, abs=0.02)
    doubled = tail.fit_pareto(np.repeat(excess[:500], 2))
    assert tail.fit_pareto(excess[:500], np.full(500, 2.0)) == pytest.approx(doubled, rel=0.01, abs=0.002)


@pytest.mark.parametrize("excess", [np.full(40, 3.0), np.array([7.5]), np.array([0.01, 900.0])])
def test_fit_pareto_keeps_shape_and_scale_within_reason(excess: NDArray[np.float64]) -> None:
    scale, shape = tail.fit_pareto(excess)
    assert tail.SHAPE_RANGE[0] <= shape <= tail.SHAPE_RANGE[1]
    assert scale == pytest.approx(excess.mean() * (1 - shape))


def test_survival_becomes_exponential_as_the_shape_vanishes() -> None:
    # Coles 2001, An Introduction to Statistical Modeling of Extreme Values, eq. 4.4: exp(-x / scale).
    assert tail.survival(20.0, 10.0, 0.0) == pytest.approx(np.exp(-2.0))
    assert tail.survival(20.0, 10.0, 1e-6) == pytest.approx(np.exp(-2.0), rel=1e-5)
    assert tail.survival(20.0, 10.0, 1e-13) == pytest.approx(np.exp(-2.0), rel=1e-9)  # no loss of digits on the way
    assert tail.survival(20.0, 10.0, 0.5) == pytest.approx(0.25)  # (1 + .5 x 20 / 10)^-2
    assert tail.survival(0.0, 10.0, 0.2) == 1.0


# ------------------------------------------------------------------------------------------------ exceedance model


class FirstColumn:
    """Classifier whose probability is the first feature."""

    def predict_proba(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.stack([1 - rows[:, 0], rows[:, 0]], axis=1)


def _model(parameters: list[float], draws: int = 0) -> ExceedanceModel:
    spread = np.random.default_rng(0).normal(0, 0.3, (draws, 8)) * [1, 1, 1, 1, 1, 1, 0, 0]
    return ExceedanceModel(
        FirstColumn(),
        np.array(parameters),
        np.array(parameters) + spread,
        np.empty(0),
        np.empty(0),
        ("p_50", "p_100"),
        np.full((calendar.CELLS, 5), 0.01),
    )


@given(
    st.lists(st.floats(-30, 30), min_size=6, max_size=6),
    st.floats(1e-3, 500),
    st.floats(*tail.SHAPE_RANGE),
    st.lists(st.floats(-14, 14), min_size=1, max_size=8),
)
@settings(max_examples=200, deadline=None)
def test_curves_never_cross(sigmoids: list[float], scale: float, shape: float, scores: list[float]) -> None:
    curve = _model([*sigmoids, scale, shape]).calibrated(np.array(scores))
    p15, p30, p50, p100, mini = curve.T
    assert ((curve >= 0) & (curve <= 1)).all()
    for more, rarer in itertools.pairwise((p15, p30, p50, p100)):
        assert (more >= rarer).all()
    assert ((p50 <= mini) & (mini <= p15)).all()


@pytest.fixture(scope="module")
def cases() -> Cases:
    """Return 60,000 cases of 100 days with a known law: P(15) = sigmoid(-2 + score), Pareto above it."""
    rng = np.random.default_rng(12)
    score = rng.normal(0, 1, 60_000)
    excess = 9 / 0.1 * (rng.random(score.size) ** -0.1 - 1)
    hourly = np.where(rng.random(score.size) < calibration.sigmoid(score - 2), 15 + excess, 1).astype(np.float32)
    two_hour = (hourly * rng.uniform(1, 1.6, score.size)).astype(np.float32)
    return Cases(score, hourly, two_hour, np.arange(score.size) % 100, np.arange(score.size) % calendar.CELLS)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_fitted_curve_is_the_law_of_the_cases(cases: Cases, method: str) -> None:
    model = fit_curve(Scorer(FirstColumn()), cases, method, 3, np.random.default_rng(1))
    found = model.calibrated(cases.score)
    for i, event in enumerate(EVENTS):
        seen = cases.happened(event).mean()
        assert found[:, i].mean() == pytest.approx(seen, rel=0.25 if event.threshold_mm >= 100 else 0.1), event.key
    at_one = model.calibrated(np.array([1.0]))[0, 0]
    assert at_one == pytest.approx(1 / (1 + np.exp(1)), abs=0.03)
    assert model.extrapolated == ("p_50", "p_100")


def test_rare_events_are_called_extrapolated(cases: Cases) -> None:
    few = cases.at(np.arange(len(cases.score)) < 1500)
    model = fit_curve(Scorer(FirstColumn()), few, "sigmoid", 0, np.random.default_rng(1))
    assert few.happened(HOURLY_EVENTS[1]).sum() < 100 <= few.happened(HOURLY_EVENTS[0]).sum()
    assert few.happened(MINI_CLOUDBURST).sum() < 100
    assert set(model.extrapolated) == {"p_30", "p_50", "p_100", "p_50_2h"}
    assert model.central[3] == model.central[5] == 0.0  # flat conditional curves
    assert model.calibrated(few.score)[:, 1].mean() == pytest.approx(few.happened(HOURLY_EVENTS[1]).mean(), rel=0.2)


def test_an_isotonic_curve_has_no_interval_of_another_curve(cases: Cases) -> None:
    model = fit_curve(Scorer(FirstColumn()), cases, "isotonic", 5, np.random.default_rng(1))
    centre, low, high = model.with_interval(np.linspace(0, 1, 9, dtype=np.float32)[:, None])
    assert np.isfinite(centre).all()
    assert np.isnan([low, high]).all()


def test_interval_contains_the_centre_and_has_a_width(cases: Cases) -> None:
    model = fit_curve(Scorer(FirstColumn()), cases, "sigmoid", 30, np.random.default_rng(1))
    rows = np.linspace(0, 1, 50, dtype=np.float32)[:, None]
    centre, low, high = model.with_interval(rows)
    assert centre.shape == low.shape == high.shape == (50, len(EVENTS))
    assert ((low <= centre) & (centre <= high)).all()
    assert (low < high).all()
    np.testing.assert_array_equal(centre, model.probabilities(rows))


def test_parts_make_the_same_model_again(cases: Cases) -> None:
    model = fit_curve(Scorer(FirstColumn()), cases, "isotonic", 4, np.random.default_rng(1))
    again = ExceedanceModel.from_parts(model.to_parts())
    rows = np.linspace(0, 1, 9, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(again.with_interval(rows), model.with_interval(rows))
    assert again.extrapolated == model.extrapolated


def _rain(event: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return rain that is an event beyond doubt, or none."""
    return np.where(event, 90, 0).astype(np.float32)


def _learning_set(n: int = 2400) -> training.LearningSet:
    rng = np.random.default_rng(21)
    rows = rng.normal(0, 1, (n, 5)).astype(np.float32)
    event = rng.random(n) < calibration.sigmoid(2.0 * rows[:, 0] - 2)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    rows[:, 4] = 7.0  # a station that never moves
    return training.LearningSet(rows, _rain(event), np.arange(n))


def _event(known: training.LearningSet) -> NDArray[np.bool_]:
    return known.hourly_mm >= 15


@pytest.mark.parametrize("name", estimators.ALGORITHMS)
def test_every_algorithm_obeys_the_laws(name: str) -> None:
    known = _learning_set()
    first_half = known.hour < 1600
    recipe = training.Recipe(name, 1500, seed=5)
    with threadpool_limits(1):  # many threads on few rows only wait for each other
        one, two = (
            calibration.sigmoid(training.fit_sampled(known, first_half, recipe).score(known.rows)) for _ in range(2)
        )
    assert np.isfinite(one).all(), "NaN in, a number out"
    assert ((one >= 0) & (one <= 1)).all(), "a probability"
    np.testing.assert_allclose(one, two, rtol=1e-9, err_msg="the same seed gives the same model")
    assert roc_auc_score(_event(known)[~first_half], one[~first_half]) > 0.7, "it learns"
    assert one.mean() == pytest.approx(_event(known).mean(), abs=0.05), "the weights undo the sampling"


@pytest.mark.parametrize("name", estimators.ALGORITHMS)
def test_every_algorithm_does_without_a_variable_that_the_source_never_has(name: str) -> None:
    known = _learning_set(900)
    known.rows[:, 3] = np.nan
    fitted = training.fit_sampled(known, known.hour >= 0, training.Recipe(name, 800, seed=5))
    assert np.isfinite(fitted.score(known.rows)).all()


def test_every_case_has_one_score_of_a_model_that_did_not_see_it() -> None:
    known = _learning_set()
    blind = training.LearningSet(known.hour[:, None].astype(np.float32), known.hourly_mm, known.hour)
    recipe = training.Recipe("logistic_regression", 10_000, 1)

    def scored(cases: training.LearningSet) -> NDArray[np.float64]:
        score = np.full(len(cases.hour), np.nan)
        for number in range(training.FOLDS):
            test, there = training.fold_scores(cases, recipe, 6, number)
            assert np.isnan(score[test]).all()
            score[test] = there
        return score

    assert roc_auc_score(_event(known), scored(known)) > 0.7
    assert roc_auc_score(_event(known), scored(blind)) < 0.6  # the hour is no cause


@pytest.mark.parametrize(("events", "cases_n"), [(training.MIN_EVENTS - 1, 500), (0, 500), (500, 500)])
def test_too_few_events_or_one_class_teach_nothing(events: int, cases_n: int) -> None:
    few = training.LearningSet(
        np.zeros((cases_n, 2), np.float32), _rain(np.arange(cases_n) < events), np.arange(cases_n)
    )
    with pytest.raises(InsufficientData) as error:
        training.fit_sampled(few, np.ones(cases_n, bool), training.Recipe("logistic_regression", 400, 1))
    assert (error.value.have, error.value.need) == (events, training.MIN_EVENTS)
    assert error.value.hint


def test_unknown_algorithm_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="oracle") as error:
        estimators.algorithm("oracle")
    assert all(name in error.value.hint for name in estimators.ALGORITHMS)
    assert estimators.DEFAULT_ALGORITHM in estimators.ALGORITHMS
