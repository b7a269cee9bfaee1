"""Holding the world at arm's length: a total deadline over any call, and a gate that nobody passes before its time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from core.ports import Clock

T = TypeVar("T")

#: Seconds that a cancelled call gets to close its socket before its thread is left behind.
GRACE_S = 0.5


class DeadlineExceeded(Exception):
    """The total deadline of a call is over."""


class Deadline:
    """So many seconds from now on, by a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left, never below 0."""
        return max(0.0, self._end - time.monotonic())


class _Outcome(Generic[T]):
    value: T
    error: BaseException | None = None


def within(deadline: Deadline, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return what `work` returns, or give up when the deadline is over: neither slow bytes nor silence can hold it.

    A timeout per read is no deadline: a server that sends a byte every 40 ms holds such a client for as long as it
    likes. Here the call runs in an event loop of its own, in a thread of its own, and is cancelled as a whole, in
    connecting, in the headers or in the body. What cannot be cancelled (a name that is being looked up) is left
    behind in its daemon thread.

    Raises
    ------
    DeadlineExceeded
        If the time is over.
    """
    outcome: _Outcome[T] = _Outcome()

    def run() -> None:
        try:
            outcome.value = asyncio.run(_timed(work, deadline.left))
        except BaseException as error:  # whatever it is, the caller's thread must hear of it
            outcome.error = error

    thread = threading.Thread(target=run, name="deadline", daemon=True)
    thread.start()
    thread.join(deadline.left + GRACE_S)
    if thread.is_alive():
        raise DeadlineExceeded
    if isinstance(outcome.error, TimeoutError):
        raise DeadlineExceeded from None
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


async def _timed(work: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> T:
    async with asyncio.timeout(seconds):
        return await work()


class Gate:
    """Shut until a moment: whoever asks is told how long it stays shut."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: datetime | None = None
        self._granted = timedelta()

    def shut(self, seconds: float) -> None:
        """Stay shut for at least `seconds` from now on; a longer wait that runs already stays."""
        with self._lock:
            if self._left() < seconds:
                self._granted = timedelta(seconds=seconds)
                self._until = self._clock() + self._granted

    def left(self) -> float:
        """Return the seconds that it stays shut, 0 where it is open."""
        with self._lock:
            return self._left()

    def _left(self) -> float:
        if self._until is None:
            return 0.0
        now = self._clock()
        # A clock that was set back must not lengthen the wait: it begins again at most.
        self._until = min(self._until, now + self._granted)
        return max(0.0, (self._until - now).total_seconds())
