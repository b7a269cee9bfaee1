"""Warnings as a forecaster lives them: how long before an event they stood, and whether they held.

Hours are columns: column t holds the rain that fell in the hour ending at t, and the forecast issued at t for the
`window_h` hours after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.learning import Measure
from core.verification.days import Days, measured

Floats = NDArray[np.float64]
#: An event begins a new episode after so many hours without one.
QUIET_H = 6
#: The flip-flop index needs three forecasts of one hour: with two nothing can turn back.
FEWEST_ISSUES = 3


@dataclass(frozen=True)
class LeadTimes:
    """How long warnings stood before each episode, each (episodes,), by place and hour.

    Attributes
    ----------
    place, hour
        Row and column of the first hour of each episode.
    lead_h
        Hours from the first issue of the warning that stood until then, to the beginning of that hour: 0 is a warning
        given when the hour began, NaN none.
    withdrawn
        Where there was no warning in force, but one of the window's earlier issues had given one.
    """

    alarm: float
    place: NDArray[np.int64]
    hour: NDArray[np.int64]
    lead_h: Floats
    withdrawn: NDArray[np.bool_]

    @property
    def episodes(self) -> int:
        """Number of episodes."""
        return len(self.lead_h)

    @property
    def missed(self) -> int:
        """Number of episodes without a warning in force."""
        return int(np.isnan(self.lead_h).sum())

    @property
    def median_h(self) -> float | None:
        """Median lead of the episodes that were warned of, None where none was."""
        warned = self.lead_h[np.isfinite(self.lead_h)]
        return float(np.median(warned)) if len(warned) else None

    def share_warned(self, hours: float) -> float | None:
        """Share of all episodes with a warning at least so many hours before; None without episodes."""
        return float((self.lead_h >= hours).mean()) if self.episodes else None


def lead_times(
    probability: Floats, exceeded: NDArray[np.bool_], alarm: float, window_h: int = 6, quiet_h: int = QUIET_H
) -> LeadTimes:
    """Return the lead of the continuous warning before every episode.

    An episode begins with the first hour at or above the threshold after `quiet_h` hours without one. It was warned of
    if all issues from some issue of its window up to the last one before it stood at or above the alarm probability; a
    missing issue is no warning. Episodes whose window of issues begins before the record are left out.

    Parameters
    ----------
    probability
        Forecasts issued every hour, shape (places, hours), NaN where none was issued.
    exceeded
        Whether the threshold was reached in the hour, shape (places, hours); False where the rain is missing.
    alarm
        Probability from which on a warning is given.
    """
    hours = exceeded.shape[1]
    seen = np.concatenate([np.zeros((len(exceeded), 1), int), np.cumsum(exceeded, axis=1)], axis=1)
    before = seen[:, :-1] - seen[:, np.maximum(np.arange(hours) - quiet_h, 0)]
    place, hour = np.nonzero(exceeded & (before == 0) & (np.arange(hours) >= window_h))
    issues = hour[:, None] - np.arange(1, window_h + 1)
    warned = probability[place[:, None], issues] >= alarm
    standing = np.cumprod(warned, axis=1).sum(axis=1)
    lead_h = np.where(standing > 0, standing - 1.0, np.nan)
    return LeadTimes(alarm, place, hour, lead_h, warned.any(axis=1) & (standing == 0))


@dataclass(frozen=True)
class Stability:
    """How much successive forecasts turn.

    Attributes
    ----------
    flip_flop
        Mean flip-flop index of the forecasts whose windows hold the same hour, in probability per issue: 0 if they
        only rise or only fall, however fast.
    level_changes
        Share of hours in which the level is another than an hour before.
    """

    flip_flop: Measure
    level_changes: Measure


def stability(
    probability: Floats,
    level: Floats,
    day: NDArray[np.int64],
    *,
    draws: int,
    rng: np.random.Generator,
    window_h: int = 6,
) -> Stability:
    """Return flip-flop index and share of level changes, with 90 % intervals over days.

    Parameters
    ----------
    probability
        Forecasts issued every hour for the next `window_h` hours, shape (places, hours), NaN where none was issued.
    level
        Rank of the risk level, shape (places, hours), NaN where it is unknown.
    day
        Number of the day of every hour, shape (hours,).

    References
    ----------
    Griffiths et al. 2019, doi:10.1002/met.1732.
    """
    turned = flip_flop(probability, window_h)
    changed = np.where(np.isfinite(level[:, 1:] - level[:, :-1]), level[:, 1:] != level[:, :-1], np.nan)
    return Stability(
        _mean(turned, day[len(day) - turned.shape[1] :], draws, rng),
        _mean(changed, day[len(day) - changed.shape[1] :], draws, rng),
    )


def flip_flop(probability: Floats, window_h: int) -> Floats:
    """Return the flip-flop index of every run of `window_h` successive issues, shape (places, hours - window_h + 1).

    Those are the issues whose windows hold the hour after the last of them. NaN where an issue is missing; no columns
    where there are fewer than three issues to compare.
    """
    if window_h < FEWEST_ISSUES or probability.shape[1] < window_h:
        return np.empty((len(probability), 0))
    # Imported here: scores brings xarray, and the two need seconds that the web process does not have at its start.
    from scores.continuous import flip_flop_index
    from xarray import DataArray

    runs = np.lib.stride_tricks.sliding_window_view(probability, window_h, axis=1)
    return np.array([flip_flop_index(DataArray(run, dims=("hour", "issue")), "issue").to_numpy() for run in runs])


def _mean(values: Floats, day: NDArray[np.int64], draws: int, rng: np.random.Generator) -> Measure:
    """Return the mean of what is known of values (places, hours), with its interval over days (hours,)."""
    known = np.isfinite(values)
    if not known.any():
        return Measure(None)
    days = Days.of(np.broadcast_to(day, values.shape)[known], draws, rng)
    means = days.totals(values[known]) / days.totals(np.ones(int(known.sum())))
    return measured([float(m) for m in means])
