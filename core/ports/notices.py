"""Who is told."""

from __future__ import annotations

from typing import Protocol

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
