"""Many processes that want to train at the same moment: exactly one does, round after round.

The training itself is a process that sleeps: what is tried here is who gets to begin one.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from core.adapters.training_process import Limits, TrainingProcesses
from core.errors import TrainingInProgress
from tests.faults.model.broken import Variant, sound
from tests.faults.model.homes import RUN
from tests.faults.processes import Say, forked
from tests.trainings_made import unasked

REFUSED = "refused"
ASLEEP = ("sleep", "30")


def round_of(processes: int, variant: Variant = sound) -> tuple[int, int]:
    """Let that many processes begin a training at once; return how many began one, and how many were refused."""
    with tempfile.TemporaryDirectory() as name:
        waiting, go = os.pipe()
        begin = partial(_begin, Path(name), (waiting, go), variant)
        crowd = [forked(begin) for _ in range(processes)]
        os.close(waiting)
        time.sleep(0.05)
        os.close(go)
        for process in crowd:
            process.ended()
        said = [line for process in crowd for line in process.lines]
        begun = [int(line) for line in said if line.isdecimal()]
        for pid in begun:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return len(begun), said.count(REFUSED)


def _begin(folder: Path, pipe: tuple[int, int], variant: Variant, say: Say) -> None:
    """Wait for the others, begin a training, and say its process or that it was refused."""
    variant(pytest.MonkeyPatch())
    waiting, go = pipe
    os.close(go)
    os.read(waiting, 1)  # until nobody holds the other end any more
    trainings = TrainingProcesses(
        folder,
        Path.cwd(),
        "{}",
        limits=Limits(1 << 32, 600),
        clock=lambda: datetime.now(UTC),
        ended=lambda _state: None,
        command=ASLEEP,
    )
    try:
        say(str(trainings.start(RUN.request, unasked).pid))
    except TrainingInProgress:
        say(REFUSED)
