"""What several ports speak of: the clock, periods and progress."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

Clock = Callable[[], datetime]
Period = tuple[datetime, datetime]
#: A period whose ends may be open (None).
OpenPeriod = tuple[datetime | None, datetime | None]


class Progress(Protocol):
    """Told how far long work has come: `done` in 0..1 and what is being done."""

    def __call__(self, done: float, text: str) -> None:
        """Take one report."""


def silent(done: float, text: str) -> None:
    """Progress that nobody watches."""
