"""The life of models as values: who asked for a training, what became of it, what the gate said, who deployed what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.domain.learning import Measure, Scorecard


class Trigger(StrEnum):
    """What began a training."""

    SCHEDULE = "schedule"
    DRIFT = "drift"
    PAGE = "page"
    API = "api"
    COMMAND_LINE = "command line"
    FIRST_START = "first start"


class RunStatus(StrEnum):
    """What becomes of a training: all but RUNNING are ends."""

    RUNNING = "running"
    DEPLOYED = "deployed"
    KEPT = "kept"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class RetrainingRequest:
    """Which champion is to be challenged, with what, and who asks.

    Parameters
    ----------
    source, region_id
        Provenance and region of the champion; the archive of the same learns and judges.
    algorithm
        Of the registry.
    days_back
        Days before `now` that are learned from and judged on.
    now
        The moment of asking, UTC: nothing known later is looked at.
    who, why
        Who asks, and why, in words; both stand in the ledger.
    late_s
        How much later than planned a scheduled training begins, seconds.
    """

    source: str
    region_id: str
    algorithm: str
    days_back: int
    now: datetime
    trigger: Trigger
    who: str
    why: str = ""
    late_s: float = 0.0
    seed: int = 7


@dataclass(frozen=True)
class Rule:
    """One rule of the gate, what it found, and whether the candidate meets it."""

    name: str
    met: bool
    text: str


@dataclass(frozen=True)
class Verdict:
    """Decision on a candidate: it is promoted where it meets every rule."""

    rules: tuple[Rule, ...]

    @property
    def promote(self) -> bool:
        """True where every rule is met; a verdict without rules promotes nobody."""
        return bool(self.rules) and all(rule.met for rule in self.rules)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What decided: the rules that are not met, or all where there are none of these."""
        broken = tuple(f"{rule.name}: {rule.text}" for rule in self.rules if not rule.met)
        return broken or tuple(f"{rule.name}: {rule.text}" for rule in self.rules)


@dataclass(frozen=True)
class Comparison:
    """Two forecasts of the same cases that neither has learned from.

    Parameters
    ----------
    candidate, champion
        Scorecards of the same cases; None where there is no champion that can be scored.
    measure
        What the gate goes by: a key of `core.verification.scorecard.MEASURES`, "brier" by default.
    relative_gain
        Reduction of that measure's loss relative to the champion's, with its interval over days: .012 is 1.2 % better.
    differences
        Candidate less champion by measure, with intervals over days.
    begin, end
        First and last hour judged, UTC.
    accuracy
        Share of the candidate's right forecasts when a probability of 50 % is a yes, with its interval.
    confidence
        Of the intervals of `relative_gain`, `differences` and `accuracy`, percent; 0 where nobody vouches for one.
    """

    candidate: Scorecard
    champion: Scorecard | None
    measure: str
    relative_gain: Measure
    differences: Mapping[str, Measure]
    days: int
    begin: datetime
    end: datetime
    accuracy: Measure = field(default_factory=lambda: Measure(None))
    confidence: float = 0.0


@dataclass(frozen=True)
class RunState:
    """A training, running or ended; what page, API, terminal and other processes see of it."""

    run_id: str
    request: RetrainingRequest
    pid: int
    begun_at: datetime
    status: RunStatus
    done: float
    text: str
    ended_at: datetime | None = None
    reasons: tuple[str, ...] = ()
    #: Numbers of the cases and, where there are any, of the comparison; plain values that JSON knows.
    metrics: Mapping[str, Any] = field(default_factory=dict)
    #: The version that was made, None where there is none.
    version: str | None = None
    #: The version that serves after the run.
    champion: str | None = None

    @property
    def running(self) -> bool:
        """True while it has not ended."""
        return self.status is RunStatus.RUNNING


@dataclass(frozen=True)
class Deployment:
    """One change of who serves a region: an entry of the deployment ledger.

    Parameters
    ----------
    generation
        Number of the change at this pointer, from 1 on: of two changes from the same number only one is made.
    action
        "retrained", "promoted" (by hand), "experiment" (its winner, through the gate) or "rolled back".
    from_version, to_version
        None stands for the shipped seed model before the first deployment.
    verdict
        What the gate said, None where nobody asked it.
    """

    source: str
    region_id: str
    generation: int
    at: datetime
    action: str
    who: str
    why: str
    from_version: str | None
    to_version: str
    verdict: Verdict | None = None
