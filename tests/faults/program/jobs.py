"""Kill -9 in the middle of every kind of job, and two programs on one home: nothing twice or torn, nobody left."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.adapters.archive import ParquetArchive
from core.adapters.ledger import SqlLedger
from core.adapters.ledger_deployments import deployments
from core.bootstrap import exports, jobs
from core.workflows.alerting import Alerting
from core.workflows.drifting import Drifting
from core.workflows.lifecycle import Lifecycle
from core.workflows.trials import Trials
from core.workflows.verifying import Verifying
from tests.faults.gates import Result
from tests.faults.program.ledger_tally import asked, torn, working
from tests.faults.programs import Spoil, gone, house, running, started, until

#: Where a program kills itself, in the middle of the job of this name: a method, before or after which it does.
POINTS: dict[str, tuple[Any, str]] = {
    "issue": (SqlLedger, "record_forecast"),
    "archive": (ParquetArchive, "store"),
    "alerts": (Alerting, "evaluate"),
    "truths": (Verifying, "join"),
    "experiments": (Trials, "join"),
    "drift": (Drifting, "look"),
    "reports": (exports, "write"),
}
JOBS = {"REFRESH_MINUTES": 0.05, "REPORT_EVERY_HOURS": 1, "REPORT_FORMATS": "csv"}
#: States of a training in which the program is killed, as shares that are done; and days of made-up history to do.
STATES, DAYS = (0.0, 0.3, 0.72, 0.9), 14
TWO_S = 12.0


def gate_of_killed_jobs(folder: Path, full: bool) -> Result:
    """Kill a program in every job, before and after what it does, and start it again on the same home."""
    wrong, kills = list[str](), 0
    home = folder / "home"
    for name, (owner, method) in POINTS.items():
        for after in (False, True) if full else (True,):
            spoil = _killed_at(owner, method, after)
            wrong += [f"{name}: {one}" for one in _killed(home, folder / "log", spoil)]
            kills += 1
    wrong += [f"at the end: {one}" for one in _whole_again(home, folder / "log")]
    return Result(f"{kills} kills in {len(POINTS)} jobs, {len(wrong)} findings", wrong, *_half_written(folder))


def gate_of_killed_trainings(folder: Path, full: bool) -> Result:
    """Kill a program while its first history is made, again and again: it goes on, and nothing is there twice."""
    home, log = folder / "home", folder / "log"
    wrong, kills = list[str](), 0
    for share in STATES if full else STATES[1:2]:
        wrong += [f"at {share:.0%}: {one}" for one in _killed_in_training(home, log, share)]
        kills += 1
    interrupted, ended = _resumed(home, log)
    if interrupted < kills:
        wrong.append(f"{interrupted} of {kills} trainings are written down as interrupted")
    if not ended:
        wrong.append("the history was never finished")
    wrong += torn(home)
    text = f"{kills} kills in the first history, {interrupted} written down as interrupted, then {ended or 'nothing'}"
    careless = folder / "careless"
    _killed_in_training(careless, log, STATES[1])
    lost, _ = _resumed(careless, log, _without_record, 5)
    return Result(text, wrong, f"without reconciling {lost} of 1 written down", lost < 1)


def gate_of_two_programs(folder: Path, full: bool) -> Result:
    """Let two programs live on one home, each with a scheduler, and deploy in both at once."""
    with ExitStack() as ends:
        environment = house(folder / "home", REFRESH_MINUTES=0.05, SIMULATED_HISTORY_DAYS=DAYS)
        pair = [started(environment, folder / f"{i}.log") for i in range(2)]
        for program in pair:
            ends.callback(gone, program)
        for program in pair:
            until(program.fresh)
        time.sleep(TWO_S * (10 if full else 1))
        until(lambda: _first(folder / "home")[1] != "")
        wrong = [f"traceback: {one}" for program in pair for one in program.tracebacks()]
        wrong += [f"not ready: {program.address}" for program in pair if not program.ready()]
        until(lambda: not working(folder / "home"))
    wrong += torn(folder / "home")
    first = asked(folder / "home", "SELECT count(*) FROM runs WHERE kind = 'first start'")[0][0]
    if first != 1:
        wrong.append(f"the first history was made {first} times")
    issues = asked(folder / "home", "SELECT count(DISTINCT issued_at) FROM forecasts")[0][0]
    text = f"2 programs: {issues} issues, {first} first history, {len(wrong)} findings"
    return Result(text, wrong, *_half_written(folder))


def _killed_at(owner: Any, method: str, after: bool) -> Spoil:
    """Return what makes a program end by SIGKILL in the second call of a method."""

    def spoil() -> None:
        real: Callable[..., Any] = getattr(owner, method)

        def deadly(*args: Any, **named: Any) -> Any:
            made = real(*args, **named) if after else None
            os.kill(os.getpid(), signal.SIGKILL)
            return made

        setattr(owner, method, deadly)
        if owner is exports:
            jobs.FIRST_REPORT_S = 0.0

    return spoil


def _killed(home: Path, log: Path, spoil: Spoil) -> list[str]:
    """Return what is wrong after a program has killed itself."""
    program = started(house(home, **JOBS), log, spoil)
    code = program.ended(30)
    found = [] if code == -signal.SIGKILL else [f"it ended with {code}: the job was never done"]
    return found + (torn(home) if (home / "data" / "ledger.sqlite").exists() else [])


def _whole_again(home: Path, log: Path) -> list[str]:
    """Start a program on what others left behind; return what is wrong."""
    with running(house(home, **JOBS), log) as program:
        found = [] if until(program.fresh, 30) < float("inf") else ["no fresh data"]
        problems = program.said("/api/health")["problems"]
        return found + torn(home) + list(problems) + program.tracebacks()


def _training(home: Path) -> dict[str, Any]:
    """Return the state of the training of a home, empty where there is none."""
    for file in (home / "data").rglob("now.json"):
        try:
            return dict(json.loads(file.read_text("utf-8")))
        except (OSError, ValueError):
            continue
    return {}


def _killed_in_training(home: Path, log: Path, share: float) -> list[str]:
    """Kill a program when so much of its training is done; return who is left behind."""
    program = started(house(home, SIMULATED_HISTORY_DAYS=DAYS), log)
    before = _training(home).get("run_id")

    def come() -> bool:
        now = _training(home)
        return now.get("run_id") != before and (now.get("done", 0) >= share or now.get("status") != "running")

    waited = until(come)
    program.end()
    if waited == float("inf"):
        return ["no training began"]
    return [] if until(lambda: not working(home), 5) < float("inf") else ["its process is left behind"]


def _resumed(home: Path, log: Path, spoil: Spoil | None = None, most_s: float = 60) -> tuple[int, str]:
    """Start again and wait for the history; return how many runs are interrupted, and how the last one ended."""
    with running(house(home, SIMULATED_HISTORY_DAYS=DAYS), log, spoil):
        until(lambda: _first(home)[1] != "", most_s)
        return _first(home)


def _first(home: Path) -> tuple[int, str]:
    states = [row[0] for row in asked(home, "SELECT status FROM runs WHERE kind = 'first start' ORDER BY id")]
    good = [state for state in states if state in ("kept", "deployed")]
    return states.count("interrupted"), good[-1] if good else ""


def _without_record() -> None:
    Lifecycle.reconcile = lambda _self: None  # type: ignore[method-assign]


def _half_written(folder: Path) -> tuple[str, bool]:
    """Let a program that writes an issue row by row, and that deploys without looking, be killed: is it found?"""
    home = folder / "half"
    (home / "data").mkdir(parents=True)
    SqlLedger(f"sqlite:///{home / 'data' / 'ledger.sqlite'}")
    with running(house(home), folder / "half.log") as program:
        until(program.fresh)
    ledger = SqlLedger(f"sqlite:///{home / 'data' / 'ledger.sqlite'}")
    row = {"source": "simulator", "region_id": "x", "at": datetime.now(UTC), "action": "promoted", "who": "", "why": ""}
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM forecasts WHERE id = (SELECT max(id) FROM forecasts)")
        for generation in (1, 2):
            connection.execute(
                deployments.insert(), row | {"generation": generation, "from_version": None, "to_version": "same"}
            )
    found = torn(home)
    return f"half an issue and a double deployment: {len(found)} found", len(found) >= 2
