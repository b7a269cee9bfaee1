"""Folders of versions as somebody who can write models/ would change them."""

from __future__ import annotations

from pathlib import Path

from core.adapters.version_files import CARD, MANIFEST, MODEL, PROBE, SIGNATURE, signature
from tests.models_made import KEY

FILES = [MODEL, MANIFEST, CARD, PROBE, SIGNATURE]


def folder(version: str, tmp_path: Path) -> Path:
    """Return the folder of a version in the home below `tmp_path`."""
    return tmp_path / "models" / "versions" / version


def sign(path: Path, text: bytes, key: bytes = KEY) -> None:
    """Put another manifest into a version, signed."""
    (path / MANIFEST).write_bytes(text)
    (path / SIGNATURE).write_text(signature(key, text) + "\n")
