"""The one scheduler: a thread beside the pages, started by the lifespan, with a heartbeat that others can watch.

Its jobs are those of the `schedule` library, due by a clock that nobody can set: a wall clock that jumps neither stops
a job nor runs it twice. What was missed, because a job took long, the process was stopped or the machine slept, runs
once and is told how late it is.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import schedule
import structlog

from core.adapters.turns import Alone, Past, Turns
from core.domain.units import first_due_s
from core.meters import Meters

log = structlog.get_logger()
#: How often the thread looks for due jobs and beats, seconds.
TICK_S = 1.0
#: A job that begins within so many ticks after its due time is in time.
IN_TIME_TICKS = 2


def elapsed_s() -> float:
    """Return the seconds of a clock that nobody can set; on Linux it goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


class MonotonicJob(schedule.Job):
    """Job of the library that is due by a monotonic clock, and that remembers how its last run went.

    The library counts in local wall time: its jobs rest for a day where the clock is set back by a day, and another
    clock is out of its scope (https://github.com/dbader/schedule/issues/258). All that reads or sets a due time in its
    release 1.2.2 is replaced here: `should_run`, the order of two jobs, and `_schedule_next_run`.

    Parameters
    ----------
    every_s
        Seconds between the begins of two runs.
    jobs
        Where it is registered.
    """

    def __init__(self, every_s: float, jobs: MonotonicJobs) -> None:
        super().__init__(every_s, jobs)  # type: ignore[arg-type]  # the library only shows it
        self.every_s, self.clock, self._meters = every_s, jobs.clock, jobs.meters
        self.recorded = False
        self.begun_s: float | None = None
        self.due_s = math.inf  # until somebody begins to count
        self.late_s: float | None = None
        self.running_since: datetime | None = None
        self.ended_at: datetime | None = None
        self.error: str | None = None

    def __lt__(self, other: MonotonicJob) -> bool:
        """Of two jobs that are due the one that has waited longer goes first."""
        return self.due_s < other.due_s

    @property
    def should_run(self) -> bool:
        """True once it is due."""
        return self.clock() >= self.due_s

    def count(self, first_after_s: float) -> None:
        """Be due for the first time in so many seconds; a job that counts already goes on as it does."""
        if math.isinf(self.due_s):
            self.due_s = self.clock() + first_after_s

    def follow(self, past: Past) -> None:
        """Go on from the last run, whichever program did it: due as that has it, at once where it was cut off."""
        now = datetime.now(UTC)
        wait_s, late_s = first_due_s(past.begun_at, now, self.every_s) if past.ended_at else (0.0, 0.0)
        self.due_s = self.clock() + wait_s - late_s
        self.ended_at, self.error, self.late_s = past.ended_at, past.error, None

    @property
    def name(self) -> str:
        """What it is called."""
        return ", ".join(map(str, self.tags))

    def run(self) -> None:
        """Run, and remember when, how late, and how that went; a job that raises is due again all the same."""
        self.begun_s = self.clock()
        late_s = self.begun_s - self.due_s
        self.late_s = late_s if late_s > IN_TIME_TICKS * TICK_S else 0.0
        self.running_since = datetime.now(UTC)
        self._schedule_next_run()
        named = {"job": self.name, "job_run": uuid4().hex[:12]}
        with structlog.contextvars.bound_contextvars(**named):
            try:
                super().run()  # type: ignore[no-untyped-call]  # the library says of few things what they return
                self.error = None
            except Exception as error:
                self.error = f"{type(error).__name__}: {error}"
                self._meters.failed(type(error).__name__)
                log.exception("job failed")
        self.ended_at, self.running_since = datetime.now(UTC), None

    def _schedule_next_run(self) -> None:
        # Counted from the begin, and not from when it was due: this one run stands for all that was missed before it.
        if self.begun_s is not None:
            self.due_s = self.begun_s + self.every_s


class MonotonicJobs(schedule.Scheduler):
    """The library's jobs, all of them monotonic ones.

    Parameters
    ----------
    clock
        Seconds of a clock that nobody can set.
    alive
        Called before and after every job; says whether the next may begin.
    meters
        Count the errors of jobs.
    turns
        Say whether a job may run.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        alive: Callable[[], bool],
        meters: Meters | None = None,
        turns: Turns | None = None,
    ) -> None:
        super().__init__()
        self.clock, self._alive, self.meters, self._turns = clock, alive, meters or Meters(), turns or Alone()

    def every(self, interval: float = 1) -> MonotonicJob:
        """Return a new job that begins each `interval`, in seconds."""
        return MonotonicJob(interval, self)

    def _run_job(self, job: schedule.Job) -> None:
        if self._alive() and isinstance(job, MonotonicJob):
            with self._turns.turn(job.name, recorded=job.recorded) as ours:
                if ours:
                    super()._run_job(job)
                    if job.recorded:
                        self._turns.ended(job.name, job.error)
            self._alive()


class ThreadScheduler:
    """Runs jobs in one daemon thread; a job that raises is logged and run again at its next time.

    Parameters
    ----------
    clock
        Seconds of a clock that nobody can set.
    meters
        Count the errors of jobs.
    turns
        Which of several programs does the jobs; None: this one.
    """

    def __init__(
        self, clock: Callable[[], float] = elapsed_s, meters: Meters | None = None, turns: Turns | None = None
    ) -> None:
        self._clock, self._turns = clock, turns or Alone()
        self._jobs = MonotonicJobs(clock, self._alive, meters, self._turns)
        self._named: dict[str, tuple[MonotonicJob, float]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._beat: float | None = None

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

        A second program on the same ledger runs none, until it takes over.

        Parameters
        ----------
        seconds
            From the begin of one run to the begin of the next.
        first_after_s
            From the start to the first run.
        tells_lateness
            True for a job that is called with `late_s`, the seconds after its due time at which it begins: 0.0 where
            that is less than two ticks. All others are called without arguments.
        recorded
            True for a job whose runs are written down: it is due as its last run has it, whichever program did that,
            and at once where it was cut off. All others look for themselves what there is to do.
        """
        self._jobs.clear(name)
        made = self._jobs.every(seconds)
        made.recorded = recorded
        self._named[name] = made, first_after_s
        if self._thread is not None:
            made.count(first_after_s)
        made.seconds.tag(name).do(partial(_told, job, made) if tells_lateness else job)

    def start(self) -> None:
        """Begin; a second start does nothing."""
        if self._thread is None:
            self._stop.clear()
            self._turns.start()
            for job, first_after_s in list(self._named.values()):
                job.count(first_after_s)
            self._thread = threading.Thread(target=self._loop, name="scheduler", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End, waiting up to ten seconds for the running job."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None
            self._turns.stop()

    @property
    def leads(self) -> bool:
        """Whether this program does the jobs."""
        return self._turns.leads()

    @property
    def term(self) -> int:
        """How often this program has begun to do the jobs."""
        return self._turns.term

    def heartbeat_age_s(self) -> float | None:
        """Return the seconds since the last beat, None where it never ran."""
        return None if self._beat is None else self._clock() - self._beat

    def jobs(self) -> Iterable[Mapping[str, Any]]:
        """Return the state of every job: see the port."""
        leads, past = self._turns.leads(), self._turns.past()
        return [
            self._state(name, job) if leads or self._thread is None else _elsewhere(name, job, past.get(name))
            for name, (job, _) in list(self._named.items())
        ]

    def _state(self, name: str, job: MonotonicJob) -> Mapping[str, Any]:
        return {
            "name": name,
            "every_s": job.every_s,
            "last_run": job.ended_at,
            "last_error": job.error,
            "late_s": job.late_s,
            "next_in_s": None if math.isinf(job.due_s) else max(0.0, job.due_s - self._clock()),
            "running_since": job.running_since,
        }

    def _loop(self) -> None:
        term = 0
        while self._alive():
            if self._turns.leads():
                if term != self._turns.term:
                    term = self._turns.term
                    self._take_over()
                self._jobs.run_pending()
            self._stop.wait(TICK_S)

    def _take_over(self) -> None:
        """Let every job go on where the last run of whichever program left it."""
        past = self._turns.past()
        for name, (job, _) in list(self._named.items()):
            if job.recorded and name in past:
                job.follow(past[name])

    def _alive(self) -> bool:
        """Beat, and say whether to go on."""
        self._beat = self._clock()
        return not self._stop.is_set()


def _told(job: Callable[..., object], made: MonotonicJob) -> object:
    """Run a job that wants to know how late it is."""
    return job(late_s=made.late_s)


def _elsewhere(name: str, job: MonotonicJob, past: Past | None) -> Mapping[str, Any]:
    """Return the state of a job that another program does, as far as it is written down."""
    return {
        "name": name,
        "every_s": job.every_s,
        "last_run": None if past is None else past.ended_at,
        "last_error": None if past is None else past.error,
        "late_s": None,
        "next_in_s": None,
        "running_since": None if past is None or past.ended_at else past.begun_at,
    }
