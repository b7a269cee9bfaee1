"""The budget of calls: below the free limits of the service in every minute, hour and day, however they are cut."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from core.adapters.open_meteo.call_book import CallBook, Page
from core.domain.budget import BudgetLine
from core.domain.units import as_utc
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


class Budget:
    """Counts weighted calls in sliding windows, and knows until when the service said wait.

    The service counts by the minute, the full hour and the UTC day. A sliding window of the same length that stays
    below the limit holds every such count below it.

    Parameters
    ----------
    clock
        Tells the time.
    limits
        Length and limit by window.
    path
        File that all processes of a home share; None keeps the count in this process.
    """

    def __init__(
        self, clock: Clock, limits: Mapping[str, tuple[timedelta, float]] = LIMITS, path: Path | None = None
    ) -> None:
        self._clock = clock
        self._limits = {name: (length, limit * (1 - RESERVE)) for name, (length, limit) in limits.items()}
        self._longest = max(length for length, _ in limits.values())
        self._book = CallBook(path) if path is not None else None
        self._page = Page([])
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
        SourceUnavailable
            If the shared file cannot be written.
        """
        with self._opened() as (page, now):
            for name, (length, limit) in self._limits.items():
                wait = _wait(page, now, weight, (length, limit))
                if wait is not None:
                    raise SourceRateLimited(
                        f"The budget of calls to Open-Meteo for this {name} is spent.",
                        hint=f"It has room again in {wait:.0f} s; fewer places or regions need fewer calls.",
                        retry_after_s=wait,
                        window=name,
                    )
            page.calls.append((now, weight))

    def hold(self, seconds: float) -> None:
        """Remember that the service said wait; a longer wait that runs already stays."""
        with self._opened() as (page, now):
            if _held(page, now) < seconds:
                page.held_until, page.held_s = now + timedelta(seconds=seconds), seconds

    def held_s(self) -> float:
        """Return the seconds that the service must not be called, 0 where it may be."""
        with self._opened() as (page, now):
            return _held(page, now)

    def lines(self) -> tuple[BudgetLine, ...]:
        """Return use and limit of every window, and when the next call may be made."""
        with self._opened() as (page, now):
            held = _held(page, now)
            return tuple(_line(page, now, name, window, held) for name, window in self._limits.items())

    @contextmanager
    def _opened(self) -> Iterator[tuple[Page, datetime]]:
        """Give the page without calls too old for every window, and the time."""
        with self._lock:
            if self._book is None:
                yield self._page, self._forget(self._page)
            else:
                with self._book.open() as page:
                    yield page, self._forget(page)

    def _forget(self, page: Page) -> datetime:
        now = as_utc(self._clock())
        # A clock that was set back would count calls of "the future" for ever: they are as if made now.
        page.calls[:] = [(min(at, now), weight) for at, weight in page.calls if at > now - self._longest]
        return now


def _used(page: Page, since: datetime) -> float:
    return sum(weight for at, weight in page.calls if at > since)


def _held(page: Page, now: datetime) -> float:
    """Return the seconds that a wait still runs; a clock that was set back must not lengthen it."""
    if page.held_until is None:
        return 0.0
    page.held_until = min(page.held_until, now + timedelta(seconds=page.held_s))
    return max(0.0, (page.held_until - now).total_seconds())


def _wait(page: Page, now: datetime, weight: float, window: tuple[timedelta, float]) -> float | None:
    """Return the seconds until `weight` fits into a window, None where it fits now."""
    length, limit = window
    excess = _used(page, now - length) + weight - limit
    if excess <= 0:
        return None
    for at, spent in page.calls:
        if at > now - length:
            excess -= spent
            if excess <= 0:
                return max(1.0, (at + length - now).total_seconds())
    return length.total_seconds()


def _line(page: Page, now: datetime, name: str, window: tuple[timedelta, float], held: float) -> BudgetLine:
    # The lightest call weighs 1.
    spent, wait = round(_used(page, now - window[0]), 1), _wait(page, now, 1.0, window)
    if wait is None and not held:
        return BudgetLine(name, spent, window[1])
    reason = "the service has asked to wait" if held > (wait or 0.0) else f"the calls of this {name} are spent"
    return BudgetLine(name, spent, window[1], now + timedelta(seconds=max(held, wait or 0.0)), reason)
