"""The gate: every rule by itself, what is not known, and a gate without evidence that lets chance through."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.forecast import TARGET
from core.domain.learning import Measure, Scorecard
from core.domain.lifecycle import Comparison, Verdict
from core.learning.promotion import NO_CASES, Gate, bare
from core.verification.comparison import compare

GATE = Gate(
    accuracy=0.75, measure="brier", gain_percent=1, confidence=90, pod_points=2, slope=(0.8, 1.2), min_events=20
)
RULES = ("accuracy", "gain", "evidence", "POD", "calibration", "events", "finite", "leak")
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 31, 23, tzinfo=UTC)


def _comparison(**changes: Any) -> Comparison:
    """Return a comparison that just meets every rule, with some of its numbers changed."""
    numbers = {
        "accuracy": 0.75,
        "gain": 0.0101,
        "low": 0.0001,
        "high": 0.03,
        "pod": -0.02,
        "slope": 0.8,
        "brier": 0.02,
        "events": 20,
        "measure": "brier",
        "confidence": 90,
        **changes,
    }
    card = Scorecard(
        event=TARGET,
        n=1000,
        events=numbers["events"],
        base_rate=0.02,
        measures={"brier": Measure(numbers["brier"]), "calibration_slope": Measure(numbers["slope"])},
        cases="made up",
    )
    return Comparison(
        candidate=card,
        champion=card,
        measure=numbers["measure"],
        relative_gain=Measure(numbers["gain"], numbers["low"], numbers["high"]),
        differences={"pod": Measure(numbers["pod"])},
        days=90,
        begin=BEGIN,
        end=END,
        accuracy=Measure(numbers["accuracy"]),
        confidence=numbers["confidence"],
    )


def _broken(verdict: Verdict) -> set[str]:
    return {rule.name for rule in verdict.rules if not rule.met}


def test_a_candidate_that_meets_every_rule_is_promoted_for_all_of_them() -> None:
    verdict = GATE.judge(_comparison())
    assert tuple(rule.name for rule in verdict.rules) == RULES
    assert verdict.promote
    assert len(verdict.reasons) == len(RULES)


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        ({"accuracy": 0.7499}, "accuracy", "at least 75.0 % is needed"),
        ({"gain": 0.01}, "gain", "brier: 1.0 % less loss than the champion; more than 1 % is needed"),
        ({"low": 0.0}, "evidence", "90 % interval of the gain 0.0 % to 3.0 %"),
        ({"low": -0.001}, "evidence", "-0.1 % to 3.0 %"),
        ({"confidence": 80}, "evidence", "80 % interval of the gain 0.0 % to 3.0 %; brier at 90 % is needed"),
        ({"pod": -0.021}, "POD", "-2.1 points against the champion; it may fall by 2 at the most"),
        ({"slope": 0.79}, "calibration", "slope 0.79; 0.8 to 1.2 is calibrated"),
        ({"slope": 1.21}, "calibration", "slope 1.21"),
        ({"events": 19}, "events", "19 among the judged cases; at least 20 are needed"),
        ({"brier": None}, "finite", "not known: Brier score"),
    ],
)
def test_a_single_broken_rule_keeps_the_champion_and_is_named(change: dict[str, Any], rule: str, said: str) -> None:
    verdict = GATE.judge(_comparison(**change))
    assert not verdict.promote
    assert _broken(verdict) == {rule}
    (reason,) = verdict.reasons
    assert reason.startswith(f"{rule}: ")
    assert said in reason


@pytest.mark.parametrize("change", [{"accuracy": 0.75}, {"slope": 0.8}, {"slope": 1.2}, {"pod": -0.02}, {"events": 20}])
def test_a_number_at_its_limit_will_do(change: dict[str, Any]) -> None:
    assert GATE.judge(_comparison(**change)).promote


@pytest.mark.parametrize(
    ("number", "rules"),
    [
        ("accuracy", {"accuracy"}),
        ("gain", {"gain"}),
        ("low", {"evidence"}),
        ("high", set()),
        ("pod", {"POD"}),
        ("slope", {"calibration"}),
        ("brier", set()),
    ],
)
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, np.float64("nan")])
def test_a_number_that_is_not_known_meets_no_rule(number: str, rules: set[str], value: float | None) -> None:
    verdict = GATE.judge(_comparison(**{number: value}))
    assert not verdict.promote
    assert _broken(verdict) == {"finite", *rules}


def test_numbers_that_are_not_there_at_all_meet_no_rule() -> None:
    found = _comparison()
    bald = replace(found, candidate=replace(found.candidate, measures={}), differences={})
    assert _broken(GATE.judge(bald)) == {"POD", "calibration", "finite"}


def test_a_comparison_by_another_measure_or_confidence_decides_nothing() -> None:
    assert _broken(GATE.judge(_comparison(measure="auc", gain=0.5, low=0.4))) == {"gain", "evidence"}
    assert _broken(GATE.judge(_comparison(confidence=math.nan))) == {"evidence"}
    assert GATE.judge(_comparison(confidence=99)).promote


@pytest.mark.parametrize("setting", ["accuracy", "gain_percent", "confidence", "pod_points"])
def test_a_gate_whose_setting_is_not_a_number_promotes_nobody(setting: str) -> None:
    good = _comparison(accuracy=1.0, gain=0.9, low=0.8, pod=0.5, slope=1.0)
    assert not replace(GATE, **{setting: math.nan}).judge(good).promote


def test_a_leak_promotes_nobody_whatever_the_numbers_say() -> None:
    alone = GATE.judge(None, leak="A ROC area of 0.991 is too good to be true.")
    assert (alone.promote, alone.reasons) == (False, ("leak: A ROC area of 0.991 is too good to be true.",))
    beside = GATE.judge(_comparison(), leak="the same")
    assert (beside.promote, beside.reasons) == (False, ("leak: the same",))


def test_nothing_to_judge_promotes_nobody() -> None:
    verdict = GATE.judge(None)
    assert (verdict.promote, verdict.reasons) == (False, (f"cases: {NO_CASES}",))


def test_without_a_champion_the_words_name_climatology() -> None:
    verdict = GATE.judge(replace(_comparison(), champion=None))
    assert verdict.promote
    assert sum("climatology" in reason for reason in verdict.reasons) == 2
    assert not any("the champion" in reason for reason in verdict.reasons)


@given(st.sampled_from(["accuracy", "gain", "low", "pod", "events"]), st.floats(0, 0.2))
@settings(max_examples=50, deadline=None)
def test_what_is_promoted_stays_so_when_a_number_gets_better(number: str, more: float) -> None:
    start = {"accuracy": 0.75, "gain": 0.0101, "low": 0.0001, "pod": -0.02, "events": 20}[number]
    better = start + (math.ceil(1000 * more) if number == "events" else more)
    assert GATE.judge(_comparison(**{number: better})).promote


@given(*(st.one_of(st.none(), st.floats(-1, 1), st.just(math.nan)) for _ in range(4)))
@settings(max_examples=100, deadline=None)
def test_only_numbers_above_every_limit_promote(
    gain: float | None, low: float | None, pod: float | None, accuracy: float | None
) -> None:
    verdict = GATE.judge(_comparison(gain=gain, low=low, pod=pod, accuracy=accuracy))
    numbers = [gain, low, pod, accuracy]
    known = all(number is not None and math.isfinite(number) for number in numbers)
    above = known and gain > 0.01 and low > 0 and pod >= -0.02 and accuracy >= 0.75  # type: ignore[operator]
    assert verdict.promote == bool(above) or (pod is not None and abs(pod + 0.02) < 1e-8)


def test_the_classic_rule_looks_at_the_point_estimate_alone() -> None:
    assert bare(_comparison(gain=0.011, low=-0.5, events=1, slope=None))
    assert not bare(_comparison(gain=0.01))
    assert not any(bare(_comparison(gain=unknown)) for unknown in (None, math.nan, math.inf))


# ----------------------------------------------------------------------------------------------------- positive control


class _Credulous(Gate):
    """The gate with its evidence rule cut out."""

    def judge(self, comparison: Comparison | None, leak: str = "") -> Verdict:
        return Verdict(tuple(rule for rule in super().judge(comparison, leak).rules if rule.name != "evidence"))


def _equal_candidate(rng: np.random.Generator) -> Comparison:
    """Return two forecasts that see the same truth through noise of the same size, over 40 days."""
    day = np.repeat(np.arange(40), 30)
    odds = -3 + rng.normal(0, 1.2, 40)[day] + rng.normal(0, 1, len(day))
    y = (rng.random(len(day)) < 1 / (1 + np.exp(-odds))).astype(float)
    # Seen through noise of variance 2, the expected log-odds are 2.44 / 4.44 of the way from their mean.
    seen = [-3 + 0.55 * (odds + 3 + rng.normal(0, 1, 40)[day] + rng.normal(0, 1, len(day))) for _ in range(2)]
    a, b = (1 / (1 + np.exp(-x)) for x in seen)
    return compare(
        a,
        b,
        y,
        np.full(len(y), 0.09),
        day,
        event=TARGET,
        measure="brier",
        confidence=90,
        alarm=0.2,
        draws=200,
        shown_draws=0,
        rng=rng,
        begin=BEGIN,
        end=END,
    )


def test_a_gate_without_evidence_promotes_what_is_no_better_and_the_gate_does_not() -> None:
    rng = np.random.default_rng(11)
    credulous = _Credulous(**vars(GATE))
    found = [_equal_candidate(rng) for _ in range(120)]
    assert sum(credulous.judge(comparison).promote for comparison in found) > 0.2 * len(found)
    assert sum(GATE.judge(comparison).promote for comparison in found) <= 0.05 * len(found)
