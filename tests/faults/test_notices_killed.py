"""Notices and processes: one that is killed between sending and noting it, and two that share an outbox."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

from core.adapters.channels.webhook import Webhook
from core.adapters.outbox import FolderOutbox
from core.domain.deliveries import DeliveryState
from core.meters import Meters
from core.workflows.notifying import Notifying
from tests.adapters.outside_servers import AT, notice, webhook
from tests.faults.processes import Say, forked

MANY = 12


def telling(folder: Path, url: str) -> Notifying:
    return Notifying(FolderOutbox(folder), (Webhook(url),), lambda: AT, Meters(), lambda: 0.0)


def ids(got: list[tuple[dict[str, str], bytes]]) -> Counter[str]:
    return Counter(json.loads(body)["id"] for _, body in got)


def test_who_is_killed_between_sending_and_noting_sends_again_under_the_same_id(tmp_path: Path) -> None:
    with webhook(200) as hook:
        telling(tmp_path, hook.url).tell(notice())

        def send_and_hang(say: Say) -> None:
            mine = telling(tmp_path, hook.url)

            def hang(*_: object) -> None:
                say("sent")
                time.sleep(60)

            mine.outbox.change = hang  # type: ignore[method-assign]
            mine.deliver()

        child = forked(send_and_hang)
        assert child.heard(1)
        assert telling(tmp_path, hook.url).deliver() == 0  # it still has the turn
        child.kill()
        assert child.ended() == -9
        assert telling(tmp_path, hook.url).deliver() == 1
        assert telling(tmp_path, hook.url).deliver() == 0
    assert ids(hook.got) == {"n-1": 2}
    (delivery,) = FolderOutbox(tmp_path).all()
    assert delivery.state is DeliveryState.SENT


def test_who_is_killed_while_queueing_leaves_a_whole_notice_or_none(tmp_path: Path) -> None:
    def tell_for_ever(say: Say) -> None:
        mine = telling(tmp_path, "http://127.0.0.1:9/")
        for number in range(10**6):
            mine.tell(notice(f"n-{number}"))
            say("told")

    child = forked(tell_for_ever)
    assert child.heard(5)
    child.kill()
    assert child.ended() == -9
    outbox = FolderOutbox(tmp_path)
    assert len(outbox.all()) >= 5
    assert outbox.lost() == 0


def test_two_processes_that_tell_and_send_the_same_send_each_notice_once(tmp_path: Path) -> None:
    with webhook(200) as hook:

        def tell_and_send(say: Say) -> None:
            mine = telling(tmp_path, hook.url)
            for number in range(MANY):
                mine.tell(notice(f"n-{number}"))
                mine.deliver()
            while mine.state().count(DeliveryState.SENT) < MANY:
                mine.deliver()
            say("done")

        children = [forked(tell_and_send) for _ in range(2)]
        assert [child.ended() for child in children] == [0, 0]
    assert ids(hook.got) == {f"n-{number}": 1 for number in range(MANY)}
