"""From probability to risk level and from age to freshness: rules that the user can see and set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import TARGET, Freshness, RiskLevel
from core.domain.weather import ModelRun, Region


@dataclass(frozen=True)
class Tiers:
    """Probabilities of the target event from which a level holds.

    For rare events the tiers are low: the excessive rain outlook of the United States' Weather Prediction Center
    uses 5, 15, 40 and 70 %.
    """

    yellow: float = 0.05
    orange: float = 0.15
    red: float = 0.40

    def of(self, region: Region) -> Tiers:
        """Return the region's own tiers, these where it has none."""
        return Tiers(*region.thresholds.levels) if region.thresholds.levels else self

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


#: States by how little may be said.
FRESHNESS = (Freshness.FRESH, Freshness.STALE, Freshness.NO_DATA)


@dataclass(frozen=True)
class AgeLimits:
    """Ages from which data are STALE and from which there is NO DATA.

    `amber` and `no_data` hold for the newest hour with values, `run_amber` and `run_no_data` for the weather model's
    run behind them, counted from when it came out: a service that stands still goes on answering for the current hour.
    """

    amber: timedelta = timedelta(minutes=90)
    no_data: timedelta = timedelta(hours=6)
    run_amber: timedelta = timedelta(hours=9)
    run_no_data: timedelta = timedelta(hours=24)

    def of(self, region: Region) -> AgeLimits:
        """Return the limits with the region's own ages of observations where it has them."""
        ages = region.thresholds.ages
        return replace(self, amber=ages[0], no_data=ages[1]) if ages else self

    def freshness(self, data_at: datetime | None, now: datetime, run: ModelRun | None = None) -> Freshness:
        """Return the state of data whose newest valid time is `data_at`: the worse of their age and their run's.

        A model run of which nobody knows when it came out is STALE.
        """
        if data_at is None:
            return Freshness.NO_DATA
        state = _state(now - data_at, self.amber, self.no_data)
        if run is None:
            return state
        if run.out_at is None:
            return max(state, Freshness.STALE, key=FRESHNESS.index)
        return max(state, _state(now - run.out_at, self.run_amber, self.run_no_data), key=FRESHNESS.index)

    def lasts_s(self, data_at: datetime, now: datetime, run: ModelRun | None = None) -> float:
        """Return the seconds until an age passes its next limit, infinity where none is left."""
        ages = [(now - data_at, limit) for limit in (self.amber, self.no_data)]
        if run is not None and run.out_at is not None:
            ages += [(now - run.out_at, limit) for limit in (self.run_amber, self.run_no_data)]
        return min(((limit - age).total_seconds() for age, limit in ages if limit > age), default=float("inf"))

    @property
    def text(self) -> str:
        """The limits in words."""
        amber, no_data = self.amber.total_seconds() / 60, self.no_data.total_seconds() / 3600
        return f"Amber from {amber:g} min on, no data from {no_data:g} h on."

    @property
    def run_text(self) -> str:
        """The limits of a model run in words."""
        amber, no_data = (limit.total_seconds() / 3600 for limit in (self.run_amber, self.run_no_data))
        return f"A model run is amber from {amber:g} h after it came out on, no data from {no_data:g} h on."


def _state(age: timedelta, amber: timedelta, no_data: timedelta) -> Freshness:
    if age >= no_data:
        return Freshness.NO_DATA
    return Freshness.STALE if age >= amber else Freshness.FRESH
