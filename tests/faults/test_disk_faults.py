"""Pieces of the gates around a home's disk, in seconds: writers, spoiled calls, crowds and flipped bits."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.disk import __main__ as suite
from tests.faults.disk.crowds import SHARED, crowd, unlocked
from tests.faults.disk.failing import CALLS, failing, in_place
from tests.faults.disk.torn_files import believed, unchecked
from tests.faults.disk.writers import WRITERS, Writer
from tests.faults.gates import Absent
from tests.faults.processes import silence, told_alone

#: Writers that are tried here; the gates try all.
SOME = ("run", "outbox")


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.name)
def test_what_a_writer_wrote_is_there_by_its_number(writer: Writer, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number in range(3):
        writer.write(tmp_path, number)
    assert writer.there(tmp_path) == ([2] if writer.replaces else [0, 1, 2])


def test_there_is_a_gate_for_every_fault_of_a_disk() -> None:
    assert list(suite.GATES) == [
        "power cut",
        "failing writers",
        "full disk",
        "read-only",
        "torn files",
        "processes",
    ]
    assert CALLS == ("openat", "write", "fsync", "rename")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a process without the threads of other tests found: it forks."""
    return told_alone("tests.faults.test_disk_faults", str(tmp_path_factory.mktemp("disk")))  # type: ignore[no-any-return]


def test_a_call_that_fails_leaves_the_old_state_or_the_new_one(found: dict[str, Any]) -> None:
    if found["absent"]:
        pytest.skip(found["absent"])
    assert found["failing"] == []
    assert found["in place"]


def test_a_crowd_loses_nothing_and_one_without_a_lock_does(found: dict[str, Any]) -> None:
    assert found["crowd"] == []
    assert found["unlocked"]


def test_no_flipped_bit_is_believed_but_without_checksums(found: dict[str, Any]) -> None:
    assert found["believed"] == 0
    assert found["unchecked"] > 0


def _find(folder: Path) -> dict[str, Any]:
    silence()
    by_name = {writer.name: writer for writer in WRITERS}
    absent, broken, careless = "", [], []
    try:
        for name in SOME:
            broken += failing(by_name[name], folder / name, False).broken
        careless = failing(by_name["run"], folder / "careless", False, in_place, ("write",)).broken
    except Absent as error:
        absent = str(error)
    names = [name for name in SHARED if name in ("outbox", "quality")]
    return {
        "absent": absent,
        "failing": broken,
        "in place": careless,
        "crowd": [wrong for name in names for wrong in crowd(by_name[name], folder, 2, 1)[0]],
        "unlocked": crowd(by_name["features"], folder, 8, 1, unlocked)[0],
        "believed": believed(folder / "flips", 30, lambda _: None),
        "unchecked": believed(folder / "flips", 30, unchecked),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_find(Path(sys.argv[1]))))
