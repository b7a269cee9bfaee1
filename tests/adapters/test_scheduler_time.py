"""Jobs are due by a clock that nobody can set: no jump of the wall clock stops them or runs them twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import schedule
import time_machine

from core.adapters import scheduler as module
from core.adapters.scheduler import ThreadScheduler, elapsed_s
from tests.adapters.test_scheduler import HOUR_S, Clock, Job, Late, clock, driven, state_of

__all__ = ["clock", "driven"]  # fixtures

JUMPS = [timedelta(hours=1), timedelta(days=1), timedelta(days=365)]
JUMPS += [-jump for jump in JUMPS]


def test_a_job_first_runs_so_long_after_the_start_and_then_at_its_interval(
    driven: ThreadScheduler, clock: Clock
) -> None:
    job = Job()
    driven.every(7 * 24 * HOUR_S, "weekly", job, first_after_s=HOUR_S)
    clock.now_s += 24 * HOUR_S  # time before the start does not count
    assert state_of(driven)["next_in_s"] is None
    driven.start()
    clock.forward(HOUR_S - 1)
    assert (job.runs, state_of(driven)["next_in_s"], state_of(driven)["late_s"]) == (0, 1.0, None)
    clock.forward(1)
    assert (job.runs, state_of(driven)["next_in_s"], state_of(driven)["late_s"]) == (1, 7 * 24 * HOUR_S, 0.0)
    clock.forward(7 * 24 * HOUR_S - 1)
    assert job.runs == 1
    clock.forward(1)
    assert job.runs == 2


def test_a_job_that_is_given_while_it_runs_counts_from_then_on(driven: ThreadScheduler, clock: Clock) -> None:
    job = Job()
    driven.start()
    clock.forward(HOUR_S)
    driven.every(HOUR_S, "job", job, first_after_s=60)
    clock.forward(59)
    assert job.runs == 0
    clock.forward(1)
    assert job.runs == 1


def test_what_was_missed_runs_once_and_is_told_how_late_it_is(driven: ThreadScheduler, clock: Clock) -> None:
    late, other = Late(), Job()
    driven.every(60, "late", late, first_after_s=60, tells_lateness=True)
    driven.every(HOUR_S, "other", other)
    driven.start()
    clock.forward(60)
    clock.forward(60 * 10 + 30)  # the thread was blocked, or the process stopped, for ten and a half intervals
    assert late.late_s == [0.0, 570.0]
    assert [state["late_s"] for state in driven.jobs()] == [570.0, 0.0]
    assert other.runs == 1
    clock.forward(59)
    assert len(late.late_s) == 2  # counted from the late begin: no second run on its heels
    clock.forward(1)
    assert late.late_s == [0.0, 570.0, 0.0]


@pytest.mark.parametrize(("after_s", "late_s"), [(0.0, 0.0), (1.9, 0.0), (2.5, 2.5)])
def test_a_tick_or_two_are_not_late(driven: ThreadScheduler, clock: Clock, after_s: float, late_s: float) -> None:
    job = Late()
    driven.every(HOUR_S, "job", job, first_after_s=60, tells_lateness=True)
    driven.start()
    clock.forward(60 + after_s)
    assert job.late_s == [late_s]


def test_a_job_that_takes_longer_than_its_interval_runs_on_and_lets_the_others_run(
    driven: ThreadScheduler, clock: Clock
) -> None:
    long, short = Late(), Late()

    def takes_long(late_s: float) -> None:
        long(late_s)
        clock.now_s += 150

    driven.every(60, "long", takes_long, tells_lateness=True)
    driven.every(60, "short", short, tells_lateness=True)
    driven.start()
    clock.settle()
    clock.settle()
    driven.stop()
    assert long.late_s[:3] == [0.0, 90.0, 90.0]
    assert short.late_s[:2] == [150.0, 240.0]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_wall_clock_that_jumps_neither_stops_a_job_nor_runs_it_twice(
    driven: ThreadScheduler, clock: Clock, jump: timedelta
) -> None:
    job = Late()
    driven.every(HOUR_S, "hourly", job, tells_lateness=True)
    with time_machine.travel(datetime(2026, 7, 29, 18, tzinfo=UTC)) as wall:
        driven.start()
        clock.settle()
        wall.shift(jump)
        clock.settle()
        clock.forward(HOUR_S - 1)
        assert job.late_s == [0.0]
        clock.forward(1)
        assert job.late_s == [0.0, 0.0]
        wall.shift(-jump)
        clock.forward(HOUR_S - 1)
        assert job.late_s == [0.0, 0.0]
        clock.forward(1)
        assert job.late_s == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_no_jump_of_the_wall_clock_moves_the_clock_of_the_scheduler(jump: timedelta) -> None:
    with time_machine.travel(datetime(2026, 7, 29, 18, tzinfo=UTC)) as wall:
        before_s, wall_s = elapsed_s(), time.time()
        wall.shift(jump)
        assert abs(time.time() - wall_s) > HOUR_S / 2  # it has jumped
        assert 0 <= elapsed_s() - before_s < HOUR_S / 2


def _runs_after(jump: timedelta, jobs: schedule.Scheduler, pass_s: Callable[[float], None]) -> list[int]:
    """Return how often an hourly job ran at once after a jump of the wall clock, and an hour later."""
    runs: list[bool] = []
    job = jobs.every(HOUR_S)  # type: ignore[arg-type]
    job.seconds.do(lambda: runs.append(True))
    if isinstance(job, module.MonotonicJob):
        job.count(HOUR_S)
    seen = []
    with time_machine.travel(datetime.now(UTC), tick=False) as wall:
        for step, passes_s in ((jump, 0.0), (timedelta(hours=1), HOUR_S)):
            wall.shift(step)
            pass_s(passes_s)
            jobs.run_pending()
            seen.append(len(runs))
    return seen


def test_the_library_by_itself_stops_where_the_clock_is_set_back_and_runs_too_early_where_it_is_set_on() -> None:
    clock = Clock()

    def passes(seconds: float) -> None:
        clock.now_s += seconds

    day = timedelta(days=1)
    for jump, by_wall_clock in ((-day, [0, 0]), (day, [1, 2])):
        assert _runs_after(jump, schedule.Scheduler(), passes) == by_wall_clock
        assert _runs_after(jump, module.MonotonicJobs(clock, lambda: True), passes) == [0, 1]


#: A process with one job each 0.2 s that says, a line each, when it begins and how late.
TELLING = """
import importlib.util, json, sys, time
spec = importlib.util.spec_from_file_location("scheduler", sys.argv[1])  # by itself: all of core takes seconds
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.TICK_S = 0.02
def job(late_s):
    (one,) = jobs._jobs.get_jobs()
    print(json.dumps([one.begun_s, late_s]), flush=True)
jobs = module.ThreadScheduler()
jobs.every(0.2, "job", job, tells_lateness=True)
jobs.start()
time.sleep(60)
"""


def test_a_process_that_was_stopped_runs_once_what_it_missed_and_goes_on() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TELLING, module.__file__], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            begun = [_line(process)]
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(1)  # five intervals
            os.kill(process.pid, signal.SIGCONT)
            while begun[-1][1] < 0.6:
                begun.append(_line(process))
            begun += [_line(process) for _ in range(3)]
        finally:
            process.kill()
    steps_s = [later[0] - earlier[0] for earlier, later in pairwise(begun)]
    assert max(steps_s) > 0.7  # it was stopped
    assert min(steps_s) > 0.199  # and made up for nothing in a hurry


def _line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())
