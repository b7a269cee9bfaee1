"""Kill -9 in the middle of every kind of job, and of a training: nothing is torn or there twice, and all goes on."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core import ABTestingFramework, ModelVariant, open_core
from core.adapters.archive import ParquetArchive
from core.adapters.ledger import SqlLedger
from core.adapters.ledger_outcomes import issue_rows
from core.adapters.ledger_tables import forecasts
from core.adapters.seed import SEED_VERSION
from core.bootstrap import exports, jobs
from core.domain.forecast import WINDOWS, RegionForecast
from core.settings import load_settings
from core.workflows.alerting import Alerting
from core.workflows.appraising import Appraising
from core.workflows.drifting import Drifting
from core.workflows.lifecycle import Lifecycle
from core.workflows.trials import Trials
from core.workflows.verifying import Verifying
from tests.faults.gates import Result
from tests.faults.processes import Say, forked
from tests.faults.program.ledger_tally import first_history, torn, training, working
from tests.faults.program.moved_clock import set_to
from tests.faults.programs import Spoil, house, running, started, until

#: Where a program kills itself: in this method of the job of this name.
POINTS: dict[str, tuple[Any, str]] = {
    "issue": (SqlLedger, "record_forecast"),
    "archive": (ParquetArchive, "store"),
    "alerts": (Alerting, "evaluate"),
    "quality": (Appraising, "appraise"),
    "truths": (Verifying, "join"),
    "experiments": (Trials, "join"),
    "drift": (Drifting, "look"),
    "reports": (exports, "write"),
}
#: The one that only reads: it is killed when it has looked.
READS = "drift"
#: Before how many writes of a job programs are killed, one each, in CI and in the full run; no job makes more of them.
WRITES = (2, 12)
#: What a program says that dies before a write.
BETWEEN = "killed in the middle of a job"
#: Every start is so many hours after the one before: there is another issue then, and the truths of the last one.
APART_H = 7
JOBS = {"REFRESH_MINUTES": 0.05, "REPORT_EVERY_HOURS": 1, "REPORT_FORMATS": "csv", "DRIFT_EVERY_HOURS": 1}
#: States of a training in which the program is killed, as shares that are done; and days of made-up history to do.
STATES, DAYS = (0.0, 0.3, 0.72, 0.9), 14


def gate_of_killed_jobs(folder: Path, full: bool) -> Result:
    """Kill a program in every job, before each of its writes and after the last, and start the next on the same home.

    A ledger that keeps an issue row by row must be found to hold half of it.
    """
    home, log = folder / "home", folder / "log"
    _experiment_on(home)
    wrong, kills, between = list[str](), 0, Counter[str]()
    for name, (owner, method) in POINTS.items():
        for write in range(1, 1 + WRITES[full]):
            found, in_between = _killed(home, log, [_later(kills), _killed_before(owner, method, write)])
            wrong += [f"{name}, write {write}: {one}" for one in found]
            kills += 1
            if not in_between:
                break
            between[name] += 1
    wrong += [f"{name} was never killed in the middle" for name in POINTS if name != READS and not between[name]]
    wrong += [f"at the end: {one}" for one in _whole_again(home, log, _later(kills))]
    text = f"{kills} kills in {len(POINTS)} jobs, {between.total()} of them in the middle: {len(wrong)} findings"
    in_parts = _killed_before(SqlLedger, "record_forecast", len(WINDOWS) + 2)
    found, _ = _killed(folder / "careless", folder / "careless.log", [_row_by_row, in_parts])
    halves = [one for one in found if " rows for " in one]
    return Result(text, wrong, f"row by row: {(halves or ['nothing found'])[0]}", bool(halves))


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
    not_killed = _killed_in_training(careless, log, STATES[1])
    lost, _ = _resumed(careless, log, _without_record, 5)
    caught = f"without reconciling {lost} of 1 written down"
    return Result(text, wrong, "; ".join([caught, *not_killed]), lost < 1 and not not_killed)


def _experiment_on(home: Path) -> None:
    """Begin an experiment of the shipped model with itself, so that its cases come with every issue, and mature."""

    def begin(_say: Say) -> None:
        os.environ.update(house(home, **JOBS))
        core = open_core(load_settings())
        variants = [ModelVariant(name, version=SEED_VERSION) for name in ("control", "challenger")]
        region = core.default_region
        ABTestingFramework(core, "faults").create_experiment(
            "itself", variants, source=core.lifecycle.source, region_id=region
        )

    if forked(begin).ended() != 0:
        raise RuntimeError("no experiment could be begun")


def _later(starts: int) -> Spoil:
    """Return what sets the clock of a program that is started after so many others."""
    return set_to(datetime.now(UTC) + timedelta(hours=APART_H * starts))


def _killed_before(owner: Any, method: str, write: int) -> Spoil:
    """Return what ends a program by SIGKILL in a method: before the write of this number, or after its last one.

    A write is what lets others see what was written: a commit, or a file that takes its place.
    """
    here = threading.local()

    def before_a_write(*_: object) -> None:
        here.left = getattr(here, "left", 0) - 1
        if here.left == 0:
            os.write(2, BETWEEN.encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def spoil() -> None:
        real = getattr(owner, method)

        def deadly(*args: Any, **named: Any) -> None:
            here.left = write
            real(*args, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(owner, method, deadly)
        sa.event.listen(sa.Engine, "commit", before_a_write)
        sys.addaudithook(lambda event, _: before_a_write() if event == "os.rename" else None)
        if owner is exports:
            jobs.FIRST_REPORT_S = 0.0

    return spoil


def _killed(home: Path, log: Path, spoils: Sequence[Spoil]) -> tuple[list[str], bool]:
    """Let a program kill itself; return what is wrong then, and whether it was in the middle of a job."""
    program = started(house(home, **JOBS), log, lambda: [spoil() for spoil in spoils])
    code = program.ended(30)
    found = [] if code == -signal.SIGKILL else [f"it ended with {code}: the job was never done"]
    found += torn(home) if (home / "data" / "ledger.sqlite").exists() else []
    return found, BETWEEN in log.read_text("utf-8", "replace")


def _whole_again(home: Path, log: Path, spoil: Spoil) -> list[str]:
    """Start a program on what others left behind; return what is wrong."""
    with running(house(home, **JOBS), log, spoil) as program:
        found = [] if until(program.fresh, 30) < float("inf") else ["no fresh data"]
        found += [*torn(home), *program.said("/api/health")["problems"], *program.tracebacks()]
    found += [f"{path.name} was put aside" for path in home.rglob("*.bad")]
    reports = [file.read_text("utf-8").splitlines() for file in (home / "data" / "reports").glob("*.csv")]
    lengths = sorted({len(lines) for lines in reports})
    return found + ([f"reports have {lengths} lines"] if len(lengths) > 1 else [])


def _row_by_row() -> None:
    """Keep an issue row by row, each in a transaction of its own."""

    def kept(self: SqlLedger, issues: Sequence[RegionForecast], *, shown: bool = True) -> int:
        insert = self.insert(forecasts).on_conflict_do_nothing()
        for row in (row for issue in issues for row in issue_rows(issue, shown)):
            with self.engine.begin() as connection:
                connection.execute(insert, [row])
        return 0

    SqlLedger.record_forecasts = kept  # type: ignore[method-assign]


def _killed_in_training(home: Path, log: Path, share: float) -> list[str]:
    """Kill a program when so much of its training is done; return who is left behind."""
    program = started(house(home, SIMULATED_HISTORY_DAYS=DAYS), log)
    before = training(home).get("run_id")

    def come() -> bool:
        now = training(home)
        return now.get("run_id") != before and (now.get("done", 0) >= share or now.get("status") != "running")

    waited = until(come)
    program.end()
    if waited == float("inf"):
        return ["no training began"]
    if training(home).get("status") != "running":  # a machine that gives this process no time
        return ["it had ended before it was killed"]
    return [] if until(lambda: not working(home), 5) < float("inf") else ["its process is left behind"]


def _resumed(home: Path, log: Path, spoil: Spoil | None = None, most_s: float = 60) -> tuple[int, str]:
    """Start again and wait for the history; return how many runs are interrupted, and how the last one ended."""
    with running(house(home, SIMULATED_HISTORY_DAYS=DAYS), log, spoil):
        until(lambda: first_history(home)[1] != "", most_s)
        return first_history(home)


def _without_record() -> None:
    Lifecycle._settle = lambda _self, _last: None  # type: ignore[method-assign]
