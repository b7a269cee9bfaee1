"""Who is told, and where what is not yet told is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from core.domain.deliveries import Delivery
from core.domain.notices import Notice


class Channel(Protocol):
    """A way to tell people outside, such as a webhook or e-mail."""

    @property
    def name(self) -> str:
        """What it is called in records, such as "webhook"; never with a secret in it."""

    def send(self, notice: Notice) -> None:
        """Send one notice, once; whoever calls tries again.

        Raises
        ------
        DeliveryFailed
            If it did not get through; the message says why, without a secret.
        """


class Outbox(Protocol):
    """Deliveries that outlive a restart and a kill, shared by all processes of a home."""

    def all(self) -> Sequence[Delivery]:
        """Return every delivery, the oldest first."""

    def add(self, delivery: Delivery) -> bool:
        """Keep a new one; return False where one of its id is there already, whatever became of it.

        Raises
        ------
        ConfigurationError
            If it cannot be written; nothing of it is kept.
        """

    def change(self, id: str, changed: Callable[[Delivery], Delivery | None]) -> Delivery | None:
        """Put what `changed` makes of the delivery in its place, and return it; None: leave it, or there is none.

        Raises
        ------
        ConfigurationError
            If it cannot be written; it stays as it was.
        """

    def forget(self, id: str) -> None:
        """Drop a delivery; nothing happens where there is none."""

    def turn(self) -> AbstractContextManager[bool]:
        """Hold the turn to send: one process at a time, and whoever is killed holds it no longer. False: not yours."""

    def lost(self) -> int:
        """Return how many deliveries could not be read and were put aside."""
