"""Notifying: notices are queued at once, sent by the scheduler, tried again, and given up as dead letters at the end.

Every notice gets through at least once: a process that is killed after sending and before it has noted that sends
again, under the same id. While nothing fails it gets through once, however many processes share the outbox.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from core.domain.deliveries import OPEN, Delivery, DeliveryState, OutboxState
from core.domain.notices import Notice
from core.domain.told import tell
from core.errors import CloudburstError, DeliveryFailed, UnfitInput
from core.meters import Meters
from core.ports import Channel, Clock, Outbox

log = structlog.get_logger()
#: A turn begins no further try after so many seconds: other jobs wait for its end.
TURN_S = 8.0
#: How long it is remembered that a notice was sent: nobody tells the same again later.
KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Retries:
    """When a notice that failed is tried again: after 1, 2, 4 ... minutes, up to six hours, and then no more.

    `jitter` is the largest share by which a wait is shortened: many notices that failed at once do not come back at
    once.
    """

    first_s: float = 60.0
    longest_s: float = 6 * 3600.0
    tries: int = 11
    jitter: float = 0.2

    def wait_s(self, failed: int, chance: float) -> float | None:
        """Return the seconds from the failure number `failed` to the next try, None where there is none.

        Parameters
        ----------
        chance
            Any number in [0, 1).

        >>> [Retries().wait_s(n, 0.0) for n in (1, 2, 9, 10, 11)]
        [60.0, 120.0, 15360.0, 21600.0, None]
        """
        if failed >= self.tries:
            return None
        return min(self.first_s * 2.0 ** (failed - 1), self.longest_s) * (1 - self.jitter * chance)


@dataclass
class Notifying:
    """Tells people outside. Without channels nothing is queued and nothing sent.

    Parameters
    ----------
    chance
        Returns a number in [0, 1): the jitter of the retries.
    """

    outbox: Outbox
    channels: tuple[Channel, ...]
    clock: Clock
    meters: Meters
    chance: Callable[[], float]
    retries: Retries = Retries()
    #: What could not be written: told or changed, and kept in the memory until the disk takes it.
    _unsaved: dict[str, Delivery] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def tell(self, notice: Notice) -> bool:
        """Queue a notice for every channel; it neither raises nor waits for anybody outside.

        The same notice told twice, here or by another process, is one notice. Return whether it is on the disk: else
        it goes out from the memory, and is lost where the process ends before.
        """
        kept = True
        for channel in self.channels:
            try:
                now = self.clock()
                delivery = Delivery(notice, channel.name, now, now)
                with self._lock:
                    delivery = self._unsaved.get(delivery.id, delivery)  # it may have been sent since
                self._kept(delivery)
            except Exception as error:  # whoever tells has more to do than this
                self._noted(error, "a notice could not be queued")
                kept = False
        return kept

    def deliver(self) -> int:
        """Send what is due, all channels at once; return how many got through. Another process may have the turn.

        Raises
        ------
        ConfigurationError
            If the outbox cannot be written.
        """
        if not self.channels:
            return 0
        self._save_again()
        with self.outbox.turn() as mine:
            if not mine:
                return 0
            now = self.clock()
            due = [delivery for delivery in self._all() if delivery.due(now)]
            names = {channel.name for channel in self.channels}
            for delivery in due:
                if delivery.channel not in names:
                    self._failed(delivery, DeliveryFailed("There is no such channel any more.", final=True))
            queues = {channel: [d for d in due if d.channel == channel.name] for channel in self.channels}
            end = time.monotonic() + TURN_S
            with ThreadPoolExecutor(len(queues), "notices") as pool:
                through = sum(pool.map(lambda channel: self._through(channel, queues[channel], end), queues))
            self._forget_old(now)
        return through

    def state(self) -> OutboxState:
        """Return what waits, failed, was given up and was lately sent, the newest first."""
        names = tuple(channel.name for channel in self.channels)
        return OutboxState(names, tuple(reversed(self._all())), self.outbox.lost())

    def again(self, delivery_id: str) -> Delivery:
        """Let the scheduler send what failed or was given up, at its next turn; return it.

        Raises
        ------
        UnfitInput
            If nothing that can be sent again has this id.
        ConfigurationError
            If the outbox cannot be written.
        """
        names, now = {channel.name for channel in self.channels}, self.clock()

        def changed(delivery: Delivery) -> Delivery | None:
            fit = delivery.state is not DeliveryState.SENT and delivery.channel in names
            return delivery.again(now) if fit else None

        found = self.outbox.change(delivery_id, changed)
        if found is None:
            raise UnfitInput(
                "Nothing that can be sent again has this id.", hint="It was sent, or its channel is set no more."
            )
        return found

    def problems(self) -> tuple[str, ...]:
        """Return in words what the house must say of itself."""
        state = self.state()
        dead = state.count(DeliveryState.DEAD)
        out = [tell("Notices that did not get through and were given up: {n}. See the outbox.", n=dead)] if dead else []
        if self._unsaved:
            out.append(
                tell("Notices that cannot be written and are kept in the memory alone: {n}.", n=len(self._unsaved))
            )
        lost = tell("Files of the outbox that could not be read: {n}.", n=state.lost)
        return (*out, lost) if state.lost else tuple(out)

    def _through(self, channel: Channel, due: Sequence[Delivery], end: float) -> int:
        """Send through one channel, the oldest first, until one fails or the time is over; return how many went."""
        through = 0
        for delivery in due:
            if time.monotonic() >= end:
                return through
            try:
                channel.send(delivery.notice)
            except DeliveryFailed as error:
                self._failed(delivery, error)
                return through
            except Exception as error:
                self._noted(error, "a channel broke")
                self._failed(delivery, DeliveryFailed(f"The channel broke ({type(error).__name__})."))
                return through
            self.meters.delivered(delivery.kind)
            self._change(delivery.sent(self.clock()))
            through += 1
        if through:
            self._hasten(channel.name)
        return through

    def _hasten(self, name: str) -> None:
        """Let what failed before go at the next turn: the channel answers again."""
        now = self.clock()
        for delivery in self._all():
            if delivery.channel == name and delivery.state is DeliveryState.FAILED:
                self._change(replace(delivery, next_at=min(delivery.next_at, now)))

    def _failed(self, delivery: Delivery, error: DeliveryFailed) -> None:
        now, wait_s = self.clock(), self.retries.wait_s(delivery.tries + 1, self.chance())
        if error.final or wait_s is None:
            after = delivery.failed(now, error.message, None)
        else:
            asked_s = min(error.retry_after_s, self.retries.longest_s)
            after = delivery.failed(now, error.message, now + timedelta(seconds=max(wait_s, asked_s)))
        log.warning("a notice failed", channel=delivery.kind, state=after.state.value, reason=after.reason)
        self.meters.failed(type(error).__name__)
        self._change(after)

    def _all(self) -> list[Delivery]:
        """Return every delivery, the oldest first; what the disk did not take is as the memory has it."""
        with self._lock:
            unsaved = dict(self._unsaved)
        known = {delivery.id: delivery for delivery in self.outbox.all()} | unsaved
        return sorted(known.values(), key=lambda d: (d.queued_at, d.notice.at, d.id))

    def _change(self, after: Delivery) -> None:
        """Note what became of a delivery; where that cannot be written it is remembered, or it would be sent again."""
        try:
            self._kept(after)
        except CloudburstError as error:
            self._noted(error, "a notice could not be written")

    def _kept(self, delivery: Delivery) -> None:
        with self._lock:
            self._unsaved[delivery.id] = delivery
        new = delivery.tries == 0
        if new or self.outbox.change(delivery.id, lambda old: delivery if old.state in OPEN else None) is None:
            self.outbox.add(delivery)
        with self._lock:
            self._unsaved.pop(delivery.id, None)

    def _save_again(self) -> None:
        with self._lock:
            unsaved = list(self._unsaved.values())
        for delivery in unsaved:
            self._change(delivery)

    def _forget_old(self, now: datetime) -> None:
        for delivery in self._all():
            if delivery.state is DeliveryState.SENT and delivery.ended_at and now - delivery.ended_at > KEPT:
                self.outbox.forget(delivery.id)

    def _noted(self, error: Exception, event: str) -> None:
        self.meters.failed(type(error).__name__)
        log.error(event, error=f"{type(error).__name__}: {error}")
