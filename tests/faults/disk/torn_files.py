"""Files of a home that are cut, flipped, garbage or another's before a start: it starts, or says what to do."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from core.adapters.open_meteo.budget import Budget
from core.adapters.run_files import RunFiles
from core.bootstrap import open_core
from core.bootstrap.house import Core
from core.bootstrap.services import BUDGET_FILE
from core.errors import CloudburstError
from core.settings import Settings
from tests.adapters.outside_servers import notice
from tests.experiments_made import experiment
from tests.faults.gates import Result
from tests.faults.model.broken import Variant, sound
from tests.faults.model.homes import RUN
from tests.faults.processes import Say, forked, silence

#: Files by what they are; the first that fits is tried.
KINDS: Mapping[str, str] = {
    "ledger": "data/ledger.sqlite",
    "archive": "data/processed/*/*/*.parquet",
    "features": "data/features/*/*/*/*.parquet",
    "quality metrics": "data/quality_metrics/*/*/*.parquet",
    "experiment": "models/experiments/*.json",
    "outbox": "data/outbox/*.json",
    "admin token": "data/admin.token",
    "model key": "data/model.key",
    "state of a training": "data/retraining/now.json",
    "calls": f"data/{BUDGET_FILE}",
}
CUTS = (0.0, 0.6)
FLIPS, FULL_FLIPS = 1, 100
#: Files of another kind or home that take the place of one.
OTHERS = 1
#: Kinds whose loss may end the start: each is torn by itself, the others all at once.
ALONE = ("ledger", "model key")
Way = Callable[[bytes], bytes]
STARTS, REFUSES = "starts", "refuses"


@dataclass
class Torn:
    """What came of so many starts."""

    count: int = 0
    outcome: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def gate(folder: Path, full: bool) -> Result:
    """Damage every kind of file in every way; without checksums, flip the archive alone."""
    template, other = folder / "template", folder / "other"
    for home in (template, other):
        process = forked(lambda _say, at=home: _made(at))
        assert process.ended() == 0
    found = Torn()
    kinds = {kind: path for kind, pattern in KINDS.items() for path in sorted(template.glob(pattern))[:1]}
    for group in [[kind] for kind in kinds] if full else [[k] for k in ALONE] + [[k for k in kinds if k not in ALONE]]:
        ways = {kinds[kind]: _ways(kinds[kind], other, FULL_FLIPS if full else FLIPS) for kind in group}
        _tear(found, ", ".join(group), template, ways)
    control = believed(folder / "flips", 60, unchecked)
    ours = believed(folder / "flips", 600 if full else 60, sound)
    wrong = found.wrong + ["a flipped bit of the archive was believed"] * ours
    wrong += [f"no file of the kind {kind} was tried" for kind in KINDS if kind not in kinds]
    text = (
        f"{found.count} starts with torn files of {len(kinds)} kinds: {found.outcome[STARTS]} went on,"
        f" {found.outcome[REFUSES]} refused and said what to do, {len(wrong)} wrong"
    )
    return Result(text, wrong, f"without checksums {control} of 60 flips of the archive believed", control > 0)


def opened(home: Path) -> Core:
    """Open a home on simulated weather."""
    return open_core(
        Settings(home=home, grid_spacing_deg=1.0, simulated_history_days=0, webhook_urls="http://127.0.0.1:9/a")
    )


def unchecked(patch: pytest.MonkeyPatch) -> None:
    """Write and read tables without checksums."""
    patch.setattr("core.adapters.parquet.CHECKED", False)


def _made(home: Path) -> None:
    """Make a home in which every kind of file stands."""
    silence()
    core = opened(home)
    region = core.default_region
    core.forecasting.refresh(region)
    core.quality.appraise(region)
    core.trials.experiments.files.store(experiment())
    core.notifying.tell(notice())
    core.admin.knows("guess", "127.0.0.1")
    RunFiles(core.settings.retraining_folder).write(RUN)
    _budget(core).take(1.0)


def _budget(core: Core) -> Budget:
    """Return the calls of a home to the live source, which one on simulated weather never looks at."""
    return Budget(core.clock, path=core.settings.home / "data" / BUDGET_FILE)


def _ways(path: Path, other: Path, flips: int) -> dict[str, Way]:
    """Return by name what can be done to a file."""
    rng = random.Random(path.name)  # noqa: S311 - chance for tests, seeded

    def flipped(data: bytes) -> bytes:
        torn = bytearray(data)
        torn[rng.randrange(len(torn))] ^= 1 << rng.randrange(8)
        return bytes(torn)

    ways: dict[str, Way] = {f"cut at {at:.0%}": partial(_cut, at) for at in CUTS}
    ways |= {f"flip {number}": flipped for number in range(flips)}
    ways["garbage"] = lambda data: rng.randbytes(len(data))
    ways["JSON of something else"] = lambda _: b'{"a": [1, null]}'
    others = [one for one in sorted(other.rglob(f"*{path.suffix}")) if one.is_file() and one.stat().st_size]
    for another in rng.sample(others, min(len(others), OTHERS if flips == FLIPS else len(others))):
        ways[f"another's {another.name}"] = partial(_swapped, another.read_bytes())
    return ways


def _swapped(data: bytes, _before: bytes) -> bytes:
    return data


def _cut(share: float, data: bytes) -> bytes:
    return data[: int(len(data) * share)]


def _tear(found: Torn, what: str, template: Path, ways: Mapping[Path, Mapping[str, Way]]) -> None:
    """Do the same to some files of a home at once, one way after another, and start it."""
    home = template.with_name("torn")
    for turn in range(max(map(len, ways.values()))):
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(template, home)
        done = set()
        for path, some in ways.items():
            way, torn = list(some.items())[min(turn, len(some) - 1)]
            (home / path.relative_to(template)).write_bytes(torn(path.read_bytes()))
            done.add(way)
            if path.suffix == ".sqlite":
                for beside in path.parent.glob(f"{path.name}-*"):
                    (home / beside.relative_to(template)).unlink()
        process = forked(partial(_start, home))
        code = process.ended()
        said = " ".join(process.lines) or f"it ended with {code}"
        outcome = said if said in (STARTS, REFUSES) else "wrong"
        found.count += 1
        found.outcome[outcome] += 1
        if outcome == "wrong":
            found.wrong.append(f"{what}, {', '.join(sorted(done))}: {said[:200]}")


def _start(home: Path, say: Say) -> None:
    """Open a home and use every door of it once; say how that went."""
    silence()
    try:
        core = opened(home)
    except CloudburstError as error:
        say(REFUSES if error.hint else f"refused without saying what to do: {error.message}")
        return
    except Exception as error:
        say(f"it did not open: {type(error).__name__}: {error}")
        return
    silence()
    region = core.default_region
    doors: dict[str, Callable[[], object]] = {
        "refresh": lambda: core.forecasting.refresh(region),
        "health": core.health,
        "doctor": core.doctor,
        "issue": lambda: core.issue(region).forecast.as_dict(core.clock()),
        "appraise": lambda: core.quality.appraise(region),
        "quality": lambda: core.quality.report(region),
        "join": lambda: core.verification.join(region),
        "alerts": lambda: core.alerts.evaluate(core.issue(region).forecast),
        "experiments": core.trials.experiments.files.experiments,
        "outbox": core.notifying.state,
        "token": lambda: core.admin.knows("guess", "127.0.0.1"),
        "versions": core.versions,
        "runs": lambda: core.lifecycle.ledger.runs(50),
        "end of a training": core.lifecycle.reconcile,
        "calls": lambda: _budget(core).lines(),
    }
    for name, door in doors.items():
        try:
            door()
        except CloudburstError as error:
            if not error.hint:
                say(f"{name} was refused without saying what to do: {error.message}")
        except Exception as error:
            say(f"{name}: {type(error).__name__}: {error}")
            return
    say(STARTS)


def believed(folder: Path, count: int, variant: Variant) -> int:
    """Return how many of so many flipped bits of a partition came back as another value."""
    from tests.faults.disk.writers import WRITERS

    archive = next(writer for writer in WRITERS if writer.name == "archive")
    rng, wrong = random.Random(count), 0  # noqa: S311 - chance for tests, seeded
    with pytest.MonkeyPatch.context() as patch:
        variant(patch)
        shutil.rmtree(folder, ignore_errors=True)
        for number in range(1, 40):
            archive.write(folder, number)
        (path,) = folder.rglob("*.parquet")
        data = path.read_bytes()
        whole = pd.read_parquet(path)
        for _ in range(count):
            at = rng.randrange(4, len(data))
            path.write_bytes(data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :])
            there = _readable(archive.there, folder)
            wrong += there not in ([], list(range(1, 40))) and len(whole) == 39
            for aside in folder.rglob("*.bad"):
                aside.unlink()
    return wrong


def _readable(there: Callable[[Path], list[int]], folder: Path) -> list[int]:
    try:
        return there(folder)
    except Exception:  # found out, whatever it says
        return []
