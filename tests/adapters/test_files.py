"""A file is either whole or as it was."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.adapters import files
from core.adapters.files import write_text, write_whole


def _half(temporary: Path) -> None:
    temporary.write_text("half of the ne")
    raise RuntimeError("the lights went out")


def test_text_is_written_whole_in_utf_8_and_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "note.txt"
    write_text(path, "≥ 15 mm/h\n")
    assert path.read_bytes() == "≥ 15 mm/h\n".encode()
    assert [p.name for p in path.parent.iterdir()] == ["note.txt"]


def test_the_old_file_stays_when_the_writer_raises(tmp_path: Path) -> None:
    path = tmp_path / "table"
    write_text(path, "old")
    with pytest.raises(RuntimeError, match="lights"):
        write_whole(path, _half)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table"]


def test_no_file_appears_when_the_first_writer_raises(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="lights"):
        write_whole(tmp_path / "table", _half)
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_stays_when_it_cannot_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table"
    write_text(path, "old")

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table"]


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "table"
    write_text(path, "old")
    seen = []

    def write(temporary: Path) -> None:
        temporary.write_text("new")
        seen.append(path.read_text())

    write_whole(path, write)
    assert (seen, path.read_text()) == (["old"], "new")


def test_the_file_is_on_the_disk_before_the_rename_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table"
    write_text(path, "old")
    steps: list[tuple[str, str]] = []
    monkeypatch.setattr(files, "sync", lambda p: steps.append((Path(p).name, path.read_text())))
    write_text(path, "new")
    (first, before), (second, after) = steps
    assert first not in {"table", tmp_path.name}
    assert (before, second, after) == ("old", tmp_path.name, "new")


def test_two_threads_of_one_process_may_write_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "table"

    def slow(temporary: Path) -> None:
        temporary.write_text("mine")
        other = threading.Thread(target=write_text, args=(path, "the other's"))
        other.start()
        other.join()

    write_whole(path, slow)
    assert path.read_text() == "mine"
