"""What an experiment comes to, as values: its arms, its contrasts, its winner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.experiment import Code, Counts, Experiment, Stage, Status
from core.domain.learning import Measure


@dataclass(frozen=True)
class Guardrail:
    """One thing that must not get worse, and whether it did."""

    name: str
    met: bool
    text: str


@dataclass(frozen=True)
class Arm:
    """One variant by itself, on the cases whose outcome is known.

    `reliability` are (mean probability, share of events, cases) by bin of probability, empty bins left out.
    """

    variant_id: str
    version: str
    counts: Counts
    events: int
    brier: float | None
    log_score: float | None
    pod: float | None
    far: float | None
    csi: float | None
    slope: float | None
    latency_ms: float | None
    error_rate: float | None
    reliability: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True)
class Growth:
    """How the evidence grew, by day: events so far, gain (a share) and its always-valid bounds, all of one length."""

    events: tuple[int, ...]
    gain: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Contrast:
    """A challenger against the control, on the cases that both have forecast. Above 0 the challenger is better.

    Parameters
    ----------
    gain, log_gain
        By what share the challenger's Brier and log score are less than the control's, with a bootstrap interval over
        days: .05 is 5 % less loss.
    sequence
        The same gain with bounds that hold at every look.
    p_value, p_adjusted
        Diebold and Mariano's, and among all challengers by Holm's procedure.
    p_warnings
        McNemar's, of right and wrong warnings.
    better
        Probability that the challenger is better, given the days so far.
    pod, far, csi
        Challenger less control, at the alarm.
    codes
        Why nothing can be said, empty where it can.
    """

    variant_id: str
    pairs: int
    events: int
    days: int
    gain: Measure
    sequence: Measure
    log_gain: Measure
    p_value: float | None
    p_adjusted: float | None
    p_warnings: float | None
    better: float | None
    pod: float | None
    far: float | None
    csi: float | None
    codes: tuple[Code, ...]
    guardrails: tuple[Guardrail, ...]
    growth: Growth = field(repr=False)


@dataclass(frozen=True)
class Winner:
    """Who won, by which rule, on what evidence; None: nobody."""

    winner_variant: str | None
    rule: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class ExperimentAnalysis:
    """What an experiment comes to now."""

    experiment: Experiment
    stage: Stage
    status: Status
    text: str
    arms: tuple[Arm, ...]
    contrasts: tuple[Contrast, ...]
    codes: tuple[Code, ...]
    sample_ratio_p: float | None
    coverage: float | None
    winner: Winner
    shares: Mapping[str, float]
