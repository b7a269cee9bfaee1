"""A hundred open dashboards on two cores: how fast they are drawn, what fails, what leaks, and what it costs.

The program runs as a user starts it, with simulated weather. Real sessions without a browser speak the pages' own
protocol from one of the cores: half of them show the map, the rest all other pages in turn. Each does what its page
asks for, which is to draw the header anew every ten seconds, and the whole page where there is a new issue, and its
forecaster changes the page once a minute. Every session first searches for a token of its own, which the server
remembers for it and shows on its Point page; a token in a session that did not make it is a leak. Beside them programs
ask the API ten times a second for its health and twice a second for forecasts. Times run from the moment at which a
draw was due.

Then twice as many; a hundred at once; and the map drawn whole every ten seconds by a hundred, beside a naive page with
Streamlit's default settings that is asked for just as often, and must be found too slow. A page that keeps what was
searched for, and more with every draw, in a global variable must be found leaking and growing.

python -m benchmarks.load [--count 100] [--minutes 30] [--twice-minutes 5] [--whole-minutes 2] [--out FILE.md]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load_pages import MAP, Habit, Seen, opened
from benchmarks.load_requests import Answers, asking
from benchmarks.program import ROOT, ask, held_mb, process_of, served, settings
from tests.faults.gates import Result, judged

#: Goals: seconds of 95 of 100 draws with so many dashboards and with twice as many, of answers about health, and the
#: growth of the memory.
P95_S, TWICE_P95_S, HEALTH_P95_S, GROWTH = 0.3, 0.75, 0.005, 0.10
#: The map alone is drawn whole so often, seconds.
WHOLE_S = 10.0
#: Dashboards are opened within so long, and their pages changed so often, seconds.
RAMP_S, CHANGE_S = 60.0, 60.0
#: Seconds between two looks at the memory.
LOOK_S = 5.0
#: Growth is counted from here on: caches fill with the first draws.
WARM_S = 180.0
#: How many times as long as ours the naive page takes at the least.
RATIO = 10.0
#: The program's, and of these the last for the sessions: two of however many there are.
CORES = sorted(os.sched_getaffinity(0))[:2]
TICK_S = os.sysconf("SC_CLK_TCK")
LEAKY = """import builtins
import streamlit as st
found, held = builtins.__dict__.setdefault("found", []), builtins.__dict__.setdefault("held", [])
held.append(b"1" * 4_000_000)
text = st.text_input("Find a place")
if text and text not in found:
    found.append(text)
st.write(found[-1:])
"""


@dataclass
class Memory:
    """What a process holds, megabytes, by seconds since the look-out began."""

    at_s: list[float] = field(default_factory=list)
    held_mb: list[float] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """The last fifth of the time over the first fifth after warming up, as a share."""
        warm = [mb for at, mb in zip(self.at_s, self.held_mb, strict=True) if at >= min(WARM_S, self.at_s[-1] / 4)]
        part = max(1, len(warm) // 5)
        return statistics.median(warm[-part:]) / statistics.median(warm[:part]) - 1


@dataclass
class Phase:
    """What one load came to."""

    name: str
    seen: Seen
    answers: Answers
    memory: Memory
    cpu_share: float
    searched: bool

    @property
    def p95_s(self) -> float:
        """Seconds of 95 of 100 draws after the first, or of 95 of 100 whole pages, whichever are more."""
        return max(quantile(self.seen.drawn_s, 95), quantile(self.seen.whole_s, 95))

    @property
    def wrong(self) -> list[str]:
        """What may never happen, however long it takes."""
        found = [*self.seen.errors, *self.answers.errors, *(f"leaked {token}" for token in self.seen.leaks)]
        if self.searched and self.seen.told < len(self.seen.opened_s):
            found.append(f"only {self.seen.told} of {len(self.seen.opened_s)} were shown their own token")
        return found if self.seen.opened_s else [*found, "no dashboard was opened"]

    def text(self) -> str:
        """Return the counts in words."""
        seen, held = self.seen, self.memory.held_mb
        told = f"{len(seen.leaks)} leaks, {seen.told} shown their own token" if self.searched else "none has a token"
        return (
            f"{len(seen.opened_s)} open (first page within {max(seen.opened_s, default=float('nan')):.1f} s),"
            f" {len(seen.errors)} errors, {told}; {_spread('draws', seen.drawn_s)};"
            f" {_spread('whole pages', seen.whole_s)};"
            f" {self.cpu_share:.0%} of a core; memory {held[0]:.0f} to {held[-1]:.0f} MB"
        )

    def beside(self) -> str:
        """Return what the API did meanwhile."""
        answers = self.answers
        return (
            f"{_spread('health', answers.health_s)}; {_spread('forecasts', answers.other_s)};"
            f" {len(answers.errors)} errors"
        )


def _spread(what: str, values: Sequence[float]) -> str:
    if not values:
        return f"no {what}"
    parts = (("median", quantile(values, 50)), ("p95", quantile(values, 95)), ("most", max(values)))
    return f"{len(values):,} {what}: " + ", ".join(f"{name} {_ms(s)}" for name, s in parts)


def _ms(seconds: float) -> str:
    """Return milliseconds, whole ones from a hundred on.

    >>> _ms(0.00424), _ms(7.06)
    ('4.24 ms', '7,060 ms')
    """
    ms = 1e3 * seconds
    return f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.3g} ms"


def quantile(values: Sequence[float], percent: int) -> float:
    """Return a percentile, NaN of fewer than two values."""
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) > 1 else math.nan


def load(name: str, address: str, count: int, habit: Habit, *, api: bool = True) -> Phase:
    """Open so many dashboards; watch the process behind the address meanwhile, and print what was found."""
    process, memory, over, begun = process_of(address), Memory(), threading.Event(), time.monotonic()
    for thread in Path(f"/proc/{process}/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended
            os.sched_setaffinity(int(thread.name), CORES)

    def watch() -> None:
        while not over.wait(LOOK_S if memory.at_s else 0):
            memory.at_s.append(time.monotonic() - begun)
            memory.held_mb.append(held_mb(process))

    watching = threading.Thread(target=watch)
    watching.start()
    spent = _cpu_s(process)
    with asking(address) if api else nullcontext(Answers()) as answers:
        seen = asyncio.run(opened(address, count, habit))
    share = (_cpu_s(process) - spent) / (time.monotonic() - begun)
    over.set()
    watching.join()
    phase = Phase(name, seen, answers, memory, share, habit.searches)
    print(f"{name}: {phase.text()}", *([f"    API: {phase.beside()}"] if api else []), sep="\n", flush=True)
    for error in phase.wrong[:5]:
        print(f"    {error}", flush=True)
    return phase


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found beside its goals; return 1 where one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--twice-minutes", type=float, default=5)
    parser.add_argument("--whole-minutes", type=float, default=2)
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="page whose figures are replaced")
    args = parser.parse_args(arguments)
    os.sched_setaffinity(0, CORES[-1:])  # the sessions; the program may have both cores
    whole = Habit(WHOLE_S, 60 * args.whole_minutes, WHOLE_S, MAP, searches=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = settings(HOME=folder, SIMULATED_HISTORY_DAYS=0, PREDICT_PER_MINUTE=0, LOG_LEVEL="WARNING")
        with served(environment, folder / "log") as address:
            ask(f"{address}/api/forecasts")
            ours = load(f"{args.count} open", address, args.count, Habit(RAMP_S, 60 * args.minutes, CHANGE_S))
            stay = Habit(2 * RAMP_S, 60 * args.twice_minutes, CHANGE_S)
            twice = load(f"{2 * args.count} open", address, 2 * args.count, stay)
            burst = load(f"{args.count} at once", address, args.count, Habit(0, 0, CHANGE_S))
            map_ = load("the map whole", address, args.count, whole)
        naive = _bare(folder, ROOT / "benchmarks" / "naive_page.py", args.count, whole)
        (folder / "leaky.py").write_text(LEAKY, "utf-8")
        leaky = _bare(folder, folder / "leaky.py", 10, Habit(1, 20, 2, MAP))
    ratio = naive.p95_s / map_.p95_s
    control = (
        f"the naive page takes {naive.p95_s:.1f} s, {ratio:.0f} times as long as the map (p95), with"
        f" {len(naive.seen.errors)} errors; what a global variable holds leaked {len(leaky.seen.leaks)} times and grew"
        f" by {leaky.memory.growth:.0%}",
        naive.p95_s > P95_S and bool(leaky.seen.leaks) and leaky.memory.growth > GROWTH,
    )
    print(control[0])
    health_s, growth = quantile(ours.answers.health_s, 95), ours.memory.growth
    goals = (
        (
            "load",
            ours,
            [("p95 s", ours.p95_s, P95_S), ("health p95 s", health_s, HEALTH_P95_S), ("growth", growth, GROWTH)],
        ),
        ("load twice", twice, [("p95 s", twice.p95_s, TWICE_P95_S)]),
        ("load burst", burst, []),
        ("load whole", map_, [("part of the naive page's time", 1 / ratio, 1 / RATIO)]),
    )
    well = [_kept(name, phase, limits, control, args.out) for name, phase, limits in goals]
    return 0 if all(well) else 1


def _bare(folder: Path, page: Path, count: int, habit: Habit) -> Phase:
    """Return what becomes of another page with Streamlit's default settings."""
    with served(settings(), folder / f"{page.stem}.log", app=page, folder=folder) as address:
        return load(page.stem.replace("_", " "), address, count, habit, api=False)


def _kept(
    name: str, phase: Phase, limits: Sequence[tuple[str, float, float]], control: tuple[str, bool], out: Path | None
) -> bool:
    said = ", ".join(f"{what} {value:.3g} (goal {goal:g})" for what, value, goal in limits)
    result = Result(
        "; ".join(filter(None, [said, phase.text(), f"API beside: {phase.beside()}"])),
        [*phase.wrong, *(f"{what} {value:.3g}, goal {goal:g}" for what, value, goal in limits if not value <= goal)],
        *control,
    )
    return judged(name, lambda: result, out)


def _cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK_S


if __name__ == "__main__":
    sys.exit(main())
