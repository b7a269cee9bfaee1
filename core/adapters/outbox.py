"""The outbox as a folder: one file per delivery, written whole; a lock for changes and one for the turn to send.

Files, and no table of the ledger: a warning must get out while the database is down. The locks are the system's; they
are free as soon as their holder is gone, so that a killed process neither keeps the turn nor needs a lease.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog
from filelock import FileLock, Timeout

from core.adapters.files import free_name, locked, read_plain, unwritable, write_text
from core.domain.deliveries import Delivery, delivery_of

log = structlog.get_logger()
#: Nobody holds the lock of changes for longer than it takes to write a file.
LOCK_S = 2.0
#: A notice is a page of text.
MOST_BYTES = 1_000_000
WHAT = "the outbox"


class FolderOutbox:
    """Port `Outbox` as the files of a folder, made with the first delivery."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> Sequence[Delivery]:
        """Return every delivery, the oldest first; a file that is none of ours is put aside."""
        found = [self._read(path.stem) for path in self._folder.glob("*.json")]
        return sorted((d for d in found if d is not None), key=lambda d: (d.queued_at, d.notice.at, d.id))

    def add(self, delivery: Delivery) -> bool:
        """Keep a new one; return False where one of its id is there already.

        Raises
        ------
        ConfigurationError
            If it cannot be written; nothing of it is kept.
        """
        with self._changing():
            if self._path(delivery.id).exists():
                return False
            self._write(delivery)
            return True

    def change(self, id: str, changed: Callable[[Delivery], Delivery | None]) -> Delivery | None:
        """Put what `changed` makes of a delivery in its place, and return it; None: leave it, or there is none.

        Raises
        ------
        ConfigurationError
            If it cannot be written; it stays as it was.
        """
        if not id.isalnum():
            return None
        with self._changing():
            before = self._read(id)
            after = None if before is None else changed(before)
            if after is not None:
                self._write(after)
            return after

    def forget(self, id: str) -> None:
        """Drop a delivery; nothing happens where there is none."""
        with suppress(OSError):
            self._path(id).unlink()

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Hold the turn to send: one process and thread at a time. False: somebody else has it.

        Raises
        ------
        ConfigurationError
            If the folder cannot be written.
        """
        lock = FileLock(self._folder / "turn.lock")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        except OSError as error:
            raise unwritable(WHAT, error) from None
        try:
            yield True
        finally:
            lock.release()

    def lost(self) -> int:
        """Return how many files could not be read and were put aside."""
        return sum(1 for _ in self._folder.glob("*.json.broken*"))

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.json"

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with locked(self._folder / "change.lock", LOCK_S, WHAT):
            yield

    def _write(self, delivery: Delivery) -> None:
        try:
            write_text(self._path(delivery.id), json.dumps(delivery.as_dict(), indent=1))
        except OSError as error:
            raise unwritable(WHAT, error) from None

    def _read(self, id: str) -> Delivery | None:
        try:
            data = read_plain(self._folder, f"{id}.json", MOST_BYTES)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                log.warning("a file of the outbox cannot be read", file=f"{id}.json", error=error.strerror)
            return None
        try:
            delivery = delivery_of(json.loads(data))
            if delivery.id != id:
                raise ValueError("it has the name of another")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            log.error("a file of the outbox is no delivery and was put aside", file=f"{id}.json", error=str(error))
            with suppress(OSError):
                self._path(id).rename(free_name(self._folder / f"{id}.json.broken"))
            return None
        return delivery
