"""The cache itself: who computes when a key ends in several processes at once, and what random replies do to it."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch
from uuid import uuid4

from core.caching.envelope import Envelope
from core.caching.memory import MemoryLevel
from core.caching.remote import RedisLevel
from core.caching.two_level import TwoLevelCache
from tests.caches_made import running
from tests.faults.gates import Result
from tests.faults.processes import Say, forked
from tests.faults.redis.proxy import impostor
from tests.faults.source.server import failure, serving

#: Clients in all, and until the key that they share is over, seconds.
CLIENTS, ENDS_S = 100, 0.7
#: Who finds the key ended first computes so long, seconds.
TAKES_S = 0.2
#: On a busy machine a server may pass the cache's deadline and be left alone, as one that is sick should: each process
#: then computes for itself, which proves nothing, and it is tried so often. Where it comes every time the gate fails.
ATTEMPTS = 5
REPLIES, FULL_REPLIES = 3_000, 100_000
#: Commands per impostor; who waits for the rest of a reply that is none waits so long, seconds.
EACH, DEADLINE_S = 500, 0.004


def gate_of_stampede(_folder: Path, full: bool) -> Result:
    """Let a key end under clients in one, two and five processes that share a server; without the one flight."""
    found = [(n, _calls(n)) for n in (1, 2, 5) for _ in range(20 if full else 2)]
    wrong = [f"{n} processes: {_told(calls)}" for n, calls in found if calls != 1]
    control = _calls(2, naive=True) or 0
    text = f"{len(found) - len(wrong)} of {len(found)} times one call of {CLIENTS} clients in 1, 2 and 5 processes"
    return Result(text, wrong, f"each for itself {control} calls", control > 1)


def gate_of_replies(_folder: Path, full: bool) -> Result:
    """Answer every command at random; believe an answer without its envelope."""
    count = FULL_REPLIES if full else REPLIES
    found = [_fuzzed(seed) for seed in range(count // EACH)]
    escaped = [text for _, texts in found for text in texts]
    believed = sum(believed for believed, _ in found)
    with patch("core.caching.envelope.decode", lambda key, data: Envelope(key, data, time.time(), 2e9, 2e9)):
        control, _ = _fuzzed(0)
    wrong = [*escaped, *([f"{believed} values believed"] if believed else [])]
    text = f"{count} commands answered at random: {len(escaped)} exceptions, {believed} values believed"
    return Result(text, wrong, f"without envelopes {control} of {EACH} believed", control > 0)


def _calls(processes: int, *, naive: bool = False) -> int | None:
    """Return how often the source was asked when a key ended that all processes share, -1 where one did not end well.

    None where some process found the server failing, and left it alone, every time.
    """
    for _ in range(ATTEMPTS):
        calls, failures = _ended(processes, naive=naive)
        if not failures:
            return calls
    return None


def _told(calls: int | None) -> str:
    if calls is None:
        return f"one of them found the server failing, {ATTEMPTS} times in a row"
    return "one of them did not end well" if calls < 0 else f"{calls} calls"


def _ended(processes: int, *, naive: bool) -> tuple[int, int]:
    """Return how often the source was asked, and how often a process found the server of the cache failing."""
    with serving(failure(200)) as source, running() as server:
        url, prefix = server.connection_url, f"t{uuid4().hex}:"
        plain = source.steps[0]
        source.steps = [lambda handler, params: (time.sleep(TAKES_S), plain(handler, params))[1]]
        ends_at = time.time() + ENDS_S
        first = TwoLevelCache(MemoryLevel(), RedisLevel(url, prefix))
        first.set("a", "before", ENDS_S)
        clients = CLIENTS // processes
        shared = _Shared(url, prefix, source.url, ends_at)
        others = [forked(lambda say: _rush(say, shared, clients, naive=naive)) for _ in range(processes)]
        ends = [other.ended() for other in others]
        first.close()
        failures = sum(int(line) for other in others for line in other.lines)
        return len(source) if naive or not any(ends) else -1, failures


class _Shared(NamedTuple):
    """What the processes share: a server of the cache, the source, and when the key ends there."""

    url: str
    prefix: str
    source: str
    ends_at: float


def _rush(say: Say, shared: _Shared, clients: int, *, naive: bool) -> None:
    """Ask with so many threads from before the end until it was made anew."""
    cache = TwoLevelCache(MemoryLevel(), RedisLevel(shared.url, shared.prefix))

    def made() -> str:
        with urllib.request.urlopen(f"{shared.source}/v1/made", timeout=10) as answer:
            return str(answer.status)

    def naively() -> str:
        value = cache.get("a")
        if value is None:
            cache.set("a", value := made(), 60)
        return str(value)

    def ask(_number: int) -> None:
        get: Callable[[], object] = naively if naive else lambda: cache.compute("a", made, 60)
        while get() == "before" or time.time() < shared.ends_at + TAKES_S:
            time.sleep(0.01)

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(ask, range(clients)))
    say(f"{cache.stats()['redis_failures']:.0f}")
    cache.close()


def _fuzzed(seed: int) -> tuple[int, list[str]]:
    """Return how many random replies were believed, and what was raised."""
    believed, raised = 0, []
    with impostor(seed) as url, patch("core.caching.clients.DEADLINE_S", DEADLINE_S):
        level = RedisLevel(url)
        level._probe = lambda: None  # type: ignore[method-assign] # it is well again before each command
        cache = TwoLevelCache(MemoryLevel(10, 0), level)
        others: list[Callable[[str], object]] = [
            lambda key: cache.set(key, "x", 60),
            level.delete,
            level.delete_pattern,
            lambda key: level.lock(key, "token", 0.01),
        ]
        for number in range(EACH):
            level._well = True
            try:
                if number % 2:
                    others[number // 2 % len(others)](f"k{number}")
                else:
                    believed += cache.lookup(f"k{number}") is not None
            except Exception as error:  # whatever escapes is what is looked for
                raised.append(f"seed {seed}: {type(error).__name__}: {error}")
        cache.close()
    return believed, raised
