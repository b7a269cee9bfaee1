"""Mutation testing: what of the code can be changed without a quick test of it noticing.

    python -m tests.faults.mutation [--only GROUP] [--most 300] [--seed 0] [--work FOLDER] [--out FILE.md]

mutmut changes one thing of a function at a time and runs the tests that reach it. For each group of modules it is run
in a copy of the project, for it needs its settings in pyproject.toml, and every group has tests of its own. Prints
`group killed/tried share` with the 95 % interval of Wilson where only a sample was tried, the survivors below it, and
ends with 1 where a group is below 90 %. What survives and why stands in docs/mutation.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.figures import keep
from tests.faults.mutation.groups import GROUPS, UNJUDGED, Group

ROOT = Path(__file__).resolve().parents[3]
#: Least share of the mutants that the tests must notice.
LEAST = 0.9
#: What mutmut's exit codes mean (3.8); others are suspicious. SIGXCPU (24) ends what takes too long, SIGKILL (9) what
#: has ignored that for a second.
KINDS = {
    1: "killed", 3: "killed", 0: "survived", 5: "unreached", 33: "unreached", 2: "interrupted", 34: "skipped",
    36: "timeout", 24: "timeout", -24: "timeout", 152: "timeout", -9: "timeout", -11: "crashed"}  # fmt: skip
#: What counts as noticed by the tests.
NOTICED = ("killed", "timeout")
#: Letters of mutmut's own words that are shown where it could not run.
TOLD = 2000
#: Normal quantile of a two-sided interval of 95 %.
Z = 1.96
#: Files copied beside core/: what its tests open.
BESIDE = ("api", "ui", "pages", "app.py", "data", "models", "deploy", "docs", "benchmarks", ".streamlit", "README.md")


@dataclass
class Tally:
    """What became of the mutants of a group."""

    total: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    survivors: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """Mutants that were run."""
        return self.counts.total()

    @property
    def killed(self) -> int:
        """Mutants that were noticed, by a failure or a run without end."""
        return sum(self.counts[kind] for kind in NOTICED)

    @property
    def share(self) -> float:
        """Share that was noticed; 0 where nothing was tried."""
        return self.killed / self.tried if self.tried else 0.0

    @property
    def text(self) -> str:
        """What became of them, in words."""
        text = f"{self.killed}/{self.tried} {self.share:.1%}"
        if self.tried < self.total:
            low, high = interval(self.killed, self.tried)
            text += f" (95 %: {low:.1%} to {high:.1%}; a sample of {self.total})"
        return f"{text}; {', '.join(f'{n} {kind}' for kind, n in sorted(self.counts.items()))}"


def interval(killed: int, tried: int) -> tuple[float, float]:
    """Return the interval of a share that holds it in 95 of 100 samples (Wilson 1927, doi:10.2307/2276774).

    >>> [round(bound, 3) for bound in interval(90, 100)]
    [0.826, 0.945]
    """
    if not tried:
        return 0.0, 1.0
    share, weight = killed / tried, Z**2 / tried
    middle, half = share + weight / 2, Z * math.sqrt(share * (1 - share) / tried + weight / (4 * tried))
    return (middle - half) / (1 + weight), (middle + half) / (1 + weight)


def tally(codes: Mapping[str, int | None]) -> Tally:
    """Return what mutmut's exit codes say; None: not tried."""
    found = Tally(len(codes))
    for name, code in sorted(codes.items()):
        if code is None:
            continue
        kind = KINDS.get(code, "suspicious")
        found.counts[kind] += 1
        if kind not in NOTICED:
            found.survivors.append(name)
    return found


def run(group: Group, folder: Path, most: int, seed: int, source: Path = ROOT) -> Tally:
    """Try the mutants of a group, at most so many of them, in a copy of the project.

    Raises
    ------
    SystemExit
        If mutmut ended before it had tried them all.
    """
    if not folder.is_dir():
        copy(source, folder)
        (folder / "pyproject.toml").write_text((source / "pyproject.toml").read_text() + section(group))
    chosen: list[str] = []
    if most:
        mutmut(folder, ["nothing"])  # makes the mutants, and ends with an error: none has this name
        names = sorted(codes(folder))
        chosen = random.Random(seed).sample(names, min(most, len(names)))  # noqa: S311 - a sample, no secret
        if not chosen:
            raise _cut_off(folder, "made no mutants")
    ended = mutmut(folder, chosen)
    found = codes(folder)
    wanted = {name: code for name, code in found.items() if name in chosen or not most}
    tried = sum(code is not None for code in wanted.values())
    if ended or not tried or tried < len(wanted):
        raise _cut_off(folder, f"ended with {ended} after {tried} of {len(wanted)} mutants")
    return tally({**dict.fromkeys(found), **wanted})


def _cut_off(folder: Path, what: str) -> SystemExit:
    """Print the end of what mutmut said, and return the error."""
    _print((folder / "mutmut.log").read_text("utf-8", "replace")[-TOLD:])
    return SystemExit(f"{folder.name}: mutmut {what}; above is the end of what it said.")


def copy(source: Path, folder: Path) -> None:
    """Copy what git keeps, and what is new, of the project."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=source, check=True, capture_output=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (source / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, folder / name)


def section(group: Group) -> str:
    """Return mutmut's settings for a group."""
    settings = {
        "source_paths": ["core"],
        "only_mutate": [f"core/{name}" for name in group.modules],
        "also_copy": list(BESIDE),
        "pytest_add_cli_args_test_selection": [f"tests/{name}" for name in group.tests],
        "pytest_add_cli_args": ["-p", "no:xdist", *(f"--deselect=tests/{name}" for name in group.without)],
        "do_not_mutate_patterns": list(UNJUDGED),
        "timeout_constant": 2.0,
        "timeout_multiplier": 10.0,
        "track_dependencies": False,
        "use_git_change_detection": False,
    }
    return "\n[tool.mutmut]\n" + "".join(f"{name} = {_toml(value)}\n" for name, value in settings.items())


def _toml(value: object) -> str:
    return json.dumps(value)  # of lists of texts, numbers and booleans JSON is TOML


def mutmut(folder: Path, names: Sequence[str]) -> int:
    """Run mutmut and return its exit code; what it prints is kept in the folder. No names: all mutants."""
    # CI: hypothesis then tries the same examples every time and knows no deadline, which a busy machine would not keep.
    ours = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "CI": "true"}
    environment = {**os.environ, **ours}
    with (folder / "mutmut.log").open("ab") as log:
        return subprocess.run(
            [sys.executable, "-m", "mutmut", "run", "--max-children", "2", *names],
            cwd=folder, env=environment, stdout=log, stderr=log, check=False,
        ).returncode  # fmt: skip


def codes(folder: Path) -> dict[str, int | None]:
    """Return mutmut's exit code of every mutant by its name, None where it was not tried."""
    found: dict[str, int | None] = {}
    for path in sorted((folder / "mutants" / "core").rglob("*.meta")):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Try, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutation", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", choices=sorted(GROUPS), help="one group")
    parser.add_argument("--most", type=int, default=0, metavar="N", help="a random sample of N of each group (0: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="where copies are made and kept")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="page whose figures are replaced")
    args = parser.parse_args(arguments)
    well = True
    with tempfile.TemporaryDirectory() as made:
        for name in [args.only] if args.only else list(GROUPS):
            folder = (args.work or Path(made)) / name
            found = run(GROUPS[name], folder, args.most, args.seed)
            verdict = "PASS" if found.share >= LEAST else "FAIL"
            well &= verdict == "PASS"
            _print(f"{name:<12}{found.text} {verdict}")
            if args.out:
                keep(args.out, f"mutation {name}", [found.text, verdict])
            for survivor in found.survivors:
                _print(f"    {survivor}")
    return 0 if well else 1


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
