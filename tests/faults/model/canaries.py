"""Every malicious shape at every way into the store: no canary is touched, nothing outside changes, nobody falls."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from core.adapters.run_files import RunFiles
from core.adapters.version_files import MODEL
from core.errors import CloudburstError
from core.workflows.serving import Serving
from tests.faults.model import careless
from tests.faults.model.broken import Variant, sound
from tests.faults.model.canary_shapes import OUTSIDE, Trap, shapes
from tests.faults.model.homes import POINTER, Home, deploy, save
from tests.faults.processes import Say, forked

Use = Callable[[Home, str], object]
#: The ways in; what moves or makes something comes last, and what puts a version aside has a home of its own.
USES: dict[str, Use] = {
    "versions": lambda home, _: home.store().versions(),
    "manifest": lambda home, version: home.store().manifest(version),
    "load": lambda home, version: home.store().load(version),
    "probe": lambda home, version: home.store().probe(version),
    "card": lambda home, version: home.store().card(version),
    "champion": lambda home, _: home.store().champion(*POINTER),
    "before": lambda home, _: home.store().before(*POINTER),
    "last deployment": lambda home, _: home.store().last_deployment(*POINTER),
    "foreign files": lambda home, _: home.store().foreign_files(),
    "challengers": lambda home, _: Serving(home.store()).challengers(*POINTER, most=5),
    "state of the run": lambda home, _: RunFiles(home.runs).read(),
    "deploy": deploy,
    "serve one": lambda home, version: Serving(home.store()).version(version, POINTER[0]),
    "serve": lambda home, _: home.served(),
    "sweep": lambda home, _: home.store().sweep(),
    "save": lambda home, _: save(home),
}
PUT_ASIDE: dict[str, Use] = {
    "quarantine": lambda home, version: home.store().quarantine(version, "for the test"),
    "versions put aside": lambda home, _: home.store().versions(),
    "serve without": lambda home, _: home.served(),
}
TOUCHED = "the canary is touched"


@dataclass
class Touched:
    """What came of all shapes: how often each way in was tried, and what went wrong."""

    shapes: int = 0
    tried: int = 0
    wrong: list[str] = field(default_factory=list)


def touched(template: Home, folder: Path, variant: Variant = sound, names: Sequence[str] = ()) -> Touched:
    """Plant every shape and try every way in; `names` are the shapes, all where there are none."""
    found = Touched()
    for name in names or shapes():
        found.shapes += 1
        for uses in (USES, PUT_ASIDE):
            found.tried += len(uses)
            trap = _planted(template, folder / "trap", name)
            before = _outside(trap)
            process = forked(partial(_tried, trap, uses, variant))
            code = process.ended()
            wrong = list(process.lines) + ([f"ended with {code}"] if code else [])
            if _outside(trap) != before:
                wrong.append("something outside has changed")
            found.wrong += [f"{name}: {one}" for one in wrong]
    return found


def dead(template: Home, folder: Path, names: Sequence[str] = ()) -> list[str]:
    """Return the shapes that not even careless hands fall for: no canary is touched, and nothing outside changes."""
    ours, found = frozenset(template.contents().values()), []
    for name in names or shapes():
        trap = _planted(template, folder / "trap", name)
        before = _outside(trap)
        forked(partial(careless.use, trap, ours)).ended()
        if _outside(trap) == before:
            found.append(name)
    return found


def _planted(template: Home, folder: Path, name: str) -> Trap:
    """Return a home with the shape in it, and a version with a pickle outside."""
    shutil.rmtree(folder, ignore_errors=True)
    home = template.copied(folder / "home")
    trap = Trap(home, folder / "canary", home.store().champion(*POINTER).version, folder / "outside")
    shutil.copytree(trap.folder, trap.outside / "version")
    (trap.outside / "version" / MODEL).write_bytes(trap.pickle)
    shapes()[name](trap)
    return trap


def _outside(trap: Trap) -> dict[str, bytes]:
    """Return what lies outside the home: the canary too."""
    paths = [trap.canary, *sorted(trap.outside.rglob("*"))]
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in paths if os.path.lexists(path)}


def _tried(trap: Trap, uses: dict[str, Use], variant: Variant, say: Say) -> None:
    """Say what goes wrong at each way in; an error of the house is no wrong, unless nobody serves."""
    variant(pytest.MonkeyPatch())
    for name, use in uses.items():
        for version in (trap.victim, OUTSIDE):
            try:
                use(trap.home, version)
            except CloudburstError as error:
                if use is USES["serve"]:
                    say(f"{name}: nobody serves: {error}")
            except Exception as error:
                say(f"{name}: {type(error).__name__}: {error}")
            if os.path.lexists(trap.canary):
                say(f"{name}: {TOUCHED}")
                trap.canary.rmdir()
