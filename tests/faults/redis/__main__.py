"""Outages of Redis under the running program: what they cost a reader, and when it is in use again.

    python -m tests.faults.redis [--full] [--only GATE] [--out docs/RELIABILITY.md]

The machine may be noisy: a twin of the program with nothing but memory is asked the same at the same time, and the
difference is judged.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from benchmarks.program import ask, served, settings
from tests.caches_made import running
from tests.faults.broken_program import by, greeting, resigned, unguarded
from tests.faults.gates import Gate, Result, main
from tests.faults.redis.cache_in_processes import gate_of_replies, gate_of_stampede
from tests.faults.redis.outages import KILLED, OUTAGES, STOPPED, Station, back_s, station
from tests.faults.redis.paired_requests import Pair, Rush, rushing
from tests.faults.redis.proxy import Proxy

#: Goals: what an outage may add to the worst request, and to 99 of 100 after its first second; until it is used again.
MOST_S, P99_S, FIRST_S, BACK_S, START_S = 0.1, 0.005, 1.0, 5.0, 1.0
CLIENTS = 4
PLAIN = ("streamlit",)
#: What the machine does by chance it does not do so often in a row.
ATTEMPTS = 3


def gate_of_chaos(folder: Path, full: bool) -> Result:
    """Let the server do its worst in every way, in turn; redis-py as it comes, in one."""
    with (
        station() as redis,
        _programs(folder, redis.proxy.url, "memory:") as (ours, twin),
        rushing(ours, twin, CLIENTS) as rush,
    ):
        _outlast(rush, 2.0)
        found = _Chaos(rush, rush.since(0.0)[CLIENTS:])
        until = time.monotonic() + 1800 * full
        for mode in itertools.cycle(OUTAGES):
            found.suffer(redis, mode, 2.0 if full else 1.6)
            if mode == OUTAGES[-1] and time.monotonic() > until:
                break
    with station() as redis, _programs(folder, redis.proxy.url, "memory:", unguarded) as (ours, twin):
        control = _unguarded(redis, ours, twin)
    return Result(found.text(), found.judged(), f"redis-py as it comes adds {1000 * control:.0f} ms", control > MOST_S)


class _Chaos:
    """What was seen of the outages so far."""

    def __init__(self, rush: Rush, well: Sequence[Pair]) -> None:
        self.rush, self.well = rush, well
        self.wrong: list[str] = []
        self.worst: dict[str, float] = {}
        self.backs: list[float] = []
        self.later: list[Pair] = []
        self.again = self.outages = 0

    def suffer(self, redis: Station, mode: str, seconds: float) -> None:
        """Suffer one outage, and once more where the machine may have been the cause."""
        for attempt in range(ATTEMPTS):
            self.again += attempt > 0
            added = self._once(redis, mode, seconds)
            if added <= MOST_S:
                break
        else:
            self.wrong.append(f"{mode}: {1000 * added:.0f} ms added to a request")
        self.worst[mode] = max(self.worst.get(mode, 0.0), added)

    def _once(self, redis: Station, mode: str, seconds: float) -> float:
        begun = time.monotonic()
        self.outages += 1
        with redis.outage(mode):
            _outlast(self.rush, seconds)
        pairs = self.rush.since(begun)
        self.later += [pair for pair in pairs if pair.at >= begun + FIRST_S]
        back = back_s(self.rush.ours, BACK_S)
        if back is None:
            self.wrong.append(f"{mode}: not in use again after {BACK_S:g} s")
        else:
            self.backs.append(back)
        return max(p.ours_s for p in pairs) - max(p.twin_s for p in pairs)

    @property
    def p99(self) -> tuple[float, float]:
        """Of both programs after the first second of an outage."""
        return _p99([p.ours_s for p in self.later]), _p99([p.twin_s for p in self.later])

    def judged(self) -> list[str]:
        """Return all that is wrong."""
        ours, twin = self.p99
        late = [f"p99 {1000 * ours:.1f} ms, the twin's {1000 * twin:.1f} ms"] if ours - twin > P99_S else []
        return [*self.wrong, *late, *self.rush.wrong]

    def text(self) -> str:
        """Return what was counted."""
        (ours, twin), worst = self.p99, max(self.worst, key=lambda mode: self.worst[mode])
        well_ours, well_twin = _p99([p.ours_s for p in self.well]), _p99([p.twin_s for p in self.well])
        return (
            f"{self.outages} outages of {len(OUTAGES)} kinds, {len(self.rush.pairs)} requests and"
            f" {len(self.rush.pages_s)} pages, {len(self.rush.wrong)} errors; at most {1000 * self.worst[worst]:.0f} ms"
            f" added ({worst}; {self.again} outages tried again); p99 after the first second {1000 * ours:.1f} ms,"
            f" the twin's {1000 * twin:.1f} ms (well: {1000 * well_ours:.1f} and {1000 * well_twin:.1f});"
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
                _outlast(rush, 1.5)
            took = back_s(ours, BACK_S)
            wrong += [f"{mode}: not after {BACK_S:g} s"] if took is None else []
            backs += [] if took is None else [took]
        given_up += back_s(broken, BACK_S) is None
    text = f"{len(backs)} of {len(modes)} times in use again, after {max(backs, default=0.0):.1f} s at the most"
    return Result(text, wrong, f"without a probe {'never' if given_up else 'all the same'}", bool(given_up))


def gate_of_start(folder: Path, full: bool) -> Result:
    """Start beside a server that is away, and one that hangs; a variant that greets it first."""
    best: dict[str, float] = {}
    for number in itertools.count(1):
        for name, took in _starts(folder).items():
            best[name] = min(took, best.get(name, took))
        extra = {name: best[name] - best["memory"] for name in ("refused", "hanging")}
        if (max(extra.values()) <= START_S and number >= (5 if full else 1)) or number >= 5:
            break
    wrong = [f"{name}: {s:.1f} s more" for name, s in extra.items() if s > START_S]
    control = best["greeting"] - best["memory"]
    text = f"ready after {best['memory']:.1f} s with memory alone, " + ", ".join(
        f"{n} {s:+.1f} s" for n, s in extra.items()
    )
    return Result(text, wrong, f"greeting first {control:+.1f} s", control > START_S)


GATES: dict[str, Gate] = {
    "redis chaos": gate_of_chaos,
    "redis back": gate_of_return,
    "redis at start": gate_of_start,
    "cache stampede": gate_of_stampede,
    "resp fuzz": gate_of_replies,
}


def _unguarded(redis: Station, ours: str, twin: str) -> float:
    """Return what a server that hangs adds to a request of a program without a guard."""
    with rushing(ours, twin, 2, pages=False) as rush:
        _outlast(rush, 1.0)
        begun = time.monotonic()
        redis.proxy.mode = "silent"
        _outlast(rush, 2.0)
        redis.proxy.close()  # or its requests would hang for as long as they like
    pairs = rush.since(begun - 0.5)  # by now each client has been answered
    return max(p.ours_s for p in pairs) - max(p.twin_s for p in pairs)


def _starts(folder: Path) -> dict[str, float]:
    """Start the program in four ways at once, since a busy machine is as busy for all; return until each was ready."""
    with running() as server:
        return _started(folder, *(Proxy(server.port) for _ in range(2)))


def _started(folder: Path, hanging: Proxy, released: Proxy) -> dict[str, float]:
    hanging.mode = released.mode = "silent"
    ways = {
        "memory": ("memory:", PLAIN),
        "refused": ("redis://127.0.0.1:1", PLAIN),
        "hanging": (hanging.url, PLAIN),
        "greeting": (released.url, by(greeting)),
    }
    with ThreadPoolExecutor(len(ways)) as pool:
        found = {name: pool.submit(_ready_s, folder / name, *way) for name, way in ways.items()}
        wait([found[name] for name in ("memory", "refused", "hanging")])
        time.sleep(2 * START_S)
        released.close()
        return {name: one.result() for name, one in found.items()}


def _ready_s(home: Path, cache: str, way: Sequence[str]) -> float:
    begun = time.monotonic()
    with _program(home, cache, way) as address:
        ask(f"{address}/api/ready")
        return time.monotonic() - begun


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
        REGION="points-example",
        SIMULATED_HISTORY_DAYS=0,
        PREDICT_PER_MINUTE=0,
        LOG_LEVEL="WARNING",
    )
    return served(environment, home / "server.log", way)


def _outlast(rush: Rush, seconds: float) -> None:
    """Wait so long, and until every client has been answered since."""
    time.sleep(seconds)
    end = time.monotonic()
    while len(rush.since(end)) < 1 and not rush.over.is_set() and time.monotonic() < end + BACK_S:
        time.sleep(0.01)


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(0.99 * len(seconds))] if seconds else 0.0


if __name__ == "__main__":
    sys.exit(main("tests.faults.redis", GATES))
