"""python -m core check: the quality flags of a folder of gauges, one row per flagged value and test."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.bootstrap import Core
from core.commands.terminal import progress


def add(commands: Any) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser("check", help="quality flags of an archive, in hindsight")
    parser.add_argument("--gauges", type=Path, required=True, metavar="DIR")
    parser.add_argument("--stations", type=Path, metavar="CSV")
    parser.add_argument("--out", type=Path, required=True, metavar="FLAGS.parquet")
    parser.set_defaults(run=_run)


def _run(core: Core, args: argparse.Namespace) -> int:
    with progress() as told:
        rows = core.check(args.gauges, args.stations, args.out, told)
    print(f"{rows} rows written to {args.out}")
    return 0
