"""Whoever deploys is stopped before each call in turn, another deploys meanwhile, and the first goes on.

It may have deployed before, or decide on what the other did; what is newer than its decision it never overwrites. The
calls are those of which Python tells its audit hooks (PEP 578): strace would keep a stopped process for itself.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from core.errors import CloudburstError, ConfigurationError, DeploymentLost
from core.workflows.deploying import Deploying
from tests.faults.disk.writers import ledger
from tests.faults.model.broken import Variant, sound
from tests.faults.model.homes import MOMENT, POINTER, Home, unhealthy
from tests.faults.model.writing import MOST
from tests.faults.processes import Say, forked

#: Events of opening, putting in place, locking and freeing, and of asking the ledger.
CALLS = ("open", "os.rename", "fcntl.flock", "sqlite3.connect")
#: How long the second waits for the first, seconds: it waits in vain, and ten would be lost.
PATIENCE_S = 0.05
#: A deployment is said by its number and version, anything else by its error.
LOST, HELD = DeploymentLost.__name__, ConfigurationError.__name__


@dataclass
class Stops:
    """What the stops found: how often the first was refused, the second kept out, and both deployed in turn."""

    count: int = 0
    lost: int = 0
    held: int = 0
    both: int = 0
    broken: list[str] = field(default_factory=list)


def stops(template: Home, folder: Path, variant: Variant = sound, enough: int = 1 << 30) -> Stops:
    """Stop a deployment before its first call, its second and so on, until so many findings are enough."""
    ready, found = template.copied(folder / "ready to stop"), Stops()
    with ledger(ready.root):
        pass  # makes its tables
    before, _, after = ready.names()
    for number in range(1, MOST):
        home = ready.copied(folder / "stopped")
        first = forked(partial(_deploy, home, after, variant, number))
        stands = os.waitid(os.P_PID, first.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if stands is None or stands.si_code != os.CLD_STOPPED:  # it has fewer calls
            if first.ended() or not " ".join(first.lines).endswith(after):
                found.broken.append(f"before call {number} it ended, and said {first.lines}")
            break
        second = forked(partial(_deploy, home, before, variant, 0))
        second.ended()
        os.kill(first.pid, signal.SIGCONT)
        first.ended()
        said = " ".join(first.lines), " ".join(second.lines)
        found.count += 1
        found.lost += said[0] == LOST
        found.held += said[1] == HELD
        found.both += not {LOST, HELD} & set(said)
        wrong = _wrong(home, *said)
        if wrong:
            found.broken.append(f"stopped before call {number}: {wrong}")
        if len(found.broken) >= enough:
            break
    return found


def _deploy(home: Home, version: str, variant: Variant, stop: int, say: Say) -> None:
    """Decide on who serves and deploy, as a training does at its end; 0: without a stop."""
    patch = pytest.MonkeyPatch()
    variant(patch)
    patch.setattr("core.adapters.pointers.TIMEOUT_S", PATIENCE_S)
    with ledger(home.root) as kept:
        kept.engine.dispose()  # it is asked by a connection of its own, which is a call too
        deploying = Deploying(home.store(), kept)
        _stop_before(stop)
        try:
            champion = deploying.champion(POINTER)
            made = deploying.point(POINTER, champion, version, action="promoted", who="faults", why="to see", at=MOMENT)
        except CloudburstError as error:
            say(type(error).__name__)
        else:
            say(f"{made.generation} {made.to_version}")


def _stop_before(number: int) -> None:
    """Stop this process before it makes that call, the first being 1."""
    calls = itertools.count(1)

    def look(event: str, _about: tuple[object, ...]) -> None:
        if event in CALLS and next(calls) == number:
            os.kill(os.getpid(), signal.SIGSTOP)

    sys.addaudithook(look)


def _wrong(home: Home, first: str, second: str) -> str:
    """Say what is wrong after both have ended, in a few words; empty where nothing is."""
    acknowledged: dict[int, str] = {}
    for said, refused in ((second, HELD), (first, LOST)):
        number, _, version = said.partition(" ")
        if number.isdecimal():
            if int(number) in acknowledged:
                return f"both deployed as number {number}"
            acknowledged[int(number)] = version
        elif said != refused:
            return f"the {'first' if said == first else 'second'} said {said or 'nothing'!r}"
    if not acknowledged:
        return "nobody deployed"
    made = home.store().last_deployment(*POINTER)
    if made is None or (made.generation, made.to_version) != max(acknowledged.items()):
        return f"the pointer does not stand at the last of {acknowledged}"
    with ledger(home.root) as kept:
        rows = {row.generation: row.to_version for row in kept.deployments(*POINTER)}
    return unhealthy(home) if rows == acknowledged else f"the ledger holds {rows}, acknowledged were {acknowledged}"
