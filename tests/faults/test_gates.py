"""The frame of the gates: who passes, what is printed, and what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.figures import keep
from tests.faults.gates import Absent, Result, judged, main

PAGE = """# Page

| Promise | Gate | Last figures | Verdict | Date |
|---|---|---|---|---|
| Nothing is lost | `kills` | old | FAIL | 2020-01-01 |
| Nor here | `cuts` | | | |
"""


def _result(*wrong: str, caught: bool = True) -> Result:
    return Result("5 tries", wrong, "broken 3", caught)


@pytest.mark.parametrize(
    ("result", "well"),
    [
        (_result(), True),
        (_result(caught=False), False),
        (_result("torn"), False),
        (_result("torn", caught=False), False),
    ],
)
def test_a_gate_passes_where_nothing_is_wrong_and_its_broken_variant_was_caught(result: Result, well: bool) -> None:
    assert result.well is well
    assert judged("kills", lambda: result) is well


def test_a_gate_without_its_tools_is_skipped_or_fails(capsys: pytest.CaptureFixture[str]) -> None:
    def gate() -> Result:
        raise Absent("no strace")

    assert judged("calls", gate)
    assert not judged("calls", gate, may_be_absent=False)
    assert capsys.readouterr().out.splitlines() == [
        "calls           skipped: no strace SKIP",
        "calls           skipped: no strace FAIL",
    ]


def test_the_full_run_skips_nothing() -> None:
    def gate(_folder: Path, _full: bool) -> Result:
        raise Absent("no strace")

    assert main("suite", {"calls": gate}, []) == 0
    assert main("suite", {"calls": gate}, ["--full"]) == 1


def test_a_gate_that_ends_by_an_error_fails_and_the_others_are_tried(capsys: pytest.CaptureFixture[str]) -> None:
    def gate(_folder: Path, _full: bool) -> Result:
        raise OSError("no port")

    assert main("suite", {"bad": gate, "good": lambda *_: _result()}, []) == 1
    said = capsys.readouterr().out
    assert "OSError: no port" in said
    assert said.splitlines()[-1].startswith("good")


def test_one_failing_gate_makes_the_suite_fail(capsys: pytest.CaptureFixture[str]) -> None:
    gates = {"good": lambda *_: _result(), "bad": lambda *_: _result(*["torn"] * 20)}
    assert main("suite", gates, []) == 1
    assert main("suite", gates, ["--only", "good"]) == 0
    assert "    and 8 more" in capsys.readouterr().out


def test_figures_go_into_the_row_of_their_gate_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, "utf-8")
    judged("cuts", lambda: _result("a | b"), page)
    lines = page.read_text("utf-8").splitlines()
    assert lines[:5] == PAGE.splitlines()[:5]
    assert lines[5].startswith("| Nor here | `cuts` | 5 tries; broken variant: broken 3 | FAIL | 20")
    with pytest.raises(ValueError, match="no row of the gate `flips`"):
        keep(page, "flips", ["", ""])
