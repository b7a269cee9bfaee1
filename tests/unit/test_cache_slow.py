"""A server of the cache that answers every time, and late every time: it is left alone as one that does not answer."""

from __future__ import annotations

import pytest

from core.caching import remote
from core.caching.remote import MOST_SLOW_S, SLOW_S, RedisLevel
from tests.adapters.test_caches import Clock
from tests.unit.test_cache_server import Server

QUICK, SLOW = 0.9 * SLOW_S, 0.6 * MOST_SLOW_S


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(remote, "_client", lambda _url: server)
    monkeypatch.setattr(remote, "PROBE_S", 0.01)
    return server


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(remote.time, "monotonic", clock)
    return clock


def taking(server: Server, clock: Clock, *seconds: float) -> None:
    """Let the next answers take so long."""
    plain, left = server._said, list(seconds)

    def said(*what: object) -> object:
        clock.now_s += left.pop(0)
        return plain(*what)

    server._said = said  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("seconds", "well"),
    [
        ([QUICK] * 20, True),
        ([SLOW], True),
        ([SLOW, QUICK, SLOW], True),
        ([SLOW, SLOW], False),
        ([1.1 * SLOW_S] * 3, False),
        ([1.1 * MOST_SLOW_S], False),
    ],
)
def test_reads_that_are_slow_in_a_row_are_a_failure(
    server: Server, clock: Clock, monkeypatch: pytest.MonkeyPatch, seconds: list[float], well: bool
) -> None:
    level = RedisLevel("redis://x")
    monkeypatch.setattr(level, "_probe", lambda: None)
    server.answers = [b"data"] * len(seconds)
    taking(server, clock, *seconds)
    assert [level.get("k") for _ in seconds] == [b"data"] * len(seconds)  # each of them came
    assert (level.well, level.failures) == (well, int(not well))


def test_what_passes_for_two_readers_at_once_passes_once(server: Server, clock: Clock) -> None:
    level = RedisLevel("redis://x")
    server.answers = [b"data"]
    taking(server, clock, SLOW)
    assert level._felt(lambda: level.get("k")) == b"data"
    assert (level.well, level.failures) == (True, 0)


def test_a_slow_server_is_not_back(server: Server, clock: Clock) -> None:
    level = RedisLevel("redis://x")
    level._well, level._slow_s = False, 1.0
    server.answers = [True, b"well", True, b"well"]
    taking(server, clock, SLOW, SLOW, QUICK, QUICK)
    level._probe()
    assert (len(server.asked), level.well, level._slow_s) == (4, True, 0.0)
