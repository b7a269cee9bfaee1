"""Careless hands in models/: what is not ours is read as anything that it may be, and written wherever that leads.

A malicious file that they do not touch proves nothing where ours do not touch it either.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Container
from contextlib import suppress
from functools import partial
from pathlib import Path

from core.adapters.version_files import MODEL
from tests.faults.model.broken import trusted, unpickled
from tests.faults.model.canary_shapes import Trap
from tests.faults.processes import Say


def use(trap: Trap, ours: Container[bytes], _say: Say) -> None:
    """Open every file whose bytes are not ours and write into all of them, through links too."""
    for place, _, names in os.walk(trap.home.root, followlinks=True):
        for path in (Path(place, name) for name in names):
            if not path.is_file():  # a pipe would be waited for
                continue
            data = path.read_bytes()
            if data not in ours:
                _open(data, path.parent)
                _follow(data, trap)
            with path.open("ab") as file:
                file.write(b"\n")
        Path(place, "mine").touch()


def _open(data: bytes, beside: Path) -> None:
    """Read bytes as pickle or array, as compressed ones, as a model of whatever types, and as an archive."""
    for way in (unpickled, lambda some: unpickled(zlib.decompress(some)), trusted, partial(_extract, beside)):
        with suppress(Exception):
            way(data)


def _extract(folder: Path, data: bytes) -> None:
    """Put the members of an archive where their names say, and open them."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            member = archive.read(name)
            with suppress(Exception):
                unpickled(member)
            with suppress(OSError):
                (folder / name).write_bytes(member)


def _follow(data: bytes, trap: Trap) -> None:
    """Open the version that a manifest or a pointer names, wherever that is."""
    with suppress(Exception):
        named = json.loads(data)
        version = named.get("version") or named["deployment"]["to_version"]
        unpickled((trap.home.models / "versions" / version / MODEL).read_bytes())
