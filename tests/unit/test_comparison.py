"""Candidate and champion side by side: gains by hand, intervals by spells of days, and what is not known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.domain.forecast import TARGET
from core.domain.learning import Measure
from core.domain.lifecycle import Comparison
from core.errors import ConfigurationError, DataError, LeakSuspected
from core.verification.comparison import JUDGED, compare

Floats = NDArray[np.float64]
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 31, 23, tzinfo=UTC)


def _compare(
    candidate: Floats, champion: Floats | None, y: Floats, day: NDArray[np.int64], usual: float = 0.25, **changes: Any
) -> Comparison:
    asked = {"measure": "brier", "confidence": 90, "alarm": 0.65, "draws": 50, "shown_draws": 5, **changes}
    rng = np.random.default_rng(asked.pop("seed", 3))
    return compare(
        candidate, champion, y, np.full(len(y), usual), day, event=TARGET, rng=rng, begin=BEGIN, end=END, **asked
    )


def _season(days: int = 60, per_day: int = 20, seed: int = 5) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Return a better and a worse forecast, outcomes and days."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), per_day)
    odds = -3 + rng.normal(0, 1, days)[day] + rng.normal(0, 1, len(day))
    y = (rng.random(len(day)) < 1 / (1 + np.exp(-odds))).astype(float)
    better, worse = (1 / (1 + np.exp(-odds - rng.normal(0, sd, len(day)))) for sd in (0.3, 1.2))
    return better, worse, y, day


# Two days of two cases, by hand: squared errors .04 + .04 + .01 + .09 = .18 against .16 + .16 + .01 + .49 = .82, and
# (3/4)^2 + 3 (1/4)^2 = .75 for a climatology of 1/4.
OURS, THEIRS = np.array([0.8, 0.2, 0.1, 0.3]), np.array([0.6, 0.4, 0.1, 0.7])
HAPPENED, DAY = np.array([1.0, 0.0, 0.0, 0.0]), np.array([0, 0, 1, 1])


def test_gain_and_differences_by_hand() -> None:
    found = _compare(OURS, THEIRS, HAPPENED, DAY)
    assert found.relative_gain.value == pytest.approx(1 - 0.18 / 0.82)
    assert {name: measure.value for name, measure in found.differences.items()} == pytest.approx(
        {
            "brier": (0.18 - 0.82) / 4,
            "brier_skill": (0.82 - 0.18) / 0.75,
            "auc": 1 - 2 / 3,
            "average_precision": 1 - 1 / 2,
            "best_csi": 1 - 1 / 2,
            "pod": 1 - 0,  # at .65 ours warns of the event alone, theirs of a quiet case alone
            "far": 0 - 1,
            "csi": 1 - 0,
        }
    )
    assert (found.days, found.begin, found.end, found.confidence) == (2, BEGIN, END, 90)
    assert (found.candidate.n, found.candidate.events, found.candidate.alarm) == (4, 1, 0.65)
    assert found.candidate.cases == "held out 2026-01-01 to 2026-03-31"


@pytest.mark.parametrize(
    ("measure", "loss"),
    [("brier", (0.18, 0.82)), ("auc", (0, 1 / 3)), ("average_precision", (0, 1 / 2)), ("best_csi", (0, 1 / 2))],
)
def test_the_gain_is_of_the_loss_of_the_measure(measure: str, loss: tuple[float, float]) -> None:
    assert _compare(OURS, THEIRS, HAPPENED, DAY, measure=measure).relative_gain.value == pytest.approx(
        1 - loss[0] / loss[1]
    )


def test_the_accuracy_is_the_candidates_at_even_odds_and_not_at_the_alarm() -> None:
    p = np.array([0.5, 0.2, 0.4, 0.9])
    assert _compare(p, THEIRS, HAPPENED, DAY).accuracy.value == 3 / 4
    assert _compare(p, THEIRS, HAPPENED, DAY, alarm=0.05).accuracy.value == 3 / 4


def test_the_differences_are_those_of_both_scorecards() -> None:
    better, worse, y, day = _season()
    found = _compare(better, worse, y, day, alarm=0.3)
    assert found.champion is not None
    for name, measure in found.differences.items():
        a, b = (card.measures[name].value for card in (found.candidate, found.champion))
        assert measure.value == pytest.approx(a - b), name  # type: ignore[operator]


def test_without_a_champion_climatology_stands_in_its_place_and_the_card_says_so() -> None:
    better, _, y, day = _season()
    found = _compare(better, None, y, day, usual=0.1)
    assert found.champion is None
    assert "beside climatology" in found.candidate.cases
    assert found.relative_gain.value == pytest.approx(found.candidate.measures["brier_skill"].value)
    assert found.differences["auc"].value == pytest.approx(found.candidate.measures["auc"].value - 0.5)  # type: ignore[operator]
    assert found.relative_gain.low > 0  # type: ignore[operator]


# ----------------------------------------------------------------------------------------------------------- intervals


def _alternating(days: int) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Return one event a day, and a candidate that is better in five days and worse in the next five."""
    day = np.repeat(np.arange(days), 2)
    y = np.tile([1.0, 0.0], days)
    good = (np.arange(days) // 5 % 2 == 0)[day]
    return np.where(y == 1, np.where(good, 0.6, 0.4), 0.45), np.where(y == 1, 0.5, 0.45), y, day


def test_the_interval_is_students_with_one_degree_less_than_spells() -> None:
    a, b, y, day = _alternating(20)
    found = _compare(a, b, y, day, draws=4000).relative_gain
    losses = [np.bincount(day, weights=(p - y) ** 2) for p in (a, b)]  # the champion loses the same every day
    circular = np.array([np.take(losses[0], range(i, i + 5), mode="wrap").sum() for i in range(20)])
    e = np.sqrt(4 * circular.var()) / losses[1].sum()  # four blocks a draw, each one of the twenty
    # Four spells of equally many events: Student's t of 3 degrees at 95 % is 2.353 (Student 1908; any table).
    assert found.high - found.value == pytest.approx(2.353 * np.sqrt(4 / 3) * e, rel=0.05)  # type: ignore[operator]
    assert found.value - found.low == pytest.approx(found.high - found.value, rel=0.05)  # type: ignore[operator]


def test_days_of_one_spell_are_drawn_together() -> None:
    a, b, y, day = _alternating(60)
    shuffled = np.random.default_rng(0).permutation(60)[day]
    lasting, loose = (_compare(a, b, y, d, draws=400).relative_gain for d in (day, shuffled))
    assert lasting.value == loose.value
    assert lasting.high - lasting.low > 1.4 * (loose.high - loose.low)  # type: ignore[operator]


def test_days_that_are_all_alike_leave_no_doubt() -> None:
    day = np.repeat(np.arange(15), 4)
    found = _compare(*(np.tile(values, 15) for values in (OURS, THEIRS, HAPPENED)), day).relative_gain
    assert found.value == pytest.approx(1 - 0.18 / 0.82)
    assert (found.low, found.high) == (pytest.approx(found.value), pytest.approx(found.value))


@pytest.mark.parametrize(("wet", "known"), [((0, 1, 2, 3, 4), False), ((0, 7), True), ((0, 1, 2, 7), False)])
def test_events_of_a_single_spell_make_no_interval(wet: tuple[int, ...], known: bool) -> None:
    day = np.repeat(np.arange(30), 2)
    y = (np.isin(day, wet) & (np.arange(60) % 2 == 0)).astype(float)
    found = _compare(np.where(y == 1, 0.6, 0.1), np.where(y == 1, 0.5, 0.1), y, day).relative_gain
    assert found.value > 0  # type: ignore[operator]
    assert (found.low is not None) is known


def test_a_wider_confidence_gives_a_wider_interval_of_the_same_gain() -> None:
    better, worse, y, day = _season()
    narrow, wide = (_compare(better, worse, y, day, confidence=c).relative_gain for c in (80, 95))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high  # type: ignore[operator]
    assert wide.value == narrow.value


def test_the_order_of_cases_and_the_number_of_the_first_day_do_not_matter() -> None:
    better, worse, y, day = _season(30)
    order = np.random.default_rng(1).permutation(len(y))
    one = _compare(better, worse, y, day).relative_gain
    other = _compare(better[order], worse[order], y[order], day[order] + 20_000).relative_gain
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_fewer_draws_for_what_is_only_shown_leave_the_gain_alone() -> None:
    better, worse, y, day = _season(30)
    found = _compare(better, worse, y, day, shown_draws=0)
    assert found.relative_gain.low is not None
    others = (*found.differences.values(), *found.candidate.measures.values(), found.accuracy)
    assert {(measure.low, measure.high) for measure in others} == {(None, None)}


# ---------------------------------------------------------------------------------------------------------- properties

_PROBABILITY = st.integers(1, 19).map(lambda n: n / 20)
_CASE = st.tuples(_PROBABILITY, _PROBABILITY, st.booleans())
#: At most 18 events: more than that, and random cases may look like a leak.
_CASES = st.lists(_CASE, min_size=4, max_size=18)


def _arrays(cases: list[tuple[float, float, bool]]) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    a, b, y = (np.array(column, float) for column in zip(*cases, strict=True))
    return a, b, y, np.arange(len(y)) // 2 * 5


@given(_CASES, st.sampled_from(JUDGED))
@settings(max_examples=40, deadline=None)
def test_a_forecast_gains_nothing_over_itself(cases: list[tuple[float, float, bool]], measure: str) -> None:
    a, _, y, day = _arrays(cases)
    found = _compare(a, a.copy(), y, day, measure=measure)
    assert found.relative_gain.value in (0.0, None)
    assert found.relative_gain.low in (0.0, None)
    assert {number for m in found.differences.values() for number in (m.value, m.low, m.high)} <= {0.0, None}


@given(_CASES)
@settings(max_examples=40, deadline=None)
def test_to_swap_the_two_turns_every_difference_round(cases: list[tuple[float, float, bool]]) -> None:
    a, b, y, day = _arrays(cases)
    one, other = _compare(a, b, y, day).differences, _compare(b, a, y, day).differences
    for name, measure in one.items():
        turned = other[name]
        found = [None if v is None else -v for v in (turned.value, turned.high, turned.low)]
        assert [measure.value, measure.low, measure.high] == pytest.approx(found, abs=1e-12), name


@given(_CASES, st.data())
@settings(max_examples=40, deadline=None)
def test_a_case_forecast_better_never_lowers_the_gain(
    cases: list[tuple[float, float, bool]], data: st.DataObject
) -> None:
    a, b, y, day = _arrays(cases)
    at = data.draw(st.integers(0, len(y) - 1))
    improved = a.copy()
    improved[at] += (y[at] - a[at]) * data.draw(st.floats(0, 1))
    before, after = (_compare(p, b, y, day).relative_gain.value for p in (a, improved))
    assert after >= before - 1e-12  # type: ignore[operator]


# ----------------------------------------------------------------------------------------------------------- not known


def _separated() -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Return a forecast that knows, one that knows little, outcomes and days."""
    y = np.tile([1.0] + [0.0] * 19, 40)
    rng = np.random.default_rng(4)
    return np.where(y == 1, 0.9, 0.01), rng.random(len(y)) * 0.2, y, np.arange(len(y)) // 20


def test_a_candidate_too_good_to_be_true_is_not_compared() -> None:
    knows, little, y, day = _separated()
    with pytest.raises(LeakSuspected, match="ROC area"):
        _compare(knows, little, y, day)


def test_a_champion_too_good_to_be_true_is_shown_and_loses_nothing() -> None:
    knows, little, y, day = _separated()
    found = _compare(little, knows, y, day)
    assert found.champion is not None
    assert found.champion.measures["auc"].value == 1.0
    assert found.relative_gain.value < 0  # type: ignore[operator]
    assert _compare(little, knows, y, day, measure="auc").relative_gain == Measure(None)  # nothing left to gain


def test_an_unknown_climatology_in_the_champions_place_leaves_all_differences_unknown() -> None:
    better, worse, y, day = _season(30)
    found = _compare(better, None, y, day, usual=np.nan)
    assert {found.relative_gain, *found.differences.values()} == {Measure(None)}
    beside = _compare(better, worse, y, day, usual=np.nan)  # beside a champion only the skill needs it
    assert {name for name, measure in beside.differences.items() if measure.value is None} == {"brier_skill"}


def test_nothing_happened_and_nothing_to_compare() -> None:
    quiet = _compare(np.full(40, 0.1), np.full(40, 0.2), np.zeros(40), np.arange(40))
    assert quiet.relative_gain == Measure(pytest.approx(0.75))  # no events, no interval
    assert {name for name, m in quiet.differences.items() if m.value is None} >= {"auc", "best_csi", "pod"}
    nothing = np.empty(0)
    empty = _compare(nothing, nothing, nothing, np.empty(0, int))
    assert (empty.days, empty.candidate.n) == (0, 0)
    assert {empty.relative_gain, empty.accuracy, *empty.differences.values()} == {Measure(None)}


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'accuracy'") as caught:
        _compare(OURS, THEIRS, HAPPENED, DAY, measure="accuracy")
    assert "brier, auc" in caught.value.hint
    with pytest.raises(DataError, match="cannot be judged"):
        _compare(OURS, np.array([0.1, np.nan, 0.2, 0.3]), HAPPENED, DAY)
