"""Ends, restarts, silence and clocks of the running program.

    python -m tests.faults.program [--full] [--only GATE] [--out FILE.md]

See `tests.faults.gates` for what a gate is. Each of these starts whole programs, with pages, API and scheduler.
"""

from __future__ import annotations

import sys

from tests.faults.gates import Gate, main
from tests.faults.program.clock import gate_of_days, gate_of_faked_jumps, gate_of_jumps
from tests.faults.program.ends import gate_of_restart, gate_of_sigterm
from tests.faults.program.jobs import gate_of_killed_jobs, gate_of_killed_trainings
from tests.faults.program.pair import gate_of_two_programs
from tests.faults.program.replicas import gate_of_replicas
from tests.faults.program.silence import gate_of_silence
from tests.faults.program.stale import gate_of_stale

GATES: dict[str, Gate] = {
    "sigterm": gate_of_sigterm,
    "killed jobs": gate_of_killed_jobs,
    "killed trainings": gate_of_killed_trainings,
    "two programs": gate_of_two_programs,
    "replicas": gate_of_replicas,
    "silent death": gate_of_silence,
    "clock jumps": gate_of_jumps,
    "faked clock": gate_of_faked_jumps,
    "odd days": gate_of_days,
    "stale marked": gate_of_stale,
    "restart": gate_of_restart,  # last: the other suites of `python -m tests.faults` have ended by then
}

if __name__ == "__main__":
    sys.exit(main("tests.faults.program", GATES))
