"""JSON as RFC 8259 means it: no NaN, no endless number, no name twice, no half character, no tower of brackets."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

#: Brackets within brackets. Observations need two, a manifest six; what walks the value stays far from its own limit.
MOST_DEPTH = 16


class NotStrict(ValueError):
    """The text is not strict JSON; the message says why and never repeats it."""


def parse_json(text: bytes) -> Any:
    """Return the value of a JSON text in UTF-8.

    Raises
    ------
    NotStrict
        If it is anything but strict JSON.
    """
    try:
        value = json.loads(
            text.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_integer,
            object_pairs_hook=_named_once,
        )
        _no_deeper(value, MOST_DEPTH)
        # Half of a surrogate pair can be escaped in JSON, and then be neither stored nor answered.
        if b"\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except NotStrict:
        raise
    except UnicodeError:
        raise NotStrict("The text is not UTF-8, or holds half a character.") from None
    except RecursionError:
        raise NotStrict("The values are nested too deeply.") from None
    except ValueError:
        raise NotStrict("The text is not JSON.") from None
    return value


def _refuse_constant(_name: str) -> NoReturn:
    raise NotStrict("NaN and Infinity are not JSON: send null, or leave the field out, where there is no value.")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise NotStrict("A number is too large.")
    return number


def _integer(digits: str) -> int:
    _finite(digits)  # a field of floats would make an infinite one of it
    return int(digits)


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotStrict("A field is given twice.")
    return value


def _no_deeper(value: Any, levels: int) -> None:
    if not isinstance(value, dict | list):
        return
    if levels == 0:
        raise NotStrict("The values are nested too deeply.")
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):  # one call for each number would take most of the time
            _no_deeper(inner, levels - 1)
