"""The power goes while somebody writes: a file system of which only what reached its device is left.

An ext4 lies in a file that is mounted through a loop device. What is written there and not flushed stands in the page
cache of its mount alone; a copy of the file below does not have it. A writer is stopped at a random moment, the file is
copied as it lies, and the copy is mounted as after a power cut: the journal is played back, and what was acknowledged
must be there.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.errors import ModelNotFound
from tests.faults.disk.file_systems import make, mounted
from tests.faults.disk.writers import WRITERS
from tests.faults.gates import Result
from tests.faults.model.broken import Variant, sound
from tests.faults.model.homes import POINTER, Home, deploy, made_home, roll_back, save, unhealthy
from tests.faults.model.writers import pack_once
from tests.faults.processes import Forked, Say, forked, silence

SIZE = "48M"
CUTS, FULL, CONTROL = 40, 1000, 6
#: Longest life of a writer, seconds: shorter than the five after which ext4 flushes by itself.
LIFE_S = 0.5
MODEL = "model"
#: All but the log, which promises nothing.
DURABLE = tuple(writer for writer in WRITERS if not writer.lossy)
#: Where the last number stands for all before it.
LAST = {MODEL, *(writer.name for writer in DURABLE if writer.replaces)}


@dataclass
class Cuts:
    """What the cuts found: acknowledged writes by writer, those that are gone, and what is broken."""

    count: int = 0
    acknowledged: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    unsaid: int = 0
    broken: list[str] = field(default_factory=list)


def gate(folder: Path, full: bool) -> Result:
    """Cut the power; without flushing, a few times."""
    with pytest.MonkeyPatch.context() as patch:
        pack_once(patch)
        disk = Disk(folder)
        found = cuts(disk, FULL if full else CUTS, 0)
        control = cuts(disk, CONTROL, 1, unsynced)
    counts = ", ".join(f"{name} {count}" for name, count in sorted(found.acknowledged.items()))
    text = (
        f"{found.count} cuts, {found.acknowledged.total()} acknowledged, {found.lost.total()} lost,"
        f" {found.unsaid} there and unacknowledged ({counts})"
    )
    wrong = list(found.broken)
    names = [*(writer.name for writer in DURABLE), MODEL]
    wrong += [f"{name} never wrote: that proves nothing" for name in names if not found.acknowledged[name]]
    said = f"without fsync {control.lost.total()} of {control.acknowledged.total()} lost"
    return Result(text, wrong, said, control.lost.total() > 0)


class Disk:
    """A file system in a file, with a home on it; every cut begins with a copy.

    Raises
    ------
    Absent
        If this machine mounts none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.template = folder, folder / "template.img"
        make(self.template, SIZE)
        with mounted(self.template, folder / "made") as at:
            made = made_home(at)
            (made.root / "data").mkdir(exist_ok=True)
            self.seed = made.seed
            for writer in DURABLE:
                _forget_files(partial(writer.write, made.root, 0))

    def home(self, at: Path) -> Home:
        """Return the home of a disk that is mounted there."""
        return Home(at / "home", at / "shipped", self.seed)

    @contextmanager
    def running(self) -> Iterator[Path]:
        """Mount a fresh copy, and yield where."""
        image = self._folder / "running.img"
        shutil.copyfile(self.template, image)
        with mounted(image, self._folder / "running") as at:
            yield at

    def cut(self) -> None:
        """Copy the disk that runs as it lies."""
        shutil.copyfile(self._folder / "running.img", self._folder / "cut.img")

    @contextmanager
    def after(self) -> Iterator[Path]:
        """Mount the copy of the last cut, and yield where."""
        with mounted(self._folder / "cut.img", self._folder / "after") as at:
            yield at


def cuts(disk: Disk, count: int, seed: int, variant: Variant = sound) -> Cuts:
    """Cut the power so many times, each at a random moment."""
    rng, found = random.Random(seed), Cuts()  # noqa: S311 - chance for tests, seeded
    for _ in range(count):
        with disk.running() as at:
            process = forked(partial(_write, disk.home(at), rng.randrange(100), variant))
            process.heard(1)
            time.sleep(rng.uniform(0, LIFE_S))
            _stop(process)
            disk.cut()
            process.kill()
            code = process.ended()
        with disk.after() as at:
            looking = forked(partial(_look, disk.home(at)))
            looked = looking.ended()
        _count(found, process.lines[1:], looking.lines)
        if (code, looked) != (-signal.SIGKILL, 0):
            found.broken.append(f"whoever wrote ended with {code} after {process.lines[-1:]}, who looked with {looked}")
    return found


def unsynced(patch: pytest.MonkeyPatch) -> None:
    """Flush nothing: rename alone, and a database that leaves it to the system."""

    def relaxed(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")

    patch.setattr(os, "fsync", lambda _handle: None)
    patch.setattr("core.adapters.ledger._prepare_sqlite", relaxed)


def _forget_files(act: Any) -> None:
    """Do something in a process of its own, which keeps no file of the disk open."""
    process = forked(lambda _say: act())
    assert process.ended() == 0


def _write(home: Home, first: int, variant: Variant, say: Say) -> None:
    """Write everything in turn, and say each when it is acknowledged."""
    variant(pytest.MonkeyPatch())
    silence()
    say("begun")
    for number in itertools.count(1):
        for turn in range(len(DURABLE) + 1):
            at = (first + turn) % (len(DURABLE) + 1)
            if at == len(DURABLE):
                say(f"{MODEL} {_serve(home, number)}")
            else:
                DURABLE[at].write(home.root, number)
                say(f"{DURABLE[at].name} {number}")


def _serve(home: Home, number: int) -> int:
    """Save a version and deploy it, every third time the one before instead; return the number of the deployment."""
    return roll_back(home) if number % 3 == 0 else deploy(home, save(home))


def _stop(process: Forked) -> None:
    """Stop a process, and wait until every thread of it stands: a flush that is under way ends first."""
    os.kill(process.pid, signal.SIGSTOP)
    for _ in range(1000):
        states = [
            path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{process.pid}/task").glob("*/stat")
        ]
        if set(states) <= {"T", "t", "Z"}:
            break
        time.sleep(0.005)


def _look(home: Home, say: Say) -> None:
    """Say by writer what is there, and what is broken."""
    silence()
    for writer in DURABLE:
        try:
            there = writer.there(home.root)
        except Exception as error:  # whatever a reader makes of it
            say(f"broken {writer.name}: {type(error).__name__}: {error}")
            continue
        say(f"there {writer.name}={','.join(map(str, there))}")
    wrong = unhealthy(home)
    if wrong:
        say(f"broken {MODEL}: {wrong}")
    try:
        say(f"there {MODEL}={home.store().champion(*POINTER).generation}")
    except ModelNotFound as error:
        say(f"broken {MODEL}: {error}")


def _count(found: Cuts, said: list[str], looked: list[str]) -> None:
    """Add up one cut."""
    found.count += 1
    there: dict[str, list[int]] = {}
    for line in looked:
        kind, _, text = line.partition(" ")
        if kind == "broken":
            found.broken.append(text)
        else:
            name, _, numbers = text.partition("=")
            there[name] = [int(number) for number in numbers.split(",") if number]
    acknowledged = _acknowledged(said)
    for name, numbers in acknowledged.items():
        known = there.get(name, [])
        if name in LAST:
            known = [*range(max(known, default=0) + 1)]
        lost = numbers - set(known)
        found.acknowledged[name] += len(numbers)
        found.lost[name] += len(lost)
        if lost:
            found.broken.append(f"{name}: {sorted(lost)[:5]} acknowledged and lost")
    for writer in DURABLE:
        more = set(there.get(writer.name, [])) - acknowledged.get(writer.name, set()) - {0}
        found.unsaid += len(more)


def _acknowledged(said: list[str]) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = {}
    for line in said:
        name, _, number = line.rpartition(" ")
        found.setdefault(name, set()).add(int(number))
    return found
