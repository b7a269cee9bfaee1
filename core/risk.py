"""From probability to risk level and from age to freshness: rules that the user can see and set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import TARGET, Freshness, RiskLevel
from core.domain.learning import ModelManifest
from core.domain.weather import ModelRun, Region

Floats = NDArray[np.float64]
LADDER = (RiskLevel.GREEN, RiskLevel.YELLOW, RiskLevel.ORANGE, RiskLevel.RED)
#: Base rate at which the numbers of the lift rule are probabilities as they stand: that of 15 mm/h in 6 h at the gauges
#: of the seed model is 0.997 %.
REFERENCE_BASE_RATE = 0.01
#: A level is remembered so long: an older issue is of another weather.
MEMORY = timedelta(hours=6)


class LevelRule(StrEnum):
    """How a probability becomes a level: by its lift over climatology, as it stands, or by a ratio of cost to loss."""

    LIFT = "lift"
    PROBABILITY = "probability"
    COST_LOSS = "cost-loss"


@dataclass(frozen=True)
class Tiers:
    """The rule of the levels: three numbers, what they mean, and how firmly a level stands.

    Parameters
    ----------
    yellow, orange, red
        Probabilities of the target event, or ratios of cost to loss, from which a level holds. For rare events they
        are low: the excessive rain outlook of the United States' Weather Prediction Center uses 5, 15, 40 and 70 %.
    rule
        LIFT scales them in odds, o = o(tier) o(base rate) / o(1 %), so that one level means one lift over climatology
        in every window and for every event. COST_LOSS acts where p >= C / L: with calibrated probabilities the
        expected expense is then least (Murphy 1977, doi:10.1175/1520-0493(1977)105<0803:TVOCCA>2.0.CO;2).
    margin
        Share of a threshold by which the probability must fall below it before its level ends; 0 switches it off.
    base_rate
        Of the target event in the truth that the serving model learned from; None where it is not known, and then the
        lift rule takes the numbers as they stand.
    """

    yellow: float = 0.05
    orange: float = 0.15
    red: float = 0.40
    rule: LevelRule = LevelRule.PROBABILITY
    margin: float = 0.2
    base_rate: float | None = None

    def of(self, region: Region, manifest: ModelManifest | None = None) -> Tiers:
        """Return the rule for a region served by a model: its own probabilities where it sets them, else this rule."""
        if region.thresholds.levels:
            yellow, orange, red = region.thresholds.levels
            return replace(self, yellow=yellow, orange=orange, red=red, rule=LevelRule.PROBABILITY)
        return replace(self, base_rate=base_rate_of(manifest))

    @property
    def thresholds(self) -> Floats:
        """Probabilities from which it is yellow, orange and red, shape (3,)."""
        numbers = np.array([self.yellow, self.orange, self.red])
        if self.rule is not LevelRule.LIFT or self.base_rate is None:
            return numbers
        odds = numbers / (1 - numbers) * _odds(self.base_rate) / _odds(REFERENCE_BASE_RATE)
        return np.asarray(odds / (1 + odds))

    def levels(self, probability: Floats, previous: Sequence[RiskLevel] | None = None) -> tuple[RiskLevel, ...]:
        """Return the level of every probability of the target event; UNKNOWN where it is NaN.

        Parameters
        ----------
        probability
            Shape (places,).
        previous
            The level before, for every place: it rises at once and falls only below its threshold by the margin, so
            that a probability near a threshold does not make it flicker. UNKNOWN holds nothing; None: there is none.
        """
        thresholds = self.thresholds
        rank = np.digitize(probability, thresholds)
        if previous is not None:
            before = np.array([LADDER.index(level) if level in LADDER else 0 for level in previous], int)
            rank = np.maximum(rank, np.minimum(before, np.digitize(probability, thresholds * (1 - self.margin))))
        return _named(rank, probability)

    def along(
        self, probability: Floats, series: NDArray[np.int64], at: NDArray[np.datetime64]
    ) -> tuple[RiskLevel, ...]:
        """Return the levels of forecasts that follow one another: each has its forerunner as its level before.

        Every threshold is a switch of its own, on at the threshold and off below the margin; where neither holds, its
        last state counts. This is `levels` hour by hour, without a loop.

        Parameters
        ----------
        probability
            Shape (cases,), ordered by series and then by time.
        series
            Number of the place, shape (cases,).
        at
            Issue times, shape (cases,); a level is not remembered over more than `MEMORY`.
        """
        rank = np.zeros(len(probability), int)
        known = np.flatnonzero(np.isfinite(probability))
        if len(known):
            p, place, time = probability[known], series[known], at[known]
            begins = np.r_[True, (np.diff(place) != 0) | (np.diff(time) > np.timedelta64(MEMORY))]
            for threshold in self.thresholds:
                on = p >= threshold
                decided = on | begins | (p < threshold * (1 - self.margin))
                rank[known] += on[np.maximum.accumulate(np.where(decided, np.arange(len(p)), 0))]
        return _named(rank, probability)

    @property
    def text(self) -> str:
        """The rule in words, for the legend."""
        event, colours = f"P({TARGET.text} in {TARGET.window_h} h)", ("yellow", "orange", "red")
        numbers = zip(colours, self.thresholds.tolist(), strict=True)
        if self.rule is LevelRule.COST_LOSS:
            meaning = [
                f"{c} from {_percent(p)}, worth it for measures that cost up to {_percent(p)}" for c, p in numbers
            ]
            said = f"level by {event} against cost and loss: {'; '.join(meaning)} of the loss they avoid"
        elif self.rule is LevelRule.LIFT and self.base_rate is not None:
            usual = self.base_rate
            lifts = [f"{c} from {_percent(p)} ({_two_digits(p / usual)} times climatology)" for c, p in numbers]
            said = f"level by {event}: {', '.join(lifts)}; climatology is {_percent(usual)} where the model learned"
        else:
            said = f"level by {event}: {', '.join(f'{c} from {_percent(p)}' for c, p in numbers)}"
            if self.rule is LevelRule.LIFT:
                said += ", not scaled to climatology: no scorecard of a serving model tells it"
        return said + (f"; a level ends {_percent(self.margin)} below its threshold" if self.margin else "")


def base_rate_of(manifest: ModelManifest | None) -> float | None:
    """Return how often the target event followed where a model learned, None where no scorecard says."""
    card = manifest.card_of(TARGET) if manifest else None
    return card.events / card.n if card and 0 < card.events < card.n else None


def _odds(probability: float) -> float:
    return probability / (1 - probability)


def _percent(probability: float) -> str:
    return f"{_two_digits(100 * probability)} %"


def _two_digits(value: float) -> str:
    """Return a number in words: two digits are what a threshold is known by."""
    return f"{float(f'{value:.2g}'):g}"


def _named(rank: NDArray[np.int64], probability: Floats) -> tuple[RiskLevel, ...]:
    """Return the levels of ranks 0..3, UNKNOWN where the probability is no number."""
    ladder = (*LADDER, RiskLevel.UNKNOWN)
    rank = np.where(np.isfinite(probability), rank, len(LADDER))
    return tuple(ladder[i] for i in rank)


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
