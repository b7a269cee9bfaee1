"""Notifying: queued at once, sent when due, tried again, given up, sent again; on a real outbox."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.adapters.channels.webhook import Webhook
from core.adapters.outbox import FolderOutbox
from core.domain.deliveries import DeliveryState
from core.domain.notices import Notice
from core.errors import ConfigurationError, DeliveryFailed, UnfitInput
from core.meters import Meters
from core.workflows.notifying import KEPT, Notifying, Retries
from tests.adapters.outside_servers import AT, notice, webhook

WAITING, FAILED, DEAD, SENT = (DeliveryState[name] for name in ("WAITING", "FAILED", "DEAD", "SENT"))


@dataclass(eq=False)
class FakeChannel:
    """Port `Channel` that remembers what it sent, and fails when told to."""

    name: str = "webhook fake"
    error: Exception | None = None
    sent: list[str] = field(default_factory=list)
    before: Callable[[Notice], object] = str

    def send(self, notice: Notice) -> None:
        self.before(notice)
        if self.error is not None:
            raise self.error
        self.sent.append(notice.id)


class House:
    """Notifying on a folder, with a clock that can be moved."""

    def __init__(self, folder: Path, *channels: FakeChannel | Webhook, chance: float = 0.0) -> None:
        self.now = AT
        self.outbox = FolderOutbox(folder / "outbox")
        self.meters = Meters()
        self.told = Notifying(self.outbox, channels, lambda: self.now, self.meters, lambda: chance)

    def after(self, **time: float) -> int:
        self.now += timedelta(**time)
        return self.told.deliver()

    def only(self) -> DeliveryState:
        (delivery,) = self.told.state().deliveries
        return delivery.state


def test_what_is_told_is_sent_once_by_every_channel(tmp_path: Path) -> None:
    one, other = FakeChannel(), FakeChannel("e-mail a@met.example")
    house = House(tmp_path, one, other)
    house.told.tell(notice("n-1"))
    house.now += timedelta(seconds=1)
    house.told.tell(notice("n-2"))
    assert one.sent == []  # nobody waits for anybody
    assert house.told.state().count(WAITING) == 4
    assert house.told.deliver() == 4
    assert house.told.deliver() == 0
    assert one.sent == other.sent == ["n-1", "n-2"]
    assert house.meters.deliveries() == {"webhook": 2, "e-mail": 2}
    assert [d.notice.id for d in house.told.state().deliveries] == ["n-2", "n-2", "n-1", "n-1"]


def test_without_channels_nothing_is_written(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.told.tell(notice())
    assert house.told.deliver() == 0
    assert list(tmp_path.iterdir()) == []
    assert house.told.state().deliveries == ()
    assert house.told.problems() == ()


def test_the_same_notice_told_twice_is_one_also_after_it_was_sent_and_by_another(tmp_path: Path) -> None:
    channel = FakeChannel()
    house, other = House(tmp_path, channel), House(tmp_path, channel)
    house.told.tell(notice())
    other.told.tell(notice())
    assert house.told.deliver() + other.told.deliver() == 1
    other.told.tell(notice())
    assert other.told.deliver() == 0
    assert channel.sent == ["n-1"]


def test_waits_double_up_to_six_hours_and_then_it_is_a_dead_letter(tmp_path: Path) -> None:
    channel = FakeChannel(error=DeliveryFailed("It answered 500."))
    house = House(tmp_path, channel)
    house.told.tell(notice())
    waits = []
    while True:
        house.told.deliver()
        (delivery,) = house.told.state().deliveries
        if delivery.state is DEAD:
            break
        assert delivery.state is FAILED
        waits.append((delivery.next_at - house.now).total_seconds() / 60)
        house.now = delivery.next_at - timedelta(seconds=1)
        before = house.told.state().deliveries
        house.told.deliver()
        assert house.told.state().deliveries == before  # a second too early
        house.now += timedelta(seconds=1)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360]
    assert (delivery.tries, delivery.reason, delivery.ended_at) == (11, "It answered 500.", house.now)
    channel.error = None
    assert house.after(days=30) == 0  # kept, and not sent by itself
    assert "given up: 1" in house.told.problems()[0]


def test_jitter_only_shortens_a_wait_by_a_fifth_at_the_most() -> None:
    assert Retries().wait_s(1, 0.999) == pytest.approx(48, abs=0.1)
    assert Retries().wait_s(10, 0.5) == pytest.approx(0.9 * 21600)


def test_a_dead_letter_can_be_sent_again_with_all_its_tries(tmp_path: Path) -> None:
    channel = FakeChannel(error=DeliveryFailed("gone", final=True))
    house = House(tmp_path, channel)
    house.told.tell(notice())
    house.told.deliver()
    (dead,) = house.told.state().deliveries
    assert dead.state is DEAD
    channel.error = DeliveryFailed("It answered 500.")
    assert house.told.again(dead.id).tries == 0
    house.told.deliver()
    assert house.only() is FAILED
    channel.error = None
    house.told.again(dead.id)
    assert house.told.deliver() == 1
    assert house.only() is SENT
    with pytest.raises(UnfitInput):
        house.told.again(dead.id)
    assert house.told.deliver() == 0


@pytest.mark.parametrize("id", ["nobody", "", "../../etc/passwd", "a" * 5000])
def test_what_is_not_there_cannot_be_sent_again(tmp_path: Path, id: str) -> None:
    house = House(tmp_path, FakeChannel())
    with pytest.raises(UnfitInput):
        house.told.again(id)


def test_a_wait_that_the_receiver_asks_for_is_kept_up_to_six_hours(tmp_path: Path) -> None:
    channel = FakeChannel(error=DeliveryFailed("busy", retry_after_s=600))
    house = House(tmp_path, channel)
    house.told.tell(notice())
    house.told.deliver()
    assert house.told.state().deliveries[0].next_at == AT + timedelta(minutes=10)
    channel.error = DeliveryFailed("busy", retry_after_s=10**6)
    house.after(minutes=10)
    assert house.told.state().deliveries[0].next_at == house.now + timedelta(hours=6)


def test_a_channel_that_fails_keeps_no_other_and_is_asked_once_a_turn(tmp_path: Path) -> None:
    asked: list[str] = []
    broken = FakeChannel("webhook broken", DeliveryFailed("no"), before=lambda n: asked.append(n.id))
    well = FakeChannel("webhook well")
    house = House(tmp_path, broken, well)
    for number in range(3):
        house.told.tell(notice(f"n-{number}"))
    assert house.told.deliver() == 3
    assert sorted(well.sent) == ["n-0", "n-1", "n-2"]
    assert len(asked) == 1
    house.after(seconds=15)
    assert len(set(asked)) == 2  # one that always fails does not stand before the others


def test_a_channel_that_answers_again_gets_what_failed_at_once(tmp_path: Path) -> None:
    channel = FakeChannel(error=DeliveryFailed("down"))
    house = House(tmp_path, channel)
    house.told.tell(notice("n-1"))
    for _ in range(6):
        house.after(hours=1)
    assert house.told.state().deliveries[0].next_at > house.now + timedelta(minutes=10)
    channel.error = None
    house.told.tell(notice("n-2"))
    assert house.told.deliver() == 1
    assert house.after(seconds=15) == 1
    assert channel.sent == ["n-2", "n-1"]


def test_a_channel_with_a_bug_is_a_failure_without_its_text(tmp_path: Path) -> None:
    house = House(tmp_path, FakeChannel(error=RuntimeError("token s3cret")))
    house.told.tell(notice())
    assert house.told.deliver() == 0
    assert house.only() is FAILED
    assert "s3cret" not in house.told.state().deliveries[0].reason
    assert house.meters.faults()["RuntimeError"] == 1


def test_what_a_removed_channel_owes_is_a_dead_letter(tmp_path: Path) -> None:
    House(tmp_path, FakeChannel("webhook old")).told.tell(notice())
    house = House(tmp_path, FakeChannel("webhook new"))
    house.told.deliver()
    (dead,) = house.told.state().deliveries
    assert (dead.state, dead.reason) == (DEAD, "There is no such channel any more.")
    with pytest.raises(UnfitInput):
        house.told.again(dead.id)


def test_what_was_sent_is_remembered_for_a_week(tmp_path: Path) -> None:
    house = House(tmp_path, FakeChannel())
    house.told.tell(notice())
    house.told.deliver()
    house.after(seconds=KEPT.total_seconds())
    assert house.only() is SENT
    house.after(seconds=1)
    assert house.told.state().deliveries == ()


def test_a_full_disk_neither_loses_a_notice_nor_sends_it_every_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    channel = FakeChannel()
    house = House(tmp_path, channel)
    with monkeypatch.context() as broken:
        broken.setattr("core.adapters.outbox.write_text", full)
        house.told.tell(notice("n-1"))  # does not raise
        assert house.told.state().count(WAITING) == 1
        assert house.told.deliver() == 1  # who is to be warned does not wait for our disk
        assert house.told.deliver() == house.told.deliver() == 0
    assert house.told.deliver() == 0
    assert channel.sent == ["n-1"]
    assert [d.state for d in FolderOutbox(tmp_path / "outbox").all()] == [SENT]


def test_while_one_sends_another_does_not(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: Notice) -> None:
        begun.set()
        go_on.wait(10)

    channel = FakeChannel(before=slow)
    house, other = House(tmp_path, channel), House(tmp_path, channel)
    house.told.tell(notice())
    thread = threading.Thread(target=house.told.deliver)
    thread.start()
    assert begun.wait(10)
    assert other.told.deliver() == 0
    other.told.tell(notice("n-2"))  # queueing does not wait for who sends
    go_on.set()
    thread.join()
    assert other.told.deliver() == 1
    assert channel.sent == ["n-1", "n-2"]


def test_a_file_that_is_no_delivery_is_put_aside_and_counted(tmp_path: Path) -> None:
    house = House(tmp_path, FakeChannel())
    house.told.tell(notice())
    (good,) = (tmp_path / "outbox").glob("*.json")
    (tmp_path / "outbox" / "abc.json").write_bytes(good.read_bytes())  # the name of another
    (tmp_path / "outbox" / "abd.json").write_text("{")
    (tmp_path / "outbox" / "abe.json").write_text("[1]")
    assert house.told.deliver() == 1
    state = house.told.state()
    assert (len(state.deliveries), state.lost) == (1, 3)
    assert "could not be read: 3" in house.told.problems()[0]


def test_an_outbox_that_cannot_be_written_is_an_error_of_the_job_not_of_who_tells(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")
    channel = FakeChannel()
    house = House(tmp_path, channel)
    assert not house.told.tell(notice())
    with pytest.raises(ConfigurationError):
        house.told.deliver()
    assert not house.told.tell(notice())
    (tmp_path / "outbox").unlink()
    assert house.told.deliver() == 1
    assert house.told.tell(notice())  # told again it is on the disk, and sent already
    house.told.deliver()
    assert len(channel.sent) == 1


def test_a_webhook_that_answers_500_and_then_200(tmp_path: Path) -> None:
    with webhook(500, 200) as hook:
        house = House(tmp_path, Webhook(hook.url))
        house.told.tell(notice())
        assert house.told.deliver() == 0
        assert house.only() is FAILED
        assert house.after(seconds=15) == 0
        assert house.after(seconds=45) == 1
    assert house.only() is SENT
    (_, first), (_, second) = hook.got
    assert first == second


def test_a_clock_that_is_set_back_holds_nothing_for_ever(tmp_path: Path) -> None:
    channel = FakeChannel()
    house = House(tmp_path, channel)
    house.told.tell(notice())
    house.now = datetime.fromisoformat("2026-07-01T00:00:00+00:00")
    assert house.told.deliver() == 1
