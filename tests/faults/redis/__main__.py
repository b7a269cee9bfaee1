"""Outages of Redis under the running program: what they cost a reader, and when it is in use again.

    python -m tests.faults.redis [--full] [--only GATE] [--out docs/RELIABILITY.md]

The machine may be noisy: a twin of the program with nothing but memory is asked the same at the same time, and the
difference is judged, request by request and page by page. One that the machine makes does not come at every try.
"""

from __future__ import annotations

import itertools
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from statistics import median, median_high

from benchmarks.program import served, settings
from tests.faults.broken_program import by, greeting, resigned, unguarded
from tests.faults.gates import Gate, Result, main
from tests.faults.programs import gone, house, started, until
from tests.faults.redis.cache_in_processes import gate_of_replies, gate_of_stampede
from tests.faults.redis.outages import KILLED, OUTAGES, STOPPED, Station, back_s, in_use, station
from tests.faults.redis.paired_requests import Pair, Rush, rushing, under_way

#: Goals: what an outage may add to the worst request and page, and to 99 of 100 requests after its first second; until
#: it is used again; and what it may add to a start.
MOST_S, P99_S, FIRST_S, BACK_S, START_S = 0.1, 0.005, 1.0, 5.0, 1.0
CLIENTS = 4
REGION = "points-example"
PLAIN = ("streamlit",)
#: An outage is tried so often at the most, and judged by the try that added least: what the machine does by chance it
#: does not do so often in a row. Of all tries this share may have been needed for it: more is not chance.
ATTEMPTS, BY_CHANCE = 5, 0.25
#: So often the program is started in each way: the middle one counts.
STARTS, FULL_STARTS = 3, 9


def gate_of_chaos(folder: Path, full: bool) -> Result:
    """Let the server do its worst in every way, in turn; redis-py as it comes, in one."""
    with (
        station() as redis,
        _programs(folder, redis.proxy.url, "memory:") as (ours, twin),
        rushing(ours, twin, CLIENTS) as rush,
    ):
        rush.outlast(2.0)
        found = _Chaos(rush, rush.pairs[CLIENTS:])
        over_at = time.monotonic() + 1800 * full
        for mode in itertools.cycle(OUTAGES):
            found.suffer(redis, mode, 2.0 if full else 1.6)
            if mode == OUTAGES[-1] and time.monotonic() > over_at:
                break
    with station() as redis, _programs(folder, redis.proxy.url, "memory:", unguarded) as (ours, twin):
        control = _unguarded(redis, ours, twin)
    told = f"redis-py as it comes adds {1000 * control:.0f} ms to most requests"
    return Result(found.text(), found.judged(), told, control > MOST_S)


class _Chaos:
    """What was seen of the outages so far."""

    def __init__(self, rush: Rush, well: Sequence[Pair]) -> None:
        self.rush, self.well = rush, well
        self.wrong: list[str] = []
        #: What was added at the most, seconds, and in which outage; to a request, and to a page.
        self.worst: dict[str, tuple[float, str]] = {}
        self.backs: list[float] = []
        self.later: list[Pair] = []
        self.again = self.outages = 0
        #: What was added at the most in any try, seconds.
        self.most = 0.0

    def suffer(self, redis: Station, mode: str, seconds: float) -> None:
        """Suffer one outage, and again where too much was added: what does not come at every try is the machine's."""
        least: dict[str, float] = {}
        for attempt in range(ATTEMPTS):
            self.again += attempt > 0
            for what, added in self._once(redis, mode, seconds).items():
                least[what] = min(added, least.get(what, added))
                self.most = max(added, self.most)
            if max(least.values()) <= MOST_S:
                break
        for what, added in least.items():
            if added > MOST_S:
                self.wrong.append(f"{mode}: at least {1000 * added:.0f} ms added to a {what}, {ATTEMPTS} times")
            self.worst[what] = max(self.worst.get(what, (0.0, mode)), (added, mode))

    def _once(self, redis: Station, mode: str, seconds: float) -> Mapping[str, float]:
        """Suffer one outage that must be noticed; return what it added at the most to a request and to a page."""
        back_s(self.rush.ours, BACK_S)  # what is not in use cannot be missed
        self.outages += 1
        begun = time.monotonic()
        with redis.outage(mode):
            time.sleep(seconds)
            if in_use(self.rush.ours):
                self.wrong.append(f"{mode}: not noticed")
        ended = time.monotonic()
        back = back_s(self.rush.ours, BACK_S)
        if back is None:
            self.wrong.append(f"{mode}: not in use again after {BACK_S:g} s")
        else:
            self.backs.append(back)
        self.rush.answered(ended)  # whatever hung until then is counted
        pairs, pages = (under_way(kept, begun, ended) for kept in (self.rush.pairs, self.rush.pages))
        self.later += [pair for pair in pairs if pair.at >= begun + FIRST_S]
        return {"request": max(p.added_s for p in pairs), "page": max((p.added_s for p in pages), default=0.0)}

    @property
    def p99(self) -> tuple[float, float]:
        """Of both programs after the first second of an outage."""
        return _p99([p.ours_s for p in self.later]), _p99([p.twin_s for p in self.later])

    def judged(self) -> list[str]:
        """Return all that is wrong."""
        ours, twin = self.p99
        late = [f"p99 {1000 * ours:.1f} ms, the twin's {1000 * twin:.1f} ms"] if ours - twin > P99_S else []
        too_often = self.again > BY_CHANCE * self.outages
        often = [f"{self.again} of {self.outages} tries added too much"] if too_often else []
        return [*self.wrong, *late, *often, *self.rush.wrong]

    def text(self) -> str:
        """Return what was counted."""
        ours, twin = self.p99
        worst = " and ".join(f"{1000 * s:.0f} ms to a {what} ({mode})" for what, (s, mode) in self.worst.items())
        well_ours, well_twin = _p99([p.ours_s for p in self.well]), _p99([p.twin_s for p in self.well])
        return (
            f"{self.outages} outages of {len(OUTAGES)} kinds, {len(self.rush.pairs)} requests and"
            f" {len(self.rush.pages)} pages, {len(self.rush.wrong)} errors; at most added, by the best of up to"
            f" {ATTEMPTS} tries: {worst}; {self.again} tried again, {1000 * self.most:.0f} ms the most in any;"
            f" p99 after the first second {1000 * ours:.1f} ms, the twin's {1000 * twin:.1f} ms"
            f" (well: {1000 * well_ours:.1f} and {1000 * well_twin:.1f});"
            f" in use again after {max(self.backs, default=0.0):.1f} s at the most"
        )


def gate_of_return(folder: Path, full: bool) -> Result:
    """Wait until it is in use again; a variant that gave it up for good."""
    backs, wrong, given_up = [], [], 0
    modes = (KILLED, STOPPED, "silent", "close") * (5 if full else 1)
    with (
        station() as redis,
        _programs(folder, redis.proxy.url, redis.proxy.url, resigned, plain_first=True) as (ours, broken),
    ):
        for mode in modes:
            with redis.outage(mode), rushing(ours, broken, 2, pages=False) as rush:
                rush.outlast(1.5)
                wrong += [f"{mode}: not noticed"] if in_use(ours) else []
            took = back_s(ours, BACK_S)
            wrong += [f"{mode}: not after {BACK_S:g} s"] if took is None else []
            backs += [] if took is None else [took]
        given_up += back_s(broken, BACK_S) is None
    text = f"{len(backs)} of {len(modes)} times in use again, after {max(backs, default=0.0):.1f} s at the most"
    return Result(text, wrong, f"without a probe {'never' if given_up else 'all the same'}", bool(given_up))


def gate_of_start(folder: Path, full: bool) -> Result:
    """Start beside a server that is away, and one that hangs; a variant that greets it first."""
    found = [_starts(folder / str(number)) for number in range(FULL_STARTS if full else STARTS)]
    extra = {name: median(one[name] - one["memory"] for one in found) for name in ("refused", "hanging", "greeting")}
    control = extra.pop("greeting")
    wrong = [f"{name}: {s:.1f} s more" for name, s in extra.items() if s > START_S]
    ready = median(one["memory"] for one in found)
    told = ", ".join(f"{name} {s:+.1f} s" for name, s in extra.items())
    text = f"{len(found)} starts: in the middle ready after {ready:.1f} s with memory alone, {told}"
    return Result(text, wrong, f"greeting first {control:+.1f} s and more", control > START_S)


GATES: dict[str, Gate] = {
    "redis chaos": gate_of_chaos,
    "redis back": gate_of_return,
    "redis at start": gate_of_start,
    "cache stampede": gate_of_stampede,
    "resp fuzz": gate_of_replies,
}


def _unguarded(redis: Station, ours: str, twin: str) -> float:
    """Return what a server that hangs adds to most requests of a program without a guard, seconds."""
    with rushing(ours, twin, 2, pages=False) as rush:
        rush.outlast(1.0)
        redis.proxy.mode = "silent"
        begun = time.monotonic()
        time.sleep(2.0)
        redis.proxy.close()  # or its requests would hang for as long as they like
    return median_high(pair.added_s for pair in under_way(rush.pairs, begun))  # by now each client has been answered


def _starts(folder: Path) -> dict[str, float]:
    """Start the program in four ways at once, since a busy machine is as busy for all; return until each was ready.

    The libraries are loaded, which takes as long in every way. Whoever greets first is given up a moment after the
    others are ready, or it would wait for as long as it likes.
    """
    with socket.create_server(("127.0.0.1", 0)) as hanging, ExitStack() as stack:  # which takes no call
        url = f"redis://127.0.0.1:{hanging.getsockname()[1]}"
        plain = {"memory": "memory:", "refused": "redis://127.0.0.1:1", "hanging": url}
        programs = {}
        for name, cache in {**plain, "greeting": url}.items():
            environment = house(folder / name, CACHE_URL=cache, REGION=REGION)
            programs[name] = started(environment, folder / f"{name}.log", greeting if name == "greeting" else None)
            stack.callback(gone, programs[name])
        begun = time.monotonic()

        def ready_s(name: str, most_s: float = 60.0) -> float:
            until(programs[name].ready, most_s)
            return time.monotonic() - begun

        with ThreadPoolExecutor(len(plain)) as pool:
            took = dict(zip(plain, pool.map(ready_s, plain), strict=True))
        return took | {"greeting": ready_s("greeting", 2 * START_S)}


@contextmanager
def _programs(
    folder: Path, cache: str, twins: str, variant: Callable[[], None] | None = None, *, plain_first: bool = False
) -> Iterator[tuple[str, str]]:
    """Run two programs: one with this cache and its twin; a variant is the second where the plain one is first."""
    ways = [PLAIN if variant is None else by(variant), PLAIN]
    ways = ways[::-1] if plain_first else ways
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        homes = [folder / f"{variant.__name__ if variant else 'plain'}{i}" for i in range(2)]
        both = [_program(*one) for one in zip(homes, (cache, twins), ways, strict=True)]
        ours, twin = pool.map(stack.enter_context, both)
        yield ours, twin


def _program(home: Path, cache: str, way: Sequence[str]) -> AbstractContextManager[str]:
    home.mkdir(parents=True, exist_ok=True)
    environment = settings(
        HOME=home,
        CACHE_URL=cache,
        REGION=REGION,
        SIMULATED_HISTORY_DAYS=0,
        PREDICT_PER_MINUTE=0,
        LOG_LEVEL="WARNING",
    )
    return served(environment, home / "server.log", way)


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(0.99 * len(seconds))] if seconds else 0.0


if __name__ == "__main__":
    sys.exit(main("tests.faults.redis", GATES))
