"""Deliberately broken variants of the store: what every gate must find."""

from __future__ import annotations

import fcntl
import io
import os
import pickle  # noqa: TID251 - one variant loads what must never be loaded
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.adapters import skops_files
from core.adapters.pointers import Pointer
from core.adapters.version_files import VersionFiles
from core.errors import ModelUntrusted

Variant = Callable[[pytest.MonkeyPatch], object]
#: In how many blocks the careless writer writes: a small file has as many moments in which it is torn as a large one.
BLOCKS = 8
_MODULES = ("model_store", "pointers", "quarantine", "metric_files", "run_files")


def sound(_patch: pytest.MonkeyPatch) -> None:
    """Leave everything as it is."""


def in_place(patch: pytest.MonkeyPatch) -> None:
    """Write every file and folder where it will stand: no temporary one, no rename."""
    for name in _MODULES:
        patch.setattr(f"core.adapters.{name}.write_text", lambda path, text: _block_by_block(path, text.encode()))
    patch.setattr("core.adapters.model_store.write_folder", _folder_in_place)
    patch.setattr("core.adapters.keys._make", lambda path: _block_by_block(path, os.urandom(32).hex().encode(), 0o600))
    patch.setattr("core.adapters.pointers._restore", lambda _path, _before: None)


def unchecked(patch: pytest.MonkeyPatch) -> None:
    """Believe every file: no digest, no signature."""
    patch.setattr(VersionFiles, "_checked", lambda self, name, _manifest: self._read(name))
    patch.setattr(VersionFiles, "_refuse_unsigned", lambda _self, _text: None)


def unpickling(patch: pytest.MonkeyPatch) -> None:
    """Fall back on unpickling what is no skops archive, as skops' own cards once did (CVE-2025-54886)."""
    careful = skops_files.opened

    def opened(data: bytes, version: str) -> Mapping[str, Any]:
        try:
            return careful(data, version)
        except ModelUntrusted:
            return pickle.loads(data)  # type: ignore[no-any-return]  # noqa: S301 - the fault itself

    patch.setattr(skops_files, "opened", opened)


def trusting(patch: pytest.MonkeyPatch) -> None:
    """Trust the types that a file itself names, as MLflow once did (GHSA-w582-9x45-8mpx)."""
    patch.setattr(skops_files, "opened", lambda data, _version: trusted(data))


def trusted(data: bytes) -> Any:
    """Return the object in a skops archive, whatever its types."""
    from skops import io as skops

    return skops.loads(data, trusted=skops.get_untrusted_types(data=data))


def unpickled(data: bytes) -> Any:
    """Return what numpy makes of bytes: an array of any objects, and else whatever a pickle says."""
    return np.load(io.BytesIO(data), allow_pickle=True)  # noqa: TID251 - the fault itself


def unlocked(patch: pytest.MonkeyPatch) -> None:
    """Take every lock, whoever holds it."""
    patch.setattr(fcntl, "flock", lambda _handle, _operation: None)


def unnumbered(patch: pytest.MonkeyPatch) -> None:
    """Deploy whoever has deployed since."""
    patch.setattr(Pointer, "refuse_lost", lambda _self, _made: None)


def _folder_in_place(path: Path, contents: Mapping[str, bytes]) -> None:
    path.mkdir(parents=True)
    for name, data in contents.items():
        _block_by_block(path / name, data)


def _block_by_block(path: Path, data: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = max(1, -(-len(data) // BLOCKS))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        for at in range(0, len(data), size):
            os.write(handle, data[at : at + size])
            os.fsync(handle)
    finally:
        os.close(handle)
