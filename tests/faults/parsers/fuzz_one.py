"""The fuzzing process: atheris around one parser. Started by `tests.faults.parsers.fuzz`, never by itself.

python -m tests.faults.parsers.fuzz_one PARSER sound|planted [libFuzzer's arguments]
"""

from __future__ import annotations

import json
import random
import sys
import warnings
from collections.abc import Callable
from typing import Any

import atheris

with atheris.instrument_imports(include=["core"]):
    from tests.faults.parsers.judged import JSON, PARSERS, deadly

#: Values that a JSON document is spoiled with.
NASTY: tuple[Any, ...] = (
    None, True, "", "20", 0, -1, 1, 2**63, 10**400, 1e39, 1e308, -1e300, float("nan"), float("inf"), [], [[]], {},
    "\ud800", "2026-07-29T18:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00")  # fmt: skip


class Planted(Exception):
    """The bug that must be found."""


def planted(name: str) -> Callable[[bytes], None]:
    """Return a parser with a bug in the use of what it accepted."""

    def tried(data: bytes) -> None:
        if deadly(name, data):
            raise Planted

    return tried


def strict(parser: Callable[[bytes], object]) -> Callable[[bytes], None]:
    """Return the parser with warnings as errors: numbers that overflow are told by one."""

    def tried(data: bytes) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            parser(data)

    return tried


def spoiled(data: bytes, most: int, seed: int) -> bytes:
    """Exchange one value of a JSON document, or change bytes as libFuzzer does."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    if rng.random() < 0.5:
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return bytes(atheris.Mutate(data, most))
        made = json.dumps(_changed(document, rng)).encode()
        return made if len(made) <= most else data
    return bytes(atheris.Mutate(data, most))


def _changed(value: Any, rng: random.Random) -> Any:
    """Return a value with one thing in it exchanged, dropped or twice; at any depth the chance is about the same."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        (name,) = rng.choices(list(value), list(map(_size, value.values())))
        if rng.random() < 0.1:
            return {other: part for other, part in value.items() if other != name}
        return {**value, name: _changed(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        i = rng.randrange(len(value))
        if rng.random() < 0.1:
            return value[:i] + value[i : i + 1] * rng.choice([0, 2]) + value[i + 1 :]
        return [*value[:i], _changed(value[i], rng), *value[i + 1 :]]
    return rng.choice(NASTY)


def _size(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, parts))


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    name, variant, *arguments = sys.argv[1:]
    parser = planted(name) if variant == "planted" else strict(PARSERS[name])
    mutator = {"custom_mutator": spoiled} if name in JSON else {}
    atheris.Setup([sys.argv[0], *arguments], parser, **mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
