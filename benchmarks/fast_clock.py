"""Runs the program with a clock that is some times as fast, for a day of it in some minutes.

Every clock of this process runs fast: the wall clock, the monotonic one, and the one that the scheduler goes by. What
it waits for takes as long as ever, so that who waits for another process or a lock is more patient by as much, and the
scheduler looks for due jobs as often as it would by its own clock, but no more often than the machine can bear.

python -m benchmarks.fast_clock TIMES run app.py --server.port 8600
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime

import time_machine

#: How often the wall clock is set, and at most how often the scheduler looks, seconds.
STEP_S = 0.05


def main() -> None:
    """Make the clocks fast and hand over to Streamlit."""
    times = float(sys.argv.pop(1))
    true_monotonic = time.monotonic
    begun, began_at = true_monotonic(), datetime.now(UTC)

    def monotonic() -> float:
        return begun + times * (true_monotonic() - begun)

    def run(clock: time_machine.Traveller) -> None:
        while True:
            clock.move_to(began_at.timestamp() + monotonic() - begun)
            time.sleep(STEP_S)

    time.monotonic = monotonic
    clock = time_machine.travel(began_at, tick=True).start()
    of_wall = time.clock_gettime
    time.clock_gettime = lambda which: monotonic() if which == time.CLOCK_BOOTTIME else of_wall(which)
    threading.Thread(target=run, args=(clock,), daemon=True).start()
    _be_patient(times)
    from streamlit.web.cli import main as streamlit  # what it imports must find the fast clocks

    streamlit()


def _be_patient(times: float) -> None:
    from core.adapters import ledger, scheduler, training_process

    for module in (ledger, training_process):
        module.PATIENCE_S *= times
    scheduler.TICK_S = max(STEP_S, scheduler.TICK_S / times)


if __name__ == "__main__":
    main()
