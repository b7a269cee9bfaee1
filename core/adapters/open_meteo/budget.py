"""The budget of calls: below the free limits of the service in every minute, hour and day, however they are cut."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import SourceRateLimited
from core.ports import Clock

#: Free limits of Open-Meteo (weighted calls), by length of the window.
LIMITS: Mapping[str, tuple[timedelta, float]] = {
    "minute": (timedelta(minutes=1), 600.0),
    "hour": (timedelta(hours=1), 5_000.0),
    "day": (timedelta(days=1), 10_000.0),
}
#: Share of every limit that is never used: others behind the same address, and our count may differ from theirs.
RESERVE = 0.10


@dataclass(frozen=True)
class Usage:
    """Weighted calls of one window: used, and the limit with the reserve taken off."""

    window: str
    used: float
    limit: float


class Budget:
    """Counts weighted calls in sliding windows.

    The service counts by the minute, the full hour and the UTC day. A sliding window of the same length that stays
    below the limit holds every such count below it.

    Parameters
    ----------
    clock
        Tells the time.
    limits
        Length and limit by window.
    """

    def __init__(self, clock: Clock, limits: Mapping[str, tuple[timedelta, float]] = LIMITS) -> None:
        self._clock = clock
        self._limits = {name: (length, limit * (1 - RESERVE)) for name, (length, limit) in limits.items()}
        self._longest = max(length for length, _ in limits.values())
        self._calls: deque[tuple[datetime, float]] = deque()
        self._lock = threading.Lock()

    @property
    def per_day(self) -> float:
        """Weighted calls that may be spent in the longest window."""
        return self._limits["day"][1]

    def take(self, weight: float) -> None:
        """Count a call before it is made.

        Raises
        ------
        SourceRateLimited
            If it does not fit; nothing is counted then, and `retry_after_s` says when it will.
        """
        with self._lock:
            now = self._now()
            for name, (length, limit) in self._limits.items():
                wait = self._wait(now, weight, length, limit)
                if wait is not None:
                    raise SourceRateLimited(
                        f"The budget of calls to Open-Meteo for this {name} is spent.",
                        hint=f"It has room again in {wait:.0f} s; fewer places or regions need fewer calls.",
                        retry_after_s=wait,
                        window=name,
                    )
            self._calls.append((now, weight))

    def usage(self) -> tuple[Usage, ...]:
        """Return use and limit of every window, for the monitoring page."""
        with self._lock:
            now = self._now()
            return tuple(
                Usage(name, round(self._used(now - length), 1), limit) for name, (length, limit) in self._limits.items()
            )

    def _now(self) -> datetime:
        """Return the time after forgetting calls too old for every window."""
        now = self._clock()
        # A clock that was set back would count calls of "the future" for ever: they are as if made now.
        while self._calls and self._calls[-1][0] > now:
            late = [(min(at, now), weight) for at, weight in self._calls]
            self._calls = deque(late)
        while self._calls and self._calls[0][0] <= now - self._longest:
            self._calls.popleft()
        return now

    def _used(self, since: datetime) -> float:
        return sum(weight for at, weight in self._calls if at > since)

    def _wait(self, now: datetime, weight: float, length: timedelta, limit: float) -> float | None:
        """Return the seconds until `weight` fits into a window, None where it fits now."""
        excess = self._used(now - length) + weight - limit
        if excess <= 0:
            return None
        for at, spent in self._calls:
            if at > now - length:
                excess -= spent
                if excess <= 0:
                    return max(1.0, (at + length - now).total_seconds())
        return length.total_seconds()
