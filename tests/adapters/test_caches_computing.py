"""A value is made once, whoever asks for it: threads, processes, while an old one is served, and after a failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.caching import two_level
from core.caching.memory import MemoryLevel
from core.caching.remote import RedisLevel
from core.caching.two_level import Policy, TwoLevelCache
from tests.adapters.test_caches import IMPLEMENTATIONS
from tests.caches_made import Caches, Services
from tests.faults.processes import Say, forked

#: Fresh for 0.1 s, of use for 10 s more: longer than a test lasts.
SHORT = Policy({"api": 0.1}, stale_factor=100.0, jitter=0.0)


@pytest.fixture
def url(services: Services) -> str:
    return services.url("server")


@pytest.fixture(params=IMPLEMENTATIONS)
def cache(request: pytest.FixtureRequest, services: Services) -> Iterator[TwoLevelCache]:
    max_bytes, service = IMPLEMENTATIONS[request.param]
    with Caches(service and services.url(service)) as caches:
        yield caches.open(MemoryLevel(100, max_bytes), policy=SHORT)


class Source:
    """Counts how often it is asked, and fails while told to."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.asked, self.broken, self._takes_s = 0, False, takes_s
        self.free = threading.Event()
        self.free.set()

    def __call__(self) -> int:
        self.asked += 1
        assert self.free.wait(10)
        time.sleep(self._takes_s)
        if self.broken:
            raise ConnectionError("the source is away")
        return self.asked


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 5
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    return holds()


def together(count: int, act: Callable[[], object]) -> list[object]:
    """Return what so many threads get that begin at once; an error is a result."""
    barrier = threading.Barrier(count)

    def work(_number: int) -> object:
        barrier.wait(timeout=20)
        try:
            return act()
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def test_who_waits_for_a_value_does_not_wait_until_it_is_shared(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = threading.Event()
    put = RedisLevel.put
    monkeypatch.setattr(RedisLevel, "put", lambda *arguments: shared.wait(10) and put(*arguments))
    source = Source()
    source.free.clear()
    with Caches(url) as caches, ThreadPoolExecutor(2) as pool:
        cache = caches.open()
        maker = pool.submit(cache.compute, "a", source, 60)
        assert eventually(lambda: source.asked == 1)
        waiting = pool.submit(cache.compute, "a", source, 60)
        assert eventually(lambda: cache.stats()["misses"] == 2)
        source.free.set()
        assert waiting.result(timeout=5) == 1
        assert not maker.done()
        shared.set()
        assert maker.result(timeout=5) == 1
        assert caches.open().get("a") == 1
    assert source.asked == 1


def test_a_hundred_threads_make_a_value_once(cache: TwoLevelCache) -> None:
    source = Source(takes_s=0.1)
    assert together(100, lambda: cache.compute("a", source, 60)) == [1] * 100
    assert source.asked == 1
    assert eventually(lambda: "fails" not in cache.mode)  # a busy machine may miss a deadline, and recovers


def test_keys_do_not_wait_for_one_another(cache: TwoLevelCache) -> None:
    slow = Source()
    slow.free.clear()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cache.compute, "slow", slow, 60)
        assert eventually(lambda: slow.asked == 1)
        assert cache.compute("quick", lambda: "at once", 60) == "at once"
        assert not waiting.done()
        slow.free.set()
        assert waiting.result(10) == 1


@pytest.mark.parametrize("value", [None, 0, [], "x"])
def test_what_was_made_is_kept_even_none(cache: TwoLevelCache, value: object) -> None:
    calls: list[int] = []

    def make() -> object:
        calls.append(1)
        return value

    assert [cache.compute("a", make, 60) for _ in range(3)] == [value] * 3
    assert len(calls) == 1


@pytest.mark.parametrize("service", Services.KINDS)
def test_eight_processes_make_a_value_once(services: Services, service: str) -> None:
    with Caches(services.url(service)) as caches:
        for attempt in range(3):
            start = time.monotonic() + 0.4

            def act(say: Say, start: float = start, key: str = f"a{attempt}") -> None:
                cache = caches.open()
                cache.get("warm")
                time.sleep(max(0.0, start - time.monotonic()))

                def make() -> int:
                    say("made")
                    time.sleep(0.15)
                    return 42

                say(f"got {cache.compute(key, make, 60)}")

            processes = [forked(act) for _ in range(8)]
            assert [process.ended() for process in processes] == [0] * 8
            said = [line for process in processes for line in process.lines]
            assert said.count("got 42") == 8
            assert said.count("made") == 1


class Overtaken(RedisLevel):
    """Another process makes the value between our look at the server and our lock."""

    other: TwoLevelCache

    def lock(self, key: str, token: str, seconds: float) -> bool | None:
        self.other.set(key, "theirs", 60)
        return super().lock(key, token, seconds)


def test_what_another_process_made_between_look_and_lock_is_not_made_again(url: str) -> None:
    with Caches(url) as caches:
        level = Overtaken(url, caches.prefix)
        level.other = caches.open()
        cache = TwoLevelCache(MemoryLevel(), level)
        assert cache.compute("a", lambda: "ours", 60) == "theirs"
        assert level.lock("a", "another", 1)  # and the lock was given back
        cache.close()


def test_a_process_that_died_with_the_lock_is_not_waited_for_for_ever(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Caches(url) as caches:
        assert caches.level().lock("a", "of the dead", 0.3)
        start = time.monotonic()
        assert caches.open().compute("a", lambda: 1, 60) == 1
        assert 0.2 < time.monotonic() - start < 3
        assert caches.level().lock("b", "of one that hangs", 60)
        monkeypatch.setattr(two_level, "LOCK_S", 0.2)
        assert caches.open().compute("b", lambda: 2, 60) == 2


def test_a_stale_value_is_served_at_once_while_a_new_one_is_made_once(cache: TwoLevelCache) -> None:
    source = Source()
    assert cache.compute("a", source) == 1
    time.sleep(0.12)
    source.free.clear()
    assert together(20, lambda: cache.compute("a", source)) == [1] * 20
    assert eventually(lambda: source.asked == 2)
    source.free.set()
    assert eventually(lambda: (hit := cache.lookup("a")) is not None and hit.value == 2)
    assert source.asked == 2


def test_a_stale_value_goes_on_being_served_where_the_source_fails(cache: TwoLevelCache) -> None:
    source = Source()
    cache.compute("a", source)
    source.broken = True
    time.sleep(0.12)
    for count in (1, 2, 3):
        assert cache.compute("a", source) == 1
        assert eventually(lambda count=count: cache.stats().get("refresh_failures", 0) >= count)  # type: ignore[misc]
        time.sleep(0.02)
    assert source.asked == 2  # the failure is remembered here too
    hit = cache.lookup("a")
    assert hit is not None
    assert (hit.value, hit.fresh) == (1, False)


def test_a_failure_is_raised_to_all_and_remembered_briefly(
    cache: TwoLevelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(two_level, "FAILURE_S", 0.3)
    source = Source(takes_s=0.05)
    source.broken = True
    errors = together(20, lambda: cache.compute("a", source, 60))
    assert {type(error) for error in errors} == {ConnectionError}
    assert source.asked == 1
    assert cache.compute("b", lambda: "other keys are not concerned", 60)
    source.broken = False
    time.sleep(0.35)
    assert cache.compute("a", source, 60) == 2


def test_a_failure_in_one_process_leaves_the_making_to_the_next(url: str) -> None:
    with Caches(url) as caches:
        with pytest.raises(ZeroDivisionError):
            caches.open().compute("a", lambda: 1 // 0, 60)
        start = time.monotonic()
        assert caches.open().compute("a", lambda: 1, 60) == 1
        assert time.monotonic() - start < 2  # the lock was given back


def test_a_closed_cache_serves_what_it_has(cache: TwoLevelCache) -> None:
    cache.compute("a", lambda: 1)
    time.sleep(0.12)
    cache.close()
    assert cache.compute("a", lambda: 2) == 1


def test_those_who_wait_take_what_was_made_where_nothing_can_be_kept() -> None:
    cache = TwoLevelCache(MemoryLevel(10, 0))  # no room for anything
    source = Source(takes_s=0.2)
    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(lambda _: cache.compute("a", source, 60), range(20))) == {1}
    assert cache.compute("a", source, 60) == 2  # who comes later makes it anew
    assert not cache._flights._flights
