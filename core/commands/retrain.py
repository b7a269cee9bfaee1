"""python -m core retrain|training|promote|roll-back: challenge the champion of a region, or change it by hand."""

from __future__ import annotations

import argparse
import getpass
from typing import Any

from core.bootstrap import Core
from core.commands.terminal import progress
from core.domain.lifecycle import RunState, RunStatus, Trigger
from core.learning.estimators import ALGORITHMS

#: What the shell sees of a training that could not be done.
NOT_DONE = 2


def add(commands: Any) -> None:
    """Add the commands to a parser."""
    retrain = commands.add_parser("retrain", help="train a challenger from the archive; deploy it if it is better")
    retrain.add_argument("--region")
    retrain.add_argument("--model", choices=sorted(ALGORITHMS))
    retrain.add_argument("--days-back", type=int, metavar="DAYS")
    retrain.add_argument("--why", default="", help="stands in the ledger")
    retrain.set_defaults(run=_retrain)

    training = commands.add_parser("training", help="show the training that runs or ended last in this home")
    training.add_argument("--cancel", action="store_true", help="end it, whoever began it")
    training.set_defaults(run=_training)

    promote = commands.add_parser("promote", help="let a version serve a region")
    promote.add_argument("version")
    back = commands.add_parser("roll-back", help="let the version that served before serve again")
    for parser in (promote, back):
        parser.add_argument("--region")
        parser.add_argument("--why", required=True, help="stands in the deployment ledger")
    promote.set_defaults(run=_promote)
    back.set_defaults(run=_roll_back)


def _retrain(core: Core, args: argparse.Namespace) -> int:
    request = core.lifecycle.asked(
        args.region or core.default_region,
        who=who(),
        why=args.why,
        trigger=Trigger.COMMAND_LINE,
        algorithm=args.model,
        days_back=args.days_back,
    )
    begun = core.lifecycle.start(request)
    try:
        with progress() as told:
            state = core.lifecycle.trainings.wait(begun.run_id, told)
    except KeyboardInterrupt:
        core.lifecycle.trainings.cancel(begun.run_id)
        state = core.lifecycle.trainings.wait(begun.run_id)  # its end is written down before this process goes
    print(_said(state))
    return 0 if state.status in (RunStatus.DEPLOYED, RunStatus.KEPT, RunStatus.SKIPPED) else NOT_DONE


def _training(core: Core, args: argparse.Namespace) -> int:
    if args.cancel:
        print("cancelled" if _cancel(core) else "no training runs")
        return 0
    state = core.lifecycle.trainings.state()
    if state is None:
        print("no training yet")
    elif state.running:
        by = f"begun by {state.request.who} at {state.begun_at:%Y-%m-%d %H:%M:%S} UTC (process {state.pid})"
        print(f"running: {state.done:.0%}, {state.text}; {by}")
    else:
        print(_said(state))
    return 0


def _cancel(core: Core) -> bool:
    state = core.lifecycle.trainings.state()
    return state is not None and core.lifecycle.trainings.cancel(state.run_id)


def _promote(core: Core, args: argparse.Namespace) -> int:
    made = core.lifecycle.promote(args.version, args.region or core.default_region, who(), args.why)
    print(f"{made.to_version} serves {made.region_id} in the place of {made.from_version}")
    return 0


def _roll_back(core: Core, args: argparse.Namespace) -> int:
    made = core.lifecycle.roll_back(args.region or core.default_region, who(), args.why)
    print(f"{made.to_version} serves {made.region_id} again, in the place of {made.from_version}")
    return 0


def _said(state: RunState) -> str:
    lines = [f"{state.status.value}: {state.version or 'no version was made'}"]
    lines += [f"  {reason}" for reason in state.reasons]
    return "\n".join([*lines, f"serving: {state.champion or 'as before'}"])


def who() -> str:
    """Return the user of this terminal, as the system knows them."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"
