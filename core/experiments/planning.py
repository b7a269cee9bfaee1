"""Planning: how many days, events and seasons a difference needs before anybody can be sure of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.experiments.inference import boundary

#: How much the gain of one day varies, in percent of the control's mean Brier score. Between boostings that learned
#: from overlapping years of 80 gauges the gain of 90 days varied by .1 to .8 %, and .8 % x sqrt(90) is this.
USUAL_SPREAD_PERCENT = 7.6
MOST_DAYS = 36_500


@dataclass(frozen=True)
class Plan:
    """What an experiment needs: days with cases, their events, and seasons of so many days; None: more than a life."""

    days: int | None
    events: int | None
    seasons: float | None
    #: The same where it is looked at once, at the end.
    days_for_one_look: int


def plan(
    difference_percent: float,
    *,
    spread_percent: float,
    events_per_day: float,
    season_days: float,
    confidence: float,
    power: float,
) -> Plan:
    """Return what it takes to find a difference with a given power.

    Looked at once: ((z of the confidence + z of the power) spread / difference)^2 days. Looked at whenever one likes:
    the first day from which the always-valid bounds are narrower than the difference less what chance may take from it.

    Parameters
    ----------
    difference_percent
        Gain that is to be found, in percent of the control's Brier score.
    spread_percent
        Standard deviation of the gain of one day, in the same unit.
    power
        Probability of finding it, percent.

    Raises
    ------
    ValueError
        If one of them is not above 0, or the confidence or the power not below 100.
    """
    from scipy.stats import norm

    above = min(difference_percent, spread_percent, events_per_day, season_days) > 0
    if not (above and 0 < confidence < 100 and 0 < power < 100):
        raise ValueError(
            "difference, spread, events a day and season must be above 0, confidence and power between 0 and 100"
        )
    effect = difference_percent / spread_percent
    chance = float(norm.ppf(power / 100))
    once = math.ceil(((float(norm.ppf(0.5 + confidence / 200)) + chance) / effect) ** 2)

    def enough(days: int) -> bool:
        return boundary(days, confidence) + chance / math.sqrt(days) <= effect

    if not enough(MOST_DAYS):
        return Plan(None, None, None, once)
    low, high = 1, MOST_DAYS  # the bounds narrow from day to day
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return Plan(low, math.ceil(low * events_per_day), low / season_days, once)
