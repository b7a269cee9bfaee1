"""The cache: memory, in front of Redis where there is one. A value is made once, a stale one served while it lasts."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

import structlog

from core.caching import envelope
from core.caching.cluster import SecondLevel
from core.caching.envelope import Envelope, NotEncodable
from core.caching.flights import Flights
from core.caching.memory import Held, MemoryLevel, size_of

log = structlog.get_logger()
#: How long a value is fresh by category, seconds, where the settings say nothing else.
TTL_S: Mapping[str, float] = {
    "weather_data": 300.0,
    "predictions": 600.0,
    "satellite_images": 1800.0,
    "historical": 3600.0,
    "api": 60.0,
}
DEFAULT_CATEGORY = "api"
#: A failure is remembered so long: who asks again at once is not to wait for it again.
FAILURE_S = 2.0
#: Another process that computes the same is waited for so long at the most, looking so often, seconds.
LOCK_S, LOOK_S = 10.0, 0.01
#: Data on the server from later than now by more than this are a wrong clock's, seconds: nothing would replace them.
AHEAD_S = 60.0


@dataclass(frozen=True)
class Policy:
    """How long values hold.

    Parameters
    ----------
    ttl_s
        Seconds for which a value is fresh, by category.
    stale_factor
        A value is of use in need for so many times as long.
    jitter
        Share by which a time is shortened or lengthened by chance, so that not everything ends at once.
    """

    ttl_s: Mapping[str, float] = field(default_factory=lambda: dict(TTL_S))
    stale_factor: float = 6.0
    jitter: float = 0.1


class Hit(NamedTuple):
    """A value that was found: how old its data are, whether it is fresh still, and at which level it lay."""

    value: Any
    age_s: float
    fresh: bool
    level: str


class TwoLevelCache:
    """Port `Cache`, and the front door `get_cache_manager()`.

    Parameters
    ----------
    remote
        The second level, None: memory only.
    now
        Wall clock, seconds since 1970, for the ages of data.
    """

    def __init__(
        self,
        memory: MemoryLevel,
        remote: SecondLevel | None = None,
        policy: Policy | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._memory, self._remote, self._now = memory, remote, now
        self._policy = policy or Policy()
        self._counts: Counter[tuple[str, str]] = Counter()  # by category and what happened
        self._quick: defaultdict[str, int] = defaultdict(int)  # fresh hits in memory by category, counted without lock
        self._peek, self._touch, self._monotonic = memory.peek, memory.touch, memory.monotonic
        self._lock = threading.Lock()
        self._flights = Flights()
        self._failures: dict[str, tuple[float, BaseException]] = {}
        self._refreshing: set[str] = set()
        self._workers = ThreadPoolExecutor(4, thread_name_prefix="cache-refresh")

    @classmethod
    def in_memory(cls) -> TwoLevelCache:
        """Return a cache of this process alone."""
        return cls(MemoryLevel())

    @property
    def mode(self) -> str:
        """How it works now: memory, memory + redis, or memory while redis fails."""
        return "memory" if self._remote is None else "memory + redis" if self.shares else "memory (redis fails)"

    @property
    def shares(self) -> bool:
        """Whether other programs see what is kept here."""
        return self._remote is not None and self._remote.well

    def lookup(self, key: str, category: str = DEFAULT_CATEGORY) -> Hit | None:
        """Return what is found of a key, fresh or stale, with its age; None where there is nothing of use."""
        held, level = (None if self._peek(key) is None else self._memory.get(key)), "memory"
        if (held is None or not self._memory.fresh(held)) and self._remote is not None:
            newer = self._fetched(key)
            if newer is not None and (held is None or newer.fetched_at >= held.fetched_at):
                held, level = newer, "redis"
        if held is None:
            self._count(category, "misses")
            return None
        fresh = self._memory.fresh(held)
        self._count(category, "hits" if fresh else "stale", f"{level}_hits")
        return Hit(held.value, max(0.0, self._now() - held.fetched_at), fresh, level)

    def get(self, key: str, default: Any = None, category: str = DEFAULT_CATEGORY) -> Any:
        """Return a fresh value, else `default`. None is a value: `lookup` tells it from nothing."""
        held = self._peek(key)
        if held is not None and held.soft_at > self._monotonic():  # nearly always: no more than it takes
            try:  # noqa: SIM105 - suppress() costs more than all the rest
                self._touch(key)
            except KeyError:  # pushed out just now
                pass
            self._quick[category] += 1
            return held.value
        hit = self.lookup(key, category)
        return hit.value if hit is not None and hit.fresh else default

    def peek(self, key: str) -> Any | None:
        """Return a fresh value of this process's memory, None where there is none; nobody counts it."""
        held = self._peek(key)
        return held.value if held is not None and self._memory.fresh(held) else None

    def set(
        self,
        key: str,
        value: Any,
        ttl: float | None = None,
        category: str = DEFAULT_CATEGORY,
        fetched_at: float | None = None,
    ) -> bool:
        """Keep a value for `ttl` seconds, by default for the time of its category; say whether it is kept.

        Parameters
        ----------
        fetched_at
            Of the data, seconds since 1970 (None: now): newer data are never overwritten by older ones.
        """
        return self._keep(key, value, ttl, category, fetched_at)()

    def _keep(
        self, key: str, value: Any, ttl: float | None, category: str, fetched_at: float | None = None
    ) -> Callable[[], bool]:
        """Keep a value in memory; return what keeps it on the server as well, and says whether it is kept at all."""
        soft = self._policy.ttl_s.get(category, self._policy.ttl_s[DEFAULT_CATEGORY]) if ttl is None else ttl
        if ttl is None:  # whoever names a time means it
            soft *= 1 + self._policy.jitter * random.uniform(-1, 1)  # noqa: S311 - no secret
        hard = soft if ttl is not None else soft * self._policy.stale_factor
        now = self._now()
        at = now if fetched_at is None else fetched_at
        size = size_of(value)
        held = self._memory.put(key, value, at, soft, hard, size=size)
        kept = held.value is value and self._peek(key) is held

        def share() -> bool:
            if self._remote is None or not self._remote.well or hard == float("inf"):
                return kept
            try:
                data = envelope.encode(Envelope(key, value, at, now + soft, now + hard, size))
            except NotEncodable:
                self._count(category, "memory_only")
                return kept
            stored = self._remote.put(key, data, hard)
            if stored is False:  # newer data of another process are there: they must not be hidden by ours
                self._memory.delete(key)
            return kept if stored is None else stored

        return share

    def compute(
        self, key: str, make: Callable[[], Any], ttl: float | None = None, category: str = DEFAULT_CATEGORY
    ) -> Any:
        """Return a value, made once whoever asks: in this process, and in all that share the second level.

        A stale value is returned at once while a new one is made in the background; where that fails it goes on being
        returned until it is of no use. A failure without anything to return is raised, and for a moment again.
        """
        asked_at = time.monotonic()
        hit = self.lookup(key, category)
        if hit is not None and hit.fresh:
            return hit.value
        if hit is not None:
            self._refresh(key, make, ttl, category)
            return hit.value
        with ExitStack() as after, self._flights.turn(key) as flight:
            if flight.made_at >= asked_at:  # while we waited; whether it could be kept is another matter
                return flight.value
            held = self._memory.get(key)
            if held is not None:
                return held.value
            self._failed_lately(key)
            flight.value = self._made(key, make, ttl, category, after)
            flight.made_at = time.monotonic()
            return flight.value

    def delete(self, key: str) -> bool:
        """Forget one key; say whether it was there."""
        there = self._memory.delete(key)
        return (self._remote.delete(key) if self._remote is not None else False) or there

    def delete_pattern(self, pattern: str) -> int:
        """Forget the keys that fit a pattern with `*` and `?`; return how many at the level that had more."""
        count = self._memory.delete_pattern(pattern)
        return max(count, self._remote.delete_pattern(pattern) if self._remote is not None else 0)

    def clear(self) -> None:
        """Forget everything."""
        self._memory.clear()
        if self._remote is not None:
            self._remote.delete_pattern("*")

    clear_all = clear

    def clear_memory(self, pattern: str = "*") -> None:
        """Forget what this process keeps, and nobody else."""
        self._memory.delete_pattern(pattern)

    def stats(self) -> Mapping[str, float]:
        """Return entries, bytes, evictions, hits, misses, stale hits, hits by level, failures of the second level.

        `oldest_s` is the age of the oldest data in memory, where there are any.
        """
        counts: Counter[str] = Counter()
        for (_, what), count in self.categories().items():
            counts[what] += count
        if self._remote is not None:
            counts["redis_failures"] = self._remote.failures
        oldest = self._memory.oldest()
        ages = {} if oldest is None else {"oldest_s": max(0.0, self._now() - oldest)}
        return {"hits": 0, "misses": 0, "stale": 0, **self._memory.stats(), **ages, **counts}

    get_stats = stats

    def categories(self) -> Mapping[tuple[str, str], int]:
        """Return how often what happened, by category and what it was."""
        with self._lock:
            counts = self._counts.copy()
        for category, hits in list(self._quick.items()):
            counts[category, "hits"] += hits
            counts[category, "memory_hits"] += hits
        return counts

    def close(self) -> None:
        """End what runs in the background."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        if self._remote is not None:
            self._remote.close()

    def _fetched(self, key: str) -> Held | None:
        """Return what the second level holds, taken into memory; what does not verify is deleted."""
        data = None if self._remote is None else self._remote.get(key)
        if data is None or self._remote is None:
            return None
        found = envelope.decode(key, data)
        now = self._now()
        if found is None or found.fetched_at > now + AHEAD_S:
            self._remote.delete(key)
            self._count(DEFAULT_CATEGORY, "refused")
            return None
        if found.hard_until <= now:
            return None
        soft_s, hard_s = found.soft_until - now, found.hard_until - now
        return self._memory.put(key, found.value, found.fetched_at, soft_s, hard_s, size=max(found.size, len(data)))

    def _made(self, key: str, make: Callable[[], Any], ttl: float | None, category: str, after: ExitStack) -> Any:
        """Make a value, unless another process makes it: then wait for that.

        It is shared by what is left to `after`, when those of this process who wait for it have it.
        """
        token = uuid4().hex
        until = time.monotonic() + LOCK_S
        taken = None if self._remote is None else self._remote.lock(key, token, LOCK_S)
        while taken is False and time.monotonic() < until and self._remote is not None:
            time.sleep(LOOK_S)
            held = self._fetched(key)
            if held is not None:
                return held.value
            taken = self._remote.lock(key, token, LOCK_S)
        if taken and self._remote is not None:
            after.callback(self._remote.unlock, key, token)
        try:
            held = self._fetched(key) if taken else None  # made and given back between our look and our lock?
            if held is not None and self._memory.fresh(held):
                return held.value
            value = make()
        except Exception as error:
            now = time.monotonic()
            lately = {one: failed for one, failed in list(self._failures.items()) if failed[0] > now}
            self._failures = {**lately, key: (now + FAILURE_S, error)}  # those that are over hold whole tracebacks
            raise
        else:
            self._failures.pop(key, None)
            after.callback(self._keep(key, value, ttl, category))
            return value

    def _failed_lately(self, key: str) -> None:
        """Raise again what a value failed with a moment ago."""
        until, error = self._failures.get(key, (0.0, None))
        if error is not None and until > time.monotonic():
            raise error

    def _refresh(self, key: str, make: Callable[[], Any], ttl: float | None, category: str) -> None:
        """Make a value anew in the background, once."""
        with self._lock:
            if key in self._refreshing:
                return
            self._refreshing.add(key)

        def work() -> None:
            try:
                with ExitStack() as after, self._flights.turn(key):
                    self._failed_lately(key)
                    self._made(key, make, ttl, category, after)
            except Exception as error:  # the stale value goes on being served, with its age
                self._count(category, "refresh_failures")
                log.warning("a stale value could not be made anew", key=key, reason=type(error).__name__)
            finally:
                self._refreshing.discard(key)

        with suppress(RuntimeError):  # the house is closing
            self._workers.submit(copy_context().run, work)  # what is logged there is of the same request

    def _count(self, category: str, *what: str) -> None:
        with self._lock:
            for one in what:
                self._counts[category, one] += 1
