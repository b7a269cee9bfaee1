"""Who shares long work: one process doing part after part, or many at once; results are the same, in the same order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

Shared = TypeVar("Shared")
Part = TypeVar("Part")
Result = TypeVar("Result")


class Workers(Protocol):
    """Does independent parts of one piece of work; how many at once is its own affair."""

    def each(
        self, work: Callable[[Shared, Part], Result], shared: Shared, parts: Sequence[Part], effort_s: float
    ) -> Iterator[Result]:
        """Yield `work(shared, part)` of every part, in the order of the parts.

        Parameters
        ----------
        work
            A function of a module that depends on nothing but its arguments and changes neither: it may run in another
            process, twice, and beside others. What it raises ends the work at that part.
        shared
            What all parts need; it travels once to whoever works, not with every part.
        effort_s
            What all of it takes in one process, about, seconds: little work is not worth the way.

        Raises
        ------
        WorkersUnavailable
            If those who share the work do not answer, are lost, or run another program.
        """


@dataclass(frozen=True)
class Alone:
    """All parts one after the other in this process: what every other way must agree with."""

    def each(
        self,
        work: Callable[[Shared, Part], Result],
        shared: Shared,
        parts: Sequence[Part],
        effort_s: float = 0.0,  # noqa: ARG002 - whatever it takes, it is done here
    ) -> Iterator[Result]:
        """Yield the result of every part."""
        for part in parts:
            yield work(shared, part)


#: Nobody shares the work.
ALONE = Alone()
