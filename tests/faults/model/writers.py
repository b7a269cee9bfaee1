"""Everything that writes below models/ and data/ in the life of a model, and what may be seen of it afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.adapters.keys import secret
from core.adapters.metric_files import JsonMetrics
from core.adapters.run_files import RunFiles
from core.adapters.training_process import Limits, TrainingProcesses
from core.errors import CloudburstError, ModelNotFound
from tests.faults.model.homes import RUN, Home, deploy, packed, roll_back, save
from tests.models_made import deployment
from tests.trainings_made import unasked

#: Versions of the home, oldest first, known beforehand: to look for them is none of the writer's calls.
Names = Sequence[str]
TORN = "torn"


@dataclass(frozen=True)
class Writer:
    """One who writes.

    Parameters
    ----------
    seen
        What can be seen of its work in a home; wherever it is broken off that is the old or the new, nothing between.
    keeps
        Whether an error of it promises that every file is as it was.
    prepare
        What is done to a home before it is copied for each try.
    says
        Its errors.
    logs
        Whether it logs an error in the place of raising one.
    """

    name: str
    act: Callable[[Home, Names], object]
    seen: Callable[[Home], object]
    keeps: bool = False
    prepare: Callable[[Home], object] = lambda _home: None
    says: tuple[type[Exception], ...] = (CloudburstError,)
    logs: bool = False


def pack_once(patch: pytest.MonkeyPatch) -> None:
    """Let all versions hold the same archive: what is tried is writing, and two runs must write the same bytes."""
    data = packed()
    patch.setattr("core.adapters.skops_files.packed", lambda _parts: data)


def _versions(home: Home) -> object:
    return {name: data for name, data in home.contents().items() if "/versions/" in name}


def _served(home: Home) -> object:
    return home.served().manifest.version


def _first_deployment(home: Home, names: Names) -> None:
    home.store().deploy(deployment(names[0], region_id="other"))


def _deployed_elsewhere(home: Home) -> object:
    try:
        return home.store().champion("gauges", "other").version
    except ModelNotFound:
        return None


def _tear_pointer(home: Home) -> None:
    home.pointer.write_bytes(home.pointer.read_bytes()[:100])


def _put_aside(home: Home, names: Names) -> None:
    home.store().quarantine(names[0], "for the test")


def _where(home: Home) -> object:
    """Return where the files of every version lie; the reason beside them may be missing."""
    names = (Path(name) for name in home.contents() if name.startswith("models/"))
    return frozenset(str(name) for name in names if name.suffix == ".skops")


def _measure(home: Home, names: Names) -> None:
    JsonMetrics(home.models / "metrics").store(names[0], {"version": names[0], "more": [0.5] * 50})


def _measured(home: Home) -> object:
    return (home.models / "metrics" / f"{home.names()[0]}.json").read_bytes()


def _end_run(home: Home, _names: Names) -> None:
    RunFiles(home.runs).write(replace(RUN, text="it ended again", reasons=("because",) * 9))


def _last_run(home: Home) -> object:
    return RunFiles(home.runs).read() or TORN


def _begin_run(home: Home, _names: Names) -> None:
    trainings = TrainingProcesses(
        home.runs,
        home.root,
        "{}",
        limits=Limits(1 << 32, 600),
        clock=lambda: datetime.now(UTC),
        ended=lambda _state: None,
        command=("cat",),  # ends with its input
    )
    trainings.start(RUN.request, unasked)


def _begun(home: Home) -> object:
    """Return whether a run was begun, once nobody holds the lock any more."""
    for _ in range(100):
        lock = RunFiles(home.runs).take()
        if lock is not None:
            break
        time.sleep(0.02)
    state = RunFiles(home.runs).read()
    return TORN if state is None else "the lock is held" if lock is None else state.run_id != RUN.run_id


def _kept_secret(home: Home) -> object:
    if not home.secret.exists():
        return False
    with suppress(CloudburstError):
        return len(secret(home.secret)) == 32
    return TORN


WRITERS = (
    Writer("save", lambda home, _: save(home), _versions, keeps=True),
    Writer("deploy", lambda home, names: deploy(home, names[-1]), _served, keeps=True),
    Writer("roll back", lambda home, _: roll_back(home), _served, keeps=True),
    Writer("first deployment", _first_deployment, _deployed_elsewhere, keeps=True),
    Writer("over a torn pointer", lambda home, names: deploy(home, names[-1]), _served, True, _tear_pointer),
    Writer("quarantine", _put_aside, _where, logs=True),
    Writer("metrics", _measure, _measured),
    Writer("state of a run", _end_run, _last_run, says=(OSError,)),
    Writer("beginning of a run", _begin_run, _begun),
    Writer("secret key", lambda home, _: secret(home.secret), _kept_secret),
)
