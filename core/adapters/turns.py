"""Whose turn it is: what the scheduler asks before a job, so that of several programs one does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Past:
    """The last run of a job, whichever program did it; without an end it was cut off, or goes on."""

    begun_at: datetime
    ended_at: datetime | None = None
    error: str | None = None


class Turns(Protocol):
    """Which of several programs does the jobs."""

    #: How often this program has begun to do them.
    term: int

    def start(self) -> None:
        """Begin to look whose turn it is."""

    def stop(self) -> None:
        """End, and leave the jobs to the others."""

    def leads(self) -> bool:
        """Say whether this one does."""

    def past(self) -> Mapping[str, Past]:
        """Return the last run of every job that is written down."""

    def turn(self, job: str, *, recorded: bool) -> AbstractContextManager[bool]:
        """Let a job run, or not."""

    def ended(self, job: str, error: str | None) -> None:
        """Write down how a job that is written down has ended."""


class Alone:
    """Turns of a program that shares its jobs with nobody, and remembers none."""

    term = 1

    def start(self) -> None:
        """Begin; there is nothing to look at."""

    def stop(self) -> None:
        """End."""

    def leads(self) -> bool:
        """Return True."""
        return True

    def past(self) -> Mapping[str, Past]:
        """Return nothing."""
        return {}

    @contextmanager
    def turn(self, job: str, *, recorded: bool) -> Iterator[bool]:  # noqa: ARG002
        """Let every job run."""
        yield True

    def ended(self, job: str, error: str | None) -> None:
        """Write nothing down."""
