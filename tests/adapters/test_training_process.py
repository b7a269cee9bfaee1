"""Trainings as processes: one at a time, whoever asks; bounded, watched, cancelled, and honest about how they ended."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from core.adapters import training_process
from core.adapters.run_files import RunFiles
from core.adapters.training_process import Limits, TrainingProcesses
from core.domain.lifecycle import RetrainingRequest, RunState, RunStatus, Trigger
from core.errors import ConfigurationError, TrainingInProgress
from tests.trainings_made import unasked

NOW = datetime(2026, 7, 29, 18, 20, tzinfo=UTC)
PATIENCE_S = 30
#: A training that says itself how it ended, as the real one does.
WELL = """
import json, pathlib, sys
sys.stdin.readline()
path = pathlib.Path(sys.argv[1])
state = json.loads(path.read_text())
path.write_text(json.dumps(state | {"status": "kept", "done": 1.0, "reasons": ["gain: too little"]}))
"""


def request(who: str = "test") -> RetrainingRequest:
    return RetrainingRequest("gauges", "gauges", "random_forest", 30, NOW, Trigger.API, who)


@pytest.fixture
def ends() -> list[RunState]:
    return []


@pytest.fixture
def trainings(tmp_path: Path, ends: list[RunState]) -> Callable[..., TrainingProcesses]:
    def made(
        *command: str,
        seconds: float = 60.0,
        clock: Callable[[], datetime] = lambda: NOW,
        folder: Path = tmp_path / "runs",
        ended: Callable[[RunState], None] = ends.append,
    ) -> TrainingProcesses:
        return TrainingProcesses(
            folder,
            tmp_path,
            "{}",
            limits=Limits(1 << 33, seconds),
            clock=clock,
            ended=ended,
            command=command,
        )

    return made


def python(code: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *map(str, arguments))


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def test_a_training_ends_as_it_says_itself(
    trainings: Callable[..., TrainingProcesses], tmp_path: Path, ends: list[RunState]
) -> None:
    some = trainings(*python(WELL, tmp_path / "runs" / "now.json"))
    assert some.state() is None
    begun = some.start(request(), unasked)
    assert begun.running
    ended = some.wait(begun.run_id)
    assert (ended.status, ended.reasons) == (RunStatus.KEPT, ("gain: too little",))
    until(lambda: len(ends) == 1)
    assert ends[0].run_id == begun.run_id
    assert some.start(request(), unasked).run_id != begun.run_id  # the lock is free again


def test_a_second_one_is_told_since_when_the_first_runs_and_for_whom(
    trainings: Callable[..., TrainingProcesses],
) -> None:
    first, second = trainings("sleep", "30"), trainings("sleep", "30")
    begun = first.start(request("the schedule"), unasked)
    with pytest.raises(TrainingInProgress, match=r"since 2026-07-29 18:20:00 UTC .*begun by the schedule") as refused:
        second.start(request(), unasked)
    assert refused.value.run_id == begun.run_id
    assert second.state() == first.state()
    assert second.cancel(begun.run_id)
    assert first.wait(begun.run_id).status is RunStatus.CANCELLED
    assert not second.cancel(begun.run_id)


def test_one_of_another_machine_is_ended_by_who_watches_it(
    trainings: Callable[..., TrainingProcesses], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, elsewhere = trainings("sleep", "600"), trainings("sleep", "600")
    begun = here.start(request(), unasked)
    with monkeypatch.context() as patch:  # there its number is nobody's, or anybody's
        patch.setattr(elsewhere, "_ours", lambda _pid: False)
        assert elsewhere.cancel(begun.run_id)
    until(lambda: not elsewhere.state().running)
    assert here.wait(begun.run_id).status is RunStatus.CANCELLED


def test_one_that_fails_says_its_last_words(trainings: Callable[..., TrainingProcesses], ends: list[RunState]) -> None:
    some = trainings(*python("import sys; sys.stdin.readline(); sys.exit('no memory for a tree')"))
    ended = some.wait(some.start(request(), unasked).run_id)
    assert ended.status is RunStatus.FAILED
    assert ended.reasons == ("Its process ended with code 1: no memory for a tree",)
    assert ended.ended_at == NOW


def test_one_that_is_killed_says_so_and_frees_the_lock(trainings: Callable[..., TrainingProcesses]) -> None:
    some = trainings("sleep", "30")
    begun = some.start(request(), unasked)
    os.kill(begun.pid, signal.SIGKILL)
    ended = some.wait(begun.run_id)
    assert ended.status is RunStatus.FAILED
    assert "signal 9" in ended.reasons[0]
    again = some.start(request(), unasked)
    some.cancel(again.run_id)
    some.wait(again.run_id)


def test_one_that_takes_too_long_is_ended(trainings: Callable[..., TrainingProcesses]) -> None:
    some = trainings("sleep", "30", seconds=0.2)
    ended = some.wait(some.start(request(), unasked).run_id)
    assert ended.status is RunStatus.FAILED
    assert "CLOUDBURST_RETRAIN_MINUTES" in ended.reasons[0]


def test_one_that_hangs_while_nobody_watches_is_ended_by_the_next(
    trainings: Callable[..., TrainingProcesses], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "runs"
    files = RunFiles(folder)
    lock = files.take()
    assert lock is not None
    os.set_inheritable(lock, True)
    hanging = os.posix_spawn("/bin/sleep", ["sleep", "30"], {}, setpgroup=0)
    os.close(lock)  # now it alone holds the lock, as a training does whose watch is gone
    files.write(RunState("old", request(), hanging, NOW, RunStatus.RUNNING, 0.5, "fitting"))
    os.kill(hanging, signal.SIGSTOP)
    some = trainings("sleep", "30", seconds=60, clock=lambda: NOW + timedelta(days=3650))
    with pytest.raises(TrainingInProgress):  # a clock that jumps makes none of them old
        some.start(request(), unasked)
    monkeypatch.setattr(training_process, "GRACE_S", 0.0)
    time.sleep(0.2)
    patient = trainings("sleep", "30", seconds=0.1)
    patient.wait(patient.start(request(), unasked).run_id)
    assert os.waitstatus_to_exitcode(os.waitpid(hanging, 0)[1]) == -signal.SIGKILL


def test_a_process_that_is_not_ours_is_never_ended_for_having_its_number(
    trainings: Callable[..., TrainingProcesses], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = RunFiles(tmp_path / "runs")
    lock = files.take()
    assert lock is not None
    other = os.posix_spawn("/bin/sleep", ["sleep", "31"], {}, setpgroup=0)
    files.write(RunState("old", request(), other, NOW, RunStatus.RUNNING, 0.5, "fitting"))
    monkeypatch.setattr(training_process, "GRACE_S", 0.0)
    with pytest.raises(TrainingInProgress):
        trainings("sleep", "30", seconds=0.0).start(request(), unasked)
    os.kill(other, 0)
    os.kill(other, signal.SIGKILL)
    os.waitpid(other, 0)
    os.close(lock)


def test_a_training_is_told_before_the_next_one_can_begin(
    trainings: Callable[..., TrainingProcesses], tmp_path: Path, ends: list[RunState]
) -> None:
    some = trainings(*python(WELL, tmp_path / "runs" / "now.json"))
    begun = RunState("none", request(), 1, NOW, RunStatus.RUNNING, 0.0, "")
    runs = []
    for _ in range(5):
        runs.append(some.start(request(), unasked).run_id)
        until(lambda: not (some.state() or begun).running)
    until(lambda: len(ends) == len(runs))
    assert sorted(end.run_id for end in ends) == sorted(runs)
    assert {end.status for end in ends} == {RunStatus.KEPT}


def test_no_other_can_begin_while_the_end_of_one_is_told(
    trainings: Callable[..., TrainingProcesses], tmp_path: Path
) -> None:
    told = threading.Event()
    files = RunFiles(tmp_path / "runs")
    free: list[int | None] = []

    def ended(_: RunState) -> None:
        free.append(files.take())
        told.set()

    some = trainings("head", "-n", "1", ended=ended)
    some.wait(some.start(request(), unasked).run_id)
    assert told.wait(PATIENCE_S)
    assert free == [None]
    some.start(request(), unasked)  # and then one can


def test_what_is_checked_last_is_checked_while_no_other_can_begin(
    trainings: Callable[..., TrainingProcesses], tmp_path: Path
) -> None:
    some, files = trainings("head", "-n", "1"), RunFiles(tmp_path / "runs")
    free: list[int | None] = []

    def check(_last: RunState | None) -> None:
        free.append(files.take())
        raise KeyError("made elsewhere")

    with pytest.raises(KeyError, match="made elsewhere"):
        some.start(request(), check)
    assert free == [None]
    assert some.state() is None
    assert some.start(request(), unasked).running  # what it raised has freed the lock


def test_one_whose_process_is_gone_was_interrupted(trainings: Callable[..., TrainingProcesses], tmp_path: Path) -> None:
    files = RunFiles(tmp_path / "runs")
    lock = files.take()
    assert lock is not None
    # After a restart the number of its process is that of another, here of this very test.
    files.write(RunState("old", request(), os.getpid(), NOW, RunStatus.RUNNING, 0.5, "fitting"))
    assert trainings("true").state() == files.read()
    told: list[RunState | None] = []
    trainings("true").settle(told.append)
    assert not told  # one runs, or its end is told by another
    os.close(lock)
    state = trainings("true").state()
    assert state is not None
    assert (state.status, state.reasons) == (RunStatus.INTERRUPTED, ("Its process is gone.",))
    trainings("true").settle(told.append)
    assert told == [state]  # also to whoever holds the lock meanwhile


def test_it_ends_with_whoever_began_it(tmp_path: Path) -> None:
    from core.bootstrap.work import _end_with

    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        with os.fdopen(reading) as begun_by:
            _end_with(begun_by)
        os._exit(0)
    os.close(reading)
    os.close(writing)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3


@pytest.mark.parametrize("text", ["", "{", '{"run_id": 3}', "[]", "\x00"])
def test_a_state_that_cannot_be_read_is_no_training(
    trainings: Callable[..., TrainingProcesses], tmp_path: Path, text: str
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "now.json").write_text(text)
    assert trainings("true").state() is None


def test_without_a_folder_to_write_in_nothing_begins(
    trainings: Callable[..., TrainingProcesses], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="No training can be started"):
        trainings("true", folder=tmp_path / "file" / "runs").start(request(), unasked)
    with pytest.raises(ConfigurationError, match="No training can be started"):
        trainings("a-program-that-is-not-there").start(request(), unasked)


def test_whoever_asked_is_known_to_the_process_and_to_whoever_watches_it(
    trainings: Callable[..., TrainingProcesses], tmp_path: Path
) -> None:
    asked: list[object] = []
    code = "import sys; print(sys.stdin.readline(), file=sys.stderr)"
    some = trainings(*python(code), ended=lambda _: asked.append(structlog.contextvars.get_contextvars()))
    with structlog.contextvars.bound_contextvars(request_id="from-outside.1"):
        state = some.start(request(), unasked)
    until(lambda: bool(asked))
    assert asked == [{"request_id": "from-outside.1"}]
    told = json.loads((tmp_path / "runs" / "last.log").read_text())
    assert (told["asked_by"], told["run_id"]) == ({"request_id": "from-outside.1"}, state.run_id)
