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
from tests.faults.model.writing import DONE, ERRORS, FELL, IN_TURN, MOST, REFUSED, Tries
from tests.faults.processes import Say, silence
from tests.faults.system_calls import spoiled

#: Calls that open, fill, flush and put in place.
CALLS = ("openat", "write", "fsync", "rename")
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
    """Let every call of every writer fail once, with one error after another; in full with each of them."""
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
    """Return what came of a writer whose calls fail, one at a time."""
    found, ready = Tries(), folder / "ready"
    shutil.rmtree(ready, ignore_errors=True)
    (ready / "data").mkdir(parents=True)
    writer.write(ready, 0)
    old = writer.there(ready)
    for call in calls:
        faults = [(f"error={error}", error in LASTING) for error in ERRORS]
        every = [[fault] for fault in faults + [(fault, not lasts) for fault, lasts in faults]]
        for some in every if full and call not in IN_TURN else [faults]:
            _spoil_each(writer, (ready, old), (call, some), variant, found)
    return found


def _spoil_each(
    writer: Writer,
    ready: tuple[Path, list[int]],
    spoils: tuple[str, Sequence[tuple[str, bool]]],
    variant: Variant,
    found: Tries,
) -> None:
    """Spoil the first call, the second and so on until there is no further one."""
    (template, old), (call, faults) = ready, spoils
    new, home = [1] if writer.replaces else [*old, 1], template.with_name("tried")
    for number in range(1, MOST):
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(template, home)
        fault, lasting = faults[(number - 1) % len(faults)]
        traced = spoiled(partial(_act, writer, home, variant), call, number, fault, lasting)
        if not traced.reached:
            break
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
            found.broken.append(f"{writer.name}, {call} {number} {fault}: {wrong}")


def _act(writer: Writer, home: Path, variant: Variant, say: Say) -> None:
    variant(pytest.MonkeyPatch())
    silence()
    try:
        writer.write(home, 1)
    except writer.says as error:
        say(f"{REFUSED} {error}")
    except BaseException as error:
        say(f"{FELL} with {type(error).__name__}: {error}")
    else:
        say(DONE)


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
    lasting = writer.name in ("token", "calls")  # which are not of a number
    return "" if isinstance(seen, list) and (2 in seen or lasting) else f"what follows is lost: {seen}"
