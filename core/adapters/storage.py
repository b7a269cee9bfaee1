"""Room on the disk of a home: what its folders take, and what is left."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigurationError


@dataclass(frozen=True)
class Storage:
    """Bytes that are free for this user, and bytes that the files of a folder take."""

    free_bytes: int
    data_bytes: int
    models_bytes: int


def storage(home: Path) -> Storage:
    """Return the room on the disk of a home.

    Raises
    ------
    ConfigurationError
        If the disk cannot be asked.
    """
    try:
        free = shutil.disk_usage(home).free
    except OSError as error:
        raise ConfigurationError(
            f"CLOUDBURST_HOME={home} cannot be read: {error.strerror}.", hint="Is its disk still there?"
        ) from None
    return Storage(free, _bytes(home / "data"), _bytes(home / "models"))


def _bytes(folder: Path) -> int:
    """Return the bytes of all files below a folder; one that goes while it is counted takes none."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total
