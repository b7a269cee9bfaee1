"""The cache in this process: bounded by entries, least recently used goes first, every value has an end."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any


class MemoryCache:
    """Thread-safe cache of immutable values.

    Parameters
    ----------
    max_entries
        More entries push out the least recently used.
    monotonic
        Clock for ages, seconds; a wall clock would jump.
    """

    def __init__(self, max_entries: int = 512, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._max_entries = max_entries
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[float, Any]] = OrderedDict()
        self._counts = {"hits": 0, "misses": 0, "evictions": 0}

    @property
    def mode(self) -> str:
        """How it works: in this process only."""
        return "memory"

    def get(self, key: str) -> Any | None:
        """Return the value, None where there is none or its time is over."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry[0] <= self._monotonic():
                self._entries.pop(key, None)
                self._counts["misses"] += 1
                return None
            self._entries.move_to_end(key)
            self._counts["hits"] += 1
            return entry[1]

    def set(self, key: str, value: Any, ttl: float) -> None:
        """Keep a value for `ttl` seconds."""
        with self._lock:
            self._entries[key] = (self._monotonic() + ttl, value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)
                self._counts["evictions"] += 1

    def delete(self, key: str) -> bool:
        """Forget one key; say whether it was there."""
        with self._lock:
            entry = self._entries.pop(key, None)
            return entry is not None and entry[0] > self._monotonic()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def stats(self) -> Mapping[str, float]:
        """Return entries, hits, misses and evictions."""
        with self._lock:
            return {"entries": len(self._entries), **self._counts}
