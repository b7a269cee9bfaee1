"""A scheduler that is dead or hangs in a process that goes on answering: pages, health and metrics say so in time."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from core.adapters.scheduler import ThreadScheduler
from core.bootstrap import jobs
from core.workflows import monitoring
from tests.faults.gates import Result
from tests.faults.program.pages import ReadPage
from tests.faults.programs import Program, Spoil, house, running, until

#: In CI everything of this gate is so many times as fast: its limits, and the periods of the jobs.
FASTER = 6
#: After so long nothing happens any more in a spoiled program, seconds.
DIES_S = 3.0
PERIOD_S = 30.0
DEAD = "The scheduler has shown no sign of life"
BEAT = re.compile(r"^cloudburst_scheduler_heartbeat_age_seconds (\S+)$", re.MULTILINE)


def gate_of_silence(folder: Path, full: bool) -> Result:
    """Stop the thread, let it die of an error, and let a job hang; without the heartbeat nobody would know."""
    faster = 1 if full else FASTER
    deaths = {"stopped": _stopped, "dead": _dead, "hung": _hung}
    wrong, ages = [], []

    def begun(name: str, spoil: Spoil) -> AbstractContextManager[Program]:
        environment = house(folder / name, REFRESH_MINUTES=PERIOD_S / 60 / faster)
        return running(environment, folder / f"{name}.log", _with(spoil, faster))

    for name, spoil in deaths.items():  # one by one: who looks late at one that died meanwhile finds it dead for long
        with begun(name, spoil) as program:
            age, told = _told(program, 2 * PERIOD_S / faster)
        ages.append(age)
        wrong += [f"{name}: {one}" for one in told]
    with begun("careless", _without_heartbeat) as careless:
        time.sleep(DIES_S + 2 * PERIOD_S / faster)
        control = _told(careless, 1.0)[1]
    text = (
        f"{len(deaths)} deaths ({', '.join(deaths)}) said {max(ages):.0f} s after the last sign of life at the latest"
    )
    return Result(
        f"{text}; period {PERIOD_S / faster:.0f} s",
        wrong,
        f"without heartbeat {len(control)} say nothing",
        bool(control),
    )


def _told(program: Program, most_s: float) -> tuple[float, list[str]]:
    """Wait until health tells of the death; return the age of the last sign of life, and which doors say nothing."""
    waited = until(lambda: _degraded(program), most_s + DIES_S + 10)
    health = program.said("/api/health")
    age = float(health["scheduler_heartbeat_age_s"])
    silent = []
    if waited == float("inf"):
        silent.append("health says nothing")
    elif age > most_s:
        silent.append(f"health says it after {age:.1f} s, two periods are {most_s:.1f} s")
    beat = BEAT.search(program.get("/api/metrics")[1].decode())
    if beat is None or float(beat[1]) < age - 1 or float(beat[1]) < DIES_S:
        silent.append("the metric of the heartbeat stands still")
    with ReadPage(program.address, "") as page:
        page.rerun()
        if not any(DEAD in text for text in page.red()):
            silent.append("the page has no red banner")
    return age, silent


def _degraded(program: Program) -> bool:
    health = program.said("/api/health")
    return health.get("status") == "degraded" and any(DEAD in problem for problem in health["problems"])


def _with(spoil: Callable[[], object], faster: int) -> Spoil:
    def both() -> None:
        monitoring.SILENT_S = tuple(s / faster for s in monitoring.SILENT_S)  # type: ignore[assignment]
        spoil()

    return both


def _later(act: Callable[[ThreadScheduler], object]) -> None:
    """Do something to the scheduler some seconds after it began."""
    start = ThreadScheduler.start

    def started(self: ThreadScheduler) -> None:
        start(self)
        timer = threading.Timer(DIES_S, act, (self,))
        timer.daemon = True
        timer.start()

    ThreadScheduler.start = started  # type: ignore[method-assign]


def _stopped() -> None:
    _later(ThreadScheduler.stop)


def _dead() -> None:
    def broken(_self: ThreadScheduler) -> bool:
        raise RuntimeError("whatever may end a thread")

    _later(lambda _: setattr(ThreadScheduler, "_alive", broken))


def _hung() -> None:
    _later(lambda _: setattr(jobs, "_refreshed", lambda _core, _region: threading.Event().wait()))


def _without_heartbeat() -> None:
    _stopped()
    ThreadScheduler.heartbeat_age_s = lambda _self: 0.0  # type: ignore[method-assign]
