"""Learning curve: the skill by how much there was to learn from, by time and by stations.

python -m benchmarks.skill_curve [--gauges DIR] [--reference reference.py] [--out FILE.md]

Learns from 2020 and 2021, tests on 2022: years that choices were made on, so that the test year stays closed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.skill import ALGORITHM, card_of, text_of, write
from benchmarks.skill_split import SHARED, Split
from core.domain.learning import Measure
from core.verification import scorecard

Mask = NDArray[np.bool_]
YEARS, TEST = range(2020, 2022), 2022
#: Months before the test year, and every n-th station of the whole.
MONTHS, EVERY = (6, 12, 24), (8, 4, 2)
HOURS_PER_MONTH = 730.5
MEASURES = ("auc", "brier_skill", "best_csi", "calibration_slope")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train on more and more, and print what it gave."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.skill_curve", description=__doc__.splitlines()[0])
    parser.add_argument("--gauges", type=Path, default=SHARED / "data" / "gauges")
    parser.add_argument("--reference", type=Path, default=SHARED / "reference" / "reference.py")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="page whose curve is replaced")
    args = parser.parse_args(arguments)
    split = Split.of(args.gauges, args.reference, YEARS, TEST)
    lines = [
        f"Learned from {YEARS[0]} to {YEARS[-1]}, tested on {TEST} at all stations, >= 15 mm/h within 6 h.",
        "",
        "| learned from | cases | " + " | ".join(scorecard.MEASURES[m] for m in MEASURES) + " |",
        "|---" * (len(MEASURES) + 2) + "|",
    ]
    for name, cases in _amounts(split):
        card, _ = card_of(split.trained(ALGORITHM, cases)[..., 0], 0, split.trial)
        lines.append(_row(name, cases, card.measures))
        print("\n".join(lines), flush=True)
    if args.out:
        write(args.out, "curve", "\n".join(lines))
    return 0


def _amounts(split: Split) -> Iterator[tuple[str, Mask]]:
    """Yield what is learned from, in words and as mask of the known cases."""
    known, count = split.known, len(split.past.locations)
    for every in EVERY:
        yield f"{len(range(0, count, every))} stations, 24 months", known.place % every == 0
    for months in MONTHS:
        yield f"{count} stations, {months} months", known.hour > known.hour.max() - months * HOURS_PER_MONTH


def _row(name: str, cases: Mask, measures: Mapping[str, Measure]) -> str:
    return f"| {name} | {cases.sum():,} | " + " | ".join(text_of(measures[m]) for m in MEASURES) + " |"


if __name__ == "__main__":
    sys.exit(main())
