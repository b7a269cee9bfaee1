"""Meters count from every thread, keep the newest, and never grow without bound."""

from __future__ import annotations

import threading
import time
from collections import Counter

from core.meters import KEPT, MOST_KINDS, OTHER, Latency, Meters


def test_a_door_that_nobody_used_has_no_latency() -> None:
    meters = Meters()
    assert meters.latencies() == {}
    meters.timed("api", 0.25)
    assert meters.latencies() == {"api": Latency(1, 0.25, 0.25, 0.25)}


def test_latencies_are_nearest_ranks_of_each_door_by_itself() -> None:
    meters = Meters()
    for i in reversed(range(1, 201)):
        meters.timed("refresh", float(i))
    meters.timed("page", 7.0)
    assert meters.latencies() == {"refresh": Latency(200, 100, 190, 198), "page": Latency(1, 7, 7, 7)}


def test_only_the_newest_durations_count() -> None:
    meters = Meters()
    for seconds in (9.0, *[1.0] * KEPT):
        meters.timed("api", seconds)
    assert meters.latencies()["api"] == Latency(KEPT, 1, 1, 1)
    meters.timed("api", 9.0)
    assert meters._durations["api"][-1] == 9.0


def test_errors_are_counted_by_kind_and_what_was_given_out_stays_as_it_was() -> None:
    meters = Meters()
    meters.failed("SourceUnavailable")
    before = meters.faults()
    meters.failed("SourceUnavailable")
    meters.failed("ModelCorrupt")
    assert before == {"SourceUnavailable": 1}
    assert meters.faults() == {"SourceUnavailable": 2, "ModelCorrupt": 1}


def test_kinds_without_end_are_others() -> None:
    meters = Meters()
    for i in range(MOST_KINDS + 20):
        meters.failed(f"Kind{i}")
    meters.failed("Kind0")
    faults = meters.faults()
    assert len(faults) == MOST_KINDS + 1
    assert (faults["Kind0"], faults[OTHER]) == (2, 20)


class Interrupted(Counter[str]):
    """A count during which every thread lets the others go first."""

    def __getitem__(self, kind: str) -> int:
        count = super().__getitem__(kind)
        time.sleep(1e-5)
        return count


def test_no_count_is_lost_between_threads() -> None:
    meters, each = Meters(), 100
    meters._faults = Interrupted()

    def busy() -> None:
        for _ in range(each):
            meters.failed("SourceUnavailable")
            meters.timed("api", 1.0)

    threads = [threading.Thread(target=busy) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert meters.faults() == {"SourceUnavailable": 6 * each}
    assert meters.latencies()["api"].count == 6 * each
