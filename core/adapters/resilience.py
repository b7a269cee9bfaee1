"""Holding the world at arm's length: a total deadline over any call."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

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
