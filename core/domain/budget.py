"""The budget of calls to a source that counts them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class BudgetLine:
    """Weighted calls of one window (minute, hour, day): spent, and how many may be spent at most.

    `free_at` is when the next call may be made, None where it may be made now; `reason` says in words why it may not.
    """

    name: str
    spent: float
    limit: float
    free_at: datetime | None = None
    reason: str = ""
