"""Power cuts, failing, full and read-only disks, torn and forged files, and crowds of processes around a home.

python -m tests.faults.disk_faults [--full] [--only GATE] [--out docs/RELIABILITY.md]
"""

from __future__ import annotations

import sys

from tests.faults import crowds, disk_failing, power_cuts
from tests.faults.file_systems import in_memory
from tests.faults.gates import Gate, main

GATES: dict[str, Gate] = {
    "power cut": in_memory(power_cuts.gate),
    "failing writers": in_memory(disk_failing.gate),
    "processes": in_memory(crowds.gate),
}

if __name__ == "__main__":
    sys.exit(main("tests.faults.disk_faults", GATES))
