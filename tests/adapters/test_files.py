"""A file is either whole or as it was."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from core.adapters import files
from core.adapters.files import (
    free_name,
    locked,
    names_in,
    read_plain,
    remove,
    write_folder,
    write_text,
    write_whole,
)
from core.errors import ConfigurationError
from tests.adapters.failing_disk import Disk


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


def test_a_temporary_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    left = tmp_path / f".table.{os.getpid()}.{threading.get_ident()}.tmp"
    left.symlink_to(tmp_path / "precious")
    write_text(tmp_path / "table", "new")
    assert (tmp_path / "precious").read_text() == "kept"
    assert (tmp_path / "table").read_text() == "new"
    assert not (tmp_path / "table").is_symlink()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path, code: int) -> None:
    step = 0
    while True:
        step += 1
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, step, code)
            try:
                write_folder(tmp_path / "in" / "new", {"a": b"1" * 1000, "b": b"2"})
            except OSError as error:
                assert error.errno == code
        if not disk.failed:
            break
        assert [p.name for p in (tmp_path / "in").glob("*")] == []
    assert step == 10  # parent, folder, two files each flushed, folder flushed, renamed, parent flushed; then nothing
    assert {p.name: p.read_bytes() for p in (tmp_path / "in" / "new").iterdir()} == {"a": b"1" * 1000, "b": b"2"}
    with pytest.raises(FileExistsError):
        write_folder(tmp_path / "in" / "new", {})


def test_a_file_is_read_where_no_part_below_the_root_is_a_link(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c", "text")
    assert read_plain(tmp_path, "a/b/c", 4) == b"text"
    assert names_in(tmp_path, "a/b") == {"c"}
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "link").symlink_to(tmp_path / "a" / "b" / "c")
    os.mkfifo(tmp_path / "pipe")
    for name, code in {
        "link/b/c": errno.ELOOP,
        "a/link": errno.ELOOP,
        "a/none": errno.ENOENT,
        "none/b": errno.ENOENT,
        "a/b/c/d": errno.ENOTDIR,
        "a/b": errno.EINVAL,
        "pipe": errno.EINVAL,
    }.items():
        with pytest.raises(OSError, check=lambda error, code=code: error.errno == code):
            read_plain(tmp_path, name, 100)
    with pytest.raises(OSError, match="too large"):
        read_plain(tmp_path, "a/b/c", 3)
    with pytest.raises(OSError, match="link"):
        names_in(tmp_path, "link")


def test_reading_what_cannot_be_had_leaves_no_file_open(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b", "text")
    (tmp_path / "link").symlink_to("a")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("a/b", "a/none", "none/b", "link/b", "a/b/c", "a"):
        try:
            read_plain(tmp_path, name, 2)
        except OSError:
            continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_is_removed_is_the_link_and_not_where_it_leads(tmp_path: Path) -> None:
    write_text(tmp_path / "kept" / "file", "x")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    write_text(tmp_path / "folder" / "in" / "file", "x")
    for name in ("link", "folder", "none"):
        remove(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept" / "file").is_file()


def test_a_free_name_is_the_first_that_is_not_there(tmp_path: Path) -> None:
    assert free_name(tmp_path / "x") == tmp_path / "x"
    (tmp_path / "x").mkdir()
    (tmp_path / "x.2").symlink_to("nowhere")
    assert free_name(tmp_path / "x") == tmp_path / "x.3"


def test_a_lock_is_held_by_one_and_free_again_whatever_happened(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"
    with pytest.raises(ZeroDivisionError), locked(path, 1, "it"):
        _ = 1 / 0
    with locked(path, 1, "it"), pytest.raises(ConfigurationError, match="Somebody else"), locked(path, 0.01, "it"):
        pass
    with locked(path, 0.01, "it"):
        pass
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(ConfigurationError, match="The table cannot be written"),
        locked(tmp_path / "file" / "lock", 0.01, "the table"),
    ):
        pass
