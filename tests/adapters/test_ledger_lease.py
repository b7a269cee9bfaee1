"""One of several programs holds the lease, whoever is killed or stopped, and what a late one writes is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from core.adapters import ledger_lease as module
from core.adapters.ledger import FENCE, SqlLedger
from core.adapters.ledger_generations import Generations
from core.adapters.ledger_lease import LASTS_S, Lease, is_gone, this_process
from core.errors import ConfigurationError, LeadershipLost

NOON = datetime(2026, 7, 28, 12, tzinfo=UTC)


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def program(ledger_url: str, clock: Clock) -> Callable[..., Lease]:
    """Return what opens the lease of another program on the same ledger, on a machine of which nothing is known."""

    def opened(name: str, clock: Clock = clock) -> Lease:
        return Lease(SqlLedger(ledger_url), clock, lambda: NOON, holder=name)

    return opened


@contextmanager
def stopped(lease: Lease) -> Iterator[None]:
    """Let a program be stopped in the middle of a job that is written down."""
    with lease.turn("refresh", recorded=True) as ours:
        assert ours
        yield


@contextmanager
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no ledger answer."""

    @contextmanager
    def refuses(_self: SqlLedger) -> Iterator[None]:
        raise ConfigurationError("The ledger cannot be used.")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(SqlLedger, "writing", refuses)
        patch.setattr(SqlLedger, "reading", refuses)
        yield


def test_the_first_that_looks_leads_and_no_other(program: Callable[..., Lease]) -> None:
    one, two = program("one"), program("two")
    assert (one.leads(), one.term) == (False, 0)
    assert one.keep() and not two.keep() and one.keep()
    assert (one.leads(), one.term, two.leads(), two.term) == (True, 1, False, 0)


def test_a_lease_is_over_once_its_beat_stands_still_by_the_clock_of_whoever_looks(
    program: Callable[..., Lease], clock: Clock
) -> None:
    one, two = program("one"), program("two")
    assert one.keep()
    for _ in range(10):  # it lasts as long as it shows signs of life
        clock.now_s += LASTS_S * 0.9
        assert not two.keep() and one.keep()
    clock.now_s += 0.1
    assert not two.keep()  # the last sign is seen
    clock.now_s += LASTS_S
    assert not two.keep()  # exactly as long is not longer
    clock.now_s += 0.1
    assert two.keep()
    assert not one.keep() and not one.leads()


def test_clocks_of_two_machines_need_not_agree(program: Callable[..., Lease]) -> None:
    ahead, behind = Clock(), Clock()
    ahead.now_s += 1e6
    one, two = program("one", ahead), program("two", behind)
    assert one.keep()
    assert not two.keep()
    behind.now_s += LASTS_S - 1
    assert not two.keep()


def test_one_that_is_given_back_is_taken_at_once(program: Callable[..., Lease]) -> None:
    one, two = program("one"), program("two")
    assert one.keep()
    one.give_back()
    assert not one.leads() and two.keep()
    assert not one.keep()


def test_of_many_that_see_it_end_one_takes_it(program: Callable[..., Lease], clock: Clock) -> None:
    assert program("first").keep()
    many = [program(f"program {i}") for i in range(8)]
    assert not any(lease.keep() for lease in many)
    clock.now_s += LASTS_S + 1
    meeting = threading.Barrier(len(many))

    def take(lease: Lease) -> bool:
        meeting.wait(10)
        return lease.keep()

    with ThreadPoolExecutor(len(many)) as pool:
        assert sum(pool.map(take, many)) == 1
    assert sum(lease.leads() for lease in many) == 1


def test_a_holder_of_this_machine_that_is_gone_is_not_waited_for(ledger_url: str, clock: Clock) -> None:
    text = "from core.adapters.ledger_lease import this_process; print(this_process())"
    done = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True, timeout=60)
    assert is_gone(done.stdout.strip()) and not is_gone(this_process())
    assert not is_gone("elsewhere/another run:7/1/7") and not is_gone("one") and not is_gone("")
    number = this_process().rsplit("/", 1)[0]
    assert is_gone(f"{number}/7")  # a number that another process has by now
    assert Lease(SqlLedger(ledger_url), clock, holder=done.stdout.strip()).keep()
    assert Lease(SqlLedger(ledger_url), clock).keep()


def test_what_a_late_one_writes_in_a_job_is_refused(program: Callable[..., Lease], clock: Clock) -> None:
    one, two = program("one"), program("two")
    assert one.keep() and not two.keep()
    with stopped(one):
        one._ledger.record_run("test", "in time", {}, NOON)
        clock.now_s += LASTS_S + 1
        assert two.keep()
        with stopped(two):
            two._ledger.record_run("test", "by the other", {}, NOON)
        with pytest.raises(LeadershipLost, match="Another program"):
            one._ledger.record_run("test", "late", {}, NOON)
        one.ended("refresh", None)  # nor does it say that the other's job has ended
        assert two._ledger.runs()[0]["status"] == "by the other"
    assert [run["status"] for run in two._ledger.runs()] == ["by the other", "in time"]
    assert FENCE.get() is None
    one._ledger.record_run("test", "by hand", {}, NOON)  # people may write whoever does the jobs
    assert two._ledger.runs()[0]["status"] == "by hand"
    three = program("three")
    three.keep()
    assert three.past()["refresh"].ended_at is None


def test_one_that_was_stopped_begins_no_job(program: Callable[..., Lease], clock: Clock) -> None:
    one, two = program("one"), program("two")
    assert one.keep() and not two.keep()
    clock.now_s += LASTS_S + 1
    assert two.keep()
    assert one.leads()  # it does not know yet
    for recorded in (False, True):
        with one.turn("refresh", recorded=recorded) as ours:
            assert not ours
    assert not one.leads() and two.leads()


def test_of_two_that_believe_to_hold_it_one_begins_a_job_that_is_written_down(
    program: Callable[..., Lease], clock: Clock
) -> None:
    one, late = program("one"), Clock()
    assert one.keep()
    two = program("two", late)
    assert not two.keep()
    late.now_s += LASTS_S + 1  # a clock that runs too fast
    assert two.keep()
    with two.turn("refresh", recorded=True) as ours:
        assert ours
    with one.turn("refresh", recorded=True) as ours:
        assert not ours
    assert not one.leads()


def test_where_the_ledger_is_silent_all_stays_as_it_is(
    program: Callable[..., Lease], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = program("one"), program("two")
    assert one.keep() and not two.keep()

    with silent(monkeypatch):
        clock.now_s += 10 * LASTS_S
        assert one.keep() and not two.keep()
        with one.turn("notices", recorded=False) as ours:
            assert ours
        with one.turn("refresh", recorded=True) as ours:
            assert ours
        one.ended("refresh", None)
    assert one.keep() and not two.keep()


def test_who_takes_over_knows_how_every_job_went(program: Callable[..., Lease], clock: Clock) -> None:
    one, two = program("one"), program("two")
    assert one.keep()
    for job, error in (("refresh", None), ("verify", "SourceError: away")):
        with one.turn(job, recorded=True) as ours:
            assert ours
            one.ended(job, error)
    with one.turn("reports", recorded=True) as ours, one.turn("notices", recorded=False) as also:
        assert ours and also
    assert not two.keep()
    assert set(two.past()) == {"refresh", "verify", "reports"}  # also while it only looks
    clock.now_s += LASTS_S + 1
    assert two.keep()
    past = two.past()
    assert (past["refresh"].begun_at, past["refresh"].ended_at, past["refresh"].error) == (NOON, NOON, None)
    assert (past["verify"].ended_at, past["verify"].error) == (NOON, "SourceError: away")
    assert (past["reports"].begun_at, past["reports"].ended_at) == (NOON, None)


def test_a_thread_keeps_it_whatever_the_jobs_do(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.02)
    looked = threading.Semaphore(0)
    one = Lease(SqlLedger(ledger_url), look=looked.release, holder="one", lasts_s=0.4)
    other = Lease(SqlLedger(ledger_url), holder="other", lasts_s=2.0)
    one.start()
    try:
        assert one.leads()
        one.start()
        for _ in range(100):
            assert looked.acquire(timeout=10)
        assert not other.keep()
        beats = [lease["beat"] for lease in [_row(other)]]
        assert beats[0] > 0
    finally:
        one.stop()
    assert not one.leads() and other.keep()
    assert not [thread for thread in threading.enumerate() if thread.name == "lease"]


def test_others_are_told_of_a_change_and_whoever_made_it_is_not(ledger_url: str) -> None:
    told: dict[str, list[str]] = {"one": [], "two": []}
    one, two = (Generations(SqlLedger(ledger_url), told[name].append) for name in told)
    one.changed("r")  # before anybody has looked
    one.look()
    two.look()
    assert told == {"one": [], "two": []}
    one.changed("r")
    one.changed("models")
    one.look()
    two.look()
    two.look()
    assert told in ({"one": [], "two": ["r", "models"]}, {"one": [], "two": ["models", "r"]})
    two.changed("r")
    one.changed("r")  # both have: neither knows what the other did
    one.look()
    two.look()
    assert told["one"] == ["r"] and told["two"][2:] == ["r"]


def test_a_silent_ledger_keeps_nobody_from_changing(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    one = Generations(SqlLedger(ledger_url), told.append)
    one.look()

    with silent(monkeypatch):
        one.changed("r")
        one.look()
    one.look()
    assert told == []


def _row(lease: Lease) -> dict[str, object]:
    with lease._ledger.reading() as connection:
        found = module._lease(connection)
    assert found is not None
    return dict(found)


def test_the_wall_clock_is_only_written_down(ledger_url: str, clock: Clock) -> None:
    early, late = (NOON - timedelta(days=1), NOON + timedelta(days=1))
    one = Lease(SqlLedger(ledger_url), clock, lambda: late, holder="one")
    two = Lease(SqlLedger(ledger_url), clock, lambda: early, holder="two")
    assert one.keep() and not two.keep()
    with one.turn("refresh", recorded=True) as ours:
        assert ours
    clock.now_s += LASTS_S + 1
    assert two.keep()
    with two.turn("refresh", recorded=True) as ours:
        assert ours
