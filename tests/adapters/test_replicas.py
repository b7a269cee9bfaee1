"""Three programs on one ledger, whose leader is killed, stopped or sent away: no job is lost, none is done twice."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.adapters.ledger import SqlLedger
from core.adapters.scheduler import elapsed_s
from tests.adapters.replica_program import EVERY_S, LASTS_S

PATIENCE_S = 60.0
NAMES = ("one", "two", "three")


@dataclass(frozen=True)
class Line:
    """What the witness saw."""

    at_s: float
    name: str
    text: str


class Programs:
    """Three programs, and their witness."""

    def __init__(self, url: str, witness: Path) -> None:
        self.witness = witness
        self.processes = {
            name: subprocess.Popen([sys.executable, "-m", "tests.adapters.replica_program", url, str(witness), name])
            for name in NAMES
        }

    def lines(self, *texts: str) -> list[Line]:
        """Return what was seen, of some kinds or of all."""
        rows = [line.split() for line in self.witness.read_text("utf-8").splitlines()] if self.witness.exists() else []
        found = [Line(float(at), name, text) for at, name, _pid, text in rows]
        return [line for line in found if not texts or line.text in texts]

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, self.lines("begins", "ends", "starts", "stops")
            time.sleep(0.02)

    def at_work(self, runs: int) -> str:
        """Wait until all have started and the job has begun so often in all, and is going on; return who does it."""
        self.until(lambda: len(self.lines("starts")) == len(NAMES))
        self.until(lambda: len(self.lines("begins")) >= runs and self.lines("begins", "ends")[-1].text == "begins")
        return self.lines("begins")[-1].name

    def send(self, name: str, number: signal.Signals) -> float:
        """Send a signal; return when."""
        self.processes[name].send_signal(number)
        return elapsed_s()


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.slow), "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a ledger; that of one machine is tried by `make slow`, and by the gate of replicas."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def programs(ledger_url: str, tmp_path: Path) -> Iterator[Programs]:
    made = Programs(ledger_url, tmp_path / "witness")
    yield made
    for process in made.processes.values():
        process.kill()
        process.wait(10)


def done(url: str) -> list[str]:
    """Return who did the job, as the ledger has it, the oldest first."""
    return [run["detail"]["name"] for run in reversed(SqlLedger(url).runs(kind="job"))]


def test_a_leader_that_is_killed_in_a_job_is_followed_by_one_that_does_it(programs: Programs, ledger_url: str) -> None:
    killed = programs.at_work(runs=2)
    at_s = programs.send(killed, signal.SIGKILL)
    programs.until(lambda: len([line for line in programs.lines("ends") if line.at_s > at_s]) >= 2)
    after = [line for line in programs.lines("begins", "ends", "looks") if line.at_s > at_s]
    assert killed not in {line.name for line in after}
    assert len({line.name for line in after}) == 1  # and of the two that are left one does all
    runs = programs.lines("begins", "ends")
    assert alternating([line for line in runs if line.at_s > at_s])
    begun = [line.at_s for line in programs.lines("begins")]
    cut_off = max(i for i, at in enumerate(begun) if at < at_s)
    assert begun[cut_off + 1] - at_s > LASTS_S * 0.7  # nobody can know earlier that it is gone
    waits = [b - a for i, (a, b) in enumerate(itertools.pairwise(begun)) if i != cut_off]
    assert min(waits) > EVERY_S - 0.3  # all others when they were due, and once
    ends = [line.name for line in programs.lines("ends")]
    assert done(ledger_url)[: len(ends)] == ends


def test_one_that_was_stopped_in_a_job_keeps_nothing_of_it_when_it_goes_on(programs: Programs, ledger_url: str) -> None:
    stopped = programs.at_work(runs=1)
    at_s = programs.send(stopped, signal.SIGSTOP)
    programs.until(lambda: any(line.at_s > at_s and line.name != stopped for line in programs.lines("ends")))
    programs.send(stopped, signal.SIGCONT)
    # Its job raises where it writes: it never ends. Nor does it begin another, while the others go on.
    now_s = elapsed_s()
    programs.until(lambda: len([line for line in programs.lines("ends") if line.at_s > now_s]) >= 2)
    after = [line for line in programs.lines("begins", "ends") if line.at_s > at_s]
    assert stopped not in {line.name for line in after}
    assert stopped not in done(ledger_url)


def test_one_that_ends_well_leaves_the_jobs_to_the_others_at_once(programs: Programs, ledger_url: str) -> None:
    leader = programs.at_work(runs=1)
    programs.send(leader, signal.SIGTERM)
    programs.until(lambda: any(line.name != leader for line in programs.lines("ends")))
    begun = programs.lines("begins")
    assert alternating(programs.lines("begins", "ends"))  # it ended its job first
    other = next(line for line in begun if line.name != leader)
    last = [line for line in begun if line.name == leader][-1]
    assert other.at_s - last.at_s > EVERY_S - 0.3
    assert done(ledger_url)[0] == leader and programs.processes[leader].wait(30) == 0


def alternating(runs: list[Line]) -> bool:
    """Say whether every begin is followed by its end: no two at once."""
    pairs = [runs[i : i + 2] for i in range(0, len(runs) - 1, 2)]
    return all((a.text, b.text, a.name) == ("begins", "ends", b.name) for a, b in pairs)
