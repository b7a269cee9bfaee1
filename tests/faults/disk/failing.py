"""Every system call of every writer made to fail: the old state or the new one, an error that is documented, and on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.faults.disk.writers import WRITERS, Writer
from tests.faults.gates import Result
from tests.faults.model.broken import Variant, sound
from tests.faults.model.writing import DONE, ERRORS, REFUSED, Fault, Tries, attempt, each_call
from tests.faults.processes import Say

#: Calls that open, fill, flush and put in place.
CALLS = ("openat", "write", "fsync", "rename")
#: Those of which there are most: outside the full run each error comes at some of them.
IN_TURN = ("openat", "write")
#: Errors that last until somebody does something; the others come and go.
LASTING = ("ENOSPC", "EROFS", "EDQUOT")
#: Writers that also run in place.
CONTROLS = ("experiments", "run", "report")


def in_place(patch: pytest.MonkeyPatch) -> None:
    """Write every file where it will stand: no temporary one, no rename."""

    def whole(path: Path, write: Callable[[Path], object]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)

    def text(path: Path, said: str) -> None:
        whole(path, lambda at: at.write_text(said, "utf-8"))

    for name in ("files", "parquet", "open_meteo.call_book"):
        patch.setattr(f"core.adapters.{name}.write_whole", whole)
    patch.setattr("tests.faults.disk.writers.write_whole", whole)
    for name in ("experiment_files", "run_files", "outbox"):
        patch.setattr(f"core.adapters.{name}.write_text", text)


def gate(folder: Path, full: bool) -> Result:
    """Let every call of every writer fail; in full with each error, once and for good."""
    found, control = Tries(), Tries()
    for writer in WRITERS:
        found += failing(writer, folder, full)
        if writer.name in CONTROLS:
            control += failing(writer, folder, False, in_place, ("write",))
    text = (
        f"{len(WRITERS)} writers, {found.count} errors ({', '.join(ERRORS)}): {found.old} left the old state,"
        f" {found.new} the new one, {len(found.broken)} broken"
    )
    return Result(text, found.broken, f"in place {len(control.broken)} of {control.count} broken", bool(control.broken))


def failing(writer: Writer, folder: Path, full: bool, variant: Variant = sound, calls: Sequence[str] = CALLS) -> Tries:
    """Return what came of a writer whose calls fail, one at a time: every kind of them with every error."""
    found, ready = Tries(), folder / "ready"
    shutil.rmtree(ready, ignore_errors=True)
    (ready / "data").mkdir(parents=True)
    writer.write(ready, 0)
    faults = [(f"error={error}", error in LASTING) for error in ERRORS]
    if full:
        faults += [(fault, not lasts) for fault, lasts in faults]
    for call in calls:
        _spoil_each(writer, ready, (call, faults, call in IN_TURN and not full), variant, found)
    return found


def _spoil_each(
    writer: Writer, ready: Path, spoils: tuple[str, Sequence[Fault], bool], variant: Variant, found: Tries
) -> None:
    """Spoil every call of a kind, and add up what came of it."""
    home, old = ready.with_name("tried"), writer.there(ready)
    new = [1] if writer.replaces else [*old, 1]

    def fresh() -> Callable[[Say], object]:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(ready, home)
        return partial(attempt, partial(writer.write, home, 1), writer.says, variant)

    for what, traced in each_call(*spoils, fresh):
        outcome = traced.said.partition(" ")[0]
        seen = _seen(writer, home)
        wrong = "" if outcome in (DONE, REFUSED) else traced.said or f"it ended with {traced.code}"
        if seen not in (old, new):
            wrong = wrong or f"neither the old state nor the new one: {seen}"
        if outcome == DONE and seen != new and not writer.lossy:
            wrong = wrong or "it said that it was done, and nothing is"
        found.count += 1
        found.old += seen == old
        found.new += seen == new
        wrong = wrong or _stuck(writer, home)
        if wrong:
            found.broken.append(f"{writer.name}, {what}: {wrong}")


def _seen(writer: Writer, home: Path) -> object:
    try:
        return writer.there(home)
    except Exception as error:  # whatever a reader makes of a torn file
        return f"{type(error).__name__}: {error}"


def _stuck(writer: Writer, home: Path) -> str:
    """Say why a writer cannot go on where it failed, in a few words; empty where it can."""
    try:
        writer.write(home, 2)
    except Exception as error:
        return f"it cannot go on: {type(error).__name__}: {error}"
    seen = _seen(writer, home)
    counted = writer.name == "calls"  # which are of no number
    return "" if isinstance(seen, list) and (2 in seen or counted) else f"what follows is lost: {seen}"
