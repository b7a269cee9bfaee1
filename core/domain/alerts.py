"""Alerts: the rule that raises and ends one, its state from issue to issue, and what became of it.

An alert is of a rule and a district. Issues of one hour count as one, the last of them: what repeats an hour because no
newer data came confirms nothing.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.forecast import EVENTS, TARGET, EventDefinition, RiskLevel
from core.domain.levels import rank
from core.domain.notices import NoticeKind

#: From here on a level warns, where alerts and people's words are scored.
WARNS = RiskLevel.ORANGE
#: Issues that lie further apart are not in a row.
MEMORY = timedelta(hours=6)
DEFAULT_ID = "default"


class AlertOutcome(StrEnum):
    """What became of an alert. PENDING may still be known; NOT_VERIFIABLE never counts for or against anybody."""

    HIT = "hit"
    FALSE_ALARM = "false alarm"
    PENDING = "pending"
    NOT_VERIFIABLE = "not verifiable"


@dataclass(frozen=True)
class AlertRule:
    """When an alert of a region's districts is raised and ended.

    Where `threshold` is None an issue reaches the rule by its `level`, else by P(`event`) of at least `threshold`. An
    alert is raised after `persistence` issues in a row that reach it, and ends after `ends_after` issues in a row that
    lie below: by more than `margin` (a share of the threshold) where it goes by probability.

    Raises
    ------
    ValueError
        If it could never be raised or ended as it says.
    """

    id: str
    region_id: str
    level: RiskLevel = WARNS
    threshold: float | None = None
    event: EventDefinition = TARGET
    persistence: int = 2
    ends_after: int = 3
    margin: float = 0.0

    def __post_init__(self) -> None:
        if rank(self.level) < 1:
            raise ValueError("An alert begins at yellow or above.")
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise ValueError("The probability of a rule lies above 0 and is at most 1.")
        if self.persistence < 1 or self.ends_after < 1 or not 0 <= self.margin < 1:
            raise ValueError("A rule counts at least one issue, and its margin lies in [0, 1).")
        if self.event not in EVENTS:
            raise ValueError("The event of a rule is one of the first six hours.")

    @property
    def text(self) -> str:
        """The rule in words."""
        if self.threshold is None:
            what = f"level {self.level.value} or above"
            below = "below"
        else:
            what = f"P({self.event.text} {self.event.window.within}) at least {100 * self.threshold:g} %"
            below = f"below by {100 * self.margin:g} %" if self.margin else "below"
        return f"{what} in {self.persistence} issues in a row; ends after {self.ends_after} issues {below}"

    def reached(self, seen: Seen, standing: bool) -> bool | None:
        """Say whether an issue reaches the rule, None where nothing is known."""
        if self.threshold is None:
            return None if rank(seen.level) < 0 else rank(seen.level) >= rank(self.level)
        if math.isnan(seen.probability):
            return None
        return seen.probability >= self.threshold * ((1 - self.margin) if standing else 1)


def default_rule(region_id: str) -> AlertRule:
    """Return the rule of a region that nobody gave another."""
    return AlertRule(DEFAULT_ID, region_id)


@dataclass(frozen=True)
class Seen:
    """What one issue says of one district: valid from `hour`, its gravest known level and highest probability."""

    hour: datetime
    level: RiskLevel
    probability: float


@dataclass(frozen=True)
class State:
    """Where a rule is in one district: issues in a row that reached it or lay below, with and before the last hour."""

    hour: datetime | None = None
    above: int = 0
    below: int = 0
    above_before: int = 0
    below_before: int = 0
    standing: bool = False
    peak: RiskLevel = RiskLevel.UNKNOWN


def step(rule: AlertRule, state: State, seen: Seen) -> tuple[State, NoticeKind | None]:
    """Return the state after an issue and what it made of the alert: RAISED, CHANGED (it is graver), ENDED or None.

    An issue of which nothing is known, or one of an earlier hour, changes nothing.
    """
    reached = rule.reached(seen, state.standing)
    if reached is None or (state.hour is not None and seen.hour < state.hour):
        return state, None
    above, below = state.above, state.below
    if seen.hour == state.hour:
        above, below = state.above_before, state.below_before
    elif state.hour is not None and seen.hour - state.hour > MEMORY:
        above = below = 0
    counted = replace(
        state,
        hour=seen.hour,
        above_before=above,
        below_before=below,
        above=above + 1 if reached else 0,
        below=0 if reached else below + 1,
    )
    if not state.standing:
        if counted.above < rule.persistence:
            return counted, None
        return replace(counted, standing=True, peak=seen.level, below=0, below_before=0), NoticeKind.RAISED
    if counted.below >= rule.ends_after:
        return State(hour=seen.hour), NoticeKind.ENDED
    if rank(seen.level) > rank(state.peak):
        return replace(counted, peak=seen.level), NoticeKind.CHANGED
    return counted, None


@dataclass(frozen=True)
class Acknowledgement:
    """Who has seen an alert and takes care of it, and what they say of it."""

    alert_id: str
    at: datetime
    who: str
    why: str


@dataclass(frozen=True)
class Alert:
    """An alert of one rule and district, raised at an issue that is valid from `begun` on.

    `level` and `probability` are the highest since. `ended` is the hour of the issue that ended it, `ended_at` when
    that was made, both None while it stands. `said_by` names the person whose override
    raised it, "" where the model did.
    """

    id: str
    source: str
    region_id: str
    rule_id: str
    rule_text: str
    event: EventDefinition
    area: str
    begun: datetime
    raised_at: datetime
    changed_at: datetime
    level: RiskLevel
    probability: float
    places: tuple[str, ...]
    model_version: str
    source_text: str
    said_by: str = ""
    ended: datetime | None = None
    ended_at: datetime | None = None
    outcome: AlertOutcome = AlertOutcome.PENDING
    acknowledged: tuple[Acknowledgement, ...] = ()

    @property
    def stands(self) -> bool:
        """True until it has ended."""
        return self.ended_at is None

    @property
    def simulated(self) -> bool:
        """True where it rests on simulated weather."""
        return self.source == "simulator"


def alert_id(source: str, rule: AlertRule, area: str, begun: datetime) -> str:
    """Return the id of an alert: the same in every process that raises it."""
    key = repr((source, rule.region_id, rule.id, area, begun.isoformat()))
    return hashlib.sha256(key.encode()).hexdigest()[:20]
