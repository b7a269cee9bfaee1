"""Wall clocks that jump under the running program, and days that are no days: the schedule goes on, no age is wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from tests.faults.broken_program import by, faked, walled
from tests.faults.gates import Result
from tests.faults.program.ledger_tally import asked, deployed, torn
from tests.faults.program.moved_clock import followed, move, moved_by
from tests.faults.program.stale import AMBER
from tests.faults.programs import LOOK_S, Program, Spoil, gone, house, launched, running, started, until

PERIOD_S = 3.0
HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
#: Where the clock is put beside the true one, one after another, seconds.
JUMPS = (HOUR, 0, -HOUR, 0, DAY, 0, -DAY, 0, 10 * YEAR, 0, -10 * YEAR, 0)
SHORT = (HOUR, -HOUR, DAY, -DAY, 10 * YEAR, -10 * YEAR)
#: A job ends so long after it was due, seconds: a new day is simulated meanwhile. A loaded machine may take longer.
SLACK_S, PATIENCE_S = 5.0, 30.0
#: An answer that was begun before the clock moved is of the time before.
UNSEEN_S = 0.5
REFRESHED = re.compile(r'^cloudburst_job_last_end_timestamp_seconds\{name="refresh"\} (\S+)$', re.MULTILINE)
#: Moments at which a day has 23 or 25 hours, a month a day more, and a year ends; the clock of the house is Berlin's.
MOMENTS = {
    "spring forward": datetime(2027, 3, 28, 1, tzinfo=UTC),
    "fall back": datetime(2027, 10, 31, 1, tzinfo=UTC),
    "leap day": datetime(2028, 2, 29, tzinfo=UTC),
    "after it": datetime(2028, 3, 1, tzinfo=UTC),
    "year end": datetime(2026, 12, 31, 23, tzinfo=UTC),
}
BEFORE_S = 8.0


@dataclass
class _Watched:
    """What a program said while its clock went wrong."""

    program: Program
    wrong: list[str] = field(default_factory=list)
    looks: int = 0

    def look(self) -> tuple[float, float]:
        """Return the program's own time and how far from it the newest refresh ended, seconds; judge its ages."""
        said = self.program.said("/api/freshness")
        if not said or said.get("data_at") is None:
            self.wrong.append("freshness has no answer")
            return 0.0, float("inf")
        self.looks += 1
        age = float(said["data_age_s"])
        now = datetime.fromisoformat(said["data_at"]).timestamp() + age
        if age < -1 or (said["freshness"] == "fresh" and age > AMBER):
            self.wrong.append(f"data {age:.0f} s old are {said['freshness']}")
        ended = REFRESHED.search(self.program.get("/api/metrics")[1].decode())
        return now, abs(now - float(ended[1])) if ended else float("inf")

    def watch(self, seconds: float, what: str) -> None:
        """Look for so long, and on until a refresh has ended: it may take one period, and the time that it needs."""
        begun = time.monotonic()
        while True:
            far = self.look()[1]
            passed = time.monotonic() - begun
            if passed > seconds and far <= PERIOD_S + SLACK_S:
                return
            if passed > max(seconds, PATIENCE_S):
                self.wrong.append(f"{what}: no refresh for {far:.0f} s")
                return
            time.sleep(LOOK_S)


def gate_of_jumps(folder: Path, full: bool) -> Result:
    """Set the clock within a program, by hours, days and years; a scheduler by the wall clock stops."""

    def begin(name: str, clock: Path) -> Program:
        spoils = [moved_by(clock)] if name == "sound" else [walled, moved_by(clock)]
        return started(_house(folder / name), folder / f"{name}.log", lambda: [spoil() for spoil in spoils])

    return _jumps(folder, full, begin)


def gate_of_faked_jumps(folder: Path, full: bool) -> Result:
    """Set the clock around a program, as libfaketime does for all that asks the system."""

    def begin(name: str, clock: Path) -> Program:
        way = by(faked) if name == "sound" else by(faked, walled)
        return launched(_house(folder / name) | followed(clock), folder / f"{name}.log", way)

    return _jumps(folder, full, begin)


def _jumps(folder: Path, full: bool, begin: Callable[[str, Path], Program]) -> Result:
    """Move the clocks of two programs, one of them due by the wall clock, and judge what both said."""
    jumps = JUMPS if full else SHORT
    with ExitStack() as ends:
        clocks = {name: folder / f"{name}.clock" for name in ("sound", "careless")}
        for clock in clocks.values():
            move(clock, 0)
        programs = {name: begin(name, clock) for name, clock in clocks.items()}
        for program in programs.values():
            ends.callback(gone, program)
        for program in programs.values():
            until(program.fresh)
        found = _jumped(programs["sound"], clocks["sound"], jumps)
        # One refresh may have been due in the moment of the jump: the next one is missed.
        careless = _jumped(programs["careless"], clocks["careless"], (-DAY,), PERIOD_S + 2 * SLACK_S)
        found.wrong += programs["sound"].tracebacks()
    home = folder / "sound"
    trained = int(asked(home, "SELECT count(*) FROM runs WHERE kind = 'retrain'")[0][0])
    if deployed(home) or trained > 1:
        found.wrong.append(f"{trained} trainings and {deployed(home)} deployments where at most one was due")
    wrong = found.wrong + torn(home)
    text = f"{len(jumps)} jumps of an hour to 20 years, {found.looks} looks, {trained} trainings: {len(wrong)} wrong"
    missed = [one for one in careless.wrong if "no refresh" in one]
    return Result(text, wrong, f"due by the wall clock: {(missed or ['goes on'])[0]}", bool(missed))


def gate_of_days(folder: Path, full: bool) -> Result:
    """Let programs live through changes of the hour, a leap day and the end of a year."""
    moments = list(MOMENTS.items())
    wrong, looks = list[str](), 0
    for name, moment in moments if full else moments[1:3] + moments[4:]:
        environment = house(folder / name.replace(" ", "-"), REFRESH_MINUTES=PERIOD_S / 60) | {"TZ": "Europe/Berlin"}
        with running(environment, folder / "log", _from(moment)) as program:
            found = _Watched(program)
            found.watch(BEFORE_S + 2 * PERIOD_S, name)
            if found.look()[0] < moment.timestamp():
                found.wrong.append("the moment has not come")
            found.wrong += program.tracebacks()
        looks += found.looks
        wrong += [f"{name}: {one}" for one in found.wrong + torn(Path(environment["CLOUDBURST_HOME"]))]
    with running(house(folder / "careless"), folder / "log", _deaf(moments[0][1])) as program:
        control = _Watched(program)
        control.watch(PERIOD_S, "careless")
    text = f"{len(moments) if full else len(moments) - 2} moments, {looks} looks: {len(wrong)} wrong"
    return Result(text, wrong, f"ages by another clock: {(control.wrong or ['nothing found'])[0]}", bool(control.wrong))


def _house(home: Path) -> dict[str, str]:
    return house(home, REFRESH_MINUTES=PERIOD_S / 60, RETRAIN_EVERY_DAYS=1)


def _jumped(program: Program, clock: Path, jumps: tuple[int, ...], seconds: float = PERIOD_S) -> _Watched:
    """Set the clock of a program again and again, and watch it for so long each time."""
    found = _Watched(program)
    for jump in jumps:
        move(clock, jump)
        time.sleep(UNSEEN_S)
        found.watch(seconds, f"{jump:+d} s")
        if abs(found.look()[0] - time.time() - jump) > PATIENCE_S:
            found.wrong.append(f"{jump:+d} s: the clock did not jump")
    return found


def _from(moment: datetime) -> Spoil:
    def travel() -> None:
        time_machine.travel(moment - timedelta(seconds=BEFORE_S), tick=True).start()

    return travel


def _deaf(moment: datetime) -> Spoil:
    """Return what lets ages be those of another clock than that of the data."""
    from core import bootstrap

    def deaf() -> None:
        bootstrap._now = lambda: moment
        from core.domain.forecast import RegionForecast

        RegionForecast.age_s = lambda self, now: (now - self.data_at).total_seconds() - HOUR  # type: ignore

    return deaf
