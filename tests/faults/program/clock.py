"""Wall clocks that jump under the running program, and days that are no days: the schedule goes on, no age is wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core import bootstrap
from tests.faults.broken_program import by, faked, walled
from tests.faults.gates import Result
from tests.faults.program.ledger_tally import deployed, torn, training, working
from tests.faults.program.moved_clock import followed, move, moved_by, set_to
from tests.faults.program.stale import AMBER
from tests.faults.programs import LOOK_S, Program, Spoil, gone, house, launched, running, started, until

PERIOD_S = 3.0
HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
#: Where the clock is put beside the true one, one after another, seconds.
JUMPS = (HOUR, 0, -HOUR, 0, DAY, 0, -DAY, 0, 10 * YEAR, 0, -10 * YEAR, 0)
SHORT = (HOUR, -HOUR, DAY, -DAY, 10 * YEAR, -10 * YEAR)
#: From the end of a refresh to that of the next so many periods may pass, and what the slowest took: after a jump it
#: simulates another day. One period is the promise. In the other the scheduler looks (once a second), the jobs beside
#: it have their turn, and so has whoever else is on a machine of two cores. After both a refresh was missed.
PERIODS = 2
#: A clock no farther from where it was put stands there, seconds; and what does not come is waited for so long.
NEAR_S, PATIENCE_S = 30.0, 20.0
#: An answer that was begun before the clock moved is of the time before.
UNSEEN_S = 0.5
SLOWEST = re.compile(r'^cloudburst_door_seconds\{door="refresh",quantile="0.99"\} (\S+)$', re.MULTILINE)
REFRESHED = re.compile(r'^cloudburst_job_last_end_timestamp_seconds\{name="refresh"\} (\S+)$', re.MULTILINE)
#: Moments at which a day has 23 or 25 hours, a month a day more, and a year ends; the clock of the house is Berlin's.
MOMENTS = {
    "spring forward": datetime(2027, 3, 28, 1, tzinfo=UTC),
    "fall back": datetime(2027, 10, 31, 1, tzinfo=UTC),
    "leap day": datetime(2028, 2, 29, tzinfo=UTC),
    "after it": datetime(2028, 3, 1, tzinfo=UTC),
    "year end": datetime(2026, 12, 31, 23, tzinfo=UTC),
}
IN_CI = ("fall back", "leap day", "year end")
BEFORE_S = 8.0


@dataclass
class _Watched:
    """What a program said while its clock went wrong."""

    program: Program
    wrong: list[str] = field(default_factory=list)
    looks: int = 0
    #: What its slowest refresh took, and how long ago the newest had ended at the most, seconds.
    slowest_s: float = 0.0
    waited_s: float = 0.0

    @property
    def missed(self) -> str:
        """The first refresh that it missed, in words; empty where there is none."""
        return next((one for one in self.wrong if "no refresh" in one), "")

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
        metrics = self.program.get("/api/metrics")[1].decode()
        ended, took = REFRESHED.search(metrics), SLOWEST.search(metrics)
        self.slowest_s = float(took[1]) if took else self.slowest_s
        return now, abs(now - float(ended[1])) if ended else float("inf")

    def watch(self, seconds: float, what: str) -> None:
        """Look for so long, and on until a refresh has ended since; say where the newest was older than allowed."""
        begun, passed, far, oldest = time.monotonic(), 0.0, float("inf"), 0.0
        while passed <= seconds or passed < min(far, PATIENCE_S):
            time.sleep(LOOK_S)
            passed = time.monotonic() - begun
            far = self.look()[1]
            oldest = max(oldest, min(far, passed))
        self.waited_s = max(self.waited_s, oldest)
        allowed = PERIODS * PERIOD_S + self.slowest_s
        if oldest > allowed:
            self.wrong.append(f"{what}: no refresh for {max(far, oldest):.1f} s, {allowed:.1f} s are allowed")


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
    jumps, careless_home = JUMPS if full else SHORT, folder / "careless"
    with ExitStack() as ends:
        clocks = {name: folder / f"{name}.clock" for name in ("sound", "careless")}
        for clock in clocks.values():
            move(clock, 0)
        programs = {name: begin(name, clock) for name, clock in clocks.items()}
        for program in programs.values():
            ends.callback(gone, program)
        for program in programs.values():
            until(program.fresh)
        move(clocks["careless"], DAY)  # the training that is planned for tomorrow is due: by the wall clock
        found = _jumped(programs["sound"], clocks["sound"], jumps)
        found.wrong += programs["sound"].tracebacks()
        trained = until(lambda: training(careless_home), PATIENCE_S) < float("inf")
        # A refresh may be under way in the moment of the jump, and end after it: only the next one is missed.
        careless = _jumped(programs["careless"], clocks["careless"], (0,), PATIENCE_S)
    until(lambda: not working(careless_home), PATIENCE_S)
    home = folder / "sound"
    if training(home) or deployed(home):
        found.wrong.append("a training began that was not due for a day")
    wrong = found.wrong + torn(home)
    text = (
        f"{len(jumps)} jumps of an hour to 20 years, {found.looks} looks, {found.waited_s:.1f} s without a refresh at"
        f" most, {'a' if training(home) else 'no'} training: {len(wrong)} wrong"
    )
    control = f"{'a' if trained else 'no'} training a day too early, then {careless.missed or 'it goes on'}"
    return Result(text, wrong, f"due by the wall clock: {control}", trained and bool(careless.missed))


def gate_of_days(folder: Path, full: bool) -> Result:
    """Let programs live through changes of the hour, a leap day and the end of a year; one takes local time for UTC."""
    wrong, looks = list[str](), 0
    names = tuple(MOMENTS) if full else IN_CI
    for name in names:
        found = _lived(folder / name.replace(" ", "-"), name)
        looks += found.looks
        wrong += found.wrong
    careless = _lived(folder / "careless", "fall back", _naive)
    text = f"{len(names)} moments, {looks} looks: {len(wrong)} wrong"
    return Result(text, wrong, f"local time for UTC: {careless.missed or 'nothing found'}", bool(careless.missed))


def _lived(home: Path, name: str, spoil: Spoil = lambda: None) -> _Watched:
    """Start a program some seconds before one of the moments, watch it on to the other side, and judge it."""
    begin = MOMENTS[name] - timedelta(seconds=BEFORE_S)
    environment = house(home, REFRESH_MINUTES=PERIOD_S / 60) | {"TZ": "Europe/Berlin"}
    travel, begun = set_to(begin), time.monotonic()
    with running(environment, home.with_name(f"{home.name}.log"), lambda: (travel(), spoil())) as program:
        found = _Watched(program)
        found.watch(BEFORE_S + 2 * PERIOD_S, name)
        off = found.look()[0] - begin.timestamp() - (time.monotonic() - begun)
        if abs(off) > NEAR_S:
            found.wrong.append(f"{name}: its clock is {off:+.0f} s off")
        found.wrong += [f"{name}: {one}" for one in program.tracebacks()]
    found.wrong += [f"{name}: {one}" for one in torn(home)]
    return found


def _house(home: Path) -> dict[str, str]:
    return house(home, REFRESH_MINUTES=PERIOD_S / 60, RETRAIN_EVERY_DAYS=1)


def _jumped(program: Program, clock: Path, jumps: tuple[int, ...], seconds: float = PERIOD_S) -> _Watched:
    """Set the clock of a program again and again, and watch it for so long each time."""
    found = _Watched(program)
    for jump in jumps:
        move(clock, jump)
        time.sleep(UNSEEN_S)
        found.watch(seconds, f"{jump:+d} s")
        if abs(found.look()[0] - time.time() - jump) > NEAR_S:
            found.wrong.append(f"{jump:+d} s: the clock did not jump")
    return found


def _naive() -> None:
    """Take local time for UTC, less the hours that it was ahead when the program began: summer ends, and it is off."""
    ahead = datetime.now(UTC).astimezone().utcoffset()
    bootstrap._now = lambda: (datetime.now() - ahead).replace(tzinfo=UTC)  # noqa: DTZ005 - the fault itself
