"""How often the gate promotes what it should not, and what it should: whole decisions in a simulated world.

The house's own `compare` and `Gate.judge`, with the gate of the settings, decide on candidates that are equally good,
worse and better than the champion by construction; beside them stands the classic rule "more than 1 % better" alone.
Ends with 1 unless the gate promotes at most 5 % of the equally good and at most 1 % of the worse.

The world: log-odds of the event are normal, the sum of a regional regime that lasts for days (AR(1)), of a place's day
and of the single case, so that events cluster by day and by place. A forecast sees them through noise with the same
three parts, most of it shared with its rival's as between models that learned from overlapping data, and says the exact
probability given what it sees: it is calibrated, and its expected Brier score is known. Equally good is noise of the
same size; worse is more of it, or the same and overconfident, or twice the odds.

How much room chance has was compared with boostings that learned from overlapping years of 80 gauges and spoke of 2023.
Over 90 days the gain of one over another varied by .1 to .8 % there and does by .8 % here between equally good ones;
that of one overconfident by 1 % by .5 % and 1.5 %, that of twice the odds by 2.5 % and 3.5 %. The number of events had
a correlation of .37 from day to day and here .36, the daily mean of the log-odds' difference one of .5 to .9 and .7.

The cases are thinned: one issue every 6 hours, whose windows do not overlap, at 40 places, where a region has 60 to 160
places and an issue every hour. What is left out would mostly repeat what is there.

python -m benchmarks.gate_simulation [--runs 1000] [--days 90 30] [--places 40] [--base-rate 0.02] [--shared 0.8]
    [--spell-days 5]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import binomtest

from core.bootstrap.life import gate_of
from core.domain.forecast import TARGET
from core.domain.lifecycle import Comparison
from core.errors import LeakSuspected
from core.learning.promotion import Gate, bare
from core.settings import Settings
from core.verification.comparison import SPELL_DAYS, compare
from core.workflows.judging import DRAWS

Floats = NDArray[np.float64]
#: The largest shares of the equally good and of the worse that may be promoted.
EQUAL_LIMIT, WORSE_LIMIT = 0.05, 0.01
SEED = 7
BEGIN, ISSUES_PER_DAY = datetime(2026, 6, 1, tzinfo=UTC), 4
#: A warning begins at so many times the base rate.
ALARM_FACTOR = 4
#: Standard deviation of the true log-odds, and of the champion's noise: a Brier skill of .06 where .19 are possible.
SPREAD, NOISE = 2.2, 2.0
#: Shares of variance of the regime, of a place's day and of the case, and how much of a regime is left a day later.
TRUTH_PARTS, TRUTH_MEMORY = (0.4, 0.3, 0.3), 0.6
NOISE_PARTS, NOISE_MEMORY = (0.2, 0.2, 0.6), 0.8
#: Nodes and weights of the expectation over a standard normal variable.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True)
class View:
    """How a forecast sees the true log-odds: its noise, and by how much it stretches and shifts what it then says."""

    noise: float = NOISE
    stretch: float = 1.0
    shift: float = 0.0

    def said(self, probability: Floats, base_rate: float) -> Floats:
        """Return what it says in place of the calibrated probability."""
        if self.stretch == 1 and self.shift == 0:
            return probability
        middle = logit(base_rate)
        return np.asarray(expit(middle + self.stretch * (logit(probability) - middle) + self.shift))


CHAMPION = View()


@cache
def calibrated(centre: float, noise: float) -> tuple[float, Floats, Floats]:
    """Return the weight of what is seen, and log-odds with the probability of the event where they are expected."""
    weight = SPREAD**2 / (SPREAD**2 + noise**2)
    expected = np.linspace(centre - 8 * SPREAD, centre + 8 * SPREAD, 1200)
    return weight, expected, expit(expected[:, None] + SPREAD * np.sqrt(1 - weight) * NODES) @ WEIGHTS


@dataclass(frozen=True)
class World:
    """Weather and forecasts of it; `shared` is the share of the noise's variance that two forecasts have in common.

    Gains are judged by spells of `spell_days`.
    """

    days: int
    places: int
    base_rate: float
    shared: float
    spell_days: int = SPELL_DAYS

    @cached_property
    def centre(self) -> float:
        """Mean of the true log-odds."""
        return float(brentq(lambda at: WEIGHTS @ expit(at + SPREAD * NODES) - self.base_rate, -20, 5))

    def brier(self, view: View) -> float:
        """Return the expected Brier score: p (1 - p) of the calibrated probability p, and (said - p)^2."""
        weight, expected, sure = calibrated(self.centre, view.noise)
        p = np.interp(self.centre + np.sqrt(weight) * SPREAD * NODES, expected, sure)
        return float(WEIGHTS @ (p * (1 - p) + (view.said(p, self.base_rate) - p) ** 2))

    def losing(self, loss: float, view: Callable[[float], View], least: float, most: float) -> View | None:
        """Return the view whose expected Brier score is that of the champion and this share of it more.

        None where there is none: of a very rare event nobody is much better or worse than the base rate.
        """
        target = self.brier(CHAMPION) * (1 + loss)
        if not self.brier(view(least)) <= target <= self.brier(view(most)):
            return None
        return view(float(brentq(lambda x: self.brier(view(x)) - target, least, most)))

    def season(self, candidate: View, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Return what candidate and champion say and what happens, each of shape (days, issues, places)."""
        truth = SPREAD * self.weather(TRUTH_PARTS, TRUTH_MEMORY, rng)
        happened = (rng.random(truth.shape) < expit(self.centre + truth)).astype(float)
        common = np.sqrt(self.shared) * self.weather(NOISE_PARTS, NOISE_MEMORY, rng)
        said = []
        for view in (candidate, CHAMPION):
            noise = common + np.sqrt(1 - self.shared) * self.weather(NOISE_PARTS, NOISE_MEMORY, rng)
            weight, expected, sure = calibrated(self.centre, view.noise)
            p = np.interp(self.centre + weight * (truth + view.noise * noise), expected, sure)
            said.append(view.said(p, self.base_rate))
        return said[0], said[1], happened

    def weather(self, parts: tuple[float, float, float], memory: float, rng: np.random.Generator) -> Floats:
        """Return standard normal values, the sum of a regime, of a place's day and of the single case."""
        regime = rng.normal(size=self.days)
        for day in range(1, self.days):
            regime[day] = memory * regime[day - 1] + np.sqrt(1 - memory**2) * regime[day]
        of_regime, of_place, of_case = np.sqrt(parts)
        local = of_place * rng.normal(size=(self.days, 1, self.places))
        single = of_case * rng.normal(size=(self.days, ISSUES_PER_DAY, self.places))
        return np.asarray(of_regime * regime[:, None, None] + local + single)


@dataclass
class Tally:
    """What became of many candidates of one kind."""

    runs: int = 0
    promoted: int = 0
    by_bare: int = 0
    gains: list[float] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    stopped_by: Counter[str] = field(default_factory=Counter)

    def row(self) -> str:
        """Return one line of the table, without the name."""
        shares = "  ".join(f"{share(count, self.runs):>23}" for count in (self.promoted, self.by_bare))
        rules = ", ".join(f"{name} {100 * n / self.runs:.0f}" for name, n in self.stopped_by.most_common(4))
        gain, sd = 100 * np.mean(self.gains), 100 * np.std(self.gains)
        return f"{shares}  {gain:+6.2f} {sd:5.2f}  {np.median(self.events):6.0f}  {rules}"


def kinds(world: World) -> dict[str, tuple[View, float | None]]:
    """Return the candidates by name, with the largest share that may be promoted (None: as many as possible)."""
    never, perfect = 50 * SPREAD, 1e-6
    worse = {f"noisier, {loss:.0%} worse": world.losing(loss, View, NOISE, never) for loss in (0.01, 0.03, 0.05)}
    worse |= {f"overconfident, {loss:.0%} worse": world.losing(loss, _stretched, 1, 9) for loss in (0.01, 0.03)}
    worse["twice the odds"] = View(shift=float(np.log(2)))
    better = {f"{gain:.0%} better": world.losing(-gain, View, perfect, NOISE) for gain in (0.02, 0.05, 0.1)}
    limits = {"equally good": EQUAL_LIMIT, **dict.fromkeys(worse, WORSE_LIMIT), **dict.fromkeys(better)}
    views = {"equally good": CHAMPION, **worse, **better}
    return {name: (view, limits[name]) for name, view in views.items() if view is not None}


def _stretched(by: float) -> View:
    return View(stretch=by)


def compared(world: World, candidate: View, gate: Gate, rng: np.random.Generator) -> Comparison:
    """Return the comparison of one season, made as in production."""
    ours, theirs, happened = world.season(candidate, rng)
    day = np.broadcast_to(np.arange(world.days)[:, None, None], happened.shape)
    return compare(
        ours.ravel(),
        theirs.ravel(),
        happened.ravel(),
        np.full(happened.size, world.base_rate),
        day.ravel(),
        event=TARGET,
        measure=gate.measure,
        confidence=gate.confidence,
        alarm=ALARM_FACTOR * world.base_rate,
        draws=DRAWS,
        shown_draws=0,  # no rule looks at the other intervals
        spell_days=world.spell_days,
        rng=rng,
        begin=BEGIN,
        end=BEGIN + timedelta(days=world.days, hours=-1),
    )


def tallied(world: World, candidate: View, gate: Gate, runs: int, rng: np.random.Generator) -> Tally:
    """Return what the gate decides on a candidate in many seasons."""
    tally = Tally(runs)
    for _ in range(runs):
        try:
            comparison = compared(world, candidate, gate, rng)
        except LeakSuspected as error:
            tally.stopped_by.update(rule.name for rule in gate.judge(None, leak=error.message).rules)
            continue
        verdict = gate.judge(comparison)
        tally.promoted += verdict.promote
        tally.by_bare += bare(comparison, gate.gain_percent)
        tally.gains.append(comparison.relative_gain.value or 0.0)
        tally.events.append(comparison.candidate.events)
        tally.stopped_by.update(rule.name for rule in verdict.rules if not rule.met)
    return tally


def share(count: int, runs: int) -> str:
    """Return a share in percent with its 95 % interval (Clopper and Pearson 1934)."""
    interval = binomtest(count, runs).proportion_ci()
    return f"{100 * count / runs:.1f} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def print_world(world: World, gate: Gate, runs: int) -> list[str]:
    """Print the table of one world and return what breaks a limit."""
    begun, broken = time.perf_counter(), []
    uncertainty = world.base_rate * (1 - world.base_rate)
    print(
        f"\n{world.days} days held out, {world.places} places, base rate {world.base_rate:.1%}, Brier skill of the "
        f"champion {1 - world.brier(CHAMPION) / uncertainty:.3f}; {runs} runs each"
    )
    heads = f"{'candidate':<24}{'promoted by the gate, %':>23}  {'by gain > 1 % alone, %':>23}"
    print(f"{heads}    gain +- sd %  events  rules not met, %")
    for number, (name, (view, limit)) in enumerate(kinds(world).items()):
        tally = tallied(world, view, gate, runs, np.random.default_rng([SEED, world.days, number]))
        print(f"{name:<24}{tally.row()}", flush=True)
        if limit is not None and tally.promoted > limit * runs:
            broken.append(f"{name}, {world.days} days: {share(tally.promoted, runs)} %, limit {100 * limit:.0f} %")
    print(f"{time.perf_counter() - begun:.0f} s")
    return broken


def main() -> None:
    """Print a table for every length of the holdout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--days", type=int, nargs="+", default=[90, 30])
    parser.add_argument("--places", type=int, default=40)
    parser.add_argument("--base-rate", type=float, default=0.02)
    parser.add_argument("--shared", type=float, default=0.8)
    parser.add_argument("--spell-days", type=int, default=SPELL_DAYS, help="1 shows why single days are not enough")
    options = parser.parse_args()
    gate = gate_of(Settings())
    broken = []
    for days in options.days:
        world = World(days, options.places, options.base_rate, options.shared, options.spell_days)
        broken += print_world(world, gate, options.runs)
    print("\n" + ("\n".join(f"TOO MANY: {text}" for text in broken) or "within the limits"))
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
