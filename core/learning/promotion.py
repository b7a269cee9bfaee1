"""Promotion: the rules that a candidate must meet, every one of them, before it takes the champion's place.

A promotion is a statistical decision. "More than 1 % better" on a point estimate promotes an equally good candidate in
one run of ten with much to judge on and in one of three with little, because a few spells of weather decide;
`benchmarks/gate_simulation.py` counts how often these rules do. What is not known never counts in its favour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from core.domain.learning import Measure
from core.domain.lifecycle import Comparison, Rule, Verdict

#: 2.0 points are not more than 2 points, whatever binary fractions make of them.
ROUNDING = 1e-9
NO_CASES = "no case that neither has learned from"


@dataclass(frozen=True)
class Gate:
    """The rules of promotion. A rule whose number is not known is not met.

    Parameters
    ----------
    accuracy
        Least share of right forecasts when a probability of 50 % is a yes. For a rare event "never" has it too: it
        refuses nonsense, it proves no skill.
    measure
        What must improve: a name of `core.verification.comparison.JUDGED`.
    gain_percent
        The measure's loss must fall by more than so many percent of the champion's.
    confidence
        Of the interval whose lower bound must lie above 0, percent.
    pod_points
        The POD at the alarm may fall by so many percentage points at the most.
    slope
        Least and largest calibration slope.
    min_events
        Fewer events among the judged cases promote nobody.
    """

    accuracy: float
    measure: str
    gain_percent: float
    confidence: float
    pod_points: float
    slope: tuple[float, float]
    min_events: int

    def judge(self, comparison: Comparison | None, leak: str = "") -> Verdict:
        """Return the verdict on a candidate.

        Parameters
        ----------
        comparison
            None where there is nothing to compare: that promotes nobody.
        leak
            Why the candidate's scores are too good to be true, empty where they are not.
        """
        if comparison is None:
            return Verdict((Rule("leak", False, leak) if leak else Rule("cases", False, NO_CASES),))
        return Verdict(
            (
                self._accurate(comparison),
                self._better(comparison),
                self._evident(comparison),
                self._detects(comparison),
                self._calibrated(comparison),
                Rule(
                    "events",
                    comparison.candidate.events >= self.min_events,
                    f"{comparison.candidate.events} among the judged cases; at least {self.min_events} are needed",
                ),
                _finite(comparison),
                Rule("leak", not leak, leak or "no score is too good to be true"),
            )
        )

    def _accurate(self, comparison: Comparison) -> Rule:
        found = comparison.accuracy.value
        text = f"{_percent(found)} right at a probability of 50 %; at least {_percent(self.accuracy)} is needed"
        return Rule("accuracy", _known(found) and found >= self.accuracy, text)

    def _better(self, comparison: Comparison) -> Rule:
        found = comparison.relative_gain.value
        text = f"{comparison.measure}: {_percent(found)} less loss than {_rival(comparison)}; "
        if comparison.measure != self.measure:
            return Rule("gain", False, f"{text}the gate goes by {self.measure}")
        met = _known(found) and found > self.gain_percent / 100
        return Rule("gain", met, f"{text}more than {self.gain_percent:g} % is needed")

    def _evident(self, comparison: Comparison) -> Rule:
        low, high = comparison.relative_gain.low, comparison.relative_gain.high
        text = f"{comparison.confidence:g} % interval of the gain {_percent(low)} to {_percent(high)}; "
        if comparison.measure != self.measure or not comparison.confidence >= self.confidence:
            return Rule("evidence", False, f"{text}{self.measure} at {self.confidence:g} % is needed")
        return Rule("evidence", _known(low) and low > 0, f"{text}its lower bound must lie above 0")

    def _detects(self, comparison: Comparison) -> Rule:
        found = _of(comparison.differences, "pod").value
        points = f"{100 * found:+.1f} points" if _known(found) else "not known"
        text = f"at the alarm {points} against {_rival(comparison)}; it may fall by {self.pod_points:g} at the most"
        return Rule("POD", _known(found) and found >= -self.pod_points / 100 - ROUNDING, text)

    def _calibrated(self, comparison: Comparison) -> Rule:
        found = _of(comparison.candidate.measures, "calibration_slope").value
        low, high = self.slope
        text = f"slope {f'{found:.2f}' if _known(found) else 'not known'}; {low:g} to {high:g} is calibrated"
        return Rule("calibration", _known(found) and low <= found <= high, text)


def bare(comparison: Comparison, gain_percent: float = 1.0) -> bool:
    """Return what the classic rule alone would say: better by more than 1 % on the point estimate.

    It decides nothing here; benchmarks and pages show what it would do.
    """
    found = comparison.relative_gain.value
    return _known(found) and found > gain_percent / 100


def _finite(comparison: Comparison) -> Rule:
    looked_at: Mapping[str, float | None] = {
        "accuracy": comparison.accuracy.value,
        "gain": comparison.relative_gain.value,
        "lower bound of the gain": comparison.relative_gain.low,
        "upper bound of the gain": comparison.relative_gain.high,
        "POD difference": _of(comparison.differences, "pod").value,
        "calibration slope": _of(comparison.candidate.measures, "calibration_slope").value,
        "Brier score": _of(comparison.candidate.measures, "brier").value,
    }
    missing = [name for name, value in looked_at.items() if not _known(value)]
    text = f"not known: {', '.join(missing)}" if missing else "every number looked at is known"
    return Rule("finite", not missing, text)


def _known(value: float | None) -> TypeGuard[float]:
    """Return whether it is a number: not None, and neither NaN nor infinite, which compare as anything."""
    return value is not None and math.isfinite(value)


def _of(measures: Mapping[str, Measure], name: str) -> Measure:
    return measures.get(name, Measure(None))


def _percent(value: float | None) -> str:
    return f"{value:.1%}".replace("%", " %") if _known(value) else "not known"


def _rival(comparison: Comparison) -> str:
    return "climatology" if comparison.champion is None else "the champion"
