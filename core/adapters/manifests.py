"""Manifests as JSON, strictly checked when they are read."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.domain.learning import ModelManifest
from core.errors import ModelCorrupt

_ADAPTER: TypeAdapter[ModelManifest] = TypeAdapter(ModelManifest)


def dump(manifest: ModelManifest) -> str:
    """Return the manifest as indented JSON."""
    return json.dumps(_ADAPTER.dump_python(manifest, mode="json"), indent=1, allow_nan=False) + "\n"


def parse(text: bytes, version: str) -> ModelManifest:
    """Return the manifest of `version`.

    Raises
    ------
    ModelCorrupt
        If it is no JSON, a field is missing or of another type, or it belongs to another version.
    """
    try:
        manifest = _ADAPTER.validate_json(text)
    except (ValidationError, RecursionError) as error:
        where = error.errors(include_input=False)[0]["loc"] if isinstance(error, ValidationError) else ()
        raise ModelCorrupt(f"The manifest of {version} cannot be read {_at(where)}.", hint=RESTORE) from None
    if manifest.version != version:
        raise ModelCorrupt(f"The manifest in {version} belongs to {manifest.version}.", hint=RESTORE)
    return manifest


def _at(where: Any) -> str:
    return f"(at {'.'.join(map(str, where))})" if where else "(no JSON)"


RESTORE = "Restore the folder from a backup or train a new version; nothing of it was loaded."
