"""Drift of inputs and of the score, judged against the same season and hour.

For people there is the population stability index of the newest fortnight, beside what it is in fortnights of the
reference: weather is correlated in time and space, and the limits .1 and .25 of the textbooks were made for customers.
What raises an alarm are cumulative sums of daily statistics of the ranks (`core.verification.standing`,
`core.verification.cusum`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from core.domain.drift import Aspect, Shift, VariableDrift
from core.domain.told import tell
from core.verification import cusum
from core.verification.cusum import Crossing, Standard
from core.verification.standing import (
    RANK_DEVIATION,
    Daily,
    Floats,
    Ints,
    Mask,
    daily,
    days_of,
    near,
    season_of,
    stability_index,
    standing,
)

#: Chance of any alarm in 90 days while nothing changes, as designed. What `benchmarks.drift_alarms` measures is more,
#: because references are short and memory is longer than a day: 0.24 alarms in 90 days (0.14 to 0.40).
RATE, RATE_DAYS = 0.05, 90
#: Fewer days of the same season are no reference.
LEAST_DAYS = 60
#: Days of the stability index, how many of them must be known, and the percentile that is its usual bound.
PSI_DAYS, PSI_KNOWN, PSI_PERCENT = 14, 10, 95.0
#: Less than this share of the days looked at is a variable that is missing.
LEAST_WATCHED = 0.5
#: A departure that follows an alarm of the same variable so soon belongs to it.
SAME_ALARM_DAYS = 14
EPOCH = date(1970, 1, 1)
_PLAINEST = tuple(Aspect)


@dataclass(frozen=True)
class Periods:
    """Which days are judged, and by which; first and last day since 1970, both included.

    `seasonal` is False where the weather knows no season (the simulator's eternal 29 July).
    """

    reference: tuple[int, int]
    watched: tuple[int, int]
    seasonal: bool = True

    @property
    def axis(self) -> Ints:
        """All days from the first of the reference to the last that is watched."""
        return np.arange(min(self.reference[0], self.watched[0]), self.watched[1] + 1)

    def in_reference(self, day: Ints) -> Mask:
        """Say which days belong to the reference."""
        return np.asarray((day >= self.reference[0]) & (day <= self.reference[1]))

    def in_watched(self, day: Ints) -> Mask:
        """Say which days are judged."""
        return np.asarray((day >= self.watched[0]) & (day <= self.watched[1]))


@dataclass(frozen=True)
class _Followed:
    """One variable that can be judged: its days, and how many days of the same season it was learned from."""

    variable: str
    days: Daily
    learned: int


def judge(
    values: Mapping[str, NDArray[np.float32]], hour: Ints, periods: Periods, rate: float, rng: np.random.Generator
) -> tuple[VariableDrift, ...]:
    """Return what is found of every variable, in their order.

    Parameters
    ----------
    values
        Hourly values, shape (places, hours), NaN where missing.
    hour
        Ends of the hours since 1970 (UTC), shape (hours,), rising; they may have gaps.
    rate
        Chance of any alarm in 90 days while nothing changes.
    """
    axis = periods.axis
    refused: dict[str, VariableDrift] = {}
    followed = []
    for variable, array in values.items():
        days = _days(array, hour, periods, axis)
        learned = _learned(days, periods, axis)
        why = _refusal(days, learned, periods, axis)
        if why:
            refused[variable] = VariableDrift(variable, why, learned)
        else:
            followed.append(_Followed(variable, days, learned))
    found = _judged(followed, periods, axis, rate, rng) if followed else {}
    return tuple(refused.get(variable) or found[variable] for variable in values)


def _days(array: NDArray[np.float32], hour: Ints, periods: Periods, axis: Ints) -> Daily:
    day = days_of(hour)
    inside = (day >= axis[0]) & (day <= axis[-1])
    array, hour, day = array[:, inside], hour[inside], day[inside]
    # The day before the first that is watched says what is new on that.
    wanted = _season(periods, axis) | np.isin(axis, np.arange(periods.watched[0] - 1, periods.watched[1] + 1))
    ranked = wanted[day - axis[0]] & np.isfinite(array).any(axis=0)
    low, high = standing(array, hour, periods.in_reference(day), periods.seasonal, ranked)
    return daily(low, high, day, axis, periods.in_reference(axis))


def _learned(days: Daily, periods: Periods, axis: Ints) -> int:
    """Return the number of days of the reference that a day is compared with, in the season that has fewest."""
    known = np.isfinite(days.level) & periods.in_reference(axis)
    if not periods.seasonal:
        return int(known.sum())
    seasons = np.unique(season_of(axis[periods.in_watched(axis)]))
    return min(int((known & near(axis, int(season))).sum()) for season in seasons)


def _refusal(days: Daily, learned: int, periods: Periods, axis: Ints) -> str:
    """Return why a variable is not judged, empty where it is."""
    if learned < LEAST_DAYS:
        if periods.seasonal:
            return tell("{n} days of the same season of reference, {least} are needed", n=learned, least=LEAST_DAYS)
        return tell("{n} days of reference, {least} are needed", n=learned, least=LEAST_DAYS)
    known = np.isfinite(days.level[periods.in_watched(axis)])
    if known.sum() < LEAST_WATCHED * len(known) or not known[-PSI_DAYS:].any():
        return f"it is missing on {int((~known).sum())} of the last {len(known)} days"
    return ""


def _season(periods: Periods, axis: Ints) -> Mask:
    """Return which days of the reference are of the season of those that are watched."""
    usual = periods.in_reference(axis)
    if not periods.seasonal:
        return usual
    watched = np.unique(season_of(axis[periods.in_watched(axis)]))
    return np.asarray(usual & np.logical_or.reduce([near(axis, int(season)) for season in watched]))


def _judged(
    followed: Sequence[_Followed], periods: Periods, axis: Ints, rate: float, rng: np.random.Generator
) -> dict[str, VariableDrift]:
    season, watched = _season(periods, axis), periods.in_watched(axis)
    names, statistics = _statistics(followed, season)
    brought = cusum.news(statistics, season)
    learned = min(f.learned for f in followed)
    limit = cusum.threshold(brought[season], learned, RATE_DAYS, rate, rng)
    totals, crossed = cusum.crossings(Standard.of(brought[season]).scores(brought[watched]), limit)
    found = {}
    for one in followed:
        mine = [i for i, (variable, _) in enumerate(names) if variable == one.variable]
        found[one.variable] = VariableDrift(
            variable=one.variable,
            not_judged="",
            reference_days=one.learned,
            psi=_newest_index(one.days, season, watched),
            psi_usual=_usual_index(one.days, season),
            share=round(float(totals[mine].max() / limit), 3) if limit > 0 else None,
            shifts=_shifts(one, [(names[c.statistic][1], c) for c in crossed if c.statistic in mine], axis[watched]),
        )
    return found


def _statistics(followed: Sequence[_Followed], season: Mask) -> tuple[list[tuple[str, Aspect]], Floats]:
    """Return what is followed from day to day, with its names; what the reference hardly knows is left out."""
    level = np.stack([f.days.level for f in followed], axis=1)
    parts = {
        Aspect.LEVEL: level,
        Aspect.RELATIVE: cusum.relative(level, season) if len(followed) > 1 else np.full(level.shape, np.nan),
        Aspect.SHAPE: np.stack([f.days.shape for f in followed], axis=1),
        Aspect.CONTRAST: np.stack([f.days.contrast for f in followed], axis=1),
    }
    names = [(f.variable, aspect) for aspect in parts for f in followed]
    columns = np.concatenate(list(parts.values()), axis=1)
    enough = np.isfinite(columns[season]).sum(axis=0) >= LEAST_DAYS
    return [name for name, kept in zip(names, enough, strict=True) if kept], columns[:, enough]


def _shifts(one: _Followed, found: Sequence[tuple[Aspect, Crossing]], days: Ints) -> tuple[Shift, ...]:
    """Return the alarms of one variable; departures close after each other are one alarm.

    The first says since when; the plainest of them, level before contrast, says what.
    """
    runs: list[list[tuple[Aspect, Crossing]]] = []
    for aspect, crossing in found:
        if runs and crossing.since <= runs[-1][-1][1].raised + SAME_ALARM_DAYS:
            runs[-1].append((aspect, crossing))
        else:
            runs.append([(aspect, crossing)])
    level = one.days.level[-len(days) :]
    shifts = []
    for run in runs:
        first, last = run[0][1], run[-1][1]
        aspect, plainest = min(run, key=lambda part: _PLAINEST.index(part[0]))
        shifts.append(
            Shift(
                variable=one.variable,
                aspect=aspect,
                rising=plainest.side > 0,
                since=_date(int(days[first.since])),
                raised=_date(int(days[first.raised])),
                percentile=_percentile(level[first.since : last.raised + 1]),
            )
        )
    return tuple(shifts)


def _percentile(level: Floats) -> float | None:
    known = level[np.isfinite(level)]
    return round(50.0 + 100.0 * RANK_DEVIATION * float(known.mean()), 1) if len(known) else None


def _newest_index(days: Daily, season: Mask, watched: Mask) -> float | None:
    newest = np.flatnonzero(watched)[-PSI_DAYS:]
    if np.isfinite(days.level[newest]).sum() < min(PSI_KNOWN, len(newest)):
        return None
    return round(float(stability_index(days.mass[newest].sum(axis=0), days.mass[season].sum(axis=0))), 4)


def _usual_index(days: Daily, season: Mask) -> float | None:
    """Return the 95th percentile of the index over all fortnights of the reference's season."""
    known = season & np.isfinite(days.level)
    held = np.convolve(known, np.ones(PSI_DAYS), "valid")
    inside = np.convolve(season, np.ones(PSI_DAYS), "valid") == PSI_DAYS
    mass = np.cumsum(np.vstack([np.zeros(days.mass.shape[1]), days.mass]), axis=0)
    fortnights = (mass[PSI_DAYS:] - mass[:-PSI_DAYS])[inside & (held >= PSI_KNOWN)]
    if not len(fortnights):
        return None
    return round(float(np.percentile(stability_index(fortnights, days.mass[season].sum(axis=0)), PSI_PERCENT)), 4)


def _date(day: int) -> date:
    return EPOCH + timedelta(days=day)
