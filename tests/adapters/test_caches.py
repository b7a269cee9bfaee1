"""The contract of caches: one suite over every implementation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.caching.memory import MemoryLevel
from core.caching.two_level import TwoLevelCache
from core.ports import Cache
from tests.caches_made import Caches, Services


class Clock:
    """Monotonic clock that moves when told to."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


#: Every implementation of the port: the bytes of its memory, and the service behind it. What has no memory reads
#: everything from there.
IMPLEMENTATIONS = {
    "memory": (2**20, None),
    "redis": (0, "server"),
    "cluster": (0, "cluster"),
    "sentinels": (0, "sentinels"),
    "two-level": (2**20, "server"),
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=IMPLEMENTATIONS)
def cache(request: pytest.FixtureRequest, services: Services, clock: Clock) -> Iterator[Cache]:
    max_bytes, service = IMPLEMENTATIONS[request.param]
    with Caches(service and services.url(service)) as caches:
        yield caches.open(MemoryLevel(20, max_bytes, clock), now=clock)


@pytest.fixture
def make(clock: Clock) -> Callable[[int], Cache]:
    """Make a cache of so many entries in memory: what counts entries and pushes them out."""
    return lambda entries: TwoLevelCache(MemoryLevel(entries, monotonic=clock), now=clock)


def test_what_was_set_is_got(cache: Cache) -> None:
    cache.set("a", {"rain_mm": [1.5, 2.0]}, 60)
    cache.set("b", "other", 60)
    assert cache.get("a") == {"rain_mm": [1.5, 2.0]}
    assert cache.get("b") == "other"


def test_what_was_never_set_is_none(cache: Cache) -> None:
    assert cache.get("a") is None
    assert cache.stats()["misses"] == 1


def test_setting_again_replaces_value_and_end(cache: Cache, clock: Clock) -> None:
    cache.set("a", 1, 10)
    clock.now_s += 9
    cache.set("a", 2, 10)
    clock.now_s += 9
    assert cache.get("a") == 2
    assert cache.stats()["entries"] <= 1


def test_a_value_ends_with_its_time(cache: Cache, clock: Clock) -> None:
    cache.set("short", 1, 10)
    cache.set("long", 2, 20)
    clock.now_s += 9.9
    assert (cache.get("short"), cache.get("long")) == (1, 2)
    clock.now_s += 0.2
    assert (cache.get("short"), cache.get("long")) == (None, 2)


def test_reading_a_value_does_not_prolong_it(cache: Cache, clock: Clock) -> None:
    cache.set("a", 1, 10)
    for _ in range(4):
        clock.now_s += 3
        cache.get("a")
    assert cache.get("a") is None


@pytest.mark.parametrize("ttl", [0, -5])
def test_a_value_without_time_is_not_kept(cache: Cache, ttl: float) -> None:
    cache.set("a", 1, ttl)
    assert cache.get("a") is None


@pytest.mark.parametrize("value", [0, "", [], {}, (), False])
def test_empty_values_are_values(cache: Cache, value: object) -> None:
    cache.set("a", value, 60)
    assert cache.get("a") == value
    assert type(cache.get("a")) is type(value)


def test_delete_forgets_one_key_and_says_whether_it_was_there(cache: Cache) -> None:
    cache.set("a", 1, 60)
    cache.set("b", 2, 60)
    assert cache.delete("a") is True
    assert cache.delete("a") is False
    assert (cache.get("a"), cache.get("b")) == (None, 2)


def test_clear_forgets_everything(cache: Cache) -> None:
    for i in range(5):
        cache.set(str(i), i, 60)
    cache.clear()
    assert cache.stats()["entries"] == 0
    assert [cache.get(str(i)) for i in range(5)] == [None] * 5


def counted(cache: Cache) -> tuple[float, ...]:
    stats = cache.stats()
    return tuple(stats[name] for name in ("entries", "hits", "misses", "evictions"))


def test_stats_count_entries_hits_misses_and_evictions(make: Callable[[int], Cache]) -> None:
    cache = make(2)
    assert counted(cache) == (0, 0, 0, 0)
    for key in "abc":
        cache.set(key, key, 60)
    cache.get("c")
    cache.get("c")
    cache.get("never")
    assert counted(cache) == (2, 2, 1, 1)


def test_an_expired_value_is_a_miss_and_no_entry(cache: Cache, clock: Clock) -> None:
    cache.set("a", 1, 10)
    clock.now_s += 11
    cache.get("a")
    assert counted(cache) == (0, 0, 1, 0)


def test_the_least_recently_used_goes_first(make: Callable[[int], Cache]) -> None:
    cache = make(3)
    for key in "abc":
        cache.set(key, key, 60)
    cache.get("a")  # b is now the oldest
    cache.set("d", "d", 60)
    assert [cache.get(key) for key in "abcd"] == ["a", None, "c", "d"]


def test_setting_counts_as_use(make: Callable[[int], Cache]) -> None:
    cache = make(2)
    cache.set("a", 1, 60)
    cache.set("b", 1, 60)
    cache.set("a", 2, 60)
    cache.set("c", 1, 60)
    assert [cache.get(key) for key in "abc"] == [2, None, 1]


def test_it_names_its_mode(cache: Cache) -> None:
    assert cache.mode


def test_threads_lose_no_count_and_never_pass_the_bound(cache: Cache) -> None:
    together = threading.Barrier(8)

    def work(number: int) -> int:
        together.wait(timeout=10)
        for i in range(60):
            key = str((number + i) % 40)
            cache.set(key, key, 60)
            assert cache.get(key) in {key, None}
            if i % 7 == 0:
                cache.delete(key)
        return number

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(work, range(8))) == list(range(8))
    stats = cache.stats()
    assert stats["hits"] + stats["misses"] == 8 * 60
    assert stats["entries"] <= 20
