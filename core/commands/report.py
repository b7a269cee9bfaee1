"""python -m core report: the current issue of a region as a file for others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.bootstrap import Core
from core.bootstrap.exports import FORMATS, SENDER, CapOptions, bulletin
from core.commands.terminal import progress


def add(commands: Any) -> None:
    """Add the command to those of the program."""
    parser = commands.add_parser("report", help="the current issue as a CAP draft, GeoJSON or CSV")
    parser.add_argument("--region", help="default: the first of the settings")
    parser.add_argument("--kind", choices=("bulletin",), default="bulletin")
    parser.add_argument("--format", choices=FORMATS, required=True)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--sender", help=f"with cap: who sends it, {SENDER} where nobody is named")
    parser.add_argument("--exercise", action="store_true", help="with cap: status Exercise, not Draft")
    earlier = parser.add_mutually_exclusive_group()
    earlier.add_argument("--updates", type=Path, metavar="CAP.xml", help="with cap: the earlier message it replaces")
    earlier.add_argument("--cancels", type=Path, metavar="CAP.xml", help="with cap: the earlier message it withdraws")
    parser.set_defaults(run=_run)


def _run(core: Core, args: argparse.Namespace) -> int:
    asked = args.sender is not None or args.exercise or args.updates or args.cancels
    sender = SENDER if args.sender is None else args.sender
    options = CapOptions(sender, args.exercise, args.updates, args.cancels) if asked else None
    with progress() as told:
        issue = bulletin(core, args.region or core.default_region, (args.format, args.out), options, told)
    print(f"{issue.region.name}, {issue.source_text}: written to {args.out}")
    return 0
