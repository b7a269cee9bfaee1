"""Flipped bits and cut files in every file of a version and beside its pointer: refused, and the one before serves."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.adapters.model_store import FolderModelStore
from core.errors import ModelError
from tests.faults.model.broken import Variant, sound
from tests.faults.model.homes import POINTER, Home
from tests.faults.processes import Say, forked

#: Spoiled files tried in one process: where one crashes it, the others are lost.
BATCH = 50
LOADED, CRASHED, WRONG = "loaded with other bytes", "crashed", "served by somebody else"
REFUSED, SAME = "refused", "changed nothing"


@dataclass
class Spoiled:
    """What came of spoiled files, and how many of them were flipped and cut."""

    count: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)


def tampered(template: Home, folder: Path, count: int, seed: int, variant: Variant = sound) -> Spoiled:
    """Spoil so many files of the champion's version or of its pointer, one at a time, in processes of their own."""
    found = Spoiled()
    for start in range(0, count, BATCH):
        home = template.copied(folder / "tampered")
        some = min(BATCH, count - start)
        process = forked(partial(_spoil, home, some, f"{seed}/{start}", variant))
        code = process.ended()
        for line in process.lines:
            kind = line.partition(": ")[0]
            found.count[kind] += 1
            if kind in (LOADED, WRONG, CRASHED):
                found.bad.append(line)
        if code != 0 or len(process.lines) != some:
            found.count[CRASHED] += 1
            found.bad.append(f"{CRASHED}: code {code} after {process.lines[-1:]}")
    return found


def _spoil(home: Home, count: int, seed: str, variant: Variant, say: Say) -> None:
    variant(pytest.MonkeyPatch())
    rng = random.Random(seed)  # noqa: S311 - chance for tests, seeded
    victim, before = home.served().manifest.version, home.store().before(*POINTER)[0]
    folder = home.models / "versions" / victim
    paths = [*sorted(folder.iterdir()), *sorted(home.pointer.parent.glob("[!.]*"))]
    for _ in range(count):
        path = rng.choice(paths)
        good = path.read_bytes()
        bad, how = _changed(good, rng)
        path.write_bytes(bad)
        try:
            kind = _outcome(home, victim, before, bad == good, path.parent == folder)
        except Exception as error:
            kind = CRASHED + f" ({type(error).__name__})"
        say(f"{kind.partition(' (')[0]}: {path.name}, {how} {kind}")
        _mend(home, victim, path, good)


def _changed(good: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Return a file with one bit to a few bytes flipped, or cut anywhere."""
    if rng.random() < 0.3:
        at = rng.randrange(len(good))
        return good[:at], f"cut at {at}"
    bad, flips = bytearray(good), rng.choice((1, 1, 1, 2, 8))
    for _ in range(flips):
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
    return bytes(bad), f"{flips} flipped"


def _outcome(home: Home, victim: str, before: str, same: bool, in_version: bool) -> str:
    """Return what came of one spoiled file; that of a pointer may change nothing: a cut at its last line, say."""
    loaded = [name for name in ("load", "card", "probe") if _opens(home.store(), name, victim)]
    served = home.served()
    fell_back = (home.store().seed, before)[in_version]
    if same or (not in_version and (served.manifest.version, served.instead) == (victim, "")):
        return SAME if loaded else WRONG
    if in_version and (loaded or served.manifest.version == victim):
        return LOADED
    right = served.manifest.version == fell_back and served.instead
    return REFUSED if right else WRONG


def _opens(store: FolderModelStore, name: str, version: str) -> bool:
    opens: Mapping[str, Any] = {"load": store.load, "card": store.card, "probe": store.probe}
    try:
        opens[name](version)
    except ModelError:
        return False
    return True


def _mend(home: Home, victim: str, path: Path, good: bytes) -> None:
    """Put everything back as it was; the victim may have been put aside."""
    aside, folder = home.models / "quarantine" / victim, home.models / "versions" / victim
    if aside.is_dir():
        (aside / "reason.txt").unlink()
        aside.rename(folder)
        shutil.rmtree(aside.parent)
    path.write_bytes(good)
