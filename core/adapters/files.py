"""Writing so that a file is either whole or absent, also after a power cut; reading without following a link."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import ConfigurationError

#: How long tables are waited for that another thread or process writes, seconds; one that hangs keeps nobody for ever.
PATIENCE_S = 10.0


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary neighbour, then put it in place of `path`.

    Temporary file, fsync, rename, fsync of the folder: a rename alone lost 38 of 40 acknowledged writes in a simulated
    power cut.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder, not a file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # a killed process's, or a link that somebody has put there
        write(temporary)
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) whole or not at all."""
    write_whole(path, lambda temporary: temporary.write_text(text, "utf-8"))


def write_folder(path: Path, contents: Mapping[str, bytes]) -> None:
    """Write a new folder with its files whole or not at all; `path` must not be there yet.

    Temporary folder of a name of its own, fsync of every file and of the folder, rename, fsync of the parent. Where any
    of these fails, nothing of it stays.

    Raises
    ------
    OSError
        Whatever the disk says; EEXIST where `path` is there already.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, "is there already", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.mkdir()
        for name, data in contents.items():
            (temporary / name).write_bytes(data)
            sync(temporary / name)
        sync(temporary)
        temporary.rename(path)
        try:
            sync(path.parent)
        except OSError:
            path.rename(temporary)
            raise
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextmanager
def locked(path: Path, timeout_s: float, what: str) -> Iterator[None]:
    """Hold a lock that is free as soon as its holder is gone, among the threads and processes of one machine.

    Raises
    ------
    ConfigurationError
        If somebody else holds it all that time, or the lock file at `path` cannot be written.
    """
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=timeout_s)
    except Timeout:
        raise ConfigurationError(
            f"Somebody else has been writing {what} for {timeout_s:g} s; nothing was changed.",
            hint="Try again; if it stays so, end the process that hangs.",
        ) from None
    except OSError as error:
        raise unwritable(what, error) from None
    try:
        yield
    finally:
        lock.release()


def unwritable(what: str, error: OSError) -> ConfigurationError:
    """Return the error that says why `what` could not be written, and that everything is as it was."""
    return ConfigurationError(
        f"{what[:1].upper()}{what[1:]} cannot be written: {error.strerror or type(error).__name__}. Nothing was"
        " changed.",
        hint="Make room on the disk, and let this user write the folder; then try again.",
    )


def refuse_link(folder: Path) -> None:
    """Refuse to write into a folder that is a link: nothing in it would be read again.

    Raises
    ------
    ConfigurationError
        If it is one.
    """
    if folder.is_symlink():
        raise ConfigurationError(
            f"The folder {folder.parent.name}/{folder.name} is a link; nothing was changed.",
            hint="Put the folder itself there. To keep the models on another disk, set CLOUDBURST_HOME.",
        )


def remove(path: Path) -> None:
    """Remove a file, a link (not what it points to) or a folder with all it holds, as far as that is possible."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def free_name(path: Path) -> Path:
    """Return `path`, or the first of path.2, path.3 ... that is not there yet."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_plain(root: Path, name: str, limit: int) -> bytes:
    """Return the bytes of a file below `root`.

    Parameters
    ----------
    name
        Parts joined by slashes. None of them may be a link; `root` itself may be reached through one.
    limit
        Largest size, bytes.

    Raises
    ------
    OSError
        ELOOP for a link, EFBIG for a larger file, EINVAL for what is no file (a pipe, a folder), else what the disk
        says.
    """
    handle = _opened(root, name, os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "is no file", name)
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    finally:
        os.close(handle)
    if len(data) > limit:
        raise OSError(errno.EFBIG, "is too large", name)
    return data


def names_in(root: Path, name: str) -> frozenset[str]:
    """Return what a folder below `root` holds; errors as `read_plain`."""
    handle = _opened(root, name, os.O_DIRECTORY)
    try:
        return frozenset(os.listdir(handle))  # noqa: PTH208 - pathlib cannot list an open folder
    finally:
        os.close(handle)


def _opened(root: Path, name: str, flags: int) -> int:
    """Return the open file or folder, reached step by step so that nobody can slip a link in between."""
    *folders, last = name.split("/")
    steps = [*((folder, os.O_DIRECTORY) for folder in folders), (last, flags)]
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for step, more in steps:
        try:
            inner = os.open(step, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | more, dir_fd=at)
        except OSError:
            if _is_link(step, at):  # a folder that is a link is ENOTDIR to the system
                raise OSError(errno.ELOOP, "is a link", name) from None
            raise
        finally:
            os.close(at)
        at = inner
    return at


def _is_link(name: str, folder: int) -> bool:
    with suppress(OSError):
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    return False
