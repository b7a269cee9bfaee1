"""Every input kept of the fuzzers, again; and the pieces of fuzzing and of mutation testing that need neither tool."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.gates import Absent
from tests.faults.mutation import __main__ as mutation
from tests.faults.mutation.__main__ import Tally, codes, section, tally
from tests.faults.mutation.groups import GROUPS
from tests.faults.parsers import fuzz, judged
from tests.faults.parsers.fuzz import CORPUS, gate
from tests.faults.parsers.judged import PARSERS, deadly, replay

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", PARSERS)
def test_the_corpus_finds_nothing(name: str) -> None:
    assert list((CORPUS / name).iterdir())
    assert replay(name, CORPUS / name) == []


@pytest.mark.parametrize("name", PARSERS)
def test_the_planted_bug_lies_beyond_the_corpus(name: str) -> None:
    assert [path.name for path in (CORPUS / name).iterdir() if deadly(name, path.read_bytes())] == []


def test_the_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 300_000


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_that_falls_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def falls(data: bytes) -> None:
        raise IndexError(len(data))

    monkeypatch.setitem(judged.PARSERS, name, falls)
    assert len(replay(name, CORPUS / name)) == len(list((CORPUS / name).iterdir()))


def test_without_atheris_the_gate_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fuzz.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(Absent, match="atheris"):
        gate("manifest", 1, tmp_path, False)


def test_mutants_are_counted_by_what_became_of_them() -> None:
    found = tally({"a": 1, "b": 0, "c": 33, "d": 36, "e": None, "f": 3, "g": -9})
    assert (found.killed, found.tried, found.total, found.survivors) == (4, 6, 7, ["b", "c"])
    assert found.text.startswith("4/6 66.7% (95 %: 30.0% to 90.3%; a sample of 7); 2 killed")
    assert Tally().share == 0.0
    unsaid = tally({"interrupted": 2, "skipped": 34, "suspicious": 35, "crashed": -11, "timeout": -24})
    assert (unsaid.killed, unsaid.survivors) == (1, ["crashed", "interrupted", "skipped", "suspicious"])
    assert all(unsaid.counts[kind] == 1 for kind in ("interrupted", "skipped", "suspicious", "crashed", "timeout"))


@pytest.mark.parametrize(("ended", "found"), [(1, {"a": 1, "b": 0}), (0, {"a": 1, "b": None}), (0, {})])
@pytest.mark.parametrize("most", [0, 2])
def test_a_run_that_ended_early_is_judged_on_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ended: int, found: dict[str, int | None], most: int
) -> None:
    (tmp_path / "mutmut.log").write_text("it fell")
    monkeypatch.setattr(mutation, "mutmut", lambda _folder, _names: ended)
    monkeypatch.setattr(mutation, "codes", lambda _folder: found)
    with pytest.raises(SystemExit, match="above is the end of what it said"):
        mutation.run(GROUPS["units"], tmp_path, most, 0)


def test_a_sample_is_told_as_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(mutation, "mutmut", lambda _folder, names: asked.append(names) or 0)
    monkeypatch.setattr(mutation, "codes", lambda _folder: {"a": 1, "b": 1, "c": None})
    found = mutation.run(GROUPS["units"], tmp_path, 1, 3)
    assert (asked[0], len(asked[1]), found.tried, found.total) == (["nothing"], 1, 1, 3)


def test_modules_and_tests_of_every_group_are_there(tmp_path: Path) -> None:
    for group in GROUPS.values():
        assert all((ROOT / "core" / name).is_file() for name in group.modules)
        assert all((ROOT / "tests" / name).is_file() for name in group.tests)
        assert all((ROOT / "tests" / name.partition("::")[0]).is_file() for name in group.without)
        assert section(group).startswith("\n[tool.mutmut]\nsource_paths = [")
    assert codes(tmp_path) == {}
