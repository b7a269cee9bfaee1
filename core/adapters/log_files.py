"""The log as a file: bounded, rotated, readable by its owner alone, and never a reason to fail."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from core.adapters.log_lines import line


class LogFile:
    """Lines in `path`, older ones in `path.1`, `path.2` and so on.

    The file belongs to the process that opened it first; the lines of another one are lost here, and so are all for
    which the disk has no room. The first that is lost is told, and where writing goes on a line says how many were.
    What somebody else moves away or removes is made anew.

    Parameters
    ----------
    most_bytes
        Size that no file grows beyond, unless a single line is longer.
    kept
        Number of older files.
    told
        Called once with the reason, when the first line is lost.
    """

    def __init__(self, path: Path, most_bytes: int, kept: int, told: Callable[[str], None]) -> None:
        self._path, self._most_bytes, self._kept, self._told = path, most_bytes, kept, told
        self._lock = threading.Lock()
        self._handle: int | None = None
        self._lost = 0
        self._has_told = False

    def write(self, text: str) -> None:
        """Append a line, whole or not at all."""
        reason = ""
        with self._lock:
            try:
                self._append(f"{self._gap()}{text}\n".encode("utf-8", "backslashreplace"))
                self._lost = 0
            except OSError as error:
                self._lost += 1
                reason = error.strerror or type(error).__name__
        if reason and not self._has_told:
            self._has_told = True
            self._told(reason)

    def close(self) -> None:
        """Let go of the file; the next line opens it again."""
        with self._lock:
            self._close()

    def _gap(self) -> str:
        """Return the line that says how many were lost, nothing where none was."""
        if not self._lost:
            return ""
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        said = {"timestamp": now, "level": "warning", "event": "log lines were lost", "count": str(self._lost)}
        return line(said) + "\n"

    def _append(self, data: bytes) -> None:
        handle = self._opened()
        size = os.fstat(handle).st_size
        if size and size + len(data) > self._most_bytes:
            self._rotate()
            handle, size = self._opened(), 0
        if os.write(handle, data) < len(data):
            os.ftruncate(handle, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _opened(self) -> int:
        """Return the open file, which is the one at the path."""
        if self._handle is not None:
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._handle), self._path.stat()):
                    return self._handle
            self._close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise OSError(errno.EBUSY, "another process writes it") from None
        self._handle = handle
        return handle

    def _rotate(self) -> None:
        """Give every older file the next number, and the current one the first; those beyond the last go."""
        self._close()
        older = (path for path in self._path.parent.glob(f"{self._path.name}.*") if path.suffix[1:].isdecimal())
        for path in sorted(older, key=_number, reverse=True):
            if _number(path) < self._kept:
                path.replace(path.with_suffix(f".{_number(path) + 1}"))
            else:
                path.unlink()
        if self._kept:
            self._path.replace(f"{self._path}.1")
        else:
            self._path.unlink()

    def _close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _number(path: Path) -> int:
    return int(path.suffix[1:])
