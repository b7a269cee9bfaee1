"""Every system call of every writer made the last one, or made to fail: the old state or the new one, never between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from core.errors import CloudburstError
from tests.faults.model.broken import Variant, sound
from tests.faults.model.homes import Home, stuck, unhealthy
from tests.faults.model.writers import TORN, Writer
from tests.faults.processes import Say, forked, silence
from tests.faults.system_calls import CALLS, KILL, Traced, spoiled

ERRORS = ("ENOSPC", "EIO", "EROFS", "EDQUOT")
DONE, REFUSED, FELL = "done", "refused", "fell"
#: Calls by which files are read too, of which there are most.
IN_TURN = ("openat", "unlink")
#: More calls of one kind than any writer makes.
MOST = 1000
#: What is done to a call, and whether to all later ones of its kind too.
Fault = tuple[str, bool]


@dataclass
class Tries:
    """What came of so many spoiled calls."""

    count: int = 0
    old: int = 0
    new: int = 0
    broken: list[str] = field(default_factory=list)

    def __add__(self, other: Tries) -> Tries:
        return Tries(
            self.count + other.count, self.old + other.old, self.new + other.new, [*self.broken, *other.broken]
        )


@dataclass(frozen=True)
class Bench:
    """A writer, a home that it finds, and what is seen of it before and after it has written undisturbed."""

    writer: Writer
    template: Home
    folder: Path
    variant: Variant
    names: tuple[str, ...]
    files: dict[str, bytes]
    old: object
    new: object

    def judged(self, home: Home, traced: Traced) -> tuple[object, str]:
        """Return what is seen in a home after a try, and what is broken, in a few words."""
        outcome = traced.said.partition(" ")[0]
        wrong = "" if outcome in ("", DONE, REFUSED) else traced.said
        if not outcome and traced.code != -9:
            wrong = f"it ended with {traced.code}"
        if outcome == REFUSED and self.writer.keeps and home.contents() != self.files:
            wrong = wrong or "it was refused, and files have changed"
        wrong = wrong or unhealthy(home)
        seen = self._seen(home)
        if seen not in (self.old, self.new):
            wrong = wrong or "neither the old state nor the new one"
        if outcome == DONE and seen != self.new:
            wrong = (
                wrong or f"it said that it was done, and {'nothing is' if seen == self.old else 'something else is'}"
            )
        return seen, wrong or stuck(home)

    def _seen(self, home: Home) -> object:
        try:
            return self.writer.seen(home)
        except (CloudburstError, OSError):
            return TORN


def bench(writer: Writer, template: Home, folder: Path, variant: Variant = sound) -> Bench:
    """Return a writer made ready; `folder` is where its homes are copied to."""
    ready = template.copied(folder / "ready")
    writer.prepare(ready)
    names, files, old = tuple(ready.names()), ready.contents(), writer.seen(ready)
    after = ready.copied(folder / "after")
    process = forked(partial(attempt, partial(writer.act, after, names), writer.says, variant, logs=writer.logs))
    process.ended()
    assert process.lines == [DONE], process.lines
    new = writer.seen(after)
    assert new != old, f"{writer.name} changes nothing that is seen"
    return Bench(writer, ready, folder, variant, names, files, old, new)


def killed(ready: Bench, calls: Sequence[str] = tuple(CALLS)) -> Tries:
    """End the writer before every call of these kinds once.

    Raises
    ------
    Absent
        If strace is not there or may not trace.
    """
    found = Tries()
    for call in calls:
        _spoil_each(ready, call, [(KILL, False)], found)
    return found


def failing(ready: Bench, errors: Sequence[str], calls: Sequence[str] = tuple(CALLS)) -> Tries:
    """Let every call of these kinds fail: those of `IN_TURN` with one error after another, the others with each.

    Raises
    ------
    Absent
        If strace is not there or may not trace.
    """
    found = Tries()
    for call in calls:
        _spoil_each(ready, call, [(f"error={error}", False) for error in errors], found)
    return found


def _spoil_each(ready: Bench, call: str, faults: Sequence[Fault], found: Tries) -> None:
    """Spoil every call of a kind, and add up what came of it."""
    writer, home = ready.writer, replace(ready.template, root=ready.folder / "tried")

    def fresh() -> Callable[[Say], object]:
        ready.template.copied(home.root)
        act = partial(writer.act, home, ready.names)
        return partial(attempt, act, writer.says, ready.variant, logs=writer.logs)

    for what, traced in each_call(call, faults, call in IN_TURN, fresh):
        seen, wrong = ready.judged(home, traced)
        found.count += 1
        found.old += seen == ready.old
        found.new += seen == ready.new
        if wrong:
            found.broken.append(f"{writer.name}, {what}: {wrong}")


def each_call(
    call: str, faults: Sequence[Fault], in_turn: bool, fresh: Callable[[], Callable[[Say], object]]
) -> Iterator[tuple[str, Traced]]:
    """Spoil the first call, the second and so on until there is no further one; yield what was done, and the end of it.

    Parameters
    ----------
    in_turn
        Whether the faults come one after another, from the first call on again until each has come; else each of them
        comes at each call.
    fresh
        Makes a home, and returns one who writes there.
    """
    for some in [faults] if in_turn else [[fault] for fault in faults]:
        done, before = 0, -1
        while before < done < len(some):
            before = done
            for number in range(1, MOST):
                fault, lasting = some[done % len(some)]
                traced = spoiled(fresh(), call, number, fault, lasting)
                if not traced.reached:
                    break
                done += 1
                yield f"{call} {number} {fault}", traced


def attempt(
    write: Callable[[], object], says: tuple[type[Exception], ...], variant: Variant, say: Say, logs: bool = False
) -> None:
    """Write, and say how that went: done, refused with an error that is documented, or fallen with another."""
    variant(pytest.MonkeyPatch())
    logged = silence()
    try:
        write()
    except says as error:
        say(f"{REFUSED} {error}")
    except BaseException as error:
        say(f"{FELL} with {type(error).__name__}: {error}")
    else:
        say(REFUSED if logs and "error" in logged else DONE)
