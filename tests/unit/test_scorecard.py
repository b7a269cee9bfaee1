"""The scorecard: every measure with its interval, strata, and the alarm of a leak."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain.forecast import TARGET
from core.domain.learning import Measure, Scorecard
from core.errors import DataError, LeakSuspected
from core.verification import scorecard
from core.verification.categorical import Contingency
from core.verification.days import Days, measured

Floats = NDArray[np.float64]


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


def test_the_table_is_that_of_the_alarm_probability_given() -> None:
    p, y = _season(2000)
    judged = scorecard.Judged(p, y, np.full(len(y), 0.1), np.arange(len(y)) // 24)
    card = scorecard.score(TARGET, judged, "made up", 50, np.random.default_rng(1), alarm=0.3)
    warned, seen = p >= 0.3, y == 1
    table = Contingency(
        float((warned & seen).sum()),
        float((warned & ~seen).sum()),
        float((~warned & seen).sum()),
        float((~warned & ~seen).sum()),
    )
    assert card.alarm == 0.3
    for name in ("csi", "pod", "far", "frequency_bias", "hss", "ets", "sedi", "accuracy", "precision", "recall", "f1"):
        assert card.measures[name].value == pytest.approx(getattr(table, name)), name
    assert card.measures["csi"].value < card.measures["best_csi"].value  # type: ignore[operator]


def test_the_alarm_probability_is_that_of_the_best_csi_unless_given() -> None:
    p, y = _season(2000)
    card = _score(p, y, draws=0)
    assert card.alarm in p
    assert card.measures["csi"].value == card.measures["best_csi"].value
    assert _score(np.linspace(0, 0.3, 48), np.zeros(48)).alarm is None


def test_an_unknown_reference_leaves_out_the_skill_alone() -> None:
    p, y = _season(500)
    judged = scorecard.Judged(p, y, np.full(len(y), np.nan), np.arange(len(y)) // 24)
    measures = scorecard.score(TARGET, judged, "made up", 10, np.random.default_rng(1)).measures
    assert {name for name, measure in measures.items() if measure.value is None} == {"brier_skill"}


@pytest.mark.parametrize(("p", "y"), [(np.nan, 0.0), (1.2, 0.0), (-0.1, 0.0), (0.5, np.nan), (0.5, 15.0)])
def test_what_is_not_known_cannot_be_judged(p: float, y: float) -> None:
    with pytest.raises(DataError, match="cannot be judged") as caught:
        scorecard.Judged(np.array([0.1, p]), np.array([0.0, y]), np.zeros(2), np.zeros(2, int))
    assert caught.value.hint


# --------------------------------------------------------------------------------------------------- days


def test_a_draw_holds_as_many_days_as_there_are_and_whole_ones() -> None:
    day = np.array([7, 7, 3, 12, 3, 3])
    days = Days.of(day, 200, np.random.default_rng(0))
    assert days.times.shape == (201, 3)
    assert (days.times[0] == 1).all()
    assert (days.times.sum(axis=1) == 3).all()
    assert days.times[1:].mean(axis=0) == pytest.approx(np.ones(3), abs=0.15)
    for row in range(5):
        weight = days.weight(row)
        assert weight[0] == weight[1]
        assert weight[2] == weight[4] == weight[5]
        values = np.arange(6.0)
        assert days.totals(values)[row] == pytest.approx((weight * values).sum())
        place = np.array([0, 1, 1, 0, 1, 0])
        assert days.counts(place, 2)[row].tolist() == [weight[place == 0].sum(), weight[place == 1].sum()]
        assert days.counts(place, 2, values)[row, 1] == pytest.approx((weight * values)[place == 1].sum())


def test_an_interval_leaves_out_the_draws_without_a_value() -> None:
    assert measured([0.5, 0.4, None, 0.6]) == Measure(0.5, pytest.approx(0.41), pytest.approx(0.59))
    assert measured([None, 0.4, 0.6]) == Measure(None)
    assert measured([0.5]) == Measure(0.5)
    assert measured([0.5, None]) == Measure(0.5)


def test_the_interval_of_a_sum_of_squares_is_moved_to_its_value() -> None:
    assert measured([0.5, 0.6, 0.8], squared=True) == Measure(0.5, pytest.approx(0.41), pytest.approx(0.59))
    assert measured([0.01, 0.02, 0.2], squared=True).low == 0.0


def test_intervals_of_clustered_days_are_wider_than_those_of_single_cases() -> None:
    rng = np.random.default_rng(2)
    day = np.arange(4000) // 40
    p = rng.beta(1, 6, 100)[day]  # one forecast and one outcome a day: a hundred cases
    y = (rng.random(100) < p[::40]).astype(float)[day]
    wide, narrow = _score(p, y, day).measures["auc"], _score(p, y, np.arange(4000)).measures["auc"]
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)  # type: ignore[operator]


# -------------------------------------------------------------------------------------------------- leaks


def _separated(events: int, others: int, wrong: int) -> tuple[Floats, Floats]:
    """Return a forecast that knows, but for `wrong` false alarms as sure as the events."""
    p = np.concatenate([np.full(events + wrong, 0.9), np.full(others - wrong, 0.01)])
    return p, np.concatenate([np.ones(events), np.zeros(others)])


@pytest.mark.parametrize(
    ("p", "y", "said"),
    [
        (*_separated(20, 1000, 0), "ROC area of 1.000"),
        (*_separated(20, 1000, 50), "ROC area of 0.975"),
        (np.array([0.9] * 20 + [0.1] * 10 + [0.1] * 1000), np.array([1.0] * 30 + [0.0] * 1000), "F1 of 0.80"),
    ],
)
def test_scores_too_good_to_be_true_fail_the_scorecard(p: Floats, y: Floats, said: str) -> None:
    with pytest.raises(LeakSuspected, match=said) as caught:
        _score(p, y, draws=0)
    assert "knows the truth" in caught.value.hint
    assert caught.value.context == {"n": len(y), "events": int(y.sum())}


@pytest.mark.parametrize(
    ("p", "y"),
    [
        _separated(19, 1000, 0),  # too few events: luck
        _separated(20, 1000, 70),  # ROC area .965, F1 .36
        (np.full(100, 0.5), np.array([1.0] * 50 + [0.0] * 50)),  # a warning every hour has an F1 of .67
    ],
)
def test_scores_that_may_be_true_are_believed(p: Floats, y: Floats) -> None:
    assert scorecard.leak_alarm(_score(p, y, draws=0)) is None


def test_the_alarm_of_a_leak_does_not_depend_on_the_alarm_probability() -> None:
    p, y = _separated(30, 1000, 0)
    judged = scorecard.Judged(p, y, np.full(len(y), 0.03), np.arange(len(y)) // 24)
    with pytest.raises(LeakSuspected):
        scorecard.score(TARGET, judged, "made up", 0, np.random.default_rng(0), alarm=0.99)


# ------------------------------------------------------------------------------------------------- strata


def test_strata_are_scorecards_of_their_cases_at_one_alarm_probability() -> None:
    p, y = _season()
    judged = scorecard.Judged(p, y, np.full(len(y), 0.1), np.arange(len(y)) // 24)
    month = np.where(np.arange(len(y)) % 3 == 0, "July", "August")
    cards = scorecard.by(TARGET, judged, month, "made up", draws=20, rng=np.random.default_rng(1))
    whole = _score(p, y, draws=0)
    assert list(cards) == ["August", "July"]
    assert sum(card.n for card in cards.values()) == 3000
    assert {card.alarm for card in cards.values()} == {whole.alarm}
    july = judged.at(month == "July")
    alone = scorecard.score(TARGET, july, "made up, July", 0, np.random.default_rng(1), alarm=whole.alarm)
    assert cards["July"].cases == "made up, July"
    for name, measure in cards["July"].measures.items():
        assert measure.value == pytest.approx(alone.measures[name].value), name
        assert measure.low is not None, name


def test_a_leak_in_all_cases_fails_the_strata_and_luck_in_one_does_not() -> None:
    p, y = _season()
    lucky = np.concatenate([p, _separated(20, 100, 0)[0]]), np.concatenate([y, _separated(20, 100, 0)[1]])
    label = np.array(["other"] * 3000 + ["lucky"] * 120)
    day = np.arange(3120) // 24
    judged = scorecard.Judged(*lucky, np.full(3120, 0.1), day)
    cards = scorecard.by(TARGET, judged, label, "made up", draws=5, rng=np.random.default_rng(1))
    assert cards["lucky"].measures["auc"].value == 1.0
    with pytest.raises(LeakSuspected):
        known = scorecard.Judged(y, y, np.full(3000, 0.1), day[:3000])
        scorecard.by(TARGET, known, label[:3000], "made up", draws=5, rng=np.random.default_rng(1))
