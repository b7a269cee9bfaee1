"""Fuzz the parsers of bytes from outside with atheris: a value of the house or an error of the house, nothing else.

    python -m tests.faults.parsers.fuzz [--parser NAME] [--seconds 600] [--corpus FOLDER] [--keep] [--out FILE.md]

Without `--parser` all five, one after the other. A parser with a planted bug must be found in the same way. What
atheris finds new is kept in the corpus with `--keep`, as long as the folder stays small; an input that breaks a parser
always is, so that tests/faults/test_parsers.py replays it from then on.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults.gates import Absent, Result, judged
from tests.faults.parsers.judged import PARSERS, deadly

CORPUS = Path(__file__).parent / "corpus"
#: Seconds in which the planted bug must be found: one value of one field, in an input that is accepted.
CONTROL_S = 120
#: Seconds beyond its time after which a process is ended: it begins slowly on a busy machine.
GRACE_S = 180
#: One input may take so many seconds and the process so many megabytes; longer inputs are not tried.
SLOWEST_S, MOST_MB, LONGEST = 5, 2048, 8192
#: Bytes that the corpus of a parser may grow to, and bytes of an input worth keeping.
FOLDER_BYTES, INPUT_BYTES = 55_000, 1_500


@dataclass(frozen=True)
class Fuzzed:
    """What one fuzzing process did: inputs tried, why it ended early, and the input that made it."""

    runs: int
    finding: str = ""
    input: bytes = b""


def fuzz(name: str, variant: str, seconds: int, corpus: Path, folder: Path) -> Fuzzed:
    """Fuzz one parser; new inputs that reach other code are written to `folder`/new."""
    (folder / "new").mkdir()
    command = [
        sys.executable, "-m", "tests.faults.parsers.fuzz_one", name, variant,
        f"-max_total_time={seconds}", f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MOST_MB}", f"-max_len={LONGEST}",
        f"-artifact_prefix={folder}/", "-print_final_stats=1", str(folder / "new"), str(corpus),
    ]  # fmt: skip
    try:
        ended = subprocess.run(
            command, cwd=CORPUS.parents[3], capture_output=True, check=False, timeout=seconds + GRACE_S
        )
        said, code = ended.stdout + ended.stderr, str(ended.returncode)
    except subprocess.TimeoutExpired as error:  # it fell into something that no alarm interrupts
        said, code = (error.stdout or b"") + (error.stderr or b""), "no end"
    text = said.decode("utf-8", "replace")
    counts = re.findall(r"stat::number_of_executed_units:\s*(\d+)", text) or re.findall(
        r"^#(\d+)\s", text, re.MULTILINE
    )
    runs = int(counts[-1]) if counts else 0
    broken = [path for path in sorted(folder.iterdir()) if path.is_file()]
    if re.search(r"^Done \d+ runs", text, re.MULTILINE) and not broken:
        return Fuzzed(runs)  # whatever happens to the process on its way out
    raised = re.findall(r"^(?:\w+\.)*(\w*(?:Error|Exception|Unsound|Planted|Warning)\b.*)$", text, re.MULTILINE)
    crashed = re.findall(r"ERROR: (libFuzzer: .*)", text)
    finding = next(iter([*raised, *crashed, f"it ended with {code}: {text[-150:]}"]))
    return Fuzzed(runs, f"{finding[:200]} ({broken[0].name if broken else 'no input'})", _bytes(broken))


def gate(name: str, seconds: int, corpus: Path, keep: bool) -> Result:
    """Fuzz what we ship, then the same with a planted bug, from those inputs that reach it."""
    if importlib.util.find_spec("atheris") is None:
        raise Absent("atheris is not installed (requirements-faults.txt, Python 3.11 to 3.13)")
    with tempfile.TemporaryDirectory() as made:
        found = fuzz(name, "sound", seconds, corpus, Path(made))
        kept = _keep(name, sorted((Path(made) / "new").iterdir()), corpus) if keep else 0
    with tempfile.TemporaryDirectory() as made:
        control = fuzz(name, "planted", CONTROL_S, _accepted(name, corpus, Path(made)), Path(made))
    if found.input:  # by now: what breaks the parser would end the control before it meets the planted bug
        (corpus / f"found-{len(found.input)}-{sum(found.input) % 1000}").write_bytes(found.input)
    text = f"{found.runs} inputs in {seconds} s, {'1 finding' if found.finding else 'nothing found'}"
    return Result(
        text + (f", {kept} inputs kept" if keep else ""),
        [found.finding] if found.finding else [],
        f"planted bug {'found' if 'Planted' in control.finding else 'missed'} after {control.runs} inputs",
        "Planted" in control.finding,
    )


def _accepted(name: str, corpus: Path, folder: Path) -> Path:
    """Return a new folder with those inputs of a corpus that the parser accepts."""
    accepted = folder / "accepted"
    accepted.mkdir()
    for path in corpus.iterdir():
        if PARSERS[name](path.read_bytes()) is not None:
            shutil.copy(path, accepted)
    return accepted


def _bytes(broken: Sequence[Path]) -> bytes:
    return broken[0].read_bytes() if broken else b""


def _keep(name: str, new: Sequence[Path], corpus: Path) -> int:
    """Copy the smallest new inputs into the corpus until it is full, but none that the planted bug falls over."""
    room = FOLDER_BYTES - sum(path.stat().st_size for path in corpus.iterdir())
    kept = 0
    for path in sorted(new, key=lambda path: path.stat().st_size):
        size = path.stat().st_size
        if size > min(room, INPUT_BYTES):
            break
        data = path.read_bytes()
        if not deadly(name, data):
            (corpus / path.name[:12]).write_bytes(data)
            room, kept = room - size, kept + 1
    return kept


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz, print, and return the exit code: 1 also where atheris is absent."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.parsers.fuzz")
    parser.add_argument("--parser", choices=sorted(PARSERS), help="one parser")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--corpus", type=Path, help="folder of inputs of that parser")
    parser.add_argument("--keep", action="store_true", help="keep what is new and small in the corpus")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="page whose figures are replaced")
    args = parser.parse_args(arguments)
    names = [args.parser] if args.parser else list(PARSERS)
    passed = []
    for name in names:
        corpus = args.corpus if args.corpus and args.parser else CORPUS / name
        tried = partial(gate, name, args.seconds, corpus, args.keep)
        passed.append(judged(f"fuzz {name}", tried, args.out, may_be_absent=False))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
