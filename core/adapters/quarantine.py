"""Versions put aside for good: moved out of models/versions, with the reason, and never opened again."""

from __future__ import annotations

import os
import re
from pathlib import Path

import structlog

from core.adapters.files import free_name, locked, names_in, read_plain, refuse_link, sync, write_text
from core.adapters.version_files import NAME
from core.domain.learning import StoredVersion
from core.errors import ConfigurationError

log = structlog.get_logger()
FOLDER, REASON = "quarantine", "reason.txt"
#: How long somebody who writes a version is waited for, seconds.
TIMEOUT_S = 10.0
SIZE_LIMIT_BYTES = 4000
#: A version, and its number where several of one name were put aside.
_PUT_ASIDE = re.compile(rf"({NAME.pattern})(\.\d+)?")


def put_aside(root: Path, version: str, reason: str, lock: Path) -> None:
    """Move versions/<version> below `root` to quarantine/<version> and write the reason beside its files.

    What cannot be moved is logged and stays: it is refused where it lies.
    """
    folder = root / "versions" / version
    if not NAME.fullmatch(version) or not os.path.lexists(folder):
        return  # another process has put it aside
    try:
        with locked(lock, TIMEOUT_S, "model versions"):
            refuse_link(root / "versions")
            refuse_link(root / FOLDER)
            (root / FOLDER).mkdir(exist_ok=True)
            aside = free_name(root / FOLDER / version)
            folder.rename(aside)
            if aside.is_dir() and not aside.is_symlink():  # a link would lead the reason out of models/
                write_text(aside / REASON, reason.strip()[: SIZE_LIMIT_BYTES // 4] + "\n")
            sync(root / FOLDER)
            sync(root / "versions")
    except (OSError, ConfigurationError, UnicodeError) as error:
        log.error("a version could not be put aside", version=version, error=str(error))
        return
    log.warning("a version was put aside", version=version, reason=reason)


def put_aside_versions(root: Path) -> tuple[StoredVersion, ...]:
    """Return what was put aside; nothing of it is read but the reason."""
    try:
        names = names_in(root, FOLDER)
    except OSError:
        return ()
    found = [(name, match.group(1)) for name in sorted(names) if (match := _PUT_ASIDE.fullmatch(name))]
    return tuple(StoredVersion(version, None, _reason(root, name), quarantined=True) for name, version in found)


def _reason(root: Path, name: str) -> str:
    try:
        return read_plain(root, f"{FOLDER}/{name}/{REASON}", SIZE_LIMIT_BYTES).decode("utf-8", "replace").strip()
    except OSError:
        return "It was put aside; the reason is not known."
