"""Two programs on one home, each with a scheduler: what both plan, and what is asked of both at once, is done once."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.adapters.model_store import FolderModelStore
from core.adapters.pointers import Pointer
from core.bootstrap import jobs
from core.domain.lifecycle import Deployment
from tests.faults.gates import Result
from tests.faults.program.jobs import DAYS
from tests.faults.program.ledger_tally import asked, deployed, first_history, torn, working
from tests.faults.programs import Program, Spoil, house, together, until

#: How often programs look whether a training that waits may begin, and how long that may take them, seconds.
WAITING_S, TURN_S = 2.0, 8.0
#: Between a decision who shall serve and its deployment, seconds: what two decide in one moment meets. The careless two
#: must meet, busy as the machine is with the history that the others make meanwhile.
BETWEEN_S, CARELESS_S = 3.0, 10.0
#: How long both live on in the full run, seconds.
LONG_S = 120.0
WHY = {"why": "asked of both at once"}


def gate_of_two_programs(folder: Path, full: bool) -> Result:
    """Let both make their first history, deploy a version and train; without locks both do."""
    home = folder / "home"
    with _two(home, _meeting, SIMULATED_HISTORY_DAYS=DAYS) as pair:
        with _two(folder / "careless", _lawless) as careless:  # while the others make their history
            control = _deployed_by(careless), _trained_by(careless)
        until(lambda: first_history(home)[1] != "")
        time.sleep(TURN_S + LONG_S * full)  # whoever still wants to make it begins now
        until(lambda: not working(home))
        before = deployed(home)
        of_deployments, of_trainings = _deployed_by(pair), _trained_by(pair)
        until(lambda: not working(home))
        wrong = [f"traceback: {one}" for program in pair for one in program.tracebacks()]
        wrong += [f"not ready: {program.address}" for program in pair if not program.ready()]
    wrong += torn(home)
    made = asked(home, "SELECT count(*) FROM runs WHERE kind = 'first start'")[0][0]
    if not made:
        wrong.append("the first history was never made")
    if (of_deployments, deployed(home) - before) != (1, 1):
        wrong.append(f"{of_deployments} deployed what was asked of both, {deployed(home) - before} are written down")
    if of_trainings != 1:
        wrong.append(f"{of_trainings} began the training that was asked of both")
    issues = asked(home, "SELECT count(DISTINCT issued_at) FROM forecasts")[0][0]
    text = (
        f"2 programs: {issues} issues, {made} first history, {of_deployments} deployment and {of_trainings} training"
        f" of what was asked of both, {len(wrong)} findings"
    )
    caught = f"without locks {control[0]} deployments and {control[1]} trainings"
    return Result(text, wrong, caught, min(control) > 1)


@contextmanager
def _two(home: Path, spoil: Spoil, **values: object) -> Iterator[list[Program]]:
    """Start two programs on a home, yield them when both have fresh data, and kill them with their trainings."""
    try:
        with together(2, house(home, REFRESH_MINUTES=0.05, **values), home, spoil, Program.fresh) as pair:
            yield pair
    finally:
        until(lambda: not working(home), TURN_S)


def _deployed_by(pair: Sequence[Program]) -> int:
    """Ask all to deploy one version; return how many did. Where there is no other it is the one that serves unasked."""
    known = pair[0].said("/api/admin/model/history")
    names = [one["version"] for one in known["versions"] if one["refused"] is None]
    version = next((name for name in names if name != known["champion"]), known["champion"])
    return _done_by(pair, f"/api/admin/model/{version}/promote", WHY)


def _trained_by(pair: Sequence[Program]) -> int:
    """Ask all to train on a day, which teaches nothing; return how many began."""
    return _done_by(pair, "/api/admin/retrain", WHY | {"days_back": 1})


def _done_by(pair: Sequence[Program], path: str, body: Mapping[str, Any]) -> int:
    """Ask the same of all in one moment; return how many did it."""
    with ThreadPoolExecutor(len(pair)) as pool:
        return sum(status in (200, 202) for status, _ in pool.map(lambda program: program.post(path, body), pair))


def _meeting(between_s: float = BETWEEN_S) -> None:
    """Let what two programs do at once surely meet: no fault, but what takes chance out of it."""
    jobs.WAITING_S = WAITING_S
    deploy = FolderModelStore.deploy

    def later(self: FolderModelStore, made: Deployment) -> None:
        time.sleep(between_s)
        deploy(self, made)

    FolderModelStore.deploy = later  # type: ignore[method-assign]


def _lawless() -> None:
    """Hold no lock, and move the pointer of the champion whoever has moved it since."""
    _meeting(CARELESS_S)
    fcntl.flock = lambda _file, _how: None
    Pointer.refuse_lost = lambda _self, _made: None  # type: ignore[method-assign]
