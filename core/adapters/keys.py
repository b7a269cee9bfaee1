"""Secrets of a home, each in a file of its own that only its owner can read, made at first use."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from core.adapters.files import sync
from core.errors import ConfigurationError

SECRET_BYTES = 32
_KEPT = re.compile(rb"[0-9a-f]{%d}\n?" % (2 * SECRET_BYTES))
#: Rights of everybody but the owner.
_OTHERS = 0o077


def secret(path: Path) -> bytes:
    """Return the secret kept at `path` as hex text; make it where there is none.

    Of several processes that start at once all return the same one: each writes its own to a temporary file, and the
    one whose hard link is made first stays.

    Parameters
    ----------
    path
        File of the secret; its folder is made where it is missing.

    Returns
    -------
    bytes
        32 random bytes; the file holds them as 64 hexadecimal digits.

    Raises
    ------
    ConfigurationError
        If the file is a link, can be read by others, does not hold 64 hexadecimal digits, or can be neither read nor
        made.
    """
    try:
        if not os.path.lexists(path):
            _make(path)
        return _read(path)
    except OSError as error:
        raise ConfigurationError(
            f"The secret {path} can be neither read nor made: {error.strerror or type(error).__name__}.",
            hint="Let this user read and write its folder, on a disk that is not full and knows hard links.",
        ) from None


def _make(path: Path) -> None:
    """Put a new secret at `path`, whole and on the disk, unless somebody else was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_bytes(SECRET_BYTES).hex() + "\n")
        sync(temporary)
        with suppress(FileExistsError):  # then theirs is the secret
            path.hardlink_to(temporary)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    """Return the secret of a file that nobody else can read."""
    if path.is_symlink():
        raise ConfigurationError(f"The secret {path} is a link.", hint="Put the file itself there.")
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(handle).st_mode
        text = os.read(handle, 4 * SECRET_BYTES) if stat.S_ISREG(mode) else b""
    finally:
        os.close(handle)
    if stat.S_ISREG(mode) and mode & _OTHERS:
        raise ConfigurationError(
            f"The secret {path} can be read or changed by others (mode {stat.S_IMODE(mode):o}).",
            hint="Run: chmod 600 on it. If others may have read it, remove it instead: a new one is made.",
        )
    if not _KEPT.fullmatch(text):
        raise ConfigurationError(
            f"The secret {path} is not {2 * SECRET_BYTES} hexadecimal digits.",
            hint="Restore it from a backup, or remove it: a new one is made, and what rests on the old one is refused.",
        )
    return bytes.fromhex(text.decode("ascii"))
