"""Power cuts, failing, full and read-only disks, torn and forged files, and crowds of processes around a home.

python -m tests.faults.disk [--full] [--only GATE] [--out docs/RELIABILITY.md]
"""

from __future__ import annotations

import sys

from tests.faults.disk import crowds, failing, full_disk, power_cuts, torn_files
from tests.faults.disk.file_systems import in_memory
from tests.faults.gates import Gate, main

GATES: dict[str, Gate] = {
    "power cut": in_memory(power_cuts.gate),
    "failing writers": in_memory(failing.gate),
    "full disk": full_disk.gate_of_full_disk,
    "read-only": full_disk.gate_of_read_only,
    "torn files": in_memory(torn_files.gate),
    "processes": in_memory(crowds.gate),
}

if __name__ == "__main__":
    sys.exit(main("tests.faults.disk", GATES))
