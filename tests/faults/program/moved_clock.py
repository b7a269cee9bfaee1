"""A wall clock that whoever watches a program can move: a file says how far beside the true one it stands.

In a forked program time-machine lets it follow the file; a program of its own has it from libfaketime, which stands
between the program and the system, so that every library is deceived alike.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import time_machine

from tests.faults.gates import Absent
from tests.faults.programs import Spoil

#: How often the file is looked at, seconds.
STEP_S = 0.05


def move(file: Path, seconds: int) -> None:
    """Set the clock that follows a file so far beside the true one, in one moment."""
    new = file.with_suffix(".new")
    new.write_text(f"{seconds:+d}\n", "utf-8")
    new.replace(file)


def followed(file: Path) -> dict[str, str]:
    """Return what the environment of a program needs to let libfaketime follow a file; its monotonic clock stays true.

    Raises
    ------
    Absent
        If there is no libfaketime on this machine.
    """
    if shutil.which("faketime") is None:
        raise Absent("libfaketime is not installed")
    told = subprocess.run(
        ["faketime", "-m", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, check=True, text=True
    )
    return {
        "LD_PRELOAD": told.stdout.strip(),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",  # files have the time of the kernel, which nobody has deceived
    }


def set_to(moment: datetime) -> Spoil:
    """Return what lets the wall clock of a forked program go on from a moment; its monotonic clock stays true."""

    def travel() -> None:
        time.tzset()  # its zone is that of its environment, not of the process it was forked from, nor of the moment
        time_machine.travel(moment.timestamp(), tick=True).start()

    return travel


def moved_by(file: Path) -> Spoil:
    """Return what makes the wall clock of a forked program follow a file; its monotonic clock stays true."""

    def follow() -> None:
        begun, began_at = time.monotonic(), datetime.now(UTC).timestamp()
        clock = time_machine.travel(datetime.now(UTC), tick=True).start()
        shown = 0.0

        def look() -> None:
            nonlocal shown
            asked = float(file.read_text("utf-8") or shown) if file.exists() else 0.0
            if asked != shown:
                shown = asked
                clock.move_to(began_at + time.monotonic() - begun + shown)

        def watch() -> None:
            while True:
                look()
                time.sleep(STEP_S)

        look()
        threading.Thread(target=watch, daemon=True).start()

    return follow
