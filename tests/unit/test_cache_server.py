"""What a server of the cache is asked and believed, and how both levels count, to the last number."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from redis.exceptions import MaxConnectionsError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeout

from core.caching import clients, envelope, remote, two_level
from core.caching.envelope import Envelope
from core.caching.memory import MemoryLevel, size_of
from core.caching.remote import RedisLevel
from core.caching.two_level import Policy, TwoLevelCache
from tests.adapters.test_caches import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


# What a server is asked


class Server:
    """A client of redis-py that remembers what it was asked, and answers or fails as it is told."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.answers: list[Any] = []
        self.connection_pool = None

    def _said(self, *what: Any) -> Any:
        self.asked.append(what)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def register_script(self, text: str) -> Callable[..., Any]:
        name = {remote.NEWER: "newer", remote.UNLOCK: "unlock"}[text]
        return lambda keys, args, **_by: self._said(name, keys, args)

    def get(self, name: str) -> Any:
        return self._said("get", name)

    def set(self, name: str, value: Any, **how: Any) -> Any:
        return self._said("set", name, value, how)

    def delete(self, *names: Any) -> Any:
        return self._said("delete", *names)

    def scan(self, cursor: Any, match: str, count: int) -> Any:
        return self._said("scan", cursor, match, count)

    def close(self) -> None:
        self.asked.append("closed")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(clients, "client_of", lambda _url: server)
    monkeypatch.setattr(remote, "PROBE_S", 0.01)
    return server


@pytest.fixture
def level(server: Server) -> RedisLevel:
    return RedisLevel("redis://x")


def test_what_is_got_is_bytes_or_nothing(server: Server, level: RedisLevel) -> None:
    server.answers = [b"data", "text", None, ResponseError("WRONGTYPE of a list")]
    assert [level.get("k") for _ in range(4)] == [b"data", None, None, b""]
    assert server.asked == [("get", "cloudburst:k")] * 4
    assert (level.well, level.failures) == (True, 0)


def test_what_is_put_lasts_milliseconds_and_never_none(server: Server, level: RedisLevel) -> None:
    server.answers = [1, 0, "OK", None]
    assert [level.put("k", b"d", s) for s in (1.2345, 0.0001, 5, 5)] == [True, False, None, None]
    assert [args for _, _, args in server.asked] == [[b"d", 1234], [b"d", 1], [b"d", 5000], [b"d", 5000]]
    assert {keys[0] for _, keys, _ in server.asked} == {"cloudburst:k"}


def test_one_key_is_forgotten(server: Server, level: RedisLevel) -> None:
    server.answers = [1, 0, 2]
    assert [level.delete("k") for _ in range(3)] == [True, False, False]
    assert server.asked[0] == ("delete", "cloudburst:k")


def test_a_pattern_is_looked_for_to_the_end_of_all_keys(server: Server, level: RedisLevel) -> None:
    server.answers = [(7, [b"a", b"b"]), 2, (9, []), (0, [b"c"]), "odd"]
    assert level.delete_pattern("x[1]*?^\\") == 2
    match = "cloudburst:x\\[1\\]*?\\^\\\\"
    assert server.asked == [
        ("scan", 0, match, 500), ("delete", b"a", b"b"), ("scan", 7, match, 500), ("scan", 9, match, 500),
        ("delete", b"c"),
    ]  # fmt: skip


def test_a_pattern_ends_where_the_server_fails(server: Server, level: RedisLevel) -> None:
    server.answers = [(7, [b"a"]), 1, RedisTimeout()]
    assert level.delete_pattern("*") == 1
    assert not level.well


def test_a_lock_is_taken_by_one_for_a_time_and_given_back(server: Server, level: RedisLevel) -> None:
    server.answers = [True, None, 1]
    assert level.lock("k", "t", 1.5) is True
    assert level.lock("k", "t", 1.5) is False
    level.unlock("k", "t")
    assert server.asked == [
        ("set", "cloudburst:lock:k", "t", {"nx": True, "px": 1500}),
        ("set", "cloudburst:lock:k", "t", {"nx": True, "px": 1500}),
        ("unlock", ["cloudburst:lock:k"], ["t"]),
    ]


def test_a_server_that_failed_is_left_alone_until_a_probe_is_answered(
    server: Server, level: RedisLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes: list[Any] = []
    monkeypatch.setattr(level, "_probe", lambda: probes.append(threading.current_thread()))
    server.answers = [RedisTimeout()]
    assert level.lock("k", "t", 1) is None
    asked = len(server.asked)
    assert level.lock("k", "t", 1) is level.get("k") is level.put("k", b"", 1) is None
    assert level.delete("k") is False
    assert (level.well, level.failures, len(server.asked)) == (False, 1, asked)
    level._fail(RedisTimeout())
    (thread,) = probes
    assert (level.failures, thread.name, thread.daemon) == (2, "cache-probe", True)


def test_a_probe_must_be_given_back_what_it_left(server: Server, level: RedisLevel) -> None:
    level._well = False
    server.answers = [RedisTimeout(), None, b"other", ValueError(), True, b"well"]
    level._probe()
    assert level.well
    assert server.asked[0] == ("set", "cloudburst:probe", b"well", {"px": 5000})
    assert [one[0] for one in server.asked] == ["set", "set", "get", "set", "set", "get", "delete"]


def test_a_closed_level_is_not_probed(server: Server, level: RedisLevel) -> None:
    level._well = False
    level.close()
    level._probe()
    assert server.asked == ["closed"]
    assert not level.well


def test_too_many_at_once_is_no_fault_of_the_server(server: Server, level: RedisLevel) -> None:
    server.answers = [MaxConnectionsError(), MaxConnectionsError(), b"data"]
    assert [level.get("k"), level.get("k")] == [None, None]
    assert (level.well, level.failures) == (True, 2)
    assert level.get("k") == b"data"


def test_a_reader_waits_half_a_deadline_for_its_turn(server: Server, level: RedisLevel) -> None:
    waited: dict[str, float] = {}
    level._pool, level._readers = object(), SimpleNamespace(acquire=waited.update)  # type: ignore[assignment]
    assert level.get("k") is None
    assert (waited, server.asked, level.well) == ({"timeout": clients.DEADLINE_S / 2}, [], True)


def test_connections_of_a_pool_are_ended(server: Server, level: RedisLevel) -> None:
    server.connection_pool = SimpleNamespace(disconnect=lambda: server.asked.append("disconnected"))  # type: ignore[assignment]
    level.close()
    assert server.asked == ["closed", "disconnected"]


def test_names_begin_as_they_are_told(server: Server) -> None:
    level = RedisLevel("redis://x", "mine:")
    level.get("k")
    level.delete_pattern("*")
    assert server.asked == [("get", "mine:k"), ("scan", 0, "mine:*", 500)]


# Both levels


class Second:
    """A second level with one answer for everything."""

    well, failures = True, 4

    def __init__(self, data: bytes | None = None, stored: bool | None = True) -> None:
        self.data, self.stored = data, stored
        self.asked: list[Any] = []

    def get(self, key: str) -> bytes | None:
        self.asked.append(("get", key))
        return self.data

    def put(self, key: str, data: bytes, seconds: float) -> bool | None:
        self.asked.append(("put", key, envelope.decode(key, data), seconds))
        return self.stored

    def delete(self, key: str) -> bool:
        self.asked.append(("delete", key))
        return False


def both(second: Second | None, clock: Clock, **policy: Any) -> TwoLevelCache:
    memory = MemoryLevel(monotonic=clock)
    return TwoLevelCache(memory, second, Policy({"api": 10.0, "x": 100.0}, **policy), clock)  # type: ignore[arg-type]


@pytest.mark.parametrize(("draw", "soft"), [(-1.0, 80.0), (0.0, 100.0), (1.0, 120.0)])
def test_what_is_kept_says_its_times_to_both_levels(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, draw: float, soft: float
) -> None:
    monkeypatch.setattr(two_level.random, "uniform", lambda low, high: {(-1, 1): draw}[low, high])
    second = Second()
    cache = both(second, clock, stale_factor=3.0, jitter=0.2)
    assert cache.set("k", "v", category="x", fetched_at=990.0)
    ((_, _, sent, seconds),) = second.asked
    assert seconds == pytest.approx(3 * soft)
    assert sent[:3] == ("k", "v", 990.0)
    assert sent[3:5] == pytest.approx((1000 + soft, 1000 + 3 * soft))
    assert sent[5] == size_of("v")
    hit = cache.lookup("k", "x")
    assert hit == ("v", 10.0, True, "memory")


def test_a_value_without_end_stays_in_this_process(clock: Clock) -> None:
    second = Second()
    assert both(second, clock).set("k", "v", ttl=float("inf"))
    assert second.asked == []


@pytest.mark.parametrize(("stored", "kept", "there"), [(True, True, True), (False, False, False), (None, True, True)])
def test_newer_data_elsewhere_are_not_hidden(clock: Clock, stored: bool | None, kept: bool, there: bool) -> None:
    cache = both(Second(stored=stored), clock)
    assert cache.set("k", "v") is kept
    assert (cache.peek("k") == "v") is there


@pytest.mark.parametrize("ahead", [two_level.AHEAD_S, two_level.AHEAD_S + 0.001])
def test_data_from_later_than_now_are_a_wrong_clocks(clock: Clock, ahead: float) -> None:
    made = envelope.encode(Envelope("k", "v", clock.now_s + ahead, clock.now_s + 5, clock.now_s + 9, 1))
    second = Second(made)
    cache = both(second, clock)
    if ahead > two_level.AHEAD_S:
        assert cache.lookup("k") is None
        assert second.asked == [("get", "k"), ("delete", "k")]
        assert cache.categories() == {("api", "refused"): 1, ("api", "misses"): 1}
    else:
        assert cache.lookup("k") == ("v", 0.0, True, "redis")
        assert cache.categories() == {("api", "hits"): 1, ("api", "redis_hits"): 1}


def test_what_the_server_holds_is_over_when_it_says_so(clock: Clock) -> None:
    made = envelope.encode(Envelope("k", "v", clock.now_s - 50, clock.now_s - 5, clock.now_s + 9, 1))
    cache = both(Second(made), clock)
    assert cache.lookup("k") == ("v", 50.0, False, "redis")
    assert cache.stats()["bytes"] == len(made)
    assert cache.get("k", "else") == "else"
    clock.now_s += 9
    assert cache.lookup("k") is None


def test_counts_are_told_by_category_and_together(clock: Clock) -> None:
    cache = both(Second(), clock)
    assert cache.stats() == {
        "hits": 0, "misses": 0, "stale": 0, "entries": 0, "bytes": 0, "evictions": 0, "redis_failures": 4,
    }  # fmt: skip
    cache.set("k", "v", fetched_at=clock.now_s - 7)
    for _ in range(3):
        assert cache.get("k", category="x") == "v"
    cache.lookup("k")
    cache.lookup("nothing", "x")
    assert cache.stats() == {
        "hits": 4, "memory_hits": 4, "misses": 1, "stale": 0, "entries": 1, "bytes": size_of("v"), "evictions": 0,
        "oldest_s": 7.0, "redis_failures": 4,
    }  # fmt: skip
    assert cache.categories()["x", "hits"] == 3


def test_modes_are_told_apart(clock: Clock) -> None:
    second = Second()
    assert both(None, clock).mode == "memory"
    assert both(second, clock).mode == "memory + redis"
    second.well = False
    assert both(second, clock).mode == "memory (redis fails)"


def test_failures_are_forgotten_once_they_are_over(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    def fails() -> None:
        raise OSError("gone")

    monkeypatch.setattr(two_level.time, "monotonic", clock)
    cache = both(None, clock)
    for number in range(50):
        with pytest.raises(OSError, match="gone"):
            cache.compute(f"k{number}", fails)
        clock.now_s += two_level.FAILURE_S / 2
    assert len(cache._failures) <= 2
    with pytest.raises(OSError, match="gone"):
        cache.compute("k49", lambda: "made")  # a moment ago it failed
    clock.now_s += two_level.FAILURE_S
    assert cache.compute("k49", lambda: "made") == "made"
    assert "k49" not in cache._failures
