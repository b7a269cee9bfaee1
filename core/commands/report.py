"""python -m core report: a bulletin or a report of verification or quality as a file for others."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import Any

from core.bootstrap import Core
from core.bootstrap.exports import SENDER, CapOptions, write
from core.commands.terminal import begin, end, progress
from core.domain.report import REPORT_FORMATS, ReportKind, ReportRequest
from core.errors import ConfigurationError
from core.words import DEFAULT_LANGUAGE, LANGUAGES
from core.workflows.reporting import DEFAULT_PERIOD


def add(commands: Any) -> None:
    """Add the command to those of the program."""
    parser = commands.add_parser("report", help="a bulletin, verification or quality report as PDF, Excel, CAP ...")
    parser.add_argument("--region", help="default: the first of the settings")
    parser.add_argument("--kind", choices=[kind.value for kind in ReportKind], default=ReportKind.BULLETIN.value)
    parser.add_argument("--format", choices=REPORT_FORMATS, required=True, help="cap, geojson and csv: bulletins only")
    parser.add_argument("--from", dest="begin", type=begin, metavar="ISO", help="of verification and quality")
    parser.add_argument("--to", dest="end", type=end, metavar="ISO", help="a bare date: all of it; default: now")
    parser.add_argument("--language", choices=list(LANGUAGES), default=DEFAULT_LANGUAGE)
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
    kind, region_id = ReportKind(args.kind), args.region or core.default_region
    request = ReportRequest(region_id, kind, _period(core, kind, (args.begin, args.end)), args.language)
    with progress() as told:
        write(core, request, (args.format, args.out), options, told)
        issue = core.issue(region_id).forecast
    print(f"{issue.region.name}, {issue.source_text}: written to {args.out}")
    return 0


def _period(
    core: Core, kind: ReportKind, named: tuple[datetime | None, datetime | None]
) -> tuple[datetime, datetime] | None:
    """Return the period asked for, None where none is: a beginning alone lasts until now."""
    first, last = named
    if first is None and last is None:
        return None
    if kind is ReportKind.BULLETIN:
        raise ConfigurationError("A bulletin is of now: it has no period.", hint="Leave --from and --to out.")
    last = last or core.clock()
    return first or last - DEFAULT_PERIOD, last
