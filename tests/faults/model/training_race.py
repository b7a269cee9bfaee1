"""Twenty processes that want to train at the same moment: exactly one does, round after round.

python -m tests.faults.model.training_race [--rounds 50] [--processes 20]

The training itself is a process that sleeps: what is tried here is who gets to begin one. The positive control gives
every process a lock of its own, and must fail.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from core.adapters.run_files import RunFiles
from core.adapters.training_process import Limits, TrainingProcesses
from core.domain.lifecycle import RetrainingRequest, Trigger
from core.errors import TrainingInProgress

STARTED, REFUSED = 0, 7
ASLEEP = ("sleep", "30")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds and their control; return 0 where every round had exactly one."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.model.training_race")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--processes", type=int, default=20)
    args = parser.parse_args(arguments)
    found = [round_of(args.processes) for _ in range(args.rounds)]
    control = round_of(args.processes, alone=False)
    well = found.count((1, args.processes - 1))
    print(f"{well} of {args.rounds} rounds with exactly one of {args.processes}; without the lock {control[0]} began")  # noqa: T201
    return 0 if well == args.rounds and control[0] > 1 else 1


def round_of(processes: int, alone: bool = True) -> tuple[int, int]:
    """Let that many processes begin a training at once; return how many began one, and how many were refused.

    Parameters
    ----------
    alone
        False gives every process a folder of its own: the control.
    """
    with tempfile.TemporaryDirectory() as name:
        waiting, go = os.pipe()
        pids = []
        for number in range(processes):
            pid = os.fork()
            if pid == 0:
                os.close(go)
                os.read(waiting, 1)  # until the other end is closed
                os._exit(_begin(Path(name) / ("one" if alone else str(number))))
            pids.append(pid)
        os.close(waiting)
        time.sleep(0.05)
        os.close(go)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        for folder in Path(name).iterdir():
            state = RunFiles(folder).read()
            if state is not None and state.running:
                os.kill(state.pid, signal.SIGKILL)
    return codes.count(STARTED), codes.count(REFUSED)


def _begin(folder: Path) -> int:
    trainings = TrainingProcesses(
        folder,
        Path.cwd(),
        "{}",
        limits=Limits(1 << 32, 600),
        clock=lambda: datetime.now(UTC),
        ended=lambda _state: None,
        command=ASLEEP,
    )
    request = RetrainingRequest("gauges", "gauges", "random_forest", 30, datetime.now(UTC), Trigger.SCHEDULE, "race")
    try:
        trainings.start(request)
    except TrainingInProgress:
        return REFUSED
    except BaseException as error:  # whatever it is, this process must end here
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        return 1
    return STARTED


if __name__ == "__main__":
    sys.exit(main())
