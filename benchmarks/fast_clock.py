"""Runs the program with a clock that is some times as fast, for a day of it in some minutes.

Wall clock and monotonic clock of this process both run fast; what it waits for takes as long as ever.

python -m benchmarks.fast_clock TIMES run app.py --server.port 8600
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime

import time_machine

#: How often the wall clock is set, seconds.
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
    threading.Thread(target=run, args=(clock,), daemon=True).start()
    from streamlit.web.cli import main as streamlit  # what it imports must find the fast clocks

    streamlit()


if __name__ == "__main__":
    main()
