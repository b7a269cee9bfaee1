"""Trainings as processes of their own: one at a time in a home, bounded in memory and time, watched and cancelled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import structlog

from core.adapters.run_files import RunFiles
from core.domain.lifecycle import RetrainingRequest, RunState, RunStatus
from core.errors import CloudburstError, ConfigurationError, TrainingInProgress
from core.ports import Clock, Progress, silent

log = structlog.get_logger()
#: How long a starter waits for whoever holds the lock to say who it is, and how often everybody looks, seconds.
PATIENCE_S, LOOK_S = 2.0, 0.2
#: Threads spin while they wait for one another unless they are told not to: a fit beside serving went from 3 s to 96 s.
#: OpenBLAS cannot be told; a regression beside other work went from 9 s to 100 s with two of its threads.
THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}
#: How much longer than its limit a training is left to whoever began it, before the next one ends it, seconds.
GRACE_S = 60.0


@dataclass(frozen=True)
class Limits:
    """What a training may take."""

    memory_bytes: int
    seconds: float


class TrainingProcesses:
    """Port `Trainings`.

    Parameters
    ----------
    folder
        Where state, lock and the error text of the last training lie.
    project
        Folder from which the command finds the program.
    settings
        The settings of this house as JSON: the process opens the same house.
    ended
        Called with the end of every training that this process began, from a thread of its own.
    command
        What is run; it is told on its standard input what to do, and inherits the lock.
    """

    def __init__(
        self,
        folder: Path,
        project: Path,
        settings: str,
        *,
        limits: Limits,
        clock: Clock,
        ended: Callable[[RunState], None],
        command: Sequence[str] = (sys.executable, "-m", "core.commands.work"),
    ) -> None:
        self._files = RunFiles(folder)
        self._errors = folder / "last.log"
        self._project = project
        self._settings = settings
        self._limits = limits
        self._clock = clock
        self._ended = ended
        self._command = list(command)
        self._watches: dict[str, threading.Thread] = {}

    def start(self, request: RetrainingRequest, check: Callable[[RunState | None], None]) -> RunState:
        """Begin a training and return at once, where `check`, called while the lock is held, raises nothing.

        Raises
        ------
        TrainingInProgress
            If one is running; the message says since when, and for whom.
        ConfigurationError
            If no process can be started.
        """
        try:
            lock = self._taken()
        except OSError as error:
            raise _refused(error) from None
        try:
            check(self._files.read(alone=True))
            return self._begun(lock, request)
        except OSError as error:
            os.close(lock)
            raise _refused(error) from None
        except BaseException:
            os.close(lock)
            raise

    def state(self) -> RunState | None:
        """Return the training that runs, else the last one that ended, None where there was none."""
        return self._files.read()

    def settle(self, told: Callable[[RunState | None], None]) -> None:
        """Tell the last training that ended while no other can begin; nothing is told while one runs.

        Raises
        ------
        ConfigurationError
            If the lock cannot be taken.
        """
        try:
            lock = self._files.take()
        except OSError as error:
            raise _refused(error) from None
        if lock is None:
            return
        try:
            told(self._files.read(alone=True))
        finally:
            os.close(lock)

    def cancel(self, run_id: str) -> bool:
        """End a training, whichever process began it, also on another machine; say whether it was running."""
        state = self._files.read()
        if state is None or state.run_id != run_id or not state.running:
            return False
        told = False
        with suppress(OSError):  # a full disk keeps the word "cancelled" out of its end, and from other machines
            self._files.cancel(run_id)
            told = True
        ended = self._ours(state.pid) and _kill(state.pid)
        return ended or told  # whoever watches it ends it

    def wait(self, run_id: str, told: Progress = silent) -> RunState:
        """Return how a training ended, telling its progress meanwhile."""
        while True:
            state = self._files.read()
            if state is None or state.run_id != run_id:
                raise ConfigurationError(f"There is no training {run_id} any more.", hint="A later one took its place.")
            told(state.done, state.text)
            watch = self._watches.get(run_id)
            if (watch is not None and not watch.is_alive()) or (watch is None and not state.running):
                return self._files.read() or state
            time.sleep(LOOK_S)

    def _taken(self) -> int:
        """Return the open lock; where somebody holds it, say who."""
        until = time.monotonic() + PATIENCE_S
        while True:
            lock = self._files.take()
            if lock is not None:
                return lock
            state = self._files.read()
            if state is not None and state.running and self._ours(state.pid) and self._overdue(state.pid):
                _kill(state.pid)  # it hangs, and so does whoever should have ended it
            elif (state is not None and state.running) or time.monotonic() > until:
                raise _running(state)
            time.sleep(LOOK_S / 4)

    def _overdue(self, pid: int) -> bool:
        age_s = _age_s(pid)  # not by the clock of the wall, whose jump would end one that is well
        return age_s is not None and age_s > self._limits.seconds + GRACE_S

    def _ours(self, pid: int) -> bool:
        """Say whether a number is that of a training process: after a restart it may be anybody's."""
        try:
            return Path(f"/proc/{pid}/cmdline").read_text("utf-8").rstrip("\0").endswith(self._command[-1])
        except (OSError, UnicodeDecodeError):
            return False

    def _begun(self, lock: int, request: RetrainingRequest) -> RunState:
        run_id = uuid4().hex[:12]
        with self._errors.open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603 - this very program
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=(lock,),
                cwd=self._project,
                env={**os.environ, **THREADS},
                start_new_session=True,
            )
        now = self._clock()
        state = RunState(run_id, request, process.pid, now, RunStatus.RUNNING, 0.0, "starting")
        self._files.write(state)
        job = {
            "run_id": run_id,
            "settings": json.loads(self._settings),
            "memory_bytes": self._limits.memory_bytes,
            "asked_by": structlog.contextvars.get_contextvars(),
        }
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        process.stdin.write((json.dumps(job) + "\n").encode())
        process.stdin.flush()
        watching = partial(copy_context().run, self._watch, process, state, lock)  # its lines name who asked
        watch = threading.Thread(target=watching, name="training watch", daemon=True)
        self._watches = {run_id: watch}
        watch.start()
        return state

    def _watch(self, process: subprocess.Popen[bytes], begun: RunState, lock: int) -> None:
        """Wait for the end of a training and tell it; nobody begins another before that is done."""
        try:
            state = self._end_of(process, begun)
            self._ended(state)
        except CloudburstError as error:  # a ledger that does not answer is told at the next start
            log.error("the end of a training is not written down yet", run_id=begun.run_id, reason=error.message)
        finally:
            os.close(lock)

    def _end_of(self, process: subprocess.Popen[bytes], begun: RunState) -> RunState:
        """Wait for the end of a training, end one that takes too long, and write down what it could not say itself."""
        until = time.monotonic() + self._limits.seconds
        while process.poll() is None and time.monotonic() < until and not self._files.cancelled(begun.run_id):
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_S)
        late = process.poll() is None  # or cancelled by somebody who cannot reach it
        if late:
            _kill(process.pid)
            process.wait()
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        process.stdin.close()
        state = self._files.read()
        if state is None or state.run_id != begun.run_id:
            state = begun
        if state.status in (RunStatus.RUNNING, RunStatus.INTERRUPTED):
            state = self._unsaid(state, process.returncode, late)
        try:
            self._files.write(state)
            self._files.forget(begun.run_id)
        except OSError as error:
            log.error("the state of a training cannot be written", run_id=state.run_id, reason=str(error))
        return state

    def _unsaid(self, state: RunState, code: int, late: bool) -> RunState:
        """Return how a training ended that could not say so itself."""
        if self._files.cancelled(state.run_id):
            status, reason = RunStatus.CANCELLED, "Somebody cancelled it."
        elif late:
            limit = timedelta(seconds=self._limits.seconds)
            status, reason = RunStatus.FAILED, f"It took longer than {limit} (CLOUDBURST_RETRAIN_MINUTES)."
        else:
            status, reason = RunStatus.FAILED, f"Its process ended with {_how(code)}: {self._last_words()}"
        return replace(state, status=status, reasons=(reason,), ended_at=self._clock())

    def _last_words(self) -> str:
        try:
            lines = self._errors.read_text("utf-8", "replace").strip().splitlines()
        except OSError:
            return "it left no text"
        return lines[-1][:300] if lines else "it left no text"


def _age_s(pid: int) -> float | None:
    """Return how long a process has been there, None where it is not there any more (proc(5), field 22)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        begun_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
    return time.clock_gettime(time.CLOCK_BOOTTIME) - begun_s


def _kill(pid: int) -> bool:
    """End a training and what it began, and say whether that went; nothing it writes can be torn."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError) as error:
        log.warning("a training could not be ended", pid=pid, error=type(error).__name__)
        return False
    return True


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"


def _running(state: RunState | None) -> TrainingInProgress:
    if state is None:
        return TrainingInProgress("A training is running.", run_id="", hint="Try again when it has ended.")
    since = _since(state.begun_at)
    return TrainingInProgress(
        f"A training has been running since {since} (process {state.pid}), begun by {state.request.who}.",
        run_id=state.run_id,
        hint="Wait for its end, or cancel it.",
        since=since,
    )


def _since(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _refused(error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"No training can be started: {error.strerror or error}.", hint="Check that data/ can be written."
    )
