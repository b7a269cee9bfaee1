"""Folders of versions as somebody who can write models/ would change them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.adapters.model_store import FolderModelStore
from core.adapters.version_files import CARD, MANIFEST, MODEL, PROBE, SIGNATURE, signature
from tests.models_made import KEY, model_store, stored

FILES = [MODEL, MANIFEST, CARD, PROBE, SIGNATURE]


def folder(version: str, tmp_path: Path) -> Path:
    """Return the folder of a version in the home below `tmp_path`."""
    return tmp_path / "models" / "versions" / version


def sign(path: Path, text: bytes, key: bytes = KEY) -> None:
    """Put another manifest into a version, signed."""
    (path / MANIFEST).write_bytes(text)
    (path / SIGNATURE).write_text(signature(key, text) + "\n")


def with_seed(tmp_path: Path) -> FolderModelStore:
    """Return the store of a home with a shipped model."""
    shipped = tmp_path / "shipped"
    version = stored(model_store(shipped)).version
    path = shipped / "versions" / version
    (path / "manifest.hmac").unlink()
    digest = hashlib.sha256((path / "manifest.json").read_bytes()).hexdigest()
    return FolderModelStore(tmp_path / "models", shipped, (version, digest), KEY)


def pointer(tmp_path: Path) -> Path:
    """Return the pointer of the region `gauges` in the home below `tmp_path`."""
    return tmp_path / "models" / "trained" / "gauges@gauges.json"
