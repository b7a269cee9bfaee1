"""What a gate is: something tried many times on what we ship, and on a variant that is broken on purpose.

A suite is a module with its gates by name and `main` of this one:

    GATES: dict[str, Gate] = {"restart": gate_of_restart, ...}

    if __name__ == "__main__":
        sys.exit(main("tests.faults.SUITE", GATES))

    python -m tests.faults.SUITE [--full] [--only GATE] [--out docs/RELIABILITY.md]

Each gate prints a line: what it counted, what it found of the broken variant, PASS or FAIL. The exit code is 1 where a
gate fails, and where the broken variant passes it; a gate whose tools are not on this machine is skipped and says so,
but fails in the full run, which a release asks for.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults.figures import keep
from tests.faults.processes import silence

#: Findings printed of a gate that fails.
TOLD = 12


@dataclass(frozen=True)
class Result:
    """What a gate says: its counts, its findings, and what it found of the broken variant."""

    text: str
    wrong: Sequence[str]
    control: str
    caught: bool

    @property
    def well(self) -> bool:
        """True where nothing is wrong and the broken variant was caught."""
        return not self.wrong and self.caught


class Absent(Exception):
    """What a gate needs is not on this machine."""


#: Tries in an empty folder of its own; True asks for the full run of hours, False for that of CI.
Gate = Callable[[Path, bool], Result]


def main(suite: str, gates: Mapping[str, Gate], arguments: Sequence[str] | None = None) -> int:
    """Run the gates, print, keep their figures where `--out` says so, and return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {suite}")
    parser.add_argument("--full", action="store_true", help="as often as the full run asks for, not as CI does")
    parser.add_argument("--only", choices=sorted(gates), help="one gate")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="page whose figures are replaced")
    args = parser.parse_args(arguments)
    silence()
    passed = []
    for name in [args.only] if args.only else list(gates):
        with tempfile.TemporaryDirectory() as folder:
            passed.append(
                judged(name, partial(gates[name], Path(folder), args.full), args.out, may_be_absent=not args.full)
            )
    return 0 if all(passed) else 1


def judged(name: str, gate: Callable[[], Result], out: Path | None = None, may_be_absent: bool = True) -> bool:
    """Run one gate, print its line and keep it; say whether it may count as passed."""
    began = time.monotonic()
    try:
        result = gate()
    except Absent as error:
        _print(f"{name:<16}skipped: {error} {'SKIP' if may_be_absent else 'FAIL'}")
        return may_be_absent
    except Exception as error:  # whatever ends a gate, the others are tried
        traceback.print_exc()
        result = Result("not ended", [f"{type(error).__name__}: {error}"], "not tried", False)
    verdict = "PASS" if result.well else "FAIL"
    _print(f"{name:<16}{result.text} | {result.control} | {time.monotonic() - began:.0f} s {verdict}")
    for one in result.wrong[:TOLD]:
        _print(f"    {one}")
    if len(result.wrong) > TOLD:
        _print(f"    and {len(result.wrong) - TOLD} more")
    if out is not None:
        keep(out, name, [f"{result.text}; broken variant: {result.control}", verdict])
    return result.well


def _print(line: str) -> None:
    sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.flush()
