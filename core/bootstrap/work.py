"""What a training process does: it opens the house of whoever began it, trains, and says how it went."""

from __future__ import annotations

import json
import os
import resource
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TextIO

import structlog

from core.adapters.run_files import RunFiles
from core.bootstrap import open_core
from core.domain.lifecycle import RunState, RunStatus, Trigger
from core.errors import CloudburstError
from core.ports import Clock
from core.settings import Settings

log = structlog.get_logger()
#: Pages come first: of two that want a core the training waits.
NICENESS = 10
#: How often progress is written at the most, seconds.
TOLD_S = 0.5


def work(begun_by: TextIO) -> int:
    """Do the training whose settings stand in the first line of `begun_by`; end when it is closed.

    The state of the training lies in the home's files already, and the lock is held since before this process began.
    """
    job = json.loads(begun_by.readline())
    resource.setrlimit(resource.RLIMIT_AS, (int(job["memory_bytes"]),) * 2)
    os.nice(NICENESS)
    threading.Thread(target=_end_with, args=(begun_by,), daemon=True).start()
    structlog.contextvars.bind_contextvars(**job["asked_by"], run_id=job["run_id"])
    settings = Settings.model_validate(job["settings"])
    files = RunFiles(settings.retraining_folder)
    state = files.read()
    if state is None or state.run_id != job["run_id"]:
        return 2
    clock = _clock_from(state.begun_at)
    ended = _ended(settings, clock, state, files)
    files.write(replace(ended, done=1.0, text=ended.status.value, ended_at=clock()))
    return 0


def _ended(settings: Settings, clock: Clock, state: RunState, files: RunFiles) -> RunState:
    """Return how the training ended, whatever happened to it."""
    told = _Told(files, state)
    try:
        core = open_core(settings, clock)
        if state.request.trigger is Trigger.FIRST_START:
            return core.lifecycle.beginnings.run(state, told)
        return core.lifecycle.retraining.run(state, told)
    except CloudburstError as error:
        return _failed(state, str(error))
    except Exception as error:  # the run must say how it ended; the log has the rest
        log.exception("training failed")
        return _failed(state, _why(error))


def _why(error: Exception) -> str:
    """Return in words what ended a training that broke off."""
    # A thread that finds no room for its stack says so in a way of its own.
    if isinstance(error, MemoryError) or "start new thread" in str(error):
        return "It needs more memory than it may have (CLOUDBURST_RETRAIN_MEMORY_GB)."
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}: the champion stays."
    return f"{type(error).__name__}: see the log."


class _Told:
    """Progress that is written where everybody can read it."""

    def __init__(self, files: RunFiles, state: RunState) -> None:
        self._files, self._state, self._last = files, state, 0.0

    def __call__(self, done: float, text: str) -> None:
        if time.monotonic() - self._last >= TOLD_S:
            self._last = time.monotonic()
            self._files.write(replace(self._state, done=round(min(done, 1.0), 3), text=text))


def _failed(state: RunState, reason: str) -> RunState:
    return replace(state, status=RunStatus.FAILED, reasons=(reason,))


def _clock_from(moment: datetime) -> Callable[[], datetime]:
    """Return a clock that goes on from a moment: that of whoever asked."""
    begun = time.monotonic()
    return lambda: moment + timedelta(seconds=time.monotonic() - begun)


def _end_with(begun_by: TextIO) -> None:
    """End this process when whoever began it is gone: nobody would be told, and nothing it writes can be torn."""
    begun_by.read()
    os._exit(3)
