"""The contract of the second level: one suite on one server, on a cluster, and on a master that sentinels watch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.caching.cluster import SecondLevel
from tests.caches_made import Caches, Services


@pytest.fixture(params=Services.KINDS)
def caches(request: pytest.FixtureRequest, services: Services) -> Iterator[Caches]:
    with Caches(services.url(request.param)) as caches:
        yield caches


@pytest.fixture
def level(caches: Caches) -> SecondLevel:
    return caches.level()


def envelope(at: int, text: bytes = b"") -> bytes:
    """Return the begin of an envelope whose data are of a moment."""
    return b"CBW1" + at.to_bytes(8, "big") + text


def test_what_was_put_is_got_by_another_process_too(caches: Caches, level: SecondLevel) -> None:
    other = caches.level()
    for number in range(60):  # in some slots of every node
        assert level.put(f"k{number}", envelope(number), 60) is True
    assert [other.get(f"k{number}") for number in range(60)] == [envelope(number) for number in range(60)]
    assert level.get("never") is None
    assert (level.well, level.failures, other.failures) == (True, 0, 0)


def test_newer_data_are_never_overwritten_by_older(level: SecondLevel) -> None:
    for key in "abcdef":
        assert level.put(key, envelope(500, b"new"), 60) is True
        assert level.put(key, envelope(499, b"old"), 60) is False
        assert level.get(key) == envelope(500, b"new")
        assert level.put(key, envelope(500, b"same moment"), 60) is True
        assert level.put(key, envelope(2**40, b"newer"), 60) is True
        assert level.get(key) == envelope(2**40, b"newer")


def test_a_value_ends_with_its_time(level: SecondLevel) -> None:
    assert level.put("short", envelope(2), 0.05) is True
    assert level.put("long", envelope(1), 60) is True
    time.sleep(0.2)
    assert (level.get("short"), level.get("long")) == (None, envelope(1))
    assert level.put("short", envelope(1), 60) is True


def test_delete_says_whether_it_was_there(level: SecondLevel) -> None:
    for key in "abcdef":
        level.put(key, envelope(1), 60)
        assert level.delete(key) is True
        assert level.delete(key) is False
        assert level.get(key) is None


def test_a_pattern_is_looked_for_on_every_node(level: SecondLevel, caches: Caches) -> None:
    with Caches(caches.url) as others:
        stranger = others.level()  # of another prefix
        stranger.put("rain:1", envelope(1), 60)
        for number in range(700):  # more than one page of a scan
            assert level.put(f"rain:{number}", envelope(1), 60) is True
        level.put("wind", envelope(1), 60)
        assert level.delete_pattern("rain:*") == 700
        assert level.delete_pattern("rain:*") == 0
        assert [level.get(f"rain:{number}") for number in range(700)] == [None] * 700
        assert level.get("wind") == stranger.get("rain:1") == envelope(1)


def test_a_lock_is_held_by_one_until_it_is_given_back_or_over(level: SecondLevel, caches: Caches) -> None:
    other = caches.level()
    for key in "abcdef":
        assert level.lock(key, "ours", 60) is True
        assert other.lock(key, "theirs", 60) is False
        other.unlock(key, "theirs")
        assert other.lock(key, "theirs", 60) is False
        level.unlock(key, "ours")
        assert other.lock(key, "theirs", 0.05) is True
        time.sleep(0.1)
        assert level.lock(key, "ours", 60) is True


def test_threads_do_not_get_what_others_asked_for(level: SecondLevel) -> None:
    def work(number: int) -> None:
        for key in (f"{number}-{turn}" for turn in range(30)):
            level.put(key, envelope(1, key.encode()), 60)
            assert level.get(key) in {envelope(1, key.encode()), None}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
