"""Secrets of a home: one for all processes, for nobody else's eyes, and never half of one."""

from __future__ import annotations

import errno
import logging
import os
import stat
import threading
from pathlib import Path

import pytest

from core.adapters.keys import secret
from core.errors import ConfigurationError
from tests.adapters.failing_disk import Disk


def test_a_secret_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "model.key"
    made = secret(path)
    assert len(made) == 32
    assert path.read_text() == made.hex() + "\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret(path) == made
    assert [p.name for p in path.parent.iterdir()] == ["model.key"]
    assert secret(tmp_path / "data" / "admin.token") != made


def test_nobody_else_can_read_it_whatever_the_mask(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        secret(tmp_path / "model.key")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "model.key").stat().st_mode) == 0o600


def test_of_twenty_that_start_at_once_all_get_the_same_one(tmp_path: Path) -> None:
    for number in range(10):
        path, found, barrier = tmp_path / str(number) / "model.key", set(), threading.Barrier(20)

        def ask(path: Path, found: set[bytes], barrier: threading.Barrier) -> None:
            barrier.wait()
            found.add(secret(path))

        threads = [threading.Thread(target=ask, args=(path, found, barrier)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {bytes.fromhex(path.read_text())}
        assert [p.name for p in path.parent.iterdir()] == ["model.key"]


def test_of_processes_that_start_at_once_all_get_the_same_one(tmp_path: Path) -> None:
    pids = []
    for number in range(8):
        pid = os.fork()
        if pid == 0:
            try:
                (tmp_path / f"{number}.told").write_bytes(secret(tmp_path / "home" / "model.key"))
                os._exit(0)
            finally:
                os._exit(1)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 8
    assert len({(tmp_path / f"{number}.told").read_bytes() for number in range(8)}) == 1


@pytest.mark.parametrize(
    "text", ["", "\n", "ab" * 31, "ab" * 33, "zz" * 32, "AB" * 32, "ab" * 32 + "\n\n", "ab" * 500], ids=range(8)
)
def test_an_empty_or_garbled_secret_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="64 hexadecimal digits") as caught:
        secret(path)
    assert "backup" in caught.value.hint
    assert path.read_text() == text


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o601])
def test_a_secret_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "model.key"
    secret(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="by others") as caught:
        secret(path)
    assert "chmod 600" in caught.value.hint
    path.chmod(0o600)
    secret(path)


def test_a_link_is_refused_even_to_a_good_secret(tmp_path: Path) -> None:
    secret(tmp_path / "elsewhere")
    (tmp_path / "model.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="is a link"):
        secret(tmp_path / "model.key")
    (tmp_path / "elsewhere").unlink()
    with pytest.raises(ConfigurationError, match="is a link"):
        secret(tmp_path / "model.key")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused(tmp_path: Path, make: object) -> None:
    make(tmp_path / "model.key")  # type: ignore[operator]
    with pytest.raises(ConfigurationError):
        secret(tmp_path / "model.key")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_fails_leaves_no_half_secret(tmp_path: Path, code: int) -> None:
    path, step = tmp_path / "data" / "model.key", 0
    while True:
        step += 1
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, step, code)
            try:
                secret(path)
            except ConfigurationError as error:
                assert os.strerror(code) in error.message
        if not disk.failed:
            break
        left = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        assert left in ([], ["model.key"])
        if left:  # the last step flushes the folder: the secret is whole, and the next to ask gets it
            secret(path)
            path.unlink()
    assert step > 3


def test_it_is_never_told(tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "model.key"
    made = secret(path).hex()
    path.write_text(made + "x")
    with pytest.raises(ConfigurationError) as caught:
        secret(path)
    told = f"{caught.value!r} {caught.value.context} {caplog.text} {capsys.readouterr()}"
    assert made[:8] not in told
