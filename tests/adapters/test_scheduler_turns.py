"""A scheduler among those of other programs: it runs its jobs when it is its turn, from where the last one stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from core.adapters import scheduler as module
from core.adapters.scheduler import ThreadScheduler
from core.adapters.turns import Past
from tests.adapters.test_scheduler import Clock, Job


@pytest.fixture
def clock() -> Clock:
    return Clock()


def forward(clock: Clock, seconds: float) -> None:
    """Let so much time go by, and what is due of half a dozen jobs then run."""
    clock.forward(seconds)
    for _ in range(4):
        clock.settle()


class Shared:
    """Turns of one of several programs, given and taken by a test."""

    def __init__(self, past: Mapping[str, Past]) -> None:
        self.term, self.ours, self.before = 0, False, past
        self.ends: list[tuple[str, str | None]] = []

    def take(self) -> None:
        """Let this program do the jobs from now on."""
        self.ours, self.term = True, self.term + 1

    def start(self) -> None:
        pass

    def stop(self) -> None:
        self.ours = False

    def leads(self) -> bool:
        return self.ours

    def past(self) -> Mapping[str, Past]:
        return self.before

    @contextmanager
    def turn(self, job: str, *, recorded: bool) -> Iterator[bool]:
        assert recorded == (job != "look")
        yield self.ours

    def ended(self, job: str, error: str | None) -> None:
        self.ends.append((job, error))


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[tuple[ThreadScheduler, Shared]]:
    """Return a scheduler of a program that does not do the jobs yet, of which some ran elsewhere an hour ago."""
    monkeypatch.setattr(module, "TICK_S", 0.002)
    begun = datetime.now(UTC) - timedelta(hours=1)
    turns = Shared({"long": Past(begun, begun), "due": Past(begun, begun, "SourceError: away"), "cut": Past(begun)})
    made = ThreadScheduler(clock, turns=turns)
    yield made, turns
    made.stop()


def test_a_program_that_does_not_lead_runs_nothing_and_shows_what_others_did(
    shared: tuple[ThreadScheduler, Shared], clock: Clock
) -> None:
    scheduler, turns = shared
    job = Job()
    for name in turns.before:
        scheduler.every(7200, name, job, recorded=True)
    scheduler.every(60, "new", job, recorded=True)
    scheduler.start()
    forward(clock, 9000)
    assert job.runs == 0 and not scheduler.leads
    assert scheduler.heartbeat_age_s() is not None  # it is well, it only does not lead
    states = {str(state["name"]): state for state in scheduler.jobs()}
    begun = turns.before["cut"].begun_at
    assert (states["long"]["last_run"], states["long"]["running_since"]) == (begun, None)
    assert states["due"]["last_error"] == "SourceError: away"
    assert (states["cut"]["last_run"], states["cut"]["running_since"]) == (None, begun)
    assert {state["next_in_s"] for state in states.values()} == {None}
    assert states["new"]["last_run"] is None


def test_whoever_takes_over_goes_on_where_the_last_one_stopped(
    shared: tuple[ThreadScheduler, Shared], clock: Clock
) -> None:
    scheduler, turns = shared
    jobs = {name: Job() for name in ("long", "due", "cut", "new", "look")}
    for name, every_s in (("long", 7200), ("due", 1800), ("cut", 7200), ("new", 600)):
        scheduler.every(every_s, name, jobs[name], 300, recorded=True)
    scheduler.every(100, "look", jobs["look"], 50)
    scheduler.start()
    turns.take()
    forward(clock, 0)
    assert {name: job.runs for name, job in jobs.items()} == {"long": 0, "due": 1, "cut": 1, "new": 0, "look": 0}
    forward(clock, 3500)
    assert {name: job.runs for name, job in jobs.items()} == {"long": 0, "due": 2, "cut": 1, "new": 1, "look": 1}
    forward(clock, 200)
    assert jobs["long"].runs == 1
    assert turns.ends.count(("due", None)) == 2 and ("look", None) not in turns.ends
    turns.ours = False
    forward(clock, 20_000)
    assert jobs["due"].runs == 2
    turns.take()  # again, and the others have done nothing meanwhile
    forward(clock, 0)
    assert jobs["due"].runs == 3


def test_whoever_takes_over_says_how_the_last_run_went(shared: tuple[ThreadScheduler, Shared], clock: Clock) -> None:
    scheduler, turns = shared
    scheduler.every(7200, "due", Job(), recorded=True)
    scheduler.start()
    turns.take()
    forward(clock, 0)
    (state,) = scheduler.jobs()
    assert (state["last_run"], state["last_error"]) == (turns.before["due"].ended_at, "SourceError: away")
    forward(clock, 3700)
    (state,) = scheduler.jobs()
    assert state["last_error"] is None and state["last_run"] > turns.before["due"].begun_at + timedelta(minutes=50)


def test_the_end_of_a_job_is_written_down_with_what_it_failed_with(
    shared: tuple[ThreadScheduler, Shared], clock: Clock
) -> None:
    scheduler, turns = shared
    scheduler.every(7200, "cut", Job(ValueError("no")), recorded=True)
    scheduler.start()
    turns.take()
    forward(clock, 0)
    assert turns.ends == [("cut", "ValueError: no")]
