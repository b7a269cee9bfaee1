"""Named ways to spoil a good answer of Open-Meteo, for the fault server and for the fuzzer."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.faults.source.server import Document, places_of

Mutation = Callable[[Document], Document]
UNITS_IN_USE = ("°F", "K", "km/h", "mp/h", "kn", "Pa", "inHg", "inch", "cm", "ft", "", "unixtime", "%", None, 1, True)


def spoiled(change: Callable[[dict[str, Any]], object], place: int = -1) -> Mutation:
    """Return a mutation that changes one place of a copy (the last by default)."""

    def mutation(document: Document) -> Document:
        document = copy.deepcopy(document)
        change(places_of(document)[place])
        return document

    return mutation


def _value(name: str, value: Any, hour: int = 5) -> Mutation:
    return spoiled(lambda place: place["hourly"][name].__setitem__(hour, value))


def _times(change: Callable[[list[str]], object]) -> Mutation:
    return spoiled(lambda place: change(place["hourly"]["time"]))


def _field(name: str, value: Any) -> Mutation:
    return spoiled(lambda place: place.__setitem__(name, value))


def _shifted(times: list[str]) -> None:
    times[:] = [f"1999-{text[5:]}" for text in times]


#: Each must be refused.
REFUSED: dict[str, Mutation] = {
    "latitude dropped": spoiled(lambda p: p.pop("latitude")),
    "longitude dropped": spoiled(lambda p: p.pop("longitude")),
    "utc_offset_seconds dropped": spoiled(lambda p: p.pop("utc_offset_seconds")),
    "hourly dropped": spoiled(lambda p: p.pop("hourly")),
    "hourly_units dropped": spoiled(lambda p: p.pop("hourly_units")),
    "times dropped": spoiled(lambda p: p["hourly"].pop("time")),
    "unit of times dropped": spoiled(lambda p: p["hourly_units"].pop("time")),
    "units exchanged for a list": _field("hourly_units", []),
    "hourly exchanged for null": _field("hourly", None),
    "another city": _field("latitude", 52.52),
    "another side of the world": spoiled(lambda p: p.__setitem__("longitude", p["longitude"] - 180)),
    "0.4 degrees off": spoiled(lambda p: p.__setitem__("latitude", p["latitude"] + 0.4)),
    "latitude as a string": spoiled(lambda p: p.__setitem__("latitude", str(p["latitude"]))),
    "latitude true": _field("latitude", True),
    "utc offset of India": _field("utc_offset_seconds", 19800),
    "utc offset false": _field("utc_offset_seconds", False),
    "utc offset as a string": _field("utc_offset_seconds", "0"),
    "a zone with summer time": _field("timezone", "Europe/London"),
    "location_id of a neighbour": _field("location_id", 7),
    "location_id true": _field("location_id", True),
    "an hour twice": _times(lambda t: t.__setitem__(5, t[4])),
    "two hours exchanged": _times(lambda t: t.__setitem__(slice(4, 6), [t[5], t[4]])),
    "hours backwards": _times(lambda t: t.reverse()),
    "an hour missing": spoiled(lambda p: [column.pop(5) for column in p["hourly"].values()]),
    "the last hour missing": spoiled(lambda p: [column.pop() for column in p["hourly"].values()]),
    "an hour that does not exist": _times(lambda t: t.__setitem__(5, "2026-07-32T05:00")),
    "half hours": _times(lambda t: t.__setitem__(5, t[5][:-2] + "30")),
    "times with an offset": _times(lambda t: t.__setitem__(5, t[5] + "+05:30")),
    "times as seconds": _times(lambda t: t.__setitem__(slice(None), list(range(len(t))))),
    "another year": _times(_shifted),
    "no hours at all": spoiled(lambda p: [column.clear() for column in p["hourly"].values()]),
    "one value too few": spoiled(lambda p: p["hourly"]["temperature_2m"].pop()),
    "one value too many": spoiled(lambda p: p["hourly"]["temperature_2m"].append(1.0)),
    "a value as a string": _value("precipitation", "3.2"),
    "a value true": _value("precipitation", True),
    "a value false": _value("precipitation", False),
    "a value NaN": _value("precipitation", float("nan")),
    "a value Infinity": _value("precipitation", float("inf")),
    "a value -Infinity": _value("temperature_2m", float("-inf")),
    "a value beyond float32": _value("precipitation", 1e39),
    "an integer beyond every float": _value("precipitation", 10**400),
    "a value that is a list": _value("precipitation", [1.0]),
    "a value that is an object": _value("precipitation", {}),
    "a column that is an object": spoiled(lambda p: p["hourly"].__setitem__("precipitation", {"0": 1.0})),
    "a column that is a number": spoiled(lambda p: p["hourly"].__setitem__("precipitation", 3.0)),
    "an error with status 200": lambda _: {"error": True, "reason": "Cannot initialize WeatherVariable"},
    "a list of numbers": lambda _: [1, 2, 3],
    "a number": lambda _: 3,
    "null": lambda _: None,
    "a text": lambda _: "well",
    "an empty list": lambda _: [],
    "an empty object": lambda _: {},
    "one place too many": lambda d: [*places_of(d), places_of(d)[-1]],
}


def all_refused(document: Document) -> Iterator[tuple[str, Mutation]]:
    """Yield every mutation that must be refused, those of each variable of this document included."""
    yield from REFUSED.items()
    place = places_of(document)[-1]
    for name, unit in place["hourly_units"].items():
        yield f"unit of {name} dropped", spoiled(lambda p, n=name: p["hourly_units"].pop(n))
        for other in UNITS_IN_USE:
            if other != unit and not (name == "lifted_index" and other == "K"):
                yield (
                    f"{name} in {other}",
                    spoiled(lambda p, n=name, o=other: p["hourly_units"].__setitem__(n, o)),
                )
    for name in set(place["hourly"]) - {"time"}:
        yield f"{name} dropped", spoiled(lambda p, n=name: p["hourly"].pop(n))
        yield f"{name} null altogether", spoiled(lambda p, n=name: p["hourly"].__setitem__(n, None))


#: Bodies that must be refused, made of a good body.
REFUSED_BODIES: dict[str, Callable[[bytes], bytes]] = {
    "html": lambda _: b"<html><body>Please log in to the hotel's network</body></html>",
    "a token NaN": lambda body: body.replace(b'"latitude": ', b'"latitude": NaN, "was": ', 1),
    "1e400": lambda body: body.replace(b'"precipitation": [', b'"precipitation": [1e400, ', 1),
    "lower-case nan": lambda body: body.replace(b'"precipitation": [', b'"precipitation": [nan, ', 1),
    "five thousand digits": lambda body: body.replace(
        b'"precipitation": [', b'"precipitation": [' + b"9" * 5000 + b",", 1
    ),
    "a key twice": lambda body: body.replace(b'"latitude": ', b'"latitude": 30.1, "latitude": ', 1),
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "utf-16": lambda body: body.decode().encode("utf-16"),
    "latin-1": lambda body: json.dumps(json.loads(body), ensure_ascii=False).encode("latin-1"),
    "a hundred thousand brackets": lambda _: b"[" * 100_000 + b"]" * 100_000,
    "two documents": lambda body: body + body,
    "a comma too many": lambda body: body[:-1] + b",}",
    "single quotes": lambda body: body.replace(b'"', b"'"),
    "zero bytes": lambda _: b"\0" * 100,
}
