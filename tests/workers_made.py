"""Work for those who share it: functions that another process finds by their names."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import joblib
import numpy as np
import threadpoolctl
from numpy.typing import NDArray

from core.errors import InsufficientData


def added(shared: NDArray[np.float64], part: int) -> tuple[int, float]:
    """Return the part with a sum; the first one takes longest."""
    time.sleep(0.3 if part == 0 else 0.0)
    return part, float(shared.sum()) + part


def refused(least: int, part: int) -> int:
    if part >= least:
        raise InsufficientData("Too little rain.", have=part, need=least, hint="Wait.", place="x")
    return part


def timed_out(_: None, part: int) -> int:
    raise TimeoutError(f"of the work itself, at {part}")


def threads(_: None, __: int) -> tuple[int, int]:
    """Return how many threads numerical libraries and scikit-learn's forests would use."""
    return max(pool["num_threads"] for pool in threadpoolctl.threadpool_info()), joblib.effective_n_jobs(2)


def killed_once(flags: Path, part: int) -> tuple[int, int]:
    """Return the part and the process; the first process that does part 1 is killed in the middle of it."""
    flag = flags / "killed"
    if part == 1 and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return part, os.getpid()


def killed_always(_: None, part: int) -> int:
    if part == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return part


def begun(flags: Path, part: int) -> int:
    """Leave a sign of every part and take a while."""
    (flags / str(part)).touch()
    time.sleep(0.2)
    return part
