"""The command line: python -m core ingest, check, train, retrain, hindcast, forecast, replay, report, doctor ..."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.bootstrap import Core, HindcastRequest, open_core
from core.bootstrap.services import PAST_PRODUCTS
from core.commands import backup, check, migrate, replay, report, retrain
from core.commands.terminal import EVER, begin, end, percent, progress
from core.domain.forecast import TARGET, RegionForecast, source_text
from core.domain.learning import ModelManifest, TrainingRequest
from core.errors import CloudburstError, ConfigurationError
from core.features.table import FEATURE_SETS
from core.learning.estimators import ALGORITHMS, DEFAULT_ALGORITHM
from core.workflows.training import CALIBRATIONS

#: What the shell sees: 0 well, 2 refused with a clear error.
REFUSED = 2
ARCHIVE = "partitions that ingest wrote, read only: data/processed of a home, or s3://BUCKET/PREFIX"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    args = _parser().parse_args(arguments)
    try:
        code: int = args.run(None if "alone" in args else open_core(), args)
    except CloudburstError as error:
        return _refused(error.message, error.hint or "`python -m core doctor` looks at every part of the house.")
    except BrokenPipeError:  # whoever read the output has gone, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _refused(
            f"{error.filename or 'A file'}: {error.strerror or error}.", "Name a place that can be written."
        )
    return code


def _refused(message: str, hint: str) -> int:
    print(f"error: {message}\nhint: {hint}", file=sys.stderr)
    return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Cloudburst Watch on the command line.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ingest = commands.add_parser("ingest", help="check observations and put them into the archive")
    kinds = ingest.add_subparsers(required=True, metavar="SOURCE")
    folder = kinds.add_parser("gauges", help="a folder of station archives")
    folder.add_argument("folder", type=Path)
    folder.add_argument("--stations", type=Path, help="stations table (default: stations.csv in the folder)")
    folder.set_defaults(run=_ingest)

    live = kinds.add_parser("open-meteo", help="a past period of a region; goes on where it was interrupted")
    live.add_argument("--region", required=True)
    live.add_argument("--from", dest="begin", type=begin, required=True, metavar="ISO")
    live.add_argument("--to", dest="end", type=end, required=True, metavar="ISO", help="a bare date: all of it")
    live.add_argument("--product", choices=PAST_PRODUCTS, default=PAST_PRODUCTS[0])
    live.add_argument("--days-before", type=int, choices=range(1, 8), metavar="1..7", help="with previous-runs: lead")
    live.set_defaults(run=_backfill)

    _long_work(commands)

    forecast = commands.add_parser("forecast", help="the current forecast of a region")
    forecast.add_argument("--region")
    forecast.add_argument("--json", action="store_true")
    forecast.set_defaults(run=_forecast)

    retrain.add(commands)
    check.add(commands)
    replay.add(commands)
    report.add(commands)
    migrate.add(commands)
    backup.add(commands)
    commands.add_parser("models", help="list the model versions").set_defaults(run=_models)
    commands.add_parser("doctor", help="check settings, folders, services and models").set_defaults(run=_doctor)
    return parser


def _long_work(commands: Any) -> None:
    """Add what reads whole archives, and is shared out where that is worth it."""
    train = commands.add_parser("train", help="train, calibrate, score and store a model version")
    where = train.add_mutually_exclusive_group(required=True)
    where.add_argument("--gauges", type=Path, metavar="DIR", help="folder of station archives")
    where.add_argument("--archive", default="", metavar="URL", help=ARCHIVE)
    where.add_argument("--simulated", action="store_true", help="the simulator's past monsoons; never for real data")
    train.add_argument("--stations", type=Path, metavar="CSV")
    train.add_argument("--model", default=DEFAULT_ALGORITHM, choices=sorted(ALGORITHMS))
    train.add_argument("--calibration", default=CALIBRATIONS[0], choices=CALIBRATIONS)
    train.add_argument(
        "--features", default="observed", choices=FEATURE_SETS, help="with +model: forecast fields of CLOUDBURST_FIELDS"
    )
    train.add_argument("--from", dest="begin", type=begin, metavar="DATE")
    train.add_argument("--until", type=end, metavar="DATE", help="last day to learn from, included")
    train.add_argument("--seed", type=int, default=7)
    train.add_argument("--area", default="", help="where the stations stand, for the card")
    train.add_argument("--limit", action="append", default=[], help="a limit to print on the card")
    train.add_argument("--deploy", action="store_true", help="make it the champion for these data")
    train.set_defaults(run=_train)

    hindcast = commands.add_parser("hindcast", help="forecasts for every station-hour of an archive")
    past = hindcast.add_mutually_exclusive_group(required=True)
    past.add_argument("--gauges", type=Path, metavar="DIR")
    past.add_argument("--archive", default="", metavar="URL", help=ARCHIVE)
    hindcast.add_argument("--stations", type=Path, metavar="CSV")
    hindcast.add_argument("--from", dest="begin", type=begin, default=EVER[0], metavar="ISO")
    hindcast.add_argument("--to", dest="end", type=end, default=EVER[1], metavar="ISO", help="a bare date: all of it")
    hindcast.add_argument("--out", type=Path, required=True, metavar="FILE.parquet")
    hindcast.add_argument("--model", metavar="VERSION", help="default: the champion")
    hindcast.set_defaults(run=_hindcast)


def _ingest(core: Core, args: argparse.Namespace) -> int:
    with progress() as told:
        rows = core.ingest(args.folder, args.stations, told)
    print(f"{rows} rows archived")
    return 0


def _backfill(core: Core, args: argparse.Namespace) -> int:
    if args.begin > args.end:
        raise ConfigurationError("--from lies after --to.", hint="Exchange them.")
    with progress() as told:
        rows = core.backfill(args.region, (args.begin, args.end), args.product, args.days_before, told)
    print(f"{rows} rows archived")
    return 0


def _train(core: Core, args: argparse.Namespace) -> int:
    request = TrainingRequest(
        args.model,
        args.until,
        args.begin,
        args.calibration,
        args.seed,
        area=args.area,
        limits=tuple(args.limit),
        feature_set=args.features,
    )
    with progress() as told:
        manifest = core.train(request, args.gauges, args.stations, told, args.archive)
    print(_scores(manifest))
    if args.deploy:
        region = "gauges" if args.gauges or (args.archive and args.stations) else core.default_region
        core.deploy(manifest.version, (manifest.source, region), retrain.who(), "train --deploy")
    print(f"version {manifest.version}")
    return 0


def _hindcast(core: Core, args: argparse.Namespace) -> int:
    if args.begin > args.end:
        raise ConfigurationError("--from lies after --to.", hint="Exchange them.")
    request = HindcastRequest(args.gauges, args.stations, args.begin, args.end, args.out, args.model, args.archive)
    with progress() as told:
        rows = core.hindcast(request, told)
    print(f"{rows} rows written to {args.out}")
    return 0


def _forecast(core: Core, args: argparse.Namespace) -> int:
    with progress() as told:
        issue = core.require_issue(args.region or core.default_region, told)
    print(json.dumps(issue.as_dict(core.clock()), indent=1, allow_nan=False) if args.json else _table(issue))
    return 0


def _models(core: Core, _args: argparse.Namespace) -> int:
    for version in core.versions():
        about = f"trained on {source_text(version.manifest.source)}" if version.manifest else "no manifest"
        print(
            f"{version.version}: {version.refused or ('shipped seed model' if version.shipped else 'stored')}, {about}"
        )
    return 0


def _doctor(core: Core, _args: argparse.Namespace) -> int:
    findings = core.doctor()
    for finding in findings:
        print(f"{'ok  ' if finding.well else 'FAIL'} {finding.name}: {finding.text}")
        if finding.hint and not finding.well:
            print(f"     {finding.hint}")
    return 0 if all(f.well for f in findings) else REFUSED


def _scores(manifest: ModelManifest) -> str:
    lines = [f"trained on: {source_text(manifest.source)}"]
    for card in manifest.scorecards:
        lines.append(
            f"{card.event.text} {card.event.window.within}, {card.cases}: {card.n} cases, {card.events} events"
        )
        lines += [f"  {name}: {asdict(measure)}" for name, measure in card.measures.items()]
    return "\n".join(lines)


def _table(issue: RegionForecast) -> str:
    head = f"{issue.region.name}, {issue.source_text}, valid from {issue.valid_from:%Y-%m-%d %H:%M} UTC for 6 h"
    names = {place.id: place.name for place in issue.region.locations}
    rows = [
        f"{names[f.location_id]:40} {f.level.value:8} {percent(f.exceedance.of(TARGET)):>8} {f.freshness.value}"
        for f in issue.ranked()
    ]
    return "\n".join([head, *issue.problems, *rows])


if __name__ == "__main__":
    sys.exit(main())
