"""Every suite of gates, each in a process of its own: some fork, and must have no threads.

    python -m tests.faults [--full] [--out docs/RELIABILITY.md]

Three rows of them go side by side, for most of the time of a suite is waiting; what says how fast the program starts
stands at the end of the longest. The exit code is 1 where a suite fails.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

#: What goes one after another, row by row.
ROWS = (("program",), ("model", "source"), ("disk", "redis", "exports"))
#: What the suite of the model store tries in the full run, which has numbers in place of two sizes.
MODEL_FULL = ("--kills", "10000", "--flips", "10000")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites, print how long they took, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--full", action="store_true", help="as often as a release asks for: hours")
    parser.add_argument("--out", metavar="FILE.md", help="page whose figures are replaced")
    args = parser.parse_args(arguments)
    out, begun = ("--out", args.out) if args.out else (), time.monotonic()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def failing(row: Sequence[str]) -> list[str]:
        failed = []
        for name in row:
            full = () if not args.full else MODEL_FULL if name == "model" else ("--full",)
            command = [sys.executable, "-m", f"tests.faults.{name}", *full, *out]
            if subprocess.run(command, env=environment, check=False).returncode:
                failed.append(name)
        return failed

    with ThreadPoolExecutor(len(ROWS)) as pool:
        failed = [name for names in pool.map(failing, ROWS) for name in names]
    sys.stdout.write(f"{time.monotonic() - begun:.0f} s; {', '.join(failed) or 'no suite'} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
