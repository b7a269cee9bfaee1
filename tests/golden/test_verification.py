"""Verification against published tables, against scikit-learn, and where it has nothing to say."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from core.domain.forecast import TARGET
from core.domain.learning import Scorecard
from core.verification import climatology, scorecard
from core.verification.categorical import Contingency
from core.verification.probabilistic import Ranked, average_precision, brier, reliability, roc_area

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
    [("csi", 0.573427, 6), ("pod", 0.78, 2), ("far", 0.32, 2), ("ets", 0.44, 2), ("hss", 0.61, 2)],
)
def test_a_year_of_rain_forecasts_has_its_published_measures(measure: str, value: float, digits: int) -> None:
    assert round(getattr(Contingency(82, 38, 23, 222), measure), digits) == value


@pytest.mark.parametrize(
    ("table", "undefined"),
    [
        (Contingency(0, 3, 0, 7), {"pod", "frequency_bias"}),  # no events
        (Contingency(0, 0, 3, 7), {"far"}),  # no forecasts
        (Contingency(0, 0, 0, 7), {"pod", "far", "csi", "frequency_bias", "hss", "ets"}),  # neither
        (Contingency(0, 0, 0, 0), {"pod", "far", "csi", "frequency_bias", "hss", "ets"}),  # nothing at all
        (Contingency(5, 0, 0, 0), {"hss", "ets"}),  # nothing but hits: chance does as well
    ],
)
def test_undefined_measures_are_none_and_the_others_are_not(table: Contingency, undefined: set[str]) -> None:
    names = ("pod", "far", "csi", "frequency_bias", "hss", "ets")
    assert {name for name in names if getattr(table, name) is None} == undefined


# ------------------------------------------------------------------------------------------- probabilities

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


@pytest.mark.parametrize("happened", [[0.0, 0.0], [1.0, 1.0]])
def test_roc_area_of_one_class_is_none(happened: list[float]) -> None:
    assert roc_area(*Ranked.of(np.array([0.2, 0.7]), np.array(happened)).running()) is None


def test_average_precision_without_events_is_none() -> None:
    assert average_precision(*Ranked.of(np.array([0.2, 0.7]), np.zeros(2)).running()) is None
    assert average_precision(np.empty(0), np.empty(0)) is None
    assert roc_area(np.empty(0), np.empty(0)) is None


def test_reliability_gives_bins_with_cases_only() -> None:
    p, y = np.array([0.02, 0.04, 0.30, 0.95]), np.array([0.0, 1.0, 0.0, 1.0])
    found = reliability(p, y, np.array([0.1, 0.2, 0.5]))
    assert [n for _, _, n in found] == [2, 1, 1]
    assert [mean for mean, _, _ in found] == pytest.approx([0.03, 0.30, 0.95])
    assert [seen for _, seen, _ in found] == pytest.approx([0.5, 0.0, 1.0])


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


# ----------------------------------------------------------------------------------------------- scorecard


def _score(p: Floats, y: Floats, day: NDArray[np.int64] | None = None, draws: int = 100, seed: int = 1) -> Scorecard:
    days = np.arange(len(y)) // 24 if day is None else day
    judged = scorecard.Judged(p, y, np.full(len(y), 0.1), days)
    return scorecard.score(TARGET, judged, "made up", draws, np.random.default_rng(seed))


def _season(n: int = 3000) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(5)
    p = rng.beta(0.5, 4, n)
    return p, (rng.random(n) < p).astype(float)


def test_scorecard_intervals_contain_the_value() -> None:
    p, y = _season()
    card = _score(p, y)
    assert (card.n, card.events, card.base_rate) == (3000, y.sum(), pytest.approx(y.mean()))
    assert set(card.measures) == set(scorecard.MEASURES)
    for name, measure in card.measures.items():
        assert None not in (measure.value, measure.low, measure.high), name
        assert measure.low <= measure.value <= measure.high, name  # type: ignore[operator]
        assert measure.low < measure.high, name  # type: ignore[operator]


def test_scorecard_finds_the_best_threshold_by_trying_all() -> None:
    p, y = _season(400)
    tables = [
        Contingency(*(float((a & b).sum()) for a in (p >= t, p < t) for b in (y == 1, y == 0))) for t in np.unique(p)
    ]
    best = max(
        (Contingency(a.hits, a.false_alarms, a.misses, a.correct_negatives) for a in tables), key=lambda t: t.csi or 0
    )
    found = {name: measure.value for name, measure in _score(p, y, draws=0).measures.items()}
    wanted = {"best_csi": best.csi, "pod": best.pod, "far": best.far, "frequency_bias": best.frequency_bias}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)


def test_bootstrap_is_the_same_for_one_seed_and_another_for_another() -> None:
    p, y = _season(600)
    assert _score(p, y, seed=3) == _score(p, y, seed=3)
    assert _score(p, y, seed=3).measures["auc"].low != _score(p, y, seed=4).measures["auc"].low


def test_bootstrap_draws_whole_days() -> None:
    p, y = _season(600)
    one_day = _score(p, y, day=np.zeros(600, int)).measures["auc"]
    assert one_day.low == one_day.value == one_day.high  # the only day there is comes in every draw


def test_no_draws_give_no_intervals() -> None:
    card = _score(*_season(200), draws=0)
    assert all(m.value is not None and m.low is None and m.high is None for m in card.measures.values())


def test_scorecard_of_nothing_is_none_everywhere() -> None:
    card = _score(np.empty(0), np.empty(0))
    assert (card.n, card.events, card.base_rate) == (0, 0, None)
    assert {(m.value, m.low, m.high) for m in card.measures.values()} == {(None, None, None)}


@pytest.mark.parametrize("name", ["auc", "average_precision", "pod", "frequency_bias"])
def test_scorecard_without_events_has_none_for_what_needs_events(name: str) -> None:
    card = _score(np.linspace(0, 0.3, 48), np.zeros(48))
    assert card.events == 0
    assert (card.measures[name].value, card.measures[name].low) == (None, None)


@pytest.mark.parametrize("name", ["best_csi", "far"])
def test_scorecard_without_events_has_no_best_threshold(name: str) -> None:
    assert _score(np.linspace(0, 0.3, 48), np.zeros(48)).measures[name].value is None


def test_scorecard_of_events_alone_has_no_roc_area() -> None:
    assert _score(np.linspace(0.1, 0.9, 48), np.ones(48)).measures["auc"].value is None


def test_days_without_cases_may_be_drawn() -> None:
    card = _score(np.array([0.2, 0.7, 0.4]), np.array([0.0, 1.0, 0.0]), day=np.array([0, 0, 9]))
    assert card.measures["brier"].low is not None
