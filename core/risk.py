"""From probability to risk level and from age to freshness: rules that the user can see and set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import TARGET, Freshness, RiskLevel


@dataclass(frozen=True)
class Tiers:
    """Probabilities of the target event from which a level holds.

    For rare events the tiers are low: the excessive rain outlook of the United States' Weather Prediction Center
    uses 5, 15, 40 and 70 %.
    """

    yellow: float = 0.05
    orange: float = 0.15
    red: float = 0.40

    def levels(self, probability: NDArray[np.float64]) -> tuple[RiskLevel, ...]:
        """Return the level of every probability of the target event; UNKNOWN where it is NaN."""
        ladder = (RiskLevel.GREEN, RiskLevel.YELLOW, RiskLevel.ORANGE, RiskLevel.RED, RiskLevel.UNKNOWN)
        step = np.digitize(probability, [self.yellow, self.orange, self.red])
        step[~np.isfinite(probability)] = len(ladder) - 1
        return tuple(ladder[i] for i in step)

    @property
    def text(self) -> str:
        """The rule in words, for the legend."""
        return (
            f"level by P({TARGET.text} in {TARGET.window_h} h): yellow from {self.yellow:.0%}, "
            f"orange from {self.orange:.0%}, red from {self.red:.0%}"
        )


@dataclass(frozen=True)
class AgeLimits:
    """Ages of observations from which they are STALE and from which there is NO DATA."""

    amber: timedelta = timedelta(minutes=90)
    no_data: timedelta = timedelta(hours=6)

    def freshness(self, data_at: datetime | None, now: datetime) -> Freshness:
        """Return the state of data whose newest valid time is `data_at`."""
        if data_at is None or now - data_at >= self.no_data:
            return Freshness.NO_DATA
        return Freshness.STALE if now - data_at >= self.amber else Freshness.FRESH
