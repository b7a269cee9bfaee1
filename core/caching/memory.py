"""The first level: values in this process, bounded by entries and bytes.

What is of no use any more goes first, then what was used least recently.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

#: What is of no use any more leaves with a new value, but is not looked for more often than this, seconds.
SWEEP_S = 1.0
#: Longer lists are not weighed item by item, which takes longer than to read them, but by so many of them.
SAMPLE = 24
_ATOMS = (float, int, str, bytes, bool, type(None))


class Held(NamedTuple):
    """A value in memory: when it was fetched (since 1970, s), and until when it is fresh and of use (monotonic, s)."""

    value: Any
    fetched_at: float
    soft_at: float
    hard_at: float
    size: int


class MemoryLevel:
    """Thread-safe. Values are shared and must not be changed by whoever gets them.

    Parameters
    ----------
    max_entries, max_bytes
        More push out the least recently used; a value larger than all the bytes is not kept.
    monotonic
        Clock for ages, seconds; a wall clock would jump.
    """

    def __init__(
        self,
        max_entries: int = 512,
        max_bytes: int = 256 * 2**20,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_entries, self._max_bytes = max_entries, max_bytes
        self.monotonic = monotonic
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, Held] = OrderedDict()
        #: What a hit needs, for whoever counts microseconds: both run in C, whole under the interpreter's lock, so that
        #: they need none of ours. `touch` raises KeyError where a value has just been pushed out.
        self.peek, self.touch = self._entries.get, self._entries.move_to_end
        self._bytes = 0
        self._evictions = 0
        self._sweep_at = 0.0

    def get(self, key: str) -> Held | None:
        """Return what is held of a key while it is of use, None where there is nothing."""
        with self._lock:
            held = self._entries.get(key)
            if held is None:
                return None
            if held.hard_at <= self.monotonic():
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            return held

    def put(self, key: str, value: Any, fetched_at: float, soft_s: float, hard_s: float, *, size: int) -> Held:
        """Keep a value that is fresh for `soft_s` and of use for `hard_s` seconds from now, of so many bytes.

        Returns what holds of the key now: a newer value that was there already, or this one, be it too large to be
        kept (`peek` tells).
        """
        now = self.monotonic()
        new = Held(value, fetched_at, now + soft_s, now + hard_s, size)
        with self._lock:
            return self._put(key, new, now)

    def delete(self, key: str) -> bool:
        """Forget one key; say whether it was there."""
        with self._lock:
            held = self._entries.get(key)
            self._drop(key)
            return held is not None and held.hard_at > self.monotonic()

    def delete_pattern(self, pattern: str) -> int:
        """Forget the keys that fit a pattern with `*` and `?`; return how many."""
        with self._lock:
            plain = pattern.replace("[", "[[]")  # which is a class of characters to fnmatch
            found = [key for key in list(self._entries) if fnmatchcase(key, plain)]  # `touch` may reorder meanwhile
            for key in found:
                self._drop(key)
            return len(found)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def stats(self) -> Mapping[str, float]:
        """Return entries, bytes and evictions."""
        with self._lock:
            return {"entries": len(self._entries), "bytes": self._bytes, "evictions": self._evictions}

    def oldest(self) -> float | None:
        """Return when the oldest data of use were fetched, seconds since 1970; None where there are none."""
        with self._lock:
            now = self.monotonic()
            held = list(self._entries.values())  # `touch` may reorder meanwhile
        return min((one.fetched_at for one in held if one.hard_at > now), default=None)

    def fresh(self, held: Held) -> bool:
        """Say whether a value is fresh still."""
        return held.soft_at > self.monotonic()

    def _sweep(self, now: float) -> None:
        """Forget what is of no use any more: an issue of an hour ago would stay until as many newer ones came."""
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_S
            for key, held in list(self._entries.items()):  # `touch` may reorder meanwhile
                if held.hard_at <= now:
                    self._drop(key)

    def _put(self, key: str, new: Held, now: float) -> Held:
        self._sweep(now)
        before = self._entries.get(key)
        if before is not None and before.fetched_at > new.fetched_at and before.hard_at > now:
            return before
        self._drop(key)
        if new.size <= self._max_bytes:
            self._entries[key] = new
            self._bytes += new.size
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            _, oldest = self._entries.popitem(last=False)
            self._bytes -= oldest.size
            self._evictions += 1
        return new

    def _drop(self, key: str) -> None:
        held = self._entries.pop(key, None)
        if held is not None:
            self._bytes -= held.size


def size_of(value: Any) -> int:
    """Return about how many bytes a value holds: of tables and arrays exactly, of long lists by a sample."""
    if type(value) in _ATOMS:
        return sys.getsizeof(value)
    if isinstance(value, pd.DataFrame):
        return int(value.memory_usage(index=True, deep=True).sum())
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, dict):
        return sys.getsizeof(value) + _together(list(value)) + _together(list(value.values()))
    if isinstance(value, list | tuple):
        return sys.getsizeof(value) + _together(value)
    return sys.getsizeof(value)


def _together(many: Sequence[Any]) -> int:
    some = many if len(many) <= SAMPLE else many[:: -(-len(many) // SAMPLE)]
    return round(sum(map(size_of, some)) * len(many) / len(some)) if some else 0
