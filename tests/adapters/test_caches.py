"""The contract of caches: one suite over every implementation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.caching.memory import MemoryCache
from core.ports import Cache


class Clock:
    """Monotonic clock that moves when told to."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


Make = Callable[[int], Cache]
#: Every implementation of the port, made from a bound on its entries and a clock.
IMPLEMENTATIONS: dict[str, Callable[[int, Clock], Cache]] = {"memory": MemoryCache}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=IMPLEMENTATIONS)
def make(request: pytest.FixtureRequest, clock: Clock) -> Make:
    return lambda max_entries: IMPLEMENTATIONS[request.param](max_entries, clock)


@pytest.fixture
def cache(make: Make) -> Cache:
    return make(100)


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
    assert cache.stats()["entries"] == 1


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


@pytest.mark.parametrize("value", [0, "", [], False])
def test_empty_values_are_values(cache: Cache, value: object) -> None:
    cache.set("a", value, 60)
    assert cache.get("a") == value
    assert cache.get("a") is not None


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


def test_stats_count_entries_hits_misses_and_evictions(make: Make) -> None:
    cache = make(2)
    assert cache.stats() == {"entries": 0, "hits": 0, "misses": 0, "evictions": 0}
    for key in "abc":
        cache.set(key, key, 60)
    cache.get("c")
    cache.get("c")
    cache.get("never")
    assert cache.stats() == {"entries": 2, "hits": 2, "misses": 1, "evictions": 1}


def test_an_expired_value_is_a_miss_and_no_entry(cache: Cache, clock: Clock) -> None:
    cache.set("a", 1, 10)
    clock.now_s += 11
    cache.get("a")
    assert cache.stats() == {"entries": 0, "hits": 0, "misses": 1, "evictions": 0}


def test_the_least_recently_used_goes_first(make: Make) -> None:
    cache = make(3)
    for key in "abc":
        cache.set(key, key, 60)
    cache.get("a")  # b is now the oldest
    cache.set("d", "d", 60)
    assert [cache.get(key) for key in "abcd"] == ["a", None, "c", "d"]


def test_setting_counts_as_use(make: Make) -> None:
    cache = make(2)
    cache.set("a", 1, 60)
    cache.set("b", 1, 60)
    cache.set("a", 2, 60)
    cache.set("c", 1, 60)
    assert [cache.get(key) for key in "abc"] == [2, None, 1]


def test_it_names_its_mode(cache: Cache) -> None:
    assert cache.mode


def test_threads_lose_no_count_and_never_pass_the_bound(make: Make) -> None:
    cache = make(20)
    together = threading.Barrier(8)

    def work(number: int) -> int:
        together.wait(timeout=10)
        for i in range(500):
            key = str((number + i) % 40)
            cache.set(key, key, 60)
            assert cache.get(key) in {key, None}
            if i % 7 == 0:
                cache.delete(key)
        return number

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(work, range(8))) == list(range(8))
    stats = cache.stats()
    assert stats["hits"] + stats["misses"] == 8 * 500
    assert stats["entries"] <= 20
