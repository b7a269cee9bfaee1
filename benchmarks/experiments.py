"""How often experiments find what is not there, and what is: whole analyses of simulated experiments.

python -m benchmarks.experiments [--runs 1000] [--days 90] [--places 40] [--base-rate 0.02] [--shared 0.8]

The world is that of `benchmarks.gate_simulation`: two forecasts of the same weather whose expected Brier scores are
known. Of experiments between equally good ones, looked at after every day, it counts how many ever declare a winner; of
experiments with a known difference, how many find it by the paired analysis and by a traffic split, in which every
place and day is forecast by one variant only; and how often the interval of the gain holds the true gain. Ends with 1
unless at most 5 % of the equals find a winner, the paired analysis finds more, and the intervals hold in 93 to 97 %.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from benchmarks.gate_simulation import ALARM_FACTOR, CHAMPION, NOISE, SEED, View, World
from core.domain.experiment import Counts, Experiment, ModelVariant, Stage, Status, TrafficSplitStrategy
from core.experiments import inference
from core.experiments.analysis import Recorded, analyse
from core.experiments.sums import Sums, sums

Floats = NDArray[np.float64]
#: The largest share of equals that may ever declare a winner, and between what the coverage of 95 % must lie.
WINNERS_LIMIT, COVERAGE = 0.05, (0.93, 0.97)
BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
#: Differences of the Brier score that are looked for.
DIFFERENCES = (0.02, 0.05, 0.10)
OWN, RIVAL = "challenger", "control"


@dataclass(frozen=True)
class Found:
    """What one experiment came to."""

    ever: Status | None
    gain: float
    low: float
    high: float
    split: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiments and print what they came to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.experiments", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--places", type=int, default=40)
    parser.add_argument("--base-rate", type=float, default=0.02)
    parser.add_argument("--shared", type=float, default=0.8)
    args = parser.parse_args(arguments)
    world = World(args.days, args.places, args.base_rate, args.shared)
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {args.runs} experiments each, {args.days} days, {args.places} places"
    )
    print("| challenger | ever a winner | for the challenger | coverage of 95 % | traffic split finds |")
    print("|---|---|---|---|---|", flush=True)
    well = True
    for difference in (0.0, *DIFFERENCES):
        begun = time.perf_counter()
        found, gain = _experiments(world, difference, args.runs)
        ever = [f.ever for f in found]
        winners, shipped = sum(e is not None for e in ever), sum(e is Status.SHIP_NOW for e in ever)
        held = sum(f.low <= gain <= f.high for f in found)
        split = sum(f.split for f in found)
        name = f"{100 * difference:g} % better" if difference else "equal (A/A)"
        rows = (_share(n, args.runs) for n in (winners, shipped, held, split))
        print(f"| {name} | " + " | ".join(rows) + " |", flush=True)
        print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        holds = COVERAGE[0] <= held / args.runs <= COVERAGE[1]
        if not holds:
            print(f"{name}: the interval holds in {held / args.runs:.1%}, not in 93 to 97 %", file=sys.stderr)
        well &= holds
        well &= shipped > split if difference else winners <= WINNERS_LIMIT * args.runs
    return 0 if well else 1


def _experiments(world: World, difference: float, runs: int) -> tuple[list[Found], float]:
    """Return experiments with a challenger whose Brier score is less by a share of the control's, and the true gain."""
    view = CHAMPION if not difference else world.losing(-difference, View, 1e-6, NOISE)
    if view is None:
        raise SystemExit(f"nobody is {difference:.0%} better in this world")
    rng = np.random.default_rng(SEED)
    gain = 1 - world.brier(view) / world.brier(CHAMPION)
    return [_experiment(world, view, rng) for _ in range(runs)], gain


def _experiment(world: World, view: View, rng: np.random.Generator) -> Found:
    own, control, happened = (part.reshape(world.days, -1) for part in world.season(view, rng))
    alarm = ALARM_FACTOR * world.base_rate
    untimed = np.full(own.shape[1], np.nan)
    days = {
        name: Sums(np.array([sums(said[d], control[d], happened[d], untimed, alarm) for d in range(world.days)]))
        for name, said in ((OWN, own), (RIVAL, control))
    }
    experiment = Experiment(
        "simulated",
        (ModelVariant(RIVAL, version=RIVAL), ModelVariant(OWN, version=OWN)),
        TrafficSplitStrategy.RANDOM,
        BEGIN,
        alarm=alarm,
    )
    gain = analyse(experiment, _recorded(days)).contrasts[0].gain
    if gain.value is None or gain.low is None or gain.high is None:
        raise SystemExit("an experiment without an interval: take more days or places")
    return Found(_ever(experiment, days), gain.value, gain.low, gain.high, _split(own, control, happened, rng))


def _recorded(days: dict[str, Sums]) -> Recorded:
    return Recorded(Stage.RUNNING, {OWN: 0.5, RIVAL: 0.5}, days, dict.fromkeys(days, Counts(units=100)), {})


def _ever(experiment: Experiment, days: dict[str, Sums]) -> Status | None:
    """Return the first decision that somebody who looks after every day would be told, None where there is none.

    What the bounds of a day are does not depend on later days, so whole analyses are made of those days only on which
    the bounds of the gain or of the POD exclude 0: on all others there is no winner.
    """
    own, rules = days[OWN], experiment.rules
    rates = ((own["gain"], own["control_brier"]), (own["pair_hits"] - own["control_hits"], own["pair_events"]))
    bounds = [inference.sequence(*rate, rules.confidence, rules.min_days)[1:] for rate in rates]
    some = np.any([(low > 0) | (high < 0) for low, high in bounds], axis=0)
    for t in np.flatnonzero(some) + 1:
        found = analyse(experiment, _recorded({name: Sums(s.days[:t]) for name, s in days.items()}))
        if found.winner.winner_variant is not None:
            return found.status
    return None


def _split(own: Floats, control: Floats, happened: Floats, rng: np.random.Generator) -> bool:
    """Say whether a traffic split finds the challenger better: places and days forecast by one variant each.

    The classical way, looked at once, at the end: the mean loss of either side by day, and an interval over days of
    the difference of the two means.
    """
    days = len(own)
    places = own.shape[1] // 4
    mine = np.repeat(rng.random((days, 1, places)) < 0.5, 4, axis=1).reshape(days, -1)
    loss = np.where(mine, (own - happened) ** 2, (control - happened) ** 2)
    sums_, counts = ([(part * side).sum(axis=1) for side in (mine, ~mine)] for part in (loss, np.ones_like(loss)))
    means = [a.sum() / n.sum() for a, n in zip(sums_, counts, strict=True)]
    # What a day says of either mean, around it: the difference of the two is the gain.
    off = [(a - m * n) / n.mean() for a, n, m in zip(sums_, counts, means, strict=True)]
    found = inference.relative_gain(means[1] - means[0] + off[1] - off[0], np.ones(days), 95, rng)
    return found.low is not None and found.low > 0


def _share(n: int, runs: int) -> str:
    interval = binomtest(n, runs).proportion_ci(0.9, "wilson")
    return f"{n / runs:.1%} ({interval.low:.1%} to {interval.high:.1%})"


if __name__ == "__main__":
    sys.exit(main())
