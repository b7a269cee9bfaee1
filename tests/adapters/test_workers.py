"""One suite over all who share work, and what only those on Dask can do wrong."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.adapters import dask_workers
from core.adapters.dask_workers import DaskWorkers
from core.errors import InsufficientData, WorkersUnavailable
from core.features import table
from core.ports import Alone, Workers
from tests import workers_made as made

#: Connections that Dask gives up while it connects are closed by the collector, whenever that comes.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed <socket:ResourceWarning",
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning",
)
LONG = 1000.0
ROOT = Path(__file__).resolve().parents[2]


def children() -> set[int]:
    """Return the processes that work for this one."""
    found = psutil.Process().children(recursive=True)
    return {p.pid for p in found if "spawn_main" in " ".join(p.cmdline())}


@pytest.fixture(scope="module")
def local() -> Iterator[DaskWorkers]:
    before = children()
    with DaskWorkers(count=2) as workers:
        yield workers
    assert children() == before


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(params=["alone", "local", "address"])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    match request.param:
        case "alone":
            yield Alone()
        case "local":
            yield request.getfixturevalue("local")
        case _:
            with DaskWorkers(request.getfixturevalue("address")) as remote:
                yield remote


def test_results_come_in_the_order_of_the_parts_with_what_they_share(workers: Workers) -> None:
    shared = np.arange(1000.0)
    assert list(workers.each(made.added, shared, range(6), LONG)) == [(i, 499_500.0 + i) for i in range(6)]
    assert np.array_equal(shared, np.arange(1000.0))
    assert list(workers.each(made.added, np.ones(2), range(3), LONG)) == [(0, 2.0), (1, 3.0), (2, 4.0)]


def test_no_parts_no_results(workers: Workers) -> None:
    assert list(workers.each(made.added, np.ones(1), [], LONG)) == []


def test_an_error_of_the_work_comes_at_its_part_and_is_whole(workers: Workers) -> None:
    results = workers.each(made.refused, 2, range(5), LONG)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(InsufficientData) as caught:
        next(results)
    assert (caught.value.have, caught.value.need, caught.value.hint) == (2, 2, "Wait.")
    assert caught.value.context == {"place": "x"}
    with pytest.raises(TimeoutError, match="of the work itself, at 0"):
        list(workers.each(made.timed_out, None, range(2), LONG))


def test_who_stops_asking_leaves_them_fit_for_other_work(workers: Workers) -> None:
    results = workers.each(made.added, np.ones(1), range(4), LONG)
    assert next(results) == (0, 1.0)
    results.close()  # type: ignore[attr-defined]  # of a generator
    assert list(workers.each(made.refused, 9, range(2), LONG)) == [0, 1]


def test_a_part_has_one_thread_in_a_worker(local: DaskWorkers) -> None:
    assert set(local.each(made.threads, None, range(4), LONG)) == {(1, 1)}


def test_little_work_starts_no_process() -> None:
    before = children()
    with DaskWorkers(count=2) as workers:
        assert list(workers.each(made.refused, 9, range(5), dask_workers.WORTH_S - 1)) == [0, 1, 2, 3, 4]
        assert list(workers.each(made.refused, 9, range(1), LONG)) == [0]
        assert children() == before
    with DaskWorkers(count=1) as workers:
        assert list(workers.each(made.refused, 9, range(5), LONG)) == [0, 1, 2, 3, 4]
        assert children() == before


@pytest.mark.parametrize(("load", "free"), [(0.2, 4), (1.6, 2), (3.4, 1), (40.0, 1)])
def test_cores_that_others_use_are_left_to_them(monkeypatch: pytest.MonkeyPatch, load: float, free: int) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(4)))
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    assert dask_workers.free_cores() == free
    assert DaskWorkers()._count == free
    assert DaskWorkers(count=3)._count == 3


@pytest.mark.parametrize(("free", "count", "shared"), [(2, None, False), (3, None, True), (1, 2, True), (8, 1, False)])
def test_what_one_process_does_as_fast_by_its_threads_is_not_shared(
    monkeypatch: pytest.MonkeyPatch, free: int, count: int | None, shared: bool
) -> None:
    monkeypatch.setattr(dask_workers, "free_cores", lambda: free)
    workers = DaskWorkers(count=count)
    monkeypatch.setattr(workers, "_each", lambda *_: iter(["shared"]))
    assert list(workers.each(made.refused, 9, range(2), 1e3)) == (["shared"] if shared else [0, 1])


def test_a_worker_killed_in_the_middle_costs_nothing_but_time(local: DaskWorkers, tmp_path: Path) -> None:
    found = list(local.each(made.killed_once, tmp_path, range(6), LONG))
    assert [part for part, _ in found] == list(range(6))
    assert (tmp_path / "killed").exists()


def test_work_that_kills_every_worker_is_told_as_that() -> None:
    before = children()
    with DaskWorkers(count=2) as workers:
        results = workers.each(made.killed_always, None, range(3), LONG)
        assert next(results) == 0
        with pytest.raises(WorkersUnavailable, match="ended every worker") as caught:
            next(results)
    assert "memory" in caught.value.hint
    assert children() == before


def test_the_only_worker_with_what_is_shared_may_be_killed(tmp_path: Path) -> None:
    with DaskWorkers(count=2) as workers:
        workers._count = 1  # one process, and yet not alone
        workers_each = workers._each(made.killed_once, tmp_path, range(3))
        assert [part for part, _ in workers_each] == [0, 1, 2]


def test_nobody_at_the_address_is_said_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "CONNECT_S", 2.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    before = time.monotonic()
    with DaskWorkers(nobody) as workers, pytest.raises(WorkersUnavailable, match=nobody) as caught:
        list(workers.each(made.refused, 9, range(3), LONG))
    assert "CLOUDBURST_DASK" in caught.value.hint
    assert time.monotonic() - before < 60


def test_a_scheduler_that_goes_in_the_middle_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "CONNECT_S", 5.0)
    command = "from distributed import LocalCluster; c = LocalCluster(n_workers=1, threads_per_worker=1,"
    command += " host='127.0.0.1', dashboard_address='127.0.0.1:0'); print(c.scheduler_address, flush=True); input()"
    server = subprocess.Popen(
        [sys.executable, "-c", f"if __name__ == '__main__': {command}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    try:
        assert server.stdout is not None
        with DaskWorkers(server.stdout.readline().strip()) as workers:
            results = workers.each(made.begun, tmp_path, range(40), LONG)
            assert next(results) == 0
            server.kill()
            with pytest.raises(WorkersUnavailable, match="lost in the middle"):
                list(results)
    finally:
        server.kill()
        server.communicate()


def test_a_worker_with_another_program_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "FEATURE_SETS", {"observed": "observed-9"})
    dask_workers.stamp.cache_clear()
    try:
        with DaskWorkers(address) as workers, pytest.raises(WorkersUnavailable, match="observed-9") as caught:
            list(workers.each(made.refused, 9, range(3), LONG))
    finally:
        dask_workers.stamp.cache_clear()
    assert table.OBSERVED in caught.value.message
    assert "same release" in caught.value.hint


def test_a_worker_that_came_later_with_another_program_does_nothing() -> None:
    ours = {**dask_workers.stamp(), "numpy": "1.0"}
    answer = dask_workers.done(ours, made.refused, 9, 1)
    assert isinstance(answer, dask_workers.Failed)
    assert "numpy 1.0" in str(answer.error)
    assert dask_workers.done(dask_workers.stamp(), made.refused, 9, 1) == dask_workers.Done(1)


def test_whatever_is_no_stamp_is_another_program() -> None:
    assert "cannot run this program" in dask_workers.difference(ModuleNotFoundError("core"))
    assert dask_workers.difference(dask_workers.stamp()) == ""
