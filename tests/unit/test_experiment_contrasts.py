"""A challenger against the control: every number of a contrast found again from the cases themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from core.domain.experiment import Code, Rules
from core.domain.experiment_analysis import Contrast, Guardrail
from core.domain.learning import Measure
from core.experiments import classical, contrasts, inference
from core.experiments.inference import Floats
from core.experiments.sums import NAMES, Sums, sums

ALARM = 0.3
#: Little is asked for, so that every branch that needs enough has it.
RULES = Rules(min_events=5, min_days=4)
POD, SLOPE, LATENCY, ERRORS = range(4)


@dataclass(frozen=True)
class Cases:
    """Days of cases: probabilities of a challenger and of the control, what happened, milliseconds of both."""

    own: Floats
    control: Floats
    happened: Floats
    ms: Floats
    control_ms: Floats

    @property
    def both(self) -> np.ndarray[Any, Any]:
        return np.isfinite(self.own) & np.isfinite(self.control)

    @property
    def sums(self) -> tuple[Sums, Sums]:
        rows = list(zip(self.own, self.control, self.happened, self.ms, self.control_ms, strict=True))
        own = [sums(o, c, y, ms, ALARM) for o, c, y, ms, _ in rows]
        control = [sums(c, c, y, ms, ALARM) for _, c, y, _, ms in rows]
        return Sums(np.array(own)), Sums(np.array(control))

    def rates(self, said: Floats) -> tuple[float, float, float]:
        """Return POD, FAR and CSI of warnings in the cases that both have forecast."""
        warned, event = (said >= ALARM)[self.both], self.happened[self.both] == 1
        hits, misses, false = (warned & event).sum(), (~warned & event).sum(), (warned & ~event).sum()
        return hits / (hits + misses), false / (false + hits), hits / (hits + misses + false)


def cases(days: int = 12, count: int = 40, seed: int = 3) -> Cases:
    chance = np.random.default_rng(seed)
    risk = chance.beta(0.6, 1.5, (days, count))
    happened = (chance.random(risk.shape) < risk).astype(float)
    own, control = (np.clip(risk + chance.normal(0, s, risk.shape), 0.001, 0.999) for s in (0.1, 0.25))
    ms, control_ms = chance.gamma(4.0, 2.0, risk.shape), chance.gamma(4.0, 1.5, risk.shape)
    for gone in (own, control, ms, control_ms):
        gone[chance.random(risk.shape) < 0.05] = np.nan
    return Cases(own, control, happened, ms, control_ms)


def contrast(some: Cases, rules: Rules = RULES, confidence: float = 97.5) -> Contrast:
    return contrasts.contrast("b", some.sums, rules, confidence, np.random.default_rng(1))


def guardrails(pair: tuple[Sums, Sums], rules: Rules = RULES) -> tuple[Guardrail, ...]:
    return contrasts.contrast("b", pair, rules, 95.0, np.random.default_rng(1)).guardrails


def changed(some: Sums, **values: float) -> Sums:
    """Return sums with other values on their first day, and none on the others."""
    days = some.days.copy()
    for name, value in values.items():
        days[:, NAMES.index(name)] = 0
        days[0, NAMES.index(name)] = value
    return Sums(days)


def test_counts_are_of_the_cases_that_both_have_forecast() -> None:
    some = cases()
    found = contrast(some)
    assert (found.variant_id, found.days, found.codes) == ("b", 12, ())
    assert found.pairs == some.both.sum()
    assert found.events == (some.happened[some.both] == 1).sum()


def test_warnings_differ_by_the_rates_of_both() -> None:
    some = cases()
    found = contrast(some)
    for name, own, control in zip(("pod", "far", "csi"), some.rates(some.own), some.rates(some.control), strict=True):
        assert getattr(found, name) == pytest.approx(own - control, abs=1e-12)
    right, rival = ((said >= ALARM) == (some.happened == 1) for said in (some.own, some.control))
    only = int((some.both & right & ~rival).sum()), int((some.both & ~right & rival).sum())
    assert min(only) > 0
    assert found.p_warnings == classical.mcnemar(*only)


def test_without_an_event_or_a_warning_of_one_there_is_no_difference() -> None:
    some = cases()
    own, control = some.sums
    found = contrasts.contrast(
        "b", (changed(own, control_hits=0, control_misses=0, control_false_alarms=0), control), RULES, 95.0,
        np.random.default_rng(1),
    )  # fmt: skip
    assert found.pod is found.far is found.csi is None
    found = contrasts.contrast(
        "b", (changed(own, pair_hits=0, pair_false_alarms=0), control), RULES, 95.0, np.random.default_rng(1)
    )
    assert found.far is None
    assert found.pod is not None
    assert found.csi == pytest.approx(-some.rates(some.control)[2])


@pytest.mark.parametrize(("hits", "misses", "false"), [(2, 1, 3), (1, 3, 2), (0, 0, 1)])
def test_where_anybody_warned_or_should_have_there_is_a_difference(hits: int, misses: int, false: int) -> None:
    own, control = cases().sums
    said = {"control_hits": hits, "control_misses": misses, "control_false_alarms": false}
    found = contrasts.contrast("b", (changed(own, **said), control), RULES, 95.0, np.random.default_rng(1))
    assert found.csi is not None


def test_gains_and_evidence_are_those_of_the_days() -> None:
    some = cases()
    own, _ = some.sums
    found = contrast(some)
    brier = (some.control - some.happened) ** 2 - (some.own - some.happened) ** 2
    gain = np.where(some.both, brier, 0).sum(axis=1)
    assert found.gain.value == pytest.approx(gain.sum() / own.total("control_brier"))
    assert found.log_gain.value == pytest.approx(own.total("log_gain") / own.total("control_log"))
    assert found.gain.low is not None
    assert found.log_gain.low is not None
    assert found.log_gain.low < found.log_gain.value < found.log_gain.high  # type: ignore[operator]
    assert found.p_value == inference.diebold_mariano(gain / some.both.sum(axis=1), 2)
    assert found.p_adjusted is None
    mean, low, high = inference.sequence(own["gain"], own["control_brier"], 97.5, RULES.min_days)
    assert found.sequence == Measure(float(mean[-1]), float(low[-1]), float(high[-1]))
    assert found.better is not None
    # The draws of the bootstrap come from one generator, in this order.
    rng = np.random.default_rng(1)
    assert found.gain == inference.relative_gain(own["gain"], own["control_brier"], RULES.confidence, rng)
    assert found.log_gain == inference.relative_gain(own["log_gain"], own["control_log"], RULES.confidence, rng)
    assert found.better == inference.probability_better(own["gain"], rng)


def test_evidence_grows_from_the_day_on_at_which_there_are_events_and_bounds() -> None:
    some = cases(days=30)
    own, _ = some.sums
    events = np.cumsum(own["pair_events"]).astype(int)
    rules = Rules(min_events=int(events[15]), min_days=4)
    growth = contrast(some, rules).growth
    mean, low, high = inference.sequence(own["gain"], own["control_brier"], 97.5, 4)
    assert growth.events == tuple(events[15:].tolist())
    for found, said in ((growth.gain, mean), (growth.low, low), (growth.high, high)):
        assert found == tuple(said[15:].tolist())


def test_days_without_a_common_case_are_no_days() -> None:
    some = cases()
    some.control[[2, 5]] = np.nan
    found = contrast(some)
    assert found.days == 10
    assert found.codes == ()


def test_too_few_events_or_days_say_nothing() -> None:
    some = cases()
    events = int((some.happened[some.both] == 1).sum())
    for rules, codes in (
        (Rules(min_events=events, min_days=12), ()),
        (Rules(min_events=events + 1, min_days=12), (Code.TOO_FEW_EVENTS,)),
        (Rules(min_events=events, min_days=13), (Code.TOO_FEW_EVENTS,)),
    ):
        found = contrast(some, rules)
        assert found.codes == codes
        unknown = (found.p_value, found.p_warnings, found.better, found.gain.low, found.log_gain.low)
        assert all(one is None for one in unknown) is bool(codes)
        assert (found.sequence == Measure(None)) is bool(codes)
        assert found.gain.value is not None


def test_losses_of_one_spell_have_a_gain_and_no_bounds() -> None:
    some = cases(days=6)
    found = contrast(some, Rules(min_events=5, min_days=2))
    assert found.sequence.value is not None
    assert math.isfinite(found.sequence.value)
    assert found.sequence.low is found.sequence.high is None


def test_forecasts_that_never_differ_say_so() -> None:
    some = cases()
    same = Cases(some.control, some.control, some.happened, some.ms, some.control_ms)
    assert contrast(same).codes == (Code.ZERO_VARIANCE,)


def test_a_gain_that_is_the_same_in_every_case_of_days_of_many_and_few_never_differs() -> None:
    days = np.zeros((12, len(NAMES)))
    pairs = np.arange(12) + 20.0
    some = {"pairs": pairs, "pair_events": pairs / 2, "control_brier": 0.25 * pairs, "gain": 0.125 * pairs}
    for name, value in some.items():
        days[:, NAMES.index(name)] = value
    found = contrasts.contrast("b", (Sums(days), Sums(days)), RULES, 95.0, np.random.default_rng(1))
    assert Code.ZERO_VARIANCE in found.codes


def test_p_values_are_told_of_one_another() -> None:
    found = contrasts.adjusted((contrast(cases()), contrast(cases(seed=8))))
    assert tuple(one.p_adjusted for one in found) == classical.holm([one.p_value for one in found])


# Guardrails


def test_the_text_of_each_guardrail_has_the_numbers_of_the_cases() -> None:
    some = cases()
    own, control = some.sums
    pod, slope, latency, errors = guardrails((own, control))
    fall = some.rates(some.own)[0] - some.rates(some.control)[0]
    assert pod == Guardrail("POD", True, f"{100 * fall:+.1f} points at the alarm; it may fall by 5")
    found = inference.slope(*own.bins())
    assert slope == Guardrail("calibration slope", True, f"{found:.2f}; it may lie between 0.7 and 1.4")
    ms = np.nanmean(some.ms[some.both.any(axis=1)]), np.nanmean(some.control_ms)
    said = f"{ms[0]:.3g} ms beside {ms[1]:.3g} ms; 3 times as long is too long"
    assert latency == Guardrail("latency", True, said)
    failed = np.isnan(some.own).sum(), np.isnan(some.control).sum()
    said = f"{failed[0]:,} of {some.own.size:,} failed, of the control {failed[1]:,} of {some.own.size:,}"
    assert errors == Guardrail("errors", True, said)


def test_where_nothing_was_measured_a_guardrail_says_so() -> None:
    own, control = cases().sums
    assert guardrails((changed(own, timed=1), control))[LATENCY] == Guardrail("latency", True, "not measured")
    assert guardrails((own, changed(control, timed=1)))[LATENCY] == Guardrail("latency", True, "not measured")
    assert guardrails((own, changed(control, timed=2)))[LATENCY].text != "not measured"
    nothing = changed(control, failed=0, cases=0)
    assert guardrails((own, nothing))[ERRORS] == Guardrail("errors", True, "nothing recorded")
    assert guardrails((changed(own, failed=0, cases=0), control))[ERRORS].text == "nothing recorded"
    few = Rules(min_events=int(own.total("events")) + 1, min_days=4)
    unknown = guardrails((own, control), few)
    assert unknown[POD] == Guardrail("POD", True, "too few events to say")
    assert unknown[SLOPE] == Guardrail("calibration slope", True, "too few events to say")


def test_latency_is_judged_by_welchs_test_of_the_times(monkeypatch: pytest.MonkeyPatch) -> None:
    some, asked = cases(), []
    monkeypatch.setattr(classical, "welch", lambda *of: asked.append(of))
    guardrails(some.sums)
    ((mean, variance, n),) = asked
    for i, ms in enumerate((some.ms, some.control_ms)):
        known = ms[np.isfinite(ms)]
        assert n[i] == len(known)
        assert mean[i] == pytest.approx(known.mean())
        assert variance[i] == pytest.approx(known.var(ddof=1))


@pytest.mark.parametrize(
    ("ratio", "p", "met"),
    [(3.1, 1e-6, False), (3.1, None, False), (3.1, 0.001, True), (3.1, 0.0009, False), (3.0, 1e-6, True)],
)
def test_too_slow_is_what_is_beyond_the_limit_and_beyond_chance(
    monkeypatch: pytest.MonkeyPatch, ratio: float, p: float | None, met: bool
) -> None:
    own, control = cases().sums
    own = changed(own, timed=64, ms=64 * ratio, ms_squared=64 * ratio**2)
    control = changed(control, timed=64, ms=64, ms_squared=64)
    monkeypatch.setattr(classical, "welch", lambda *_of: p)
    assert guardrails((own, control))[LATENCY].met is met


def test_times_that_do_not_vary_have_no_variance_below_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    own, control = cases().sums
    asked: list[Any] = []
    monkeypatch.setattr(classical, "welch", lambda *of: asked.append(of))
    guardrails((changed(own, timed=3, ms=0.9, ms_squared=0.2699999), control))
    assert asked[0][1][0] == 0.0


@pytest.mark.parametrize(
    ("failed", "p", "met"), [(30, 1e-6, False), (30, 0.001, True), (30, None, True), (20, 1e-6, True)]
)
def test_too_many_errors_are_those_beyond_the_limit_and_beyond_chance(
    monkeypatch: pytest.MonkeyPatch, failed: int, p: float | None, met: bool
) -> None:
    own, control = cases().sums
    own, control = changed(own, failed=failed, cases=1000 - failed), changed(control, failed=20, cases=1980)
    asked: list[Any] = []
    monkeypatch.setattr(classical, "two_proportions", lambda *of: (asked.append(of), p)[1])
    found = guardrails((own, control))[ERRORS]
    assert found == Guardrail("errors", met, f"{failed} of 1,000 failed, of the control 20 of 2,000")
    assert asked == [((failed, 20), (1000, 2000))]


@pytest.mark.parametrize(("high", "lost", "met"), [(-0.01, 20, False), (0.0, 20, True), (-0.01, 0, True)])
def test_fewer_warnings_are_those_beyond_the_limit_and_beyond_chance(
    monkeypatch: pytest.MonkeyPatch, high: float, lost: int, met: bool
) -> None:
    own, control = cases().sums
    hits, misses = own.total("pair_hits"), own.total("pair_misses")
    own = changed(own, pair_hits=hits - lost, pair_misses=misses + lost, control_hits=hits, control_misses=misses)
    asked: list[Any] = []

    def bounds(gain: Floats, loss: Floats, confidence: float, least_days: int) -> tuple[Floats, Floats, Floats]:
        asked.append((gain, loss, confidence, least_days))
        return (np.full(len(gain), high),) * 3

    monkeypatch.setattr(inference, "sequence", bounds)
    assert guardrails((own, control))[POD].met is met
    gain, loss, confidence, least_days = asked[-1]
    assert (confidence, least_days) == (99.9, RULES.min_days)
    some = own["pair_events"] > 0
    assert gain.tolist() == (own["pair_hits"] - own["control_hits"])[some].tolist()
    assert loss.tolist() == own["pair_events"][some].tolist()


@pytest.mark.parametrize(("slope", "met"), [(0.7, True), (0.69, False), (1.4, True), (1.41, False), (None, True)])
def test_the_slope_may_lie_at_its_limits(monkeypatch: pytest.MonkeyPatch, slope: float | None, met: bool) -> None:
    monkeypatch.setattr(inference, "slope", lambda *_bins: slope)
    found = guardrails(cases().sums)[SLOPE]
    assert found.met is met
    assert ("too few" in found.text) is (slope is None)
