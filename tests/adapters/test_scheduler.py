"""The scheduler runs its jobs, survives them, and shows that it lives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from core.adapters import scheduler as module
from core.adapters.scheduler import ThreadScheduler

#: Long enough for a busy machine; nothing waits for it where all is well.
PATIENCE_S = 20


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadScheduler]:
    monkeypatch.setattr(module, "TICK_S", 0.01)
    made = ThreadScheduler()
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


def _state(scheduler: ThreadScheduler) -> dict[str, object]:
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
    assert _state(scheduler)["last_error"]


def test_the_heartbeat_has_an_age_once_it_runs(scheduler: ThreadScheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=500.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    assert scheduler.heartbeat_age_s() is None
    job = Job()
    scheduler.every(3600, "job", job)
    scheduler.start()
    job.wait()
    scheduler.stop()
    assert scheduler.heartbeat_age_s() == 0.0
    clock.now += 42
    assert scheduler.heartbeat_age_s() == 42.0


def test_the_heart_beats_between_the_jobs(scheduler: ThreadScheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    beats = iter(range(10**9))
    seen = threading.Event()

    def monotonic() -> float:
        count = next(beats)
        if count > 20:
            seen.set()
        return float(count)

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=monotonic))
    scheduler.start()  # no job at all
    assert seen.wait(timeout=PATIENCE_S)


def test_stop_waits_for_the_running_job_and_starts_no_other(scheduler: ThreadScheduler) -> None:
    started, release = threading.Event(), threading.Event()
    finished = []

    def slow() -> None:
        started.set()
        release.wait(PATIENCE_S)
        finished.append(True)

    never = Job()
    scheduler.every(3600, "slow", slow)
    scheduler.every(3600, "never", never)
    scheduler.start()
    assert started.wait(PATIENCE_S)
    threading.Timer(0.05, release.set).start()
    scheduler.stop()
    assert finished == [True]
    assert never.runs == 0
    assert _threads() == []


def test_stop_before_start_and_twice_is_no_error(scheduler: ThreadScheduler) -> None:
    scheduler.stop()
    scheduler.stop()
    assert _threads() == []
