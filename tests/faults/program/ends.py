"""How the program ends and begins again: SIGTERM under load, kill -9, and how soon it answers and forecasts anew."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from api import app, leaving
from benchmarks.page_sessions import PageSession
from benchmarks.program import ROOT
from tests.faults.gates import Result
from tests.faults.program.ledger_tally import torn, working
from tests.faults.programs import (
    LOOK_S,
    NOBODY,
    Program,
    gone,
    house,
    launched,
    started,
    until,
)

#: Goals, seconds: until forecasts can be asked for, until the data are fresh, until the end after SIGTERM.
READY_S, FRESH_S, END_S = 5.0, 15.0, 10.0
#: What is not ours of a start. A machine that takes long for it alone cannot meet the goal: there a start may take so
#: many times as long as that, and what came of it says so.
SHARE = 1.75
FOREIGN = (
    "import pandas, plotly.graph_objects, fastapi, sqlalchemy, streamlit.web.bootstrap, sklearn.ensemble, skops.io"
)
CLIENTS, SESSIONS = 6, 4
#: A request that was sent so long before the signal is one in flight, and not one that came too late, seconds.
BEFORE_S = 0.02
#: "At once" for a program that looks at its signals ten times a second.
AT_ONCE_S = 0.5


def gate_of_restart(folder: Path, full: bool) -> Result:
    """Start a home that has been lived in, after SIGTERM and after kill -9; the first start compiles its libraries."""
    environment = house(folder / "home", GRID_SPACING_DEG=0.25)
    environment |= {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    ends = [signal.SIGTERM, signal.SIGKILL, signal.SIGTERM] * (7 if full else 1)
    cold, *warm = [_start(environment, folder / "log", end) for end in [signal.SIGKILL, *ends]]
    ready, fresh, foreign = zip(*warm, strict=True)
    limit = max(READY_S, SHARE * statistics.median(foreign))
    wrong = torn(folder / "home")
    if statistics.median(ready) > limit:
        wrong.append(f"ready after {statistics.median(ready):.1f} s, {limit:.1f} s are allowed")
    if max(fresh) > FRESH_S:
        wrong.append(f"fresh data after {max(fresh):.1f} s")
    text = (
        f"{len(warm)} restarts: ready after {_of(ready)}, fresh data after {_of(fresh)};"
        f" foreign libraries alone {_of(foreign)}{'' if limit == READY_S else f', so {limit:.1f} s are allowed'}"
    )
    return Result(text, wrong, f"libraries compiled anew {cold[0]:.1f} s", cold[0] > limit)


def gate_of_sigterm(folder: Path, full: bool) -> Result:
    """End a program that is asked, looked at and at work; one that dies at once, and in the full run one that stays."""
    rounds = 5 if full else 2
    wrong, ends, counts, trained = list[str](), list[float](), [0, 0], 0
    for _ in range(rounds):
        found = _ended(launched(_busy(folder / "home"), folder / "log"), folder / "home")
        wrong += found.wrong
        ends.append(found.took_s)
        trained += found.at_work
        counts = [counts[0] + found.answered, counts[1] + found.in_flight]
    if trained < rounds:
        wrong.append(f"{rounds - trained} ends were without a training")
    if not counts[1]:
        wrong.append("no end came upon a request in flight")
    careless = {"dies at once": _dies} | ({"stays": _stays} if full else {})
    caught = {}
    for name, spoil in careless.items():
        program = started(_busy(folder / name), folder / f"{name}.log", spoil)
        caught[name] = _ended(program, folder / name).wrong
    text = (
        f"{rounds} ends under {CLIENTS} clients and {SESSIONS} sessions, {trained} with a training: {counts[0]}"
        f" answers, {counts[1]} requests in flight, exit 0 within {max(ends):.1f} s"
    )
    control = "; ".join(f"{name}: {', '.join(found)[:80] or 'nothing found'}" for name, found in caught.items())
    return Result(text, wrong, control, all(caught.values()))


def _busy(home: Path) -> dict[str, str]:
    """Return the environment of a house that refreshes all the time and makes the longest first history there is."""
    return house(home, REFRESH_MINUTES=0.02, SIMULATED_HISTORY_DAYS=366)


def _start(environment: dict[str, str], log: Path, end: signal.Signals) -> tuple[float, float, float]:
    """Return the seconds until a program is ready and until its data are fresh, and of the libraries alone; end it."""
    begun = time.monotonic()
    program = launched(environment, log)
    try:
        until(program.ready)
        ready = time.monotonic() - begun
        until(program.fresh)
        fresh = time.monotonic() - begun
    finally:
        program.end(end)
    return ready, fresh, _seconds([sys.executable, "-c", FOREIGN], environment)


def _seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    begun = time.monotonic()
    subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True)
    return time.monotonic() - begun


def _of(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.1f} s (worst {max(seconds):.1f} s)"


@dataclass
class _End:
    """What was seen of an end."""

    took_s: float = 0.0
    answered: int = 0
    in_flight: int = 0
    at_work: bool = False
    wrong: list[str] = field(default_factory=list)


@dataclass
class _Clients:
    """Threads that ask all the time and remember when, and what they were answered."""

    program: Program
    asked: list[tuple[float, float, str, int]] = field(default_factory=list)
    #: When each that waits for its answer began to, by thread.
    waiting: dict[int, float] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        report = "/api/monitoring/data-quality/report"  # takes longest
        paths = ["/api/ready", "/api/forecasts", "/api/health", "/api/map/uttarakhand-himachal", report]
        for i in range(CLIENTS):
            self.threads.append(threading.Thread(target=self._ask, args=(paths[i % len(paths)],), daemon=True))
            self.threads[-1].start()

    def end(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def one_in_flight(self) -> bool:
        """Say whether somebody waits for an answer, a moment after it was asked for."""
        return any(begun < time.monotonic() - BEFORE_S for begun in list(self.waiting.values()))

    def _ask(self, path: str) -> None:
        me = threading.get_ident()
        while not self.over.is_set():
            begun = self.waiting[me] = time.monotonic()
            status, body = self.program.get(path, 30)
            del self.waiting[me]
            whole = NOBODY if status and not body else status
            self.asked.append((begun, time.monotonic(), path, whole))
            if status == NOBODY:
                time.sleep(LOOK_S)


def _ended(program: Program, home: Path) -> _End:
    """Send SIGTERM to a program that has much to do, and judge its end."""
    found = _End()
    try:
        until(program.fresh)
        with ExitStack() as pages:
            for _ in range(SESSIONS):
                pages.enter_context(PageSession(program.address, "")).rerun()
            clients = _Clients(program)
            clients.begin()
            until(lambda: any(path == "/api/forecasts" for _, _, path, _ in clients.asked))
            time.sleep(1.0)
            found.at_work = until(lambda: set(working(home)) - {program.pid}) < float("inf")
            until(clients.one_in_flight, look_s=BEFORE_S / 20)
            sent = time.monotonic()
            os.kill(program.pid, signal.SIGTERM)
            code = program.ended(END_S + 2)
            found.took_s = time.monotonic() - sent
            clients.end()
    finally:
        gone(program)
    found.answered = sum(bool(status) for *_, status in clients.asked)
    flying = [one for one in clients.asked if one[0] < sent - BEFORE_S and one[1] >= sent]
    found.in_flight = len(flying)
    found.wrong += [f"{path} in flight was not answered" for _, _, path, status in flying if status == NOBODY]
    found.wrong += [f"{path}: {status}" for _, _, path, status in clients.asked if status >= 500 and status != 503]
    late = [one for one in clients.asked if one[0] > sent + AT_ONCE_S and one[3] == 200 and one[2] == "/api/ready"]
    if late:
        found.wrong.append(f"ready still {late[-1][0] - sent:.1f} s after the signal")
    if code != 0 or found.took_s > END_S:
        found.wrong.append(f"it ended with {code} after {found.took_s:.1f} s")
    found.wrong += [f"traceback: {one}" for one in program.tracebacks()] + torn(home)
    if until(lambda: not working(home), 10) == float("inf"):
        found.wrong.append(f"{len(working(home))} processes are left behind")
    return found


def _dies() -> None:
    app.leave_when_told = lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _stays() -> None:
    leaving.MOST_S = 3600.0
    app.leave_when_told = lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)
