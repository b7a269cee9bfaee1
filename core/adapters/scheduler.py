"""The one scheduler: a thread beside the pages, started by the lifespan, with a heartbeat that others can watch.

Due times are monotonic: a wall clock that jumps neither stops a job nor runs it twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog

log = structlog.get_logger()
#: How often the thread looks for due jobs and beats, seconds.
TICK_S = 1.0


class ThreadScheduler:
    """Runs jobs in one daemon thread; a job that raises is logged and run again at its next time."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._beat: float | None = None
        self._state: dict[str, dict[str, Any]] = {}

    def every(self, seconds: float, name: str, job: Callable[[], object]) -> None:
        """Run `job` at the start and then every `seconds`."""
        self._state[name] = {"name": name, "every_s": seconds, "last_run": None, "last_error": None, "job": job}
        self._due[name] = time.monotonic()

    def start(self) -> None:
        """Begin; a second start does nothing."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._loop, name="scheduler", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End, waiting up to ten seconds for the running job."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None

    def heartbeat_age_s(self) -> float | None:
        """Return the seconds since the last beat, None where it never ran."""
        return None if self._beat is None else time.monotonic() - self._beat

    def jobs(self) -> Iterable[Mapping[str, Any]]:
        """Return name, interval, last run and last error of every job."""
        return [{k: v for k, v in state.items() if k != "job"} for state in self._state.values()]

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._beat = time.monotonic()
            for name in [n for n, due in self._due.items() if due <= time.monotonic()]:
                # The next time counts from now: a machine that slept runs a missed job once.
                self._due[name] = time.monotonic() + self._state[name]["every_s"]
                self._run(name)
            self._stop.wait(TICK_S)

    def _run(self, name: str) -> None:
        if self._stop.is_set():
            return
        state = self._state[name]
        try:
            state["job"]()
            state["last_error"] = None
        except Exception as error:
            state["last_error"] = f"{type(error).__name__}: {error}"
            log.exception("job failed", job=name)
        state["last_run"] = datetime.now(UTC)
        self._beat = time.monotonic()
