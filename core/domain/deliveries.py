"""Notices on their way: how far each has got through each channel, and what stands in the outbox."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.domain.notices import Notice, notice_of


class DeliveryState(StrEnum):
    """How far a notice has got. DEAD is the dead letter: kept, and sent again only when somebody says so."""

    WAITING = "waiting"
    FAILED = "failed"
    DEAD = "dead"
    SENT = "sent"


#: What the scheduler sends by itself.
OPEN = (DeliveryState.WAITING, DeliveryState.FAILED)
MOMENTS = ("queued_at", "next_at", "tried_at", "ended_at")


@dataclass(frozen=True)
class Delivery:
    """One notice on its way through one channel; `ended_at` is when it was sent or given up.

    `tries` counts those since it was queued, or queued again by hand; `reason` is why the last one failed, without a
    secret.
    """

    notice: Notice
    channel: str
    queued_at: datetime
    next_at: datetime
    state: DeliveryState = DeliveryState.WAITING
    tries: int = 0
    tried_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""

    @property
    def id(self) -> str:
        """The same for the same notice and channel, whoever queues it."""
        said = repr((self.notice.id, self.channel)).encode("utf-8", "backslashreplace")
        return hashlib.sha256(said).hexdigest()[:24]

    @property
    def kind(self) -> str:
        """The kind of its channel, such as "webhook"."""
        return self.channel.partition(" ")[0]

    def due(self, now: datetime) -> bool:
        """Tell whether it is to be sent now; a clock that was set back since the last try holds nothing."""
        set_back = self.tried_at is not None and self.tried_at > now
        return self.state is DeliveryState.WAITING or (
            self.state is DeliveryState.FAILED and (self.next_at <= now or set_back)
        )

    def again(self, now: datetime) -> Delivery:
        """Return it as queued anew, with all its tries before it."""
        return replace(self, state=DeliveryState.WAITING, tries=0, next_at=now, ended_at=None)

    def sent(self, now: datetime) -> Delivery:
        """Return it as sent."""
        tried = replace(self, tries=self.tries + 1, tried_at=now, ended_at=now, next_at=now)
        return replace(tried, state=DeliveryState.SENT, reason="")

    def failed(self, now: datetime, reason: str, next_at: datetime | None) -> Delivery:
        """Return it after a try that failed; with `next_at` None it is given up."""
        tried = replace(self, tries=self.tries + 1, tried_at=now, reason=reason)
        if next_at is None:
            return replace(tried, state=DeliveryState.DEAD, ended_at=now, next_at=now)
        return replace(tried, state=DeliveryState.FAILED, next_at=next_at)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON, times as ISO 8601."""
        moments = {name: getattr(self, name) for name in MOMENTS}
        return {
            "notice": self.notice.as_dict(),
            "channel": self.channel,
            "state": self.state.value,
            "tries": self.tries,
            "reason": self.reason,
            **{name: None if at is None else at.isoformat() for name, at in moments.items()},
        }


@dataclass(frozen=True)
class OutboxState:
    """What stands in the outbox, the newest first; `lost` counts files that could not be read and were put aside."""

    channels: tuple[str, ...]
    deliveries: tuple[Delivery, ...] = field(repr=False)
    lost: int = 0

    def count(self, *states: DeliveryState) -> int:
        """Return how many deliveries have got so far."""
        return sum(delivery.state in states for delivery in self.deliveries)


def delivery_of(said: Mapping[str, Any]) -> Delivery:
    """Return the delivery of the plain values of `Delivery.as_dict`.

    Raises
    ------
    ValueError, TypeError, KeyError
        If they are those of no delivery.
    """
    queued_at, next_at, tried_at, ended_at = (_moment(said[name]) for name in MOMENTS)
    if queued_at is None or next_at is None or type(said["tries"]) is not int:
        raise TypeError("a delivery has no such values")
    return Delivery(
        notice=notice_of(said["notice"]),
        channel=str(said["channel"]),
        queued_at=queued_at,
        next_at=next_at,
        state=DeliveryState(said["state"]),
        tries=said["tries"],
        tried_at=tried_at,
        ended_at=ended_at,
        reason=str(said["reason"]),
    )


def _moment(text: str | None) -> datetime | None:
    moment = None if text is None else datetime.fromisoformat(text)
    if moment is not None and moment.tzinfo is None:
        raise ValueError("a moment has a zone")
    return moment
