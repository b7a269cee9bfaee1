"""Meters of a running process: how long its doors take, and which errors it had."""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Door = Literal["api", "page", "refresh"]
DOORS: tuple[Door, ...] = get_args(Door)
#: Newest durations of a door that its latency is taken from: an hour of a busy day, and sorted in a millisecond.
KEPT = 2_000
#: Kinds of errors that are told apart; a bug that makes names up must not fill the memory.
MOST_KINDS, OTHER = 50, "other"


@dataclass(frozen=True)
class Latency:
    """How long a door took: number of the newest durations, and the seconds that half, 95 and 99 % of them kept."""

    count: int
    p50_s: float
    p95_s: float
    p99_s: float


class Meters:
    """Counts what happens in one process, from any thread; everything is forgotten with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._durations: dict[str, deque[float]] = {door: deque(maxlen=KEPT) for door in DOORS}
        self._faults: Counter[str] = Counter()
        self._delivered: Counter[str] = Counter()

    def timed(self, door: Door, seconds: float) -> None:
        """Note how long one answer of the API, one run of a page or the refresh of one region took."""
        with self._lock:
            self._durations[door].append(seconds)

    def latencies(self) -> Mapping[str, Latency]:
        """Return the latency of every door that was used.

        >>> meters = Meters()
        >>> for seconds in range(1, 101):
        ...     meters.timed("page", seconds)
        >>> meters.latencies()
        {'page': Latency(count=100, p50_s=50, p95_s=95, p99_s=99)}
        """
        with self._lock:
            kept = {door: list(durations) for door, durations in self._durations.items() if durations}
        return {door: _latency(sorted(durations)) for door, durations in kept.items()}

    def failed(self, kind: str) -> None:
        """Count an error by the name of its class, where it is handled; kinds beyond the fiftieth are "other"."""
        with self._lock:
            known = kind in self._faults or len(self._faults) < MOST_KINDS
            self._faults[kind if known else OTHER] += 1

    def faults(self) -> Mapping[str, int]:
        """Return the number of errors since the start by kind."""
        with self._lock:
            return dict(self._faults)

    def delivered(self, kind: str) -> None:
        """Count a notice that got through, by the kind of its channel."""
        with self._lock:
            self._delivered[kind] += 1

    def deliveries(self) -> Mapping[str, int]:
        """Return the number of notices that got through since the start, by kind of channel."""
        with self._lock:
            return dict(self._delivered)


def _latency(ordered: Sequence[float]) -> Latency:
    """Return the latency of durations in order: by nearest rank, so that each number is one that was measured."""
    p50, p95, p99 = (ordered[math.ceil(len(ordered) * percent / 100) - 1] for percent in (50, 95, 99))
    return Latency(len(ordered), p50, p95, p99)
