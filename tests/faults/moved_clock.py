"""A wall clock that whoever watches a program can move: a file says how far beside the true one it stands."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import time_machine

from tests.faults.programs import Spoil

#: How often the file is looked at, seconds.
STEP_S = 0.05


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
