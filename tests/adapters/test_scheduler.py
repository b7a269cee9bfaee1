"""The scheduler runs its jobs, survives them, and shows that it lives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime

import pytest
import schedule
import structlog

from core.adapters import scheduler as module
from core.adapters.scheduler import IN_TIME_TICKS, TICK_S, ThreadScheduler

#: Long enough for a busy machine; nothing waits for it where all is well.
PATIENCE_S = 20
HOUR_S = 3600.0


class Clock:
    """Monotonic clock that stands still until a test moves it, and that knows how often it was read."""

    def __init__(self) -> None:
        self.now_s = 500.0
        self._read = threading.Condition()
        self._reads = 0

    def __call__(self) -> float:
        with self._read:
            self._reads += 1
            self._read.notify_all()
            return self.now_s

    def settle(self) -> None:
        """Wait until the thread has looked at its jobs once more: what is due by now has run."""
        with self._read:
            seen = self._reads + 20  # one look at two jobs reads it nine times at most, if both of them run
            assert self._read.wait_for(lambda: self._reads >= seen, PATIENCE_S), "the thread looks no more"

    def forward(self, seconds: float) -> None:
        """Let so much time go by, and what is due then run."""
        self.now_s += seconds
        self.settle()


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadScheduler]:
    monkeypatch.setattr(module, "TICK_S", 0.01)
    made = ThreadScheduler()
    yield made
    made.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def driven(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[ThreadScheduler]:
    """Return a scheduler whose time a test moves; it looks for due jobs often, and calls late what is so as ever."""
    monkeypatch.setattr(module, "TICK_S", 0.002)
    monkeypatch.setattr(module, "IN_TIME_TICKS", IN_TIME_TICKS * TICK_S / 0.002)
    made = ThreadScheduler(clock)
    yield made
    made.stop()


def _threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "scheduler"]


class Job:
    """Job that can be waited for, and that fails as often as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.runs = 0
        self.ran = threading.Semaphore(0)

    def __call__(self) -> None:
        self.runs += 1
        self.ran.release()
        if self.failures:
            raise self.failures.pop(0)

    def wait(self) -> None:
        assert self.ran.acquire(timeout=PATIENCE_S), "the job did not run"


class Slow:
    """Job that runs until it is released."""

    def __init__(self) -> None:
        self.started, self.release = threading.Event(), threading.Event()
        self.finished = 0

    def __call__(self) -> None:
        self.started.set()
        assert self.release.wait(PATIENCE_S)
        self.finished += 1


class Late:
    """Job that notes how late it is."""

    def __init__(self) -> None:
        self.late_s: list[float] = []

    def __call__(self, late_s: float) -> None:
        self.late_s.append(late_s)


def state_of(scheduler: ThreadScheduler) -> dict[str, object]:
    (state,) = scheduler.jobs()
    return dict(state)


def test_every_job_runs_at_the_start(scheduler: ThreadScheduler) -> None:
    hourly, daily = Job(), Job()
    scheduler.every(3600, "hourly", hourly)
    scheduler.every(86400, "daily", daily)
    assert [(j["name"], j["every_s"], j["last_run"]) for j in scheduler.jobs()] == [
        ("hourly", 3600, None),
        ("daily", 86400, None),
    ]
    scheduler.start()
    hourly.wait()
    daily.wait()
    scheduler.stop()
    assert (hourly.runs, daily.runs) == (1, 1)
    assert all(j["last_run"] is not None and j["last_error"] is None for j in scheduler.jobs())


def test_a_second_start_does_nothing(scheduler: ThreadScheduler) -> None:
    job = Job()
    scheduler.every(3600, "job", job)
    scheduler.start()
    scheduler.start()
    job.wait()
    assert len(_threads()) == 1
    scheduler.stop()
    assert job.runs == 1


def test_a_job_that_raises_is_remembered_and_runs_again(scheduler: ThreadScheduler) -> None:
    job, neighbour = Job(ValueError("no rain data")), Job()
    scheduler.every(1, "job", job)
    scheduler.every(3600, "neighbour", neighbour)
    scheduler.start()
    job.wait()
    neighbour.wait()  # runs after the failed one, so the failure is written down by now
    state = next(dict(j) for j in scheduler.jobs() if j["name"] == "job")
    assert state["last_error"] == "ValueError: no rain data"
    assert state["last_run"] is not None
    job.wait()  # its next time comes all the same
    scheduler.stop()
    assert next(iter(scheduler.jobs()))["last_error"] is None  # and success clears the error


def test_a_job_that_raises_without_words_is_remembered_too(scheduler: ThreadScheduler) -> None:
    job = Job(TimeoutError())
    scheduler.every(3600, "job", job)
    scheduler.start()
    job.wait()
    scheduler.stop()
    assert state_of(scheduler)["last_error"]


def test_the_heartbeat_has_an_age_once_it_runs(driven: ThreadScheduler, clock: Clock) -> None:
    assert driven.heartbeat_age_s() is None
    job = Job()
    driven.every(3600, "job", job)
    driven.start()
    job.wait()
    driven.stop()
    assert driven.heartbeat_age_s() == 0.0
    clock.now_s += 42
    assert driven.heartbeat_age_s() == 42.0


def test_the_heart_beats_between_the_jobs(driven: ThreadScheduler, clock: Clock) -> None:
    driven.start()  # no job at all
    clock.forward(60)
    assert driven.heartbeat_age_s() == 0.0


def test_the_heartbeat_grows_old_while_a_job_is_running_and_is_young_after_it(
    driven: ThreadScheduler, clock: Clock
) -> None:
    slow = Slow()
    driven.every(HOUR_S, "slow", slow)
    driven.start()
    slow.started.wait(PATIENCE_S)
    clock.now_s += 130
    assert driven.heartbeat_age_s() == 130.0
    assert isinstance(state_of(driven)["running_since"], datetime)
    slow.release.set()
    clock.settle()
    assert (driven.heartbeat_age_s(), state_of(driven)["running_since"]) == (0.0, None)


def test_stop_waits_for_the_running_job_and_starts_no_other(scheduler: ThreadScheduler) -> None:
    slow, never = Slow(), Job()
    scheduler.every(3600, "slow", slow)
    scheduler.every(3600, "never", never)
    scheduler.start()
    assert slow.started.wait(PATIENCE_S)
    threading.Timer(0.05, slow.release.set).start()
    scheduler.stop()
    assert slow.finished == 1
    assert never.runs == 0
    assert _threads() == []
    scheduler.start()
    never.wait()  # what was not begun is due still


def test_stop_before_start_and_twice_is_no_error(scheduler: ThreadScheduler) -> None:
    scheduler.stop()
    scheduler.stop()
    assert _threads() == []


def test_a_job_may_give_the_scheduler_another_one(driven: ThreadScheduler, clock: Clock) -> None:
    second = Job()
    driven.every(HOUR_S, "first", lambda: driven.every(HOUR_S, "second", second))
    driven.start()
    second.wait()
    assert [state["name"] for state in driven.jobs()] == ["first", "second"]


def test_a_job_of_the_same_name_takes_the_place_of_the_first(driven: ThreadScheduler, clock: Clock) -> None:
    before, first, second = Job(), Job(), Job()
    driven.every(60, "job", before)
    driven.every(60, "job", first)
    driven.start()
    clock.settle()
    driven.every(HOUR_S, "job", second)
    clock.forward(60)
    assert (before.runs, first.runs, second.runs) == (0, 1, 1)
    assert state_of(driven)["every_s"] == HOUR_S


def test_a_job_that_raises_does_not_run_again_before_its_time(driven: ThreadScheduler, clock: Clock) -> None:
    job = Job(ValueError("no rain data"))
    driven.every(60, "job", job)
    driven.start()
    clock.forward(59)
    assert (job.runs, state_of(driven)["last_error"]) == (1, "ValueError: no rain data")
    assert state_of(driven)["running_since"] is None
    clock.forward(1)
    assert (job.runs, state_of(driven)["last_error"]) == (2, None)


def test_a_job_that_gives_what_the_library_takes_for_a_farewell_stays(driven: ThreadScheduler, clock: Clock) -> None:
    runs = []

    def job() -> type[schedule.CancelJob]:
        runs.append(True)
        return schedule.CancelJob

    driven.every(60, "job", job)
    driven.start()
    clock.settle()
    clock.forward(60)
    assert len(runs) == 2


def test_what_a_job_logs_names_the_job_and_its_run(scheduler: ThreadScheduler) -> None:
    seen: list[dict[str, object]] = []
    twice = threading.Event()

    def job() -> None:
        seen.append(structlog.contextvars.get_contextvars())
        if len(seen) == 2:
            twice.set()
        raise RuntimeError("a job that fails is named all the same")

    scheduler.every(0.01, "refresh", job)
    scheduler.start()
    assert twice.wait(PATIENCE_S)
    assert [found["job"] for found in seen[:2]] == ["refresh", "refresh"]
    assert len({found["job_run"] for found in seen}) == len(seen)
