"""The gates around the model store in their short form: each passes, and catches its broken variant."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.gates import Absent, Result
from tests.faults.model import __main__ as suite
from tests.faults.model.__main__ import GATES

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """Return what the short form prints, from a process without the threads of other tests: it forks."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.faults.model", "--short"],
        cwd=PROJECT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stderr
    return ran.stdout.splitlines()


@pytest.mark.slow  # `make faults` runs them whole
@pytest.mark.parametrize("gate", GATES)
def test_a_gate_passes_and_catches_its_broken_variant(lines: list[str], gate: str) -> None:
    at = next(i for i, line in enumerate(lines) if line.startswith(gate))
    if lines[at].endswith("SKIP"):
        pytest.skip(lines[at])
    assert lines[at].endswith(" PASS"), "\n".join(lines[at:])


@pytest.mark.parametrize(("form", "code"), [([], 1), (["--short"], 0)])
def test_without_strace_only_the_short_form_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: list[str], code: int
) -> None:
    def untraceable(*_: object) -> Result:
        raise Absent("no strace")

    monkeypatch.setattr(suite, "silence", list)
    monkeypatch.setattr(suite, "made_home", lambda _folder: None)
    monkeypatch.setitem(GATES, "last calls", untraceable)
    assert suite.main(["--only", "last calls", *form]) == code
    assert "skipped: no strace" in capsys.readouterr().out
