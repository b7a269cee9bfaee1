"""Ends, restarts, silence and clocks of the running program.

    python -m tests.faults.program_faults [--full] [--only GATE] [--out FILE.md]

See `tests.faults.gates` for what a gate is. Each of these starts whole programs, with pages, API and scheduler.
"""

from __future__ import annotations

import sys

from tests.faults.gates import Gate, main
from tests.faults.program_ends import gate_of_restart, gate_of_sigterm
from tests.faults.program_silence import gate_of_silence
from tests.faults.program_stale import gate_of_stale

GATES: dict[str, Gate] = {
    "restart": gate_of_restart,
    "sigterm": gate_of_sigterm,
    "silent death": gate_of_silence,
    "stale marked": gate_of_stale,
}

if __name__ == "__main__":
    sys.exit(main("tests.faults.program_faults", GATES))
