"""Thousands of spoiled answers of Open-Meteo: an error of the house, or the truth with holes, never anything else.

    python -m tests.faults.source.fuzz --runs 10000 --seed 0

Prints counts by class of mutation and ends with 1 where anything else came out, or where a parser without the check of
units or of coordinates goes unnoticed (positive control).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from core.adapters.open_meteo.answers import Batch, parse
from core.adapters.open_meteo.budget import Budget
from core.adapters.open_meteo.client import OpenMeteoClient
from core.adapters.open_meteo.contract import NAMES, Endpoint, Query
from core.domain.weather import Location
from core.errors import SourceError
from tests.adapters.open_meteo_made import Clock
from tests.faults.gates import Result, judged
from tests.faults.source.mutations import REFUSED, REFUSED_BODIES, UNITS_IN_USE
from tests.faults.source.server import base_name, good, places_of

Parser = Callable[[bytes, Query], Batch]
WRONG_VALUES: tuple[Any, ...] = (
    "3.2",
    True,
    False,
    float("nan"),
    float("inf"),
    float("-inf"),
    1e39,
    -1e300,
    [],
    {},
    "",
)


@dataclass
class Spoiled:
    """A body, what was done to it, and whether it must be refused."""

    body: bytes
    kind: str
    must_refuse: bool


@dataclass
class Tally:
    """What came out, by class of mutation, and what should not have."""

    refused: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)


def made_query(rng: random.Random) -> Query:
    """Return a random request for one to three places and one or two days."""
    count = rng.randint(1, 3)
    places = tuple(
        Location(f"p{i}", f"P{i}", round(rng.uniform(27, 36), 3), round(rng.uniform(73, 96), 3)) for i in range(count)
    )
    first = date(2026, 1, 1) + timedelta(days=rng.randrange(365))
    endpoint = rng.choice([Endpoint.FORECAST, Endpoint.ARCHIVE, Endpoint.PREVIOUS_RUNS])
    return Query(
        endpoint, places, first, first + timedelta(days=rng.randint(0, 1)),
        rng.randint(1, 7) if endpoint is Endpoint.PREVIOUS_RUNS else None)  # fmt: skip


def spoil_unit(place: dict[str, Any], rng: random.Random) -> bool:
    name = rng.choice(list(place["hourly_units"]))
    before, after = place["hourly_units"][name], rng.choice(UNITS_IN_USE)
    place["hourly_units"][name] = after
    known = next((units for n, units in NAMES.values() if n == base_name(name)), (before,))
    return type(after) is not str or after not in known


def spoil_coordinates(place: dict[str, Any], rng: random.Random) -> bool:
    away = rng.choice([-1, 1]) * rng.uniform(0.5, 170)
    place[rng.choice(["latitude", "longitude"])] += away
    return True


def spoil_times(place: dict[str, Any], rng: random.Random) -> bool:
    times = place["hourly"]["time"]
    before, i, j = list(times), rng.randrange(len(times)), rng.randrange(len(times))
    how = rng.randrange(4)
    if how == 0:
        times[i], times[j] = times[j], times[i]
    elif how == 1:
        times[i] = rng.choice([times[j], times[i] + "Z", times[i][:-2] + "30", None, 5, "", times[i].replace("T", " ")])
    elif how == 2:
        for column in place["hourly"].values():
            del column[i]
    else:
        times[:] = times[rng.randint(1, 5) :] + times[:1] * rng.randint(0, 5)
    return bool(times != before)


def spoil_value(place: dict[str, Any], rng: random.Random) -> bool:
    column = place["hourly"][rng.choice([name for name in place["hourly"] if name != "time"])]
    column[rng.randrange(len(column))] = rng.choice(WRONG_VALUES)
    return True


def spoil_nulls(place: dict[str, Any], rng: random.Random) -> bool:
    names = [name for name in place["hourly"] if name != "time"]
    for name in rng.sample(names, rng.randint(1, len(names))):
        column = place["hourly"][name]
        start = rng.randrange(len(column))
        column[start:] = [None] * (len(column) - start)
    return False


def spoil_field(place: dict[str, Any], rng: random.Random) -> bool:
    """Drop or exchange any field anywhere; it may pass where nobody needs the field."""
    block = rng.choice([place, place["hourly"], place["hourly_units"]])
    if not block:
        return False
    name = rng.choice(list(block))
    if rng.random() < 0.5:
        del block[name]
    else:
        block[name] = rng.choice([None, True, 0, -1, 3.5, "", "x", [], {}, [[]], "GMT", 19800])
    return False


def spoil_lengths(place: dict[str, Any], rng: random.Random) -> bool:
    column = place["hourly"][rng.choice(list(place["hourly"]))]
    if rng.random() < 0.5:
        column.append(column[-1])
    else:
        column.pop()
    return True


def spoil_new_fields(place: dict[str, Any], rng: random.Random) -> bool:
    rng.choice([place, place["hourly"]])[f"new_{rng.randrange(9)}"] = rng.choice([None, "x", [1, 2], {"a": "\ud800"}])
    return False


BY_PLACE: dict[str, Callable[[dict[str, Any], random.Random], bool]] = {
    "units": spoil_unit,
    "coordinates": spoil_coordinates,
    "times": spoil_times,
    "values": spoil_value,
    "nulls": spoil_nulls,
    "any field": spoil_field,
    "lengths": spoil_lengths,
    "new fields": spoil_new_fields,
}


def spoil_bytes(body: bytes, rng: random.Random) -> tuple[bytes, str, bool]:
    """Return a body cut, or with bytes that cannot hide in a number or a time changed."""
    how = rng.choice(["cut", "insert", "drop structure", "named body"])
    at = rng.randrange(len(body))
    if how == "cut":
        return body[:at], how, at < len(body)
    if how == "insert":
        return (
            body[:at] + rng.choice([b"\0", b"\xff", b'"', b"{", b"]", b",", b":", b"NaN", b"\n{"]) + body[at:],
            how,
            False,
        )
    if how == "drop structure":
        marks = [i for i, byte in enumerate(body) if byte in b'[]{}:"']
        at = rng.choice(marks)
        return body[:at] + body[at + 1 :], how, False
    name = rng.choice(list(REFUSED_BODIES))
    changed = REFUSED_BODIES[name](body)
    return changed, how, changed != body


def spoiled(document: Any, rng: random.Random) -> Spoiled:
    """Return one spoiled body: one to three changes to the document, or one to its bytes."""
    choice = rng.random()
    if choice < 0.2:
        return Spoiled(*spoil_bytes(json.dumps(document).encode(), rng))
    if choice < 0.3:
        # Their names are those of every endpoint but previous runs.
        if "precipitation" not in places_of(document)[-1]["hourly"]:
            return Spoiled(b"[]", "named", True)
        return Spoiled(json.dumps(rng.choice(list(REFUSED.values()))(document)).encode(), "named", True)
    if choice < 0.35 and isinstance(document, list):
        order = rng.sample(document, len(document))
        return Spoiled(json.dumps(order).encode(), "order", order != document)
    kinds, must = [], False
    # Each class once: a column shortened and lengthened again holds another finite value, which nobody could see.
    for kind in rng.sample(list(BY_PLACE), rng.randint(1, 3)):
        try:
            must |= BY_PLACE[kind](rng.choice(places_of(document)), rng)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError):
            must = False  # an earlier change left nothing to change here: only the comparison judges
        kinds.append(kind)
    # A later change may undo an earlier one (nulls over a wrong value): the comparison alone judges these.
    must = must and not {"any field", "nulls"} & set(kinds[1:])
    return Spoiled(json.dumps(document).encode(), kinds[0] if len(kinds) == 1 else "several", must)


def same(found: Batch, truth: Batch) -> bool:
    """Tell whether every value that came out is the true one of its place and hour."""
    if found.values.keys() != truth.values.keys() or not np.array_equal(found.valid_at, truth.valid_at):
        return False
    return all(
        ((found.values[name] == truth.values[name]) | np.isnan(found.values[name])).all() for name in truth.values
    )


def run(runs: int, seed: int, parser: Parser = parse) -> Tally:
    """Return what came of so many spoiled answers."""
    rng, tally = random.Random(seed), Tally()  # noqa: S311 - chance for tests, seeded
    for _ in range(runs):
        query = made_query(rng)
        document = good(query.params)
        truth = parse(json.dumps(document).encode(), query)
        bad = spoiled(document, rng)
        try:
            found = parser(bad.body, query)
        except SourceError:
            tally.refused[bad.kind] += 1
            continue
        except Exception as error:
            tally.violations[f"{bad.kind}: {type(error).__name__}"] += 1
            continue
        tally.taken[bad.kind] += 1
        if bad.must_refuse or not same(found, truth):
            tally.violations[f"{bad.kind}: came out"] += 1
    return tally


def through_client(body: bytes, query: Query) -> Batch:
    """Parse as the client does, HTTP included: in process, without sockets and without waiting."""
    clock = Clock()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    budget = Budget(clock, {"day": (timedelta(days=1), 1e9)})
    return OpenMeteoClient(clock, transport=transport, budget=budget, wait=lambda _: None).fetch(query)


def without_units(body: bytes, query: Query) -> Batch:
    """Parse as if nobody looked at the units: the control that the gate must catch."""
    return _mended(body, query, lambda place, _: place.update(hourly_units=good(query.params)[0]["hourly_units"]))


def without_coordinates(body: bytes, query: Query) -> Batch:
    """Parse as if nobody looked at the coordinates."""
    return _mended(body, query, lambda place, at: place.update(latitude=at.latitude, longitude=at.longitude))


def _mended(body: bytes, query: Query, mend: Callable[[dict[str, Any], Location], None]) -> Batch:
    try:
        document = json.loads(body)
        for place, at in zip(places_of(document), query.places, strict=True):
            mend(place, at)
    except Exception:
        return parse(body, query)
    return parse(json.dumps(document).encode(), query)


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path, metavar="FILE.md", help="page whose figures are replaced")
    chosen = options.parse_args(arguments)
    tally = run(chosen.runs, chosen.seed)
    client = run(max(1, chosen.runs // 20), chosen.seed + 1, through_client)
    controls = {
        p.__name__: run(max(300, chosen.runs // 20), chosen.seed, p) for p in (without_units, without_coordinates)
    }
    lines = [f"{'mutation':<16}{'refused':>9}{'taken':>9}"]
    lines += [f"{k:<16}{tally.refused[k]:>9}{tally.taken[k]:>9}" for k in sorted({*tally.refused, *tally.taken})]
    sys.stdout.write("\n".join(lines) + "\n")
    result = Result(
        f"{chosen.runs:,} spoiled answers and {max(1, chosen.runs // 20):,} through the client",
        [f"{text}: {n}" for found in (tally, client) for text, n in found.violations.items()],
        ", ".join(f"{name} {sum(control.violations.values())} violations" for name, control in controls.items()),
        all(control.violations for control in controls.values()),
    )
    return 0 if judged("fuzz source", lambda: result, chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
