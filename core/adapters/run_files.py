"""The state of a training as a file that every process of a home can read, and the lock that lets one run at a time."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.adapters.files import write_text
from core.domain.lifecycle import RunState, RunStatus

_STATE: TypeAdapter[RunState] = TypeAdapter(RunState)


class RunFiles:
    """`now.json` and `lock` in one folder.

    The lock is a flock: it is free as soon as its holder is gone, however it went. It is handed to the training process
    as an open file, so there is no moment in which nobody holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self) -> int | None:
        """Return the open file that holds the lock, None where somebody else holds it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def write(self, state: RunState) -> None:
        """Write the state, whole or not at all."""
        text = json.dumps(_STATE.dump_python(state, mode="json"), allow_nan=False)
        write_text(self._folder / "now.json", text + "\n")

    def read(self, *, alone: bool = False) -> RunState | None:
        """Return the state of the training that runs or ended last, None where there is none that can be read.

        One that was running and whose lock nobody holds was interrupted: a number of a process says nothing after a
        restart. `alone`: whoever asks holds the lock.
        """
        try:
            state = _STATE.validate_json((self._folder / "now.json").read_bytes())
        except (OSError, ValidationError):
            return None
        if state.running and (alone or self._free()):
            return replace(state, status=RunStatus.INTERRUPTED, reasons=("Its process is gone.",))
        return state

    def _free(self) -> bool:
        """Say whether nobody holds the lock."""
        try:
            handle = os.open(self._folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True

    def cancelled(self, run_id: str) -> bool:
        """Say whether somebody wanted this run ended."""
        return (self._folder / f"{run_id}.cancel").is_file()

    def cancel(self, run_id: str) -> None:
        """Say that a run was wanted ended."""
        write_text(self._folder / f"{run_id}.cancel", "")

    def forget(self, run_id: str) -> None:
        """Take back what was said of a run that has ended."""
        (self._folder / f"{run_id}.cancel").unlink(missing_ok=True)
