"""Manifests and probes as JSON, strictly checked when they are read."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from core.domain.learning import ModelManifest, Probe
from core.errors import ModelCorrupt
from core.strict_json import parse_json

Table = tuple[tuple[float | None, ...], ...]
Value = TypeVar("Value")


@dataclass(frozen=True)
class _ProbeTables:
    """A probe as JSON knows it: rows of numbers, null where there is none."""

    rows: Table
    probability: Table


_ADAPTER: TypeAdapter[ModelManifest] = TypeAdapter(ModelManifest)
_PROBE: TypeAdapter[_ProbeTables] = TypeAdapter(_ProbeTables)


def dump(manifest: ModelManifest) -> str:
    """Return the manifest as indented JSON."""
    return json.dumps(_ADAPTER.dump_python(manifest, mode="json"), indent=1, allow_nan=False) + "\n"


def parse(text: bytes, version: str) -> ModelManifest:
    """Return the manifest of `version`.

    Raises
    ------
    ModelCorrupt
        If it is no JSON, a field is missing or of another type, a time says no zone, or it belongs to another version.
    """
    what = f"The manifest of {version}"
    manifest = _validated(_ADAPTER, text, what)
    if None in (manifest.created_at.tzinfo, manifest.trained_on.begin.tzinfo, manifest.trained_on.end.tzinfo):
        raise ModelCorrupt(f"{what} has a time without its zone.", hint=RESTORE)
    if manifest.version != version:
        raise ModelCorrupt(f"The manifest in {version} belongs to {_short(manifest.version)}.", hint=RESTORE)
    return manifest


def dump_probe(probe: Probe) -> str:
    """Return a probe as JSON, a row a line: every float comes back as it was, NaN is null.

    Raises
    ------
    ValueError
        If a number is infinite.
    """
    tables = {name: _lines(getattr(probe, name)) for name in ("rows", "probability")}
    return "{\n" + ",\n".join(f'"{name}": {text}' for name, text in tables.items()) + "\n}\n"


def parse_probe(text: bytes, version: str) -> Probe:
    """Return the probe of a version.

    Raises
    ------
    ModelCorrupt
        If it is no JSON, or no table of features with as many rows of answers: a feature fits a float32, an answer lies
        between 0 and 1.
    """
    what = f"The probe of {version}"
    tables = _validated(_PROBE, text, what)
    widths = [{len(row) for row in table} for table in (tables.rows, tables.probability)]
    if len(tables.rows) != len(tables.probability) or any(len(width) != 1 or 0 in width for width in widths):
        raise ModelCorrupt(f"{what} is no table of features and answers.", hint=RESTORE)
    rows, probability = _array(tables.rows), _array(tables.probability)
    if (np.abs(rows) > np.finfo(np.float32).max).any() or ((probability < 0) | (probability > 1)).any():
        raise ModelCorrupt(f"{what} has a number beyond all features or answers.", hint=RESTORE)
    return Probe(rows.astype(np.float32), probability)


def _validated(adapter: TypeAdapter[Value], text: bytes, what: str) -> Value:
    try:
        parse_json(text)  # pydantic takes NaN and names that stand there twice
        return adapter.validate_json(text)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False, include_context=False)[0]["loc"]))
        raise ModelCorrupt(f"{what} cannot be read (at {_short(where)}).", hint=RESTORE) from None
    except ValueError:
        raise ModelCorrupt(f"{what} cannot be read (no JSON).", hint=RESTORE) from None


def _lines(table: NDArray[np.floating[Any]]) -> str:
    rows = [[None if math.isnan(value) else value for value in row] for row in table.astype(float).tolist()]
    return "[\n" + ",\n".join(json.dumps(row, allow_nan=False) for row in rows) + "\n]"


def _array(table: Table) -> NDArray[np.float64]:
    return np.array([[math.nan if value is None else value for value in row] for row in table])


def _short(text: str) -> str:
    """Return text of a file fit for a message."""
    return text.encode("ascii", "backslashreplace").decode("ascii")[:80]


RESTORE = "Restore the folder from a backup or train a new version; nothing of it was loaded."
