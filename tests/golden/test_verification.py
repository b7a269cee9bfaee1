"""Verification against published tables, against scikit-learn, and where it has nothing to say."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
import scores.probability
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scores.categorical import BasicContingencyManager
from scores.processing import isotonic_fit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from core.verification import climatology
from core.verification.calibration import decomposition, slopes
from core.verification.categorical import Contingency
from core.verification.days import Days
from core.verification.probabilistic import Ranked, average_precision, best_csi, brier, roc_area

Floats = NDArray[np.float64]
#: Finley's tornado forecasts of 1884, as in Wilks 2011, example 8.1, and Murphy 1996.
FINLEY = Contingency(hits=28, false_alarms=72, misses=23, correct_negatives=2680)


@pytest.mark.parametrize(
    ("measure", "value"),
    # Wilks 2011, ch. 8.2.2, and the documentation of `scores` (NCI, Finley's table).
    [("pod", 0.549020), ("far", 0.72), ("csi", 0.227642), ("hss", 0.355325), ("ets", 0.216046)],
)
def test_finleys_tornadoes_have_their_published_measures(measure: str, value: float) -> None:
    assert getattr(FINLEY, measure) == pytest.approx(value, abs=5e-7)


def test_finley_forecast_twice_as_many_tornadoes_as_there_were() -> None:
    assert FINLEY.frequency_bias == pytest.approx(1.96, abs=0.005)  # Wilks 2011, ch. 8.2.2: B = 1.96


@pytest.mark.parametrize(
    ("measure", "value", "digits"),
    # WWRP/WGNE Joint Working Group on Forecast Verification Research, "Methods for dichotomous forecasts": one year of
    # rain forecasts, 82 hits, 38 false alarms, 23 misses, 222 correct negatives; CSI with the digits of `scores`.
    # HK and SEDI with theirs too; frequency bias 1.14 and accuracy .83 are the Group's.
    [
        ("csi", 0.573427, 6),
        ("pod", 0.78, 2),
        ("far", 0.32, 2),
        ("ets", 0.44, 2),
        ("hss", 0.61, 2),
        ("hk", 0.634799, 6),
        ("sedi", 0.789308, 6),
        ("frequency_bias", 1.14, 2),
        ("accuracy", 0.83, 2),
    ],
)
def test_a_year_of_rain_forecasts_has_its_published_measures(measure: str, value: float, digits: int) -> None:
    assert round(getattr(Contingency(82, 38, 23, 222), measure), digits) == value


MEASURED = (
    "pod", "pofd", "far", "csi", "frequency_bias", "hk", "hss", "ets", "sedi", "accuracy", "precision", "recall", "f1",
)  # fmt: skip
NO_EVENTS = {"pod", "recall", "frequency_bias", "hk", "sedi"}
NO_FORECASTS = {"far", "precision"}


@pytest.mark.parametrize(
    ("table", "undefined"),
    [
        (Contingency(0, 3, 0, 7), NO_EVENTS),
        (Contingency(0, 0, 3, 7), NO_FORECASTS | {"sedi"}),
        (Contingency(0, 0, 0, 7), NO_EVENTS | NO_FORECASTS | {"csi", "f1", "hss", "ets"}),
        (Contingency(0, 0, 0, 0), set(MEASURED)),
        (Contingency(5, 0, 0, 0), {"pofd", "hk", "hss", "ets", "sedi"}),  # nothing but hits: chance does as well
        (Contingency(5, 0, 0, 7), {"sedi"}),  # perfect: the logarithm of 0
        (Contingency(5, 1, 1, 7), set()),
    ],
)
def test_undefined_measures_are_none_and_the_others_are_not(table: Contingency, undefined: set[str]) -> None:
    assert {name for name in MEASURED if getattr(table, name) is None} == undefined


@given(st.tuples(*[st.integers(1, 3000)] * 4))
@settings(max_examples=40, deadline=None)
def test_categorical_measures_are_those_of_scores(counts: tuple[int, int, int, int]) -> None:
    table = Contingency(*counts)
    names = ("tp_count", "fp_count", "fn_count", "tn_count", "total_count")
    filled = zip(names, (*counts, sum(counts)), strict=True)
    theirs = BasicContingencyManager({name: xr.DataArray(float(count)) for name, count in filled})
    for ours, name in (
        ("pod", "probability_of_detection"),
        ("pofd", "probability_of_false_detection"),
        ("far", "false_alarm_ratio"),
        ("csi", "critical_success_index"),
        ("frequency_bias", "frequency_bias"),
        ("hk", "hanssen_and_kuipers_discriminant"),
        ("hss", "heidke_skill_score"),
        ("ets", "equitable_threat_score"),
        ("sedi", "symmetric_extremal_dependence_index"),
        ("accuracy", "accuracy"),
        ("precision", "precision"),
        ("recall", "recall"),
        ("f1", "f1_score"),
    ):
        expected = float(getattr(theirs, name)())
        assert getattr(table, ours) == pytest.approx(expected, rel=1e-9, abs=1e-9), ours


# ------------------------------------------------------------------------------------------- probabilities


def _season(n: int = 3000) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(5)
    p = rng.beta(0.5, 4, n)
    return p, (rng.random(n) < p).astype(float)


#: Few distinct probabilities, so that ties are the rule; weights as a bootstrap draw has them, zero included.
CASES = st.lists(st.tuples(st.integers(0, 8), st.booleans(), st.integers(0, 3)), min_size=2, max_size=60)


def _arrays(cases: list[tuple[int, bool, int]]) -> tuple[Floats, Floats, Floats]:
    p, y, w = (np.array(column, float) for column in zip(*cases, strict=True))
    return p / 8, y, w


@given(CASES)
@settings(max_examples=150, deadline=None)
def test_roc_area_is_scikit_learns_with_ties_and_weights(cases: list[tuple[int, bool, int]]) -> None:
    p, y, w = _arrays(cases)
    assume(0 < y.sum() < len(y))
    assert roc_area(*Ranked.of(p, y).running()) == pytest.approx(roc_auc_score(y, p), abs=1e-9)
    assume((w * y).sum() > 0 and (w * (1 - y)).sum() > 0)
    expected = roc_auc_score(y, p, sample_weight=w)
    assert roc_area(*Ranked.of(p, y).running(w)) == pytest.approx(expected, abs=1e-9)


@given(CASES)
@settings(max_examples=150, deadline=None)
def test_average_precision_is_scikit_learns_with_ties_and_weights(cases: list[tuple[int, bool, int]]) -> None:
    p, y, w = _arrays(cases)
    assume(y.sum() > 0)
    assert average_precision(*Ranked.of(p, y).running()) == pytest.approx(average_precision_score(y, p), abs=1e-9)
    assume((w * y).sum() > 0)
    expected = average_precision_score(y, p, sample_weight=w)
    assert average_precision(*Ranked.of(p, y).running(w)) == pytest.approx(expected, abs=1e-9)


@given(CASES)
@settings(max_examples=50, deadline=None)
def test_brier_score_is_scikit_learns_with_weights(cases: list[tuple[int, bool, int]]) -> None:
    p, y, w = _arrays(cases)
    assume(w.sum() > 0)
    assert brier(p, y, w) == pytest.approx(brier_score_loss(y, p, sample_weight=w, pos_label=1), abs=1e-9)


def test_brier_score_by_hand() -> None:
    p, y = np.array([0.8, 0.1, 0.5]), np.array([1.0, 0.0, 0.0])
    assert brier(p, y) == pytest.approx((0.04 + 0.01 + 0.25) / 3)
    assert brier(p, y, np.array([1.0, 0.0, 2.0])) == pytest.approx((0.04 + 2 * 0.25) / 3)


def test_brier_score_and_roc_area_are_those_of_scores() -> None:
    p, y = _season(500)
    forecast, seen = xr.DataArray(p, dims="case"), xr.DataArray(y, dims="case")
    assert brier(p, y) == pytest.approx(float(scores.probability.brier_score(forecast, seen)))
    assert roc_area(*Ranked.of(p, y).running()) == pytest.approx(float(scores.probability.roc_auc(forecast, seen)))


@given(CASES)
@settings(max_examples=60, deadline=None)
def test_only_the_order_counts_for_ranking_measures(cases: list[tuple[int, bool, int]]) -> None:
    p, y, w = _arrays(cases)
    one, other = (Ranked.of(x, y).running(w) for x in (p, 0.01 * p**3))
    for measure in (roc_area, average_precision, best_csi):
        assert measure(*one) == pytest.approx(measure(*other))


@given(CASES)
@settings(max_examples=100, deadline=None)
def test_best_csi_is_the_best_of_all_alarms_with_weights(cases: list[tuple[int, bool, int]]) -> None:
    p, y, w = _arrays(cases)
    assume((w * y).sum() > 0)
    every = [(w * y)[p >= t].sum() / (w * ((p >= t) | (y == 1))).sum() for t in np.unique(p)]
    assert best_csi(*Ranked.of(p, y).running(w)) == pytest.approx(max(every))


@pytest.mark.parametrize("happened", [[0.0, 0.0], [1.0, 1.0]])
def test_roc_area_of_one_class_is_none(happened: list[float]) -> None:
    assert roc_area(*Ranked.of(np.array([0.2, 0.7]), np.array(happened)).running()) is None


def test_average_precision_without_events_is_none() -> None:
    assert average_precision(*Ranked.of(np.array([0.2, 0.7]), np.zeros(2)).running()) is None
    assert average_precision(np.empty(0), np.empty(0)) is None
    assert roc_area(np.empty(0), np.empty(0)) is None


# --------------------------------------------------------------------------------------------- calibration

#: Probabilities of precipitation of Wilks, Statistical Methods in the Atmospheric Sciences, table 7.3, as in the
#: documentation of the R package `verification`: forecast, observed frequency, and share of the forecasts.
POP_SAID = np.array([0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
POP_SEEN = np.array([0.006, 0.019, 0.059, 0.15, 0.277, 0.377, 0.511, 0.587, 0.723, 0.779, 0.934, 0.933])
POP_SHARE = np.array(
    [0.4112, 0.0671, 0.1833, 0.0986, 0.0616, 0.0366, 0.0303, 0.0275, 0.0245, 0.022, 0.017, 0.0203]
)  # fmt: skip


def test_a_winter_of_rain_probabilities_has_murphys_parts_of_the_brier_score() -> None:
    n, events = POP_SHARE, POP_SHARE * POP_SEEN
    base = events.sum() / n.sum()
    assert base == pytest.approx(0.162, abs=5e-4)  # printed beside the table
    score = float((n * (POP_SAID**2 - 2 * POP_SAID * POP_SEEN + POP_SEEN)).sum() / n.sum())
    # Murphy 1973, eq. 8: means of (said - seen)^2 and (seen - base)^2. Only the last two frequencies fall, by .001.
    murphy = [(n * (POP_SAID - POP_SEEN) ** 2).sum() / n.sum(), (n * (POP_SEEN - base) ** 2).sum() / n.sum()]
    found = decomposition(score, np.cumsum(events[::-1]), np.cumsum((n - events)[::-1]))
    assert found == pytest.approx((*murphy, base * (1 - base)), abs=2e-6)


@given(CASES)
@settings(max_examples=150, deadline=None)
def test_the_parts_add_up_to_the_brier_score(cases: list[tuple[int, bool, int]]) -> None:
    p, y, w = _arrays(cases)
    assume(w.sum() > 0)
    score = brier(p, y, w)
    miscalibration, discrimination, uncertainty = decomposition(score, *Ranked.of(p, y).running(w))
    assert miscalibration - discrimination + uncertainty == pytest.approx(score, abs=1e-12)
    assert min(miscalibration, discrimination, uncertainty) >= -1e-12
    assert max(miscalibration, discrimination, uncertainty) <= 1


@given(CASES)
@settings(max_examples=60, deadline=None)
def test_recalibration_is_the_isotonic_fit_of_scores(cases: list[tuple[int, bool, int]]) -> None:
    p, y, w = _arrays(cases)
    assume(w.sum() > 0)
    held = w > 0
    theirs = isotonic_fit(fcst=p[held], obs=y[held], weight=w[held])
    fit = np.interp(p, theirs["fcst_sorted"], theirs["regression_values"])
    wanted = brier(p, y, w) - brier(fit, y, w)
    assert decomposition(brier(p, y, w), *Ranked.of(p, y).running(w))[0] == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("sharpened", [0.5, 1.0, 1.7])
def test_calibration_slope_is_that_of_a_logistic_regression(sharpened: float) -> None:
    p, y = _season(4000)
    p = p.clip(1e-4, 1 - 1e-4)
    odds = sharpened * np.log(p / (1 - p))
    said = 1 / (1 + np.exp(-odds))
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(odds[:, None], y).coef_[0, 0]
    days = Days.of(np.arange(4000) // 24, 3, np.random.default_rng(0))
    found = slopes(said, y, days)
    assert found[0] == pytest.approx(fitted, rel=2e-3)
    assert found[0] == pytest.approx(1 / sharpened, rel=0.1)  # they were calibrated before they were sharpened
    again = np.repeat(np.arange(4000), days.weight(1).astype(int))
    drawn = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(odds[again, None], y[again]).coef_[0, 0]
    assert found[1] == pytest.approx(drawn, rel=2e-3)


@pytest.mark.parametrize(
    ("p", "y"),
    [
        ([0.1, 0.2, 0.3], [0.0, 0.0, 0.0]),  # one class
        ([0.2, 0.2, 0.2], [0.0, 1.0, 0.0]),  # one forecast
        ([0.1, 0.2, 0.3, 0.4], [0.0, 0.0, 1.0, 1.0]),  # separated: the steeper the likelier
        ([], []),
    ],
)
def test_calibration_slope_is_none_where_it_has_no_meaning(p: list[float], y: list[float]) -> None:
    days = Days.of(np.arange(len(p)), 0, np.random.default_rng(0))
    assert slopes(np.array(p), np.array(y), days) == [None]


# --------------------------------------------------------------------------------------------- climatology


def _hour(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) // 3600  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("moment", "cell"),
    [((1970, 1, 1, 0), 0), ((2024, 2, 29, 2), 8), ((2023, 7, 31, 23), 6 * 8 + 7), ((2026, 12, 31, 12), 11 * 8 + 4)],
)
def test_climatology_has_a_cell_for_month_and_three_hours(moment: tuple[int, ...], cell: int) -> None:
    assert climatology.cells(np.array([_hour(*moment)])).tolist() == [cell]


def test_climatology_counts_its_cell_and_falls_back_to_all_cases() -> None:
    hours = np.array([_hour(2023, 7, 1, 12), _hour(2022, 7, 9, 14), _hour(2023, 7, 1, 15), _hour(2023, 1, 1, 0)])
    found = climatology.frequencies(hours, np.array([1.0, 0.0, 1.0, 0.0]))
    assert found.shape == (96,)
    assert (found[6 * 8 + 4], found[6 * 8 + 5], found[0]) == (0.5, 1.0, 0.0)
    assert found[40] == 0.5  # June noon was never seen
    assert np.isnan(climatology.frequencies(np.empty(0, int), np.empty(0))).all()
