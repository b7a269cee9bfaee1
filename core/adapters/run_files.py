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

    def read(self) -> RunState | None:
        """Return the state of the training that runs or ended last, None where there is none that can be read.

        One that was running and whose process is gone was interrupted.
        """
        try:
            state = _STATE.validate_json((self._folder / "now.json").read_bytes())
        except (OSError, ValidationError):
            return None
        if state.running and not _alive(state.pid):
            return replace(state, status=RunStatus.INTERRUPTED, reasons=("Its process is gone.",))
        return state

    def cancelled(self, run_id: str) -> bool:
        """Say whether somebody wanted this run ended."""
        return (self._folder / f"{run_id}.cancel").is_file()

    def cancel(self, run_id: str) -> None:
        """Say that a run was wanted ended."""
        write_text(self._folder / f"{run_id}.cancel", "")

    def forget(self, run_id: str) -> None:
        """Take back what was said of a run that has ended."""
        (self._folder / f"{run_id}.cancel").unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        os.kill(pid, 0)
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's process, or a system without /proc
        return True
    return fields[0] != "Z"
