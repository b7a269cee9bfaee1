"""What runs beside the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol


class Cache(Protocol):
    """Values that may be forgotten at any time."""

    @property
    def mode(self) -> str:
        """How it works now, such as "memory"."""

    @property
    def shares(self) -> bool:
        """Whether other programs see what is kept here."""

    def get(self, key: str, default: Any = None, category: str = "api") -> Any:
        """Return the value, `default` where there is none or its time is over; counted under the category."""

    def peek(self, key: str) -> Any | None:
        """Return a fresh value of this process's memory, None where there is none; nobody counts it."""

    def set(
        self,
        key: str,
        value: Any,
        ttl: float | None = None,
        category: str = "api",
        fetched_at: float | None = None,
    ) -> bool:
        """Keep a value for `ttl` seconds, None: for the time of its category; say whether it is kept.

        Parameters
        ----------
        fetched_at
            Of the data, seconds since 1970 (None: now): newer data are never overwritten by older ones.
        """

    def delete(self, key: str) -> bool:
        """Forget one key; say whether it was there."""

    def clear(self) -> None:
        """Forget everything."""

    def stats(self) -> Mapping[str, float]:
        """Return entries, hits, misses and evictions."""


class Scheduler(Protocol):
    """Runs jobs beside the pages, by a clock that nobody can set; of several programs on one ledger one does so."""

    @property
    def leads(self) -> bool:
        """Whether this program does the jobs."""

    @property
    def term(self) -> int:
        """How often this program has begun to do them."""

    def every(
        self,
        seconds: float,
        name: str,
        job: Callable[..., object],
        first_after_s: float = 0.0,
        *,
        tells_lateness: bool = False,
        recorded: bool = False,
    ) -> None:
        """Run `job` so long after the start, and then every `seconds`; a job of the same name is replaced.

        What was missed runs once, at the first opportunity, and is late.

        Parameters
        ----------
        seconds
            From the begin of one run to the begin of the next.
        first_after_s
            From the start to the first run; see `core.domain.units.first_due_s` for what outlives a process.
        tells_lateness
            True for a job that is called with the keyword `late_s`, the seconds after its due time at which it begins,
            0.0 where it is in time. All others are called without arguments.
        recorded
            True for a job whose runs are written down, so that whoever takes over goes on where the last one stopped.
        """

    def start(self) -> None:
        """Begin; a second start does nothing."""

    def stop(self) -> None:
        """End, waiting for the running job."""

    def heartbeat_age_s(self) -> float | None:
        """Seconds since it last showed a sign of life, None where it never ran."""

    def jobs(self) -> Iterable[Mapping[str, Any]]:
        """Return the state of every job.

        By name: `every_s`; `last_run`, when the last run ended, its `last_error` and how late it began, `late_s`; the
        seconds until the next, `next_in_s`; and `running_since`. All but the first are None as long as there are none.
        """
