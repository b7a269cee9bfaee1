"""Kills, dying disks, flipped bits, malicious files, races, stops and archives that teach nothing: the model store.

    python -m tests.faults.model [--kills 500] [--flips 1000] [--rounds 50] [--seed 0] [--short]
                                         [--only GATE] [--out FILE.md]

Each gate prints a line: what it counted, what it found of a deliberately broken variant, PASS or FAIL. The exit code is
1 where a gate fails, and where the broken variant passes it. Gates that need strace are skipped without it, which is a
failure unless the form is short.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

import pytest

from tests.faults.gates import Result, judged
from tests.faults.model.broken import (
    Variant,
    in_place,
    sound,
    trusting,
    unchecked,
    unlocked,
    unnumbered,
    unpickling,
)
from tests.faults.model.canaries import TOUCHED, dead, touched
from tests.faults.model.canary_shapes import TAME
from tests.faults.model.homes import Home, made_home
from tests.faults.model.killing import kills
from tests.faults.model.pausing import stops
from tests.faults.model.tampering import LOADED, tampered
from tests.faults.model.training_race import round_of
from tests.faults.model.unfit import SPOILED, UNNOTICED, trained
from tests.faults.model.writers import WRITERS, pack_once
from tests.faults.model.writing import ERRORS, Tries, bench, failing, killed
from tests.faults.processes import silence
from tests.faults.system_calls import CALLS

#: Kills after which the variant in place must have been caught: every third or fourth breaks it.
MOST_OF_CONTROL = 150


@dataclass(frozen=True)
class Scale:
    """How much is tried."""

    kills: int
    flips: int
    rounds: int
    processes: int = 20
    writers: tuple[str, ...] = tuple(writer.name for writer in WRITERS)
    calls: tuple[str, ...] = tuple(CALLS)
    errors: tuple[str, ...] = ERRORS
    #: Writers that also run in place: the others write in the same two ways.
    controls: tuple[str, ...] = ("deploy", "metrics")
    #: Malicious shapes; none stands for all.
    shapes: tuple[str, ...] = ()
    seed: int = 0
    #: Whether strace must be there.
    strace: bool = True
    #: Least share of the killed deployments that must land, and that must not: one outcome alone proves nothing.
    least: float = 0.2


SHORT = Scale(
    30, 40, 2, 8, ("deploy", "metrics"), ("write", "fsync", "rename"), ("ENOSPC",), ("metrics",),
    ("pickle signed", "pickle as model.skops", "skops of a foreign type signed", "pickled array in a skops archive",
     "zip-slip", "version folder is a link", "pointer is a link", "pointer to a version outside",
     "extra model.pkl"),
    strace=False, least=0.01)  # fmt: skip


Gate = Callable[[Home, Path, Scale], Result]


def gate_of_kills(home: Home, folder: Path, scale: Scale) -> Result:
    """Kill at random moments; in place, until enough is broken."""
    found = kills(home, folder, scale.kills, scale.seed)
    control = kills(home, folder, MOST_OF_CONTROL, scale.seed, variant=in_place, enough=max(2, scale.kills // 25))
    wrong = list(found.broken)
    if not scale.least <= found.share <= 1 - scale.least:
        wrong.append(f"{found.share:.0%} of the killed deployments landed: that proves nothing")
    counts = [f"{step} {found.landed[step]}:{found.missed[step]}" for step in found.landed]
    text = (
        f"{scale.kills} kills, {len(found.broken)} broken; {found.share:.0%} of the killed deployments landed,"
        f" {found.unsaid} unacknowledged (landed:not {', '.join(counts)})"
    )
    return Result(text, wrong, f"in place {len(control.broken)} of {control.count} broken", bool(control.broken))


def gate_of_last_calls(home: Home, folder: Path, scale: Scale) -> Result:
    """End every writer before every system call that touches the disk."""
    found, control = _every_writer(home, folder, scale, killed)
    return Result(_counts(found, "kills"), found.broken, *_caught(control))


def gate_of_failing_calls(home: Home, folder: Path, scale: Scale) -> Result:
    """Let every such call fail."""

    def tried(*args: object) -> Tries:
        return failing(args[0], scale.errors, args[1])  # type: ignore[arg-type]

    found, control = _every_writer(home, folder, scale, tried)
    return Result(_counts(found, f"errors ({', '.join(scale.errors)})"), found.broken, *_caught(control))


def gate_of_flips(home: Home, folder: Path, scale: Scale) -> Result:
    """Flip and cut; without digests, a tenth as often."""
    found = tampered(home, folder, scale.flips, scale.seed)
    control = tampered(home, folder, max(30, scale.flips // 10), scale.seed, unchecked)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(found.count.items()))
    loaded = control.count[LOADED]
    return Result(
        f"{scale.flips} flips and cuts, {found.count[LOADED]} loaded: {counts}",
        found.bad,
        f"unchecked {loaded} loaded",
        loaded > 0,
    )


def gate_of_canaries(home: Home, folder: Path, scale: Scale) -> Result:
    """Plant every malicious shape, before careless hands too; for each careless variant only the one it falls for."""
    found, missed = touched(home, folder, names=scale.shapes), dead(home, folder, scale.shapes)
    careless = {
        "unpickling": touched(home, folder, unpickling, ("pickle signed",)),
        "trusting": touched(home, folder, trusting, ("skops of a foreign type signed",)),
    }
    touches = {name: sum(TOUCHED in one for one in some.wrong) for name, some in careless.items()}
    ours = sum(TOUCHED in one for one in found.wrong)
    told = [f"{name} {count} touched" for name, count in touches.items()]
    told.append(f"careless hands fall for {found.shapes - len(missed)} of {found.shapes}")
    wrong = [*found.wrong, *(f"{name}: nobody would fall for it" for name in missed if not name.startswith(TAME))]
    text = f"{found.shapes} shapes, {found.tried} ways in: {ours} canaries touched, {len(wrong)} findings"
    return Result(text, wrong, ", ".join(told), all(touches.values()))


def gate_of_race(_home: Home, _folder: Path, scale: Scale) -> Result:
    """Let processes retrain at once; without the lock, one round."""
    found = [round_of(scale.processes) for _ in range(scale.rounds)]
    control, _ = round_of(scale.processes, unlocked)
    alone = (1, scale.processes - 1)
    wrong = [f"{began} began, {refused} were refused" for began, refused in found if (began, refused) != alone]
    text = f"{scale.rounds - len(wrong)} of {scale.rounds} rounds with exactly one of {scale.processes}"
    return Result(text, wrong, f"without the lock {control} began", control > 1)


def gate_of_paused_holder(home: Home, folder: Path, _scale: Scale) -> Result:
    """Stop a deployment before every call while another deploys; without numbers and without a lock, until one wins."""
    found = stops(home, folder)
    variants = {"numbers": unnumbered, "a lock": unlocked}
    control = {name: stops(home, folder, variant, enough=1) for name, variant in variants.items()}
    wrong = list(found.broken)
    if not (found.lost and found.held):
        wrong.append("the first was never refused, or the second never kept out: that proves nothing")
    text = (
        f"{found.count} stops: {found.lost} times the one stopped was refused, {found.held} the other kept out,"
        f" {found.both} they came in turn; {len(found.broken)} overwritten or not as acknowledged"
    )
    told = [f"without {name} {f'at stop {one.count}' if one.broken else 'never'}" for name, one in control.items()]
    return Result(text, wrong, f"overwritten {', '.join(told)}", all(one.broken for one in control.values()))


def gate_of_unfit_sets(_home: Home, folder: Path, _scale: Scale) -> Result:
    """Train on what teaches nothing; and on two such archives where nobody asks what is in them."""
    found, control = trained(folder / "sound", SPOILED), trained(folder / "careless", UNNOTICED, careless=True)
    return Result(
        f"{len(SPOILED)} archives that teach nothing, {found.deployed} deployed: {found.refused} refused at the door,"
        f" {len(SPOILED) - found.refused - len(found.wrong)} skipped with a reason",
        found.wrong,
        f"of {len(UNNOTICED)} where nobody looks {control.deployed} deployed",
        control.deployed == len(UNNOTICED),
    )


GATES: dict[str, Gate] = {
    "kills": gate_of_kills,
    "last calls": gate_of_last_calls,
    "failing calls": gate_of_failing_calls,
    "flips": gate_of_flips,
    "canaries": gate_of_canaries,
    "race": gate_of_race,
    "paused holder": gate_of_paused_holder,
    "unfit sets": gate_of_unfit_sets,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gates, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.model")
    for name, default in (("--kills", 500), ("--flips", 1000), ("--rounds", 50), ("--seed", 0)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--only", choices=sorted(GATES), help="one gate")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="page whose figures are replaced")
    args = parser.parse_args(arguments)
    scale = SHORT if args.short else Scale(args.kills, args.flips, args.rounds, seed=args.seed)
    silence()
    with tempfile.TemporaryDirectory() as name:
        with pytest.MonkeyPatch.context() as patch:
            pack_once(patch)
            template = made_home(Path(name))
        chosen = [args.only] if args.only else list(GATES)
        found = [
            judged(gate, lambda of=gate: GATES[of](template, Path(name), scale), args.out, not scale.strace)
            for gate in chosen
        ]
    return 0 if all(found) else 1


def _every_writer(
    home: Home, folder: Path, scale: Scale, tried: Callable[..., Tries]
) -> tuple[Tries, dict[str, Tries]]:
    """Return what came of all writers, and of each one that writes in place."""
    with pytest.MonkeyPatch.context() as patch:
        pack_once(patch)
        some = [writer for writer in WRITERS if writer.name in scale.writers]

        def all_of(variant: Variant, calls: Sequence[str]) -> dict[str, Tries]:
            return {one.name: tried(bench(one, home, folder, variant), calls) for one in some}

        found = reduce(add, all_of(sound, scale.calls).values(), Tries())
        some = [writer for writer in some if writer.name in scale.controls]
        return found, all_of(in_place, ("write",))


def _counts(found: Tries, what: str) -> str:
    return f"{found.count} {what}: {found.old} left the old state, {found.new} the new one, {len(found.broken)} broken"


def _caught(control: dict[str, Tries]) -> tuple[str, bool]:
    """Return what the writers in place did, and whether each that tears what was there was caught."""
    text = ", ".join(f"{name} {len(found.broken)}" for name, found in control.items())
    return f"in place broken: {text}", all(found.broken for found in control.values())


if __name__ == "__main__":
    sys.exit(main())
