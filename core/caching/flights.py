"""Flights: of those in this process who miss the same value at once, one makes it and all of them take it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Flight:
    """One making of a value: what was made, and when (monotonic, s); for all who were waiting by then."""

    value: Any = None
    made_at: float = float("-inf")
    users: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Flights:
    """The flights that somebody is on, by key."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight] = {}
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, key: str) -> Iterator[Flight]:
        """Yield the flight of a key to one after the other of those who want its value; the last one ends it."""
        with self._lock:
            flight = self._flights.setdefault(key, Flight())
            flight.users += 1
        try:
            with flight.lock:
                yield flight
        finally:
            with self._lock:
                flight.users -= 1
                if not flight.users:
                    del self._flights[key]
