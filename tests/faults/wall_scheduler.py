"""The program with a scheduler that is due by the wall clock, as a broken variant: set back, it waits for hours.

python -m tests.faults.wall_scheduler run app.py --server.port 8600
"""

from __future__ import annotations

import sys
import time

from core.adapters.scheduler import ThreadScheduler


def main() -> None:
    """Give every scheduler the wall clock and hand over to Streamlit."""
    ThreadScheduler.__init__.__defaults__ = (time.time, *ThreadScheduler.__init__.__defaults__[1:])  # type: ignore[index, misc]
    from streamlit.web.cli import main as streamlit

    streamlit()


if __name__ == "__main__":
    sys.exit(main())
