"""Three programs on one ledger, whose leader is killed in the middle of a job: no job is lost, none done twice."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from core.adapters import ledger_lease
from core.adapters.ledger_lease import Lease
from core.adapters.scheduler import elapsed_s
from core.adapters.turns import Alone
from core.bootstrap import Core, jobs
from tests.faults.gates import Result
from tests.faults.program.ledger_tally import torn
from tests.faults.programs import Program, Spoil, house, started, together, until

#: How often weather is refreshed and how long that takes here at the least; how long a lease lasts, seconds.
EVERY_S, TAKES_S, LASTS_S = 6.0, 1.0, 4.0
#: A busy machine begins a job so much later than it is due, and never earlier than a tick, seconds.
TICK_S = 1.0
#: From a kill to the next begin: the lease, two looks at it, and a busy machine, seconds.
LONGEST_S = 3 * LASTS_S + 8
#: Programs, and how often their leader is killed, in CI and in the full run.
COUNT, KILLS = 3, (2, 20)
LEADS = re.compile(rb"^cloudburst_scheduler_leads 1\.0$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """One refresh, as a witness outside the ledger has it; without an end it was cut off."""

    pid: int
    begun_s: float
    ended_s: float | None


def gate_of_replicas(folder: Path, full: bool) -> Result:
    """Kill the leader in the middle of a refresh and start another program in its place."""
    home, kills = folder / "home", KILLS[full]
    with _three(home) as programs:
        wrong, waits = list[str](), list[float]()
        for number in range(kills):
            wait_s = _killed(home, programs, home.with_name(f"again-{number}.log"))
            waits.append(wait_s)
        until(lambda: _leaders(programs) == 1, LONGEST_S)
        wrong += [f"{leaders} of them lead" for leaders in [_leaders(programs)] if leaders != 1]
        wrong += [f"traceback: {one}" for program in programs for one in program.tracebacks()]
        wrong += [f"not ready: {program.address}" for program in programs if not program.ready()]
    runs = _runs(home)
    wrong += _misdone(runs) + torn(home)
    wrong += [f"after a kill nobody refreshed for {wait_s:.1f} s" for wait_s in waits if wait_s > LONGEST_S]
    cut_off = sum(run.ended_s is None for run in runs[:-1])
    if cut_off < kills:
        wrong.append(f"{cut_off} of {kills} kills cut a refresh off")
    with _three(folder / "careless", leading=True) as careless:
        until(lambda: len(_runs(folder / "careless")) > 2 * len(careless))
    twice = _misdone(_runs(folder / "careless"))
    text = f"{kills} leaders killed in {len(runs)} refreshes: begun anew after {max(waits):.1f} s at the most, "
    return Result(f"{text}{len(wrong)} findings", wrong, f"without a lease {len(twice)} done twice", bool(twice))


def _killed(home: Path, programs: list[Program], log: Path) -> float:
    """Kill whoever refreshes, in the middle of it; return the seconds until another does so anew."""
    before = len(_runs(home))
    until(lambda: len(_runs(home)) > before and _runs(home)[-1].ended_s is None, look_s=0.02)
    run = _runs(home)[-1]
    leader = next(program for program in programs if program.pid == run.pid)
    leader.end()
    at_s = elapsed_s()
    programs[programs.index(leader)] = started(_environment(home), log, _witnessed(home))
    until(lambda: any(one.begun_s > at_s for one in _runs(home)))
    return min((one.begun_s - at_s for one in _runs(home) if one.begun_s > at_s), default=float("inf"))


def _misdone(runs: Sequence[Run]) -> list[str]:
    """Return the refreshes that began while another went on, or before they were due."""
    wrong = []
    for one, other in pairwise(runs):
        if one.ended_s is not None and other.begun_s < one.ended_s:
            wrong.append(f"{other.pid} began while {one.pid} was at it")
        elif one.ended_s is not None and other.begun_s - one.begun_s < EVERY_S - TICK_S:
            wrong.append(f"{other.pid} began {other.begun_s - one.begun_s:.1f} s after {one.pid}")
    return wrong


def _leaders(programs: Sequence[Program]) -> int:
    return sum(LEADS.search(program.get("/api/metrics", 10)[1]) is not None for program in programs)


@contextmanager
def _three(home: Path, *, leading: bool = False) -> Iterator[list[Program]]:
    """Start the programs on one home, each of which says when it refreshes."""
    with together(COUNT, _environment(home), home, _witnessed(home, leading=leading), Program.ready) as programs:
        yield programs


def _environment(home: Path) -> dict[str, str]:
    return house(home, REFRESH_MINUTES=EVERY_S / 60)


def _witnessed(home: Path, *, leading: bool = False) -> Spoil:
    """Return what lets a program say when it refreshes; `leading`: and do every job, whoever else does."""
    home.mkdir(parents=True, exist_ok=True)

    def spoil() -> None:
        ledger_lease.is_gone = lambda _holder: False  # as if each ran on a machine of its own
        (Lease.__init__.__kwdefaults__ or {})["lasts_s"] = LASTS_S
        refresh = jobs.refresh

        def witnessed(core: Core) -> None:
            _say(home, "begins")
            refresh(core)
            time.sleep(TAKES_S)
            _say(home, "ends")

        jobs.refresh = witnessed
        if leading:
            for name in ("leads", "past", "turn", "ended"):
                setattr(Lease, name, getattr(Alone, name))
            Lease.term = 1

    return spoil


def _say(home: Path, what: str) -> None:
    """Write one line, which the system adds whole."""
    line = f"{elapsed_s()} {os.getpid()} {what}\n".encode()
    file = os.open(home / "witness", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, line)
    os.close(file)


def _runs(home: Path) -> list[Run]:
    """Return the refreshes by their begin."""
    path = home / "witness"
    lines = [line.split() for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    ends = {(pid, n): float(at) for n, (at, pid, what) in _numbered(lines) if what == "ends"}
    begins = [(n, float(at), pid) for n, (at, pid, what) in _numbered(lines) if what == "begins"]
    return sorted((Run(int(pid), at, ends.get((pid, n))) for n, at, pid in begins), key=lambda run: run.begun_s)


def _numbered(lines: Sequence[Sequence[str]]) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the lines with how many of their process and kind came before."""
    seen: dict[tuple[str, str], int] = {}
    for line in lines:
        key = line[1], line[2]
        seen[key] = seen.get(key, 0) + 1
        yield seen[key], line
