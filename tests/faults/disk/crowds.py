"""Two and twenty processes that write the same at once: nothing is lost, and nothing is there twice."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from core.errors import CloudburstError
from tests.faults.disk.writers import WRITERS, Writer
from tests.faults.gates import Result
from tests.faults.model.broken import Variant, sound
from tests.faults.processes import Say, forked, silence

CROWDS = (2, 20)
#: Those in which many numbers stand beside each other.
SHARED = ("archive", "ledger", "experiment results", "alert rules", "experiments", "features", "quality", "outbox")
#: Numbers that every process writes, and numbers of its own.
TOGETHER, OWN = 2, 2
#: Whoever is told that somebody else writes tries again so often.
TRIES = 40
#: Writers that also run without their lock.
UNLOCKED = ("archive", "features", "quality")


def gate(folder: Path, full: bool) -> Result:
    """Let processes write at once; in full, ten times as much."""
    times, wrong, count = 10 if full else 1, [], 0
    for processes in CROWDS:
        for writer in WRITERS:
            if writer.name in SHARED:
                found, acknowledged = crowd(writer, folder, processes, times)
                wrong += found
                count += acknowledged
    control = {writer.name: crowd(writer, folder, 8, 1, unlocked)[0] for writer in WRITERS if writer.name in UNLOCKED}
    text = (
        f"{' and '.join(map(str, CROWDS))} processes, {len(SHARED)} writers, {count} acknowledged: {len(wrong)} wrong"
    )
    names = [name for name, found in control.items() if found]
    return Result(text, wrong, f"without a lock lost by {', '.join(names) or 'nobody'}", bool(names))


def crowd(writer: Writer, folder: Path, processes: int, times: int, variant: Variant = sound) -> tuple[list[str], int]:
    """Return what is wrong after so many processes wrote at once, and how many writes were acknowledged."""
    home = folder / "crowd"
    shutil.rmtree(home, ignore_errors=True)
    (home / "data").mkdir(parents=True)
    own, shared = OWN * times, TOGETHER * times if writer.once else 0
    numbers = [[*range(shared), *range(shared + at * own, shared + (at + 1) * own)] for at in range(processes)]
    writing = [forked(partial(_write, writer, home, some, variant)) for some in numbers]
    codes = [process.ended() for process in writing]
    said = [int(line) for process in writing for line in process.lines if line.isdecimal()]
    wrong = [line for process in writing for line in process.lines if not line.isdecimal()]
    if any(codes):
        wrong.append(f"they ended with {sorted(set(codes))}")
    try:
        there = writer.there(home)
    except Exception as error:  # whatever a reader makes of what they left
        there, wrong = [], [*wrong, f"{type(error).__name__}: {error}"]
    lost, twice = set(said) - set(there), len(there) - len(set(there))
    if lost:
        wrong.append(f"{len(lost)} acknowledged and not there")
    if twice:
        wrong.append(f"{twice} there twice")
    if set(there) - set(said):
        wrong.append("there is what nobody wrote")
    return [f"{writer.name}, {processes} processes: {one}" for one in wrong], len(said)


def unlocked(patch: pytest.MonkeyPatch) -> None:
    """Write without a lock."""

    @contextmanager
    def nobody(*_: object) -> Iterator[None]:
        yield

    for name in ("archive", "feature_store", "quality_files"):
        patch.setattr(f"core.adapters.{name}.FileLock", nobody)


def _write(writer: Writer, home: Path, numbers: Sequence[int], variant: Variant, say: Say) -> None:
    variant(pytest.MonkeyPatch())
    silence()
    for number in numbers:
        refused: Exception | None = None
        for _ in range(TRIES):
            try:
                writer.write(home, number)
            except CloudburstError as error:
                refused = error
                if "There is" in error.message:  # who comes second with a name
                    break
                time.sleep(0.05)
            else:
                say(str(number))
                break
        else:
            say(f"refused {number}: {refused}")
