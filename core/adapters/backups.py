"""The home in one file: models, data and ledger as they are at one moment; and a home out of such a file."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Any

from core.adapters.files import remove, sync, write_whole
from core.adapters.ledger import SqlLedger
from core.adapters.ledger_copy import copied
from core.errors import ConfigurationError
from core.ports import Progress, silent

#: What a backup of this program is like; a later one is refused.
FORMAT = 1
#: Folders of a home; its logs are not kept.
PARTS = ("models", "data")
#: The ledger is a file of SQLite in every backup, whatever database it is in.
LEDGER = "data/ledger.sqlite"
#: The last member: what the others are, with their digests.
CONTENTS = "backup.json"
#: Of which so many bytes are read: names and digests of half a million files.
LIMIT = 64_000_000
#: What is no state: locks, files that are being written, and SQLite's own.
PASSING = (".lock", ".tmp", "-wal", "-shm", "/lock")
AGAIN = "Take another backup; this one was not used."


@dataclass(frozen=True)
class Contents:
    """What a backup holds: when and by which program it was made, and the digest (SHA-256) of each file by name."""

    at: str
    version: str
    files: Mapping[str, str]


def write(path: Path, home: Path, ledger: SqlLedger, made: tuple[datetime, str], told: Progress = silent) -> Contents:
    """Write a backup of a home, whole or not at all; programs may run and write meanwhile.

    `made` is the moment and the version of the program. The file can be read by its owner alone: it holds the key of
    the models and the token of the administrator.

    Raises
    ------
    ConfigurationError
        If the file is there already or lies within what it keeps, or the ledger does not answer.
    OSError
        Whatever the disk says.
    """
    if path.exists() or any(path.resolve().is_relative_to(home.resolve() / part) for part in PARTS):
        raise ConfigurationError(
            f"{path} is there already, or within the home.", hint="Name a new file outside models/ and data/."
        )
    digests: dict[str, str] = {}

    def fill(temporary: Path) -> None:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                copy = SqlLedger(f"sqlite:///{folder}/ledger.sqlite")
                copied(ledger, copy, lambda share, what: told(share / 2, what))
                copy.engine.dispose()
                _add(archive, LEDGER, Path(folder) / "ledger.sqlite", digests)
            names = list(_names(home))
            for done, name in enumerate(names):
                told(0.5 + done / len(names) / 2, f"copying {name}")
                _add(archive, name, home / name, digests)
            text = json.dumps({"format": FORMAT, "at": made[0].isoformat(), "version": made[1], "files": digests})
            member = tarfile.TarInfo(CONTENTS)
            member.size = len(text.encode())
            archive.addfile(member, BytesIO(text.encode()))

    write_whole(path, fill)
    return Contents(made[0].isoformat(), made[1], digests)


def restore(path: Path, home: Path, told: Progress = silent) -> Contents:
    """Make a home out of a backup, whole or not at all: every file is held against its digest before one is in place.

    Raises
    ------
    ConfigurationError
        If the home has models or data, or the file is no whole backup.
    OSError
        Whatever the disk says.
    """
    taken = [part for part in PARTS if (home / part).exists() and any((home / part).iterdir())]
    if taken:
        raise ConfigurationError(
            f"The home has {' and '.join(taken)}; nothing was restored.", hint="Move them away, or set CLOUDBURST_HOME."
        )
    home.mkdir(parents=True, exist_ok=True)
    new = home / f".restoring.{os.getpid()}.tmp"
    try:
        new.mkdir()
        contents = _unpacked(path, new, told)
        for part in PARTS:
            (new / part).mkdir(exist_ok=True)
            sync(new / part)
            (new / part).replace(home / part)
        sync(home)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is no whole backup ({type(error).__name__}).", hint=AGAIN) from error
    finally:
        remove(new)
    return contents


def _names(home: Path) -> Iterator[str]:
    """Yield the files of a home: what points to a version comes before the version, which never changes."""
    found = [file for part in PARTS for file in (home / part).rglob("*") if file.is_file() and not file.is_symlink()]
    for file in sorted(found, key=lambda file: (len(file.parts), file)):
        name = file.relative_to(home).as_posix()
        if name != LEDGER and not name.endswith(PASSING):
            yield name


def _add(archive: tarfile.TarFile, name: str, path: Path, digests: dict[str, str]) -> None:
    """Add a file as it is when it is opened; one that has gone meanwhile is left out."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        member = tarfile.TarInfo(name)
        member.size = os.fstat(file.fileno()).st_size
        member.mtime, member.mode = int(os.fstat(file.fileno()).st_mtime), os.fstat(file.fileno()).st_mode & 0o700
        reading = _Digesting(file)
        archive.addfile(member, reading)  # type: ignore[arg-type]
        digests[name] = reading.sha256.hexdigest()


class _Digesting:
    """A file of which a digest is made as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.sha256 = file, hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.sha256.update(data)
        return data


def _unpacked(path: Path, folder: Path, told: Progress) -> Contents:
    """Unpack a backup into an empty folder, and make sure that it is what it says."""
    found, contents = dict[str, str](), None
    size = path.stat().st_size
    with path.open("rb") as file, gzip.open(file) as plain, tarfile.open(fileobj=plain, mode="r:") as archive:
        for member in archive:
            told(min(file.tell() / size, 1.0), member.name)
            data = archive.extractfile(member) if member.isreg() else None
            if data is None or contents is not None:
                raise ValueError(member.name)
            if member.name == CONTENTS:
                contents = _contents(json.loads(data.read(LIMIT)))
                continue
            found[member.name] = _placed(data, folder, member)
        while plain.read(1 << 20):  # to its checksum
            pass
    if contents is None or found != dict(contents.files):
        raise ValueError("files and digests")
    return contents


def _placed(data: IO[bytes], folder: Path, member: tarfile.TarInfo) -> str:
    """Write one file below a folder, and return its digest."""
    parts = PurePosixPath(member.name).parts
    if parts[0] not in PARTS or ".." in parts or len(parts) < 2:
        raise ValueError(member.name)
    place = folder.joinpath(*parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, member.mode & 0o700 | 0o400)
    sha256 = hashlib.sha256()
    with os.fdopen(handle, "wb") as file:
        while part := data.read(1 << 20):
            sha256.update(part)
            file.write(part)
        file.flush()
        os.fsync(handle)
    return sha256.hexdigest()


def _contents(said: Mapping[str, Any]) -> Contents:
    if said["format"] > FORMAT:
        raise ValueError(f"format {said['format']}")
    return Contents(said["at"], said["version"], dict(said["files"]))
