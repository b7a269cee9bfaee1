"""JSON as it is defined (RFC 8259), read without the liberties that Python takes."""

from __future__ import annotations

import json
import math
from typing import Any


def parse(text: bytes) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        If it is no JSON in UTF-8, says NaN or Infinity, holds a number beyond all floats or one name twice, or is
        nested too deeply.
    """
    try:
        return json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_refused,
            parse_float=_finite,
            parse_int=_integer,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _integer(text: str) -> int:
    _finite(text)  # a field of floats makes an infinite one of it
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number beyond all floats")
    return number
