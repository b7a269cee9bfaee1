"""python -m core replay: what would have been said then, from stored weather."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from core.bootstrap import Core
from core.bootstrap.replays import window_of
from core.commands.terminal import begin, end, percent
from core.domain.forecast import TARGET, RegionForecast
from core.errors import ConfigurationError
from core.ports import ReplayWindow

#: One issue per forecast window: together they cover every hour once.
EVERY_H = TARGET.window_h
#: Places that a list of windows names one by one.
SHOWN = 4
_WARNING = (
    "REPLAY of stored weather, as known at each time; not current weather, and recorded nowhere.\n"
    "Hours that do not say when they arrived count as known at their end; a reanalysis was made later."
)

Moments = Sequence[tuple[ReplayWindow, tuple[datetime, ...]]]


def add(commands: Any) -> None:
    """Add the command to those of the program."""
    replay = commands.add_parser("replay", help="forecasts of stored weather as they would have been made then")
    replay.add_argument("file", type=Path, metavar="FILE", help="Parquet file or folder: a table, or our archive's")
    replay.add_argument("--list", action="store_true", help="only name the windows in it")
    replay.add_argument("--window", metavar="NAME", help="default: all of them")
    replay.add_argument("--from", dest="begin", type=begin, metavar="ISO")
    replay.add_argument("--to", dest="end", type=end, metavar="ISO", help="a bare date: all of it")
    replay.add_argument("--every", type=_hours, default=EVERY_H, metavar="H", help=f"hours between, {EVERY_H}")
    replay.add_argument("--json", action="store_true")
    replay.add_argument("--out", type=Path, metavar="FILE.parquet", help="write every place as in a hindcast")
    replay.set_defaults(run=run)


def run(core: Core, args: argparse.Namespace) -> int:
    """Replay a file as the arguments say; return the exit code."""
    windows = core.replays.read(args.file)
    if args.window:
        windows = (window_of(windows, args.window),)
    if args.list:
        print("\n".join(_about(window) for window in windows))
        return 0
    issues = _issues(core, _moments(core, windows, args))
    if args.out:
        rows = core.replays.write(args.out, (issue for _, issue in issues))
        print(f"{_WARNING}\n{rows} rows written to {args.out}")
    elif args.json:
        said = [{"window": window.id, **issue.as_dict(issue.issued_at)} for window, issue in issues]
        print(json.dumps({"replay": True, "note": _WARNING, "issues": said}, indent=1, allow_nan=False))
    else:
        _show(issues)
    return 0


def _moments(core: Core, windows: Sequence[ReplayWindow], args: argparse.Namespace) -> Moments:
    """Return the issue times of every window; refuse a period that none of them holds."""
    if args.begin and args.end and args.begin > args.end:
        raise ConfigurationError("--from lies after --to.", hint="Exchange them.")
    found = [(w, core.replays.replaying.moments(w, args.begin, args.end, args.every)) for w in windows]
    if not any(moments for _, moments in found):
        raise ConfigurationError(
            "No stored window holds an hour of this period.", hint="`--list` names the windows with their periods."
        )
    return found


def _issues(core: Core, found: Moments) -> Iterator[tuple[ReplayWindow, RegionForecast]]:
    for window, moments in found:
        for moment in moments:
            yield window, core.replays.issue(window, moment).forecast


def _show(issues: Iterator[tuple[ReplayWindow, RegionForecast]]) -> None:
    """Print one line per issue: its time, and the place with the highest probability."""
    print(_WARNING)
    for window_id, group in groupby(issues, key=lambda pair: pair[0].id):
        problems: tuple[str, ...] = ()
        for number, (_, issue) in enumerate(group):
            if number == 0:
                print(f"\n{window_id}: {issue.region.name}, {issue.source_text}, {_model(issue)}")
                print(f"{'as known at (UTC)':18} {'highest of all places':36} {f'P({TARGET.text})':>12} level    data")
            if issue.problems != problems:
                problems = issue.problems
                print("\n".join(f"  note: {problem}" for problem in problems) or "  note: nothing to note any more")
            print(_line(issue))


def _line(issue: RegionForecast) -> str:
    top = issue.ranked()[0]
    place = next(p.name for p in issue.region.locations if p.id == top.location_id)
    chance = percent(top.exceedance.of(TARGET))
    return f"{issue.issued_at:%Y-%m-%d %H:%M}   {place:36} {chance:>12} {top.level.value:8} {top.freshness.value}"


def _model(issue: RegionForecast) -> str:
    if issue.model_version is None:
        return "no model serves"
    return f"model {issue.model_version}" + (" (shipped seed model)" if issue.model_is_seed else "")


def _about(window: ReplayWindow) -> str:
    first, last = window.periods()[0]
    region = window.regions()[0]
    few = len(region.locations) <= SHOWN
    what = "; ".join(place.name for place in region.locations) if few else region.name
    return f"{window.id:36} {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC  {what}"


def _hours(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours such as 6")
    return int(text)
