"""What runs beside the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol


class Cache(Protocol):
    """Values that may be forgotten at any time."""

    @property
    def mode(self) -> str:
        """How it works now, such as "memory"."""

    def get(self, key: str) -> Any | None:
        """Return the value, None where there is none or its time is over."""

    def set(self, key: str, value: Any, ttl: float) -> None:
        """Keep a value for `ttl` seconds."""

    def delete(self, key: str) -> bool:
        """Forget one key; say whether it was there."""

    def clear(self) -> None:
        """Forget everything."""

    def stats(self) -> Mapping[str, float]:
        """Return entries, hits, misses and evictions."""


class Scheduler(Protocol):
    """Runs jobs beside the pages, once per process."""

    def every(self, seconds: float, name: str, job: Callable[[], object]) -> None:
        """Run `job` now and then at this interval."""

    def start(self) -> None:
        """Begin; a second start does nothing."""

    def stop(self) -> None:
        """End, waiting for the running job."""

    def heartbeat_age_s(self) -> float | None:
        """Seconds since it last showed a sign of life, None where it never ran."""

    def jobs(self) -> Iterable[Mapping[str, Any]]:
        """Return name, last run, last error of every job."""
