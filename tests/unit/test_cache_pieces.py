"""The pieces of the cache one by one, to the last number: memory, flights, keys, connections and envelope."""

from __future__ import annotations

import sys
import threading
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from xxhash import xxh3_128_digest

from core.caching import envelope
from core.caching.envelope import Envelope
from core.caching.flights import Flights
from core.caching.keys import PredictionCache, WeatherCache, remembered
from core.caching.memory import SAMPLE, MemoryLevel, size_of
from core.caching.remote import RedisLevel
from core.caching.two_level import Policy, TwoLevelCache
from tests.adapters.test_caches import Clock

AT = datetime(2026, 7, 29, 18, tzinfo=UTC)


# Memory


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> MemoryLevel:
    return MemoryLevel(3, 100, clock)


def test_a_value_is_fresh_and_of_use_until_its_moments_and_not_at_them(memory: MemoryLevel, clock: Clock) -> None:
    held = memory.put("a", "x", 5.0, 10, 20, size=7)
    assert held == ("x", 5.0, 1010.0, 1020.0, 7)
    clock.now_s = 1009.9
    assert memory.fresh(held)
    clock.now_s = 1010.0
    assert not memory.fresh(held)
    assert memory.get("a") == held
    clock.now_s = 1020.0
    assert memory.get("a") is None
    assert memory.stats() == {"entries": 0, "bytes": 0, "evictions": 0}


def test_what_is_of_no_use_any_more_leaves_with_a_new_value_once_a_second(memory: MemoryLevel, clock: Clock) -> None:
    for key, hard_s in (("a", 20.0), ("b", 20.5), ("c", 30.0)):
        memory.put(key, "x", 5.0, 10, hard_s, size=10)
    clock.now_s = 1020.0
    memory.put("d", "x", 5.0, 10, 100, size=1)
    assert memory.stats() == {"entries": 3, "bytes": 21, "evictions": 0}
    clock.now_s = 1020.9
    memory.delete("c")
    memory.put("e", "x", 5.0, 10, 100, size=1)
    assert memory.stats() == {"entries": 3, "bytes": 12, "evictions": 0}, "it was looked for within this second"
    clock.now_s = 1021.0
    memory.put("e", "x", 5.0, 10, 100, size=1)
    assert memory.stats() == {"entries": 2, "bytes": 2, "evictions": 0}


def test_deleting_says_whether_it_was_of_use(memory: MemoryLevel, clock: Clock) -> None:
    memory.put("a", "x", 5.0, 10, 20, size=7)
    memory.put("b", "x", 5.0, 10, 30, size=8)
    clock.now_s = 1020.0
    assert not memory.delete("a")
    assert memory.stats()["bytes"] == 8
    assert memory.delete("b")
    assert not memory.delete("b")


def test_bytes_are_counted_to_the_last(memory: MemoryLevel) -> None:
    for key, size in (("a", 50), ("b", 40), ("a", 60)):
        memory.put(key, key, 1.0, 10, 20, size=size)
    assert memory.stats() == {"entries": 2, "bytes": 100, "evictions": 0}
    memory.put("c", "c", 1.0, 10, 20, size=1)
    assert memory.stats() == {"entries": 2, "bytes": 61, "evictions": 1}  # b was used least recently
    memory.put("d", "d", 1.0, 10, 20, size=100)
    assert memory.stats() == {"entries": 1, "bytes": 100, "evictions": 3}
    memory.put("d", "d", 1.0, 10, 20, size=101)
    assert memory.stats() == {"entries": 0, "bytes": 0, "evictions": 3}
    for key in "abcd":
        memory.put(key, key, 1.0, 10, 20, size=1)
    assert memory.stats() == {"entries": 3, "bytes": 3, "evictions": 4}
    assert memory.get("a") is None
    memory.clear()
    assert memory.stats() == {"entries": 0, "bytes": 0, "evictions": 4}


def test_older_data_do_not_replace_newer_ones_that_are_of_use(memory: MemoryLevel, clock: Clock) -> None:
    newer = memory.put("a", "newer", 50.0, 10, 20, size=1)
    assert memory.put("a", "older", 49.0, 10, 20, size=1) is newer
    assert memory.put("a", "as old", 50.0, 10, 20, size=1).value == "as old"
    clock.now_s = 1020.0
    assert memory.put("a", "older", 49.0, 10, 20, size=1).value == "older"


def test_the_oldest_data_of_use_are_named(memory: MemoryLevel, clock: Clock) -> None:
    assert memory.oldest() is None
    memory.put("a", "x", 7.0, 10, 20, size=1)
    memory.put("b", "x", 9.0, 10, 30, size=1)
    assert memory.oldest() == 7.0
    clock.now_s = 1020.0
    assert memory.oldest() == 9.0
    clock.now_s = 1030.0
    assert memory.oldest() is None


def test_a_pattern_has_two_signs_and_no_classes(memory: MemoryLevel) -> None:
    for key in ("a[1]", "a1", "b"):
        memory.put(key, key, 1.0, 10, 20, size=1)
    assert memory.delete_pattern("a[1]") == 1
    assert memory.delete_pattern("A*") == 0
    assert memory.delete_pattern("?") == 1
    assert memory.delete_pattern("*") == 1
    assert memory.stats()["bytes"] == 0


def test_a_value_is_weighed_by_what_is_in_it() -> None:
    table = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "yy"]})
    for atom in (1.5, 3, "text", b"bytes", True, None):
        assert size_of(atom) == sys.getsizeof(atom)
    assert size_of(table) == int(table.memory_usage(index=True, deep=True).sum())
    assert size_of(np.zeros((3, 4))) == 96
    assert size_of({"k": 1.5}) == sys.getsizeof({"k": 1.5}) + sys.getsizeof("k") + sys.getsizeof(1.5)
    assert size_of([]) == sys.getsizeof([])
    one = sys.getsizeof(0.5)
    for count in (1, SAMPLE, SAMPLE + 1, 1000):
        assert size_of([0.5] * count) == sys.getsizeof([0.5] * count) + count * one
    assert size_of((1.5, [2.5])) == sys.getsizeof((1, 2)) + one + sys.getsizeof([2.5]) + one
    uneven = [b"" if i % 2 else b"x" * 1000 for i in range(2 * SAMPLE)]
    assert size_of(uneven) == sys.getsizeof(uneven) + 2 * SAMPLE * sys.getsizeof(b"x" * 1000)  # every second is seen
    assert size_of({1, 2}) == sys.getsizeof({1, 2})


# Flights and keys


def test_a_flight_lasts_as_long_as_somebody_is_on_it() -> None:
    flights = Flights()
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with flights.turn("a") as again:
            assert again is flight
            assert again.value == "made"

    with flights.turn("a") as flight:
        assert (flight.value, flight.made_at, flight.users) == (None, float("-inf"), 1)
        other = threading.Thread(target=second)
        other.start()
        waiting.wait(5)
        while flight.users < 2:
            pass
        with flights.turn("b") as elsewhere:
            assert elsewhere is not flight
        flight.value = "made"
    other.join(5)
    assert flights._flights == {}
    with pytest.raises(ZeroDivisionError), flights.turn("a") as new:
        assert new is not flight
        raise ZeroDivisionError
    assert flights._flights == {}


def test_keys_are_what_a_value_depends_on() -> None:
    assert WeatherCache.key("r", ("wind", "rain"), 24, "run") == "weather:r:rain,wind:24h:run"
    assert WeatherCache.key("r", ("rain",), 6) == "weather:r:rain:6h:"
    assert PredictionCache.key("p", AT, "m", "f") == "prediction:p:2026-07-29T18:00:00+00:00:m:f"


def test_weather_and_predictions_are_kept_under_their_keys_and_categories() -> None:
    cache = TwoLevelCache.in_memory()
    assert WeatherCache(cache).set("w", "r", ("rain",), 6, run="x", fetched_at=5.0)
    assert PredictionCache(cache).set("p", "place", AT, "m", "f")
    found, said = WeatherCache(cache).get("r", ("rain",), 6, "x"), PredictionCache(cache).get("place", AT, "m", "f")
    assert found is not None
    assert said is not None
    assert (found.value, said.value) == ("w", "p")
    assert found.age_s > 1e9
    lasts_s = [held.soft_at - time.monotonic() for held in cache._memory._entries.values()]
    assert lasts_s == pytest.approx([300, 600], rel=0.12)  # what a category holds, and its jitter
    assert set(cache.categories()) == {(c, w) for c in ("weather_data", "predictions") for w in ("hits", "memory_hits")}


def test_weather_of_no_run_is_found_by_no_run() -> None:
    weather = WeatherCache(TwoLevelCache.in_memory())
    assert weather.set("w", "r", ("rain",), 6)
    assert weather.get("r", ("rain",), 6) is not None


def test_what_is_remembered_is_found_by_name_and_arguments() -> None:
    cache = TwoLevelCache.in_memory()

    @remembered(lambda: cache, "historical", 30)
    def sum_of(*some: Any, **named: Any) -> int:
        return len(some) + len(named)

    assert sum_of(1, "b", last=None, at=AT) == 4
    name = f"{__name__}.test_what_is_remembered_is_found_by_name_and_arguments.<locals>.sum_of"
    key = f"call:{name}:(1, 'b'):{sorted({'last': None, 'at': AT}.items())!r}"
    assert cache.peek(key) == 4
    assert ("historical", "misses") in cache.categories()


# Server


@pytest.mark.parametrize("kind", ["redis://h", "rediss://h", "unix:///h"])
def test_one_server_is_asked_over_64_connections_with_a_deadline(kind: str) -> None:
    pool = RedisLevel(kind)._pool
    assert pool is not None
    assert (pool.max_connections, pool.connection_class.__name__[:7]) == (64, "Bounded")


# Envelope


def test_the_layout_of_an_envelope_is_a_format() -> None:
    made = envelope.encode(Envelope("key", [1, "x"], 1_700_000_000.25, 1.5, 2.5, 99))
    header = b"\x96\x02\xa3key\xcb?\xf8" + 6 * b"\0" + b"\xcb@\x04" + 6 * b"\0" + b"\x63\xa5plain"
    body = b"CBW1" + (1_700_000_000_250_000).to_bytes(8, "big") + len(header).to_bytes(4, "big") + header
    body += b"\x92\x01\xa1x"
    assert made == body + xxh3_128_digest(body)
    assert envelope.decode("key", made) == Envelope("key", [1, "x"], 1_700_000_000.25, 1.5, 2.5, 99)


@pytest.mark.parametrize("depth", [envelope.DEEPEST, envelope.DEEPEST + 1])
def test_tuples_may_lie_so_deep_in_one_another(depth: int) -> None:
    value: Any = ()
    for _ in range(depth - 1):
        value = (value,)
    made = Envelope("k", value, 1.0, 2.0, 3.0)
    if depth > envelope.DEEPEST:
        with pytest.raises(envelope.NotEncodable):
            envelope.encode(made)
    else:
        assert envelope.decode("k", envelope.encode(made)) == made


def test_what_is_computed_is_counted_under_its_category(clock: Clock) -> None:
    cache = TwoLevelCache(MemoryLevel(monotonic=clock), policy=Policy({"api": 1.0, "x": 100.0}, jitter=0.0), now=clock)
    for _ in range(2):
        assert cache.compute("k", lambda: "v", category="x") == "v"
    clock.now_s += 150
    assert cache.compute("k", lambda: "v", category="x") == "v"
    cache.close()
    assert cache.categories() == {("x", "misses"): 1, ("x", "hits"): 1, ("x", "memory_hits"): 2, ("x", "stale"): 1}


def test_what_is_computed_lasts_as_long_as_is_said(clock: Clock) -> None:
    cache = TwoLevelCache(MemoryLevel(monotonic=clock), policy=Policy({"api": 100.0}, jitter=0.0), now=clock)
    assert cache.compute("k", lambda: "v", ttl=10) == "v"
    clock.now_s += 9.9
    assert cache.get("k") == "v"
    assert cache.stats()["oldest_s"] == pytest.approx(9.9)
    clock.now_s += 0.2
    assert cache.lookup("k") is None  # nothing stale of a time that was named
    cache.close()


def test_a_refresh_in_the_background_belongs_to_who_asked(clock: Clock) -> None:
    asker: ContextVar[str] = ContextVar("asker", default="nobody")
    cache = TwoLevelCache(MemoryLevel(monotonic=clock), policy=Policy({"api": 1.0}, jitter=0.0), now=clock)
    cache.set("k", "old")
    clock.now_s += 2
    asker.set("forecaster")
    made: list[str] = []
    assert cache.compute("k", lambda: made.append(asker.get())) == "old"
    cache._workers.shutdown(wait=True)
    assert made == ["forecaster"]


def test_data_younger_than_a_second_are_that_young(clock: Clock) -> None:
    cache = TwoLevelCache(MemoryLevel(monotonic=clock), now=clock)
    cache.set("k", "v", fetched_at=clock.now_s - 0.25)
    assert cache.stats()["oldest_s"] == 0.25
