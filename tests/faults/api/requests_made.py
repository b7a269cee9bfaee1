"""Requests for the fuzzer: valid ones made from the app's own OpenAPI text, and what spoils them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from tests.weather_posted import RECORD

MARK = "zq"
MOUNT = "/api"
#: By field or parameter name: what a valid request says there. Whatever is not named here is made from its schema.
Known = Mapping[str, Callable[[random.Random], Any]]
Headers = tuple[tuple[bytes, bytes], ...]
RECORDED: Known = {name: lambda _, value=value: value for name, value in RECORD.items()}


@dataclass(frozen=True)
class Operation:
    """One method of one path of the OpenAPI text."""

    method: str
    template: str
    parameters: tuple[Mapping[str, Any], ...] = ()
    body: Mapping[str, Any] | None = None
    behind_token: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


@dataclass(frozen=True)
class Made:
    """One request: what it sends, what was done to it, and the marker that no refusal may repeat."""

    operation: Operation | None
    method: str
    path: str
    marker: str
    kind: str = "valid"
    query: bytes = b""
    headers: Headers = ()
    parts: tuple[bytes, ...] = (b"",)
    gone: bool = False
    value: Any = field(default=None, repr=False)

    def with_header(self, name: str, value: bytes) -> Made:
        """Return the request with one header exchanged."""
        kept = tuple(h for h in self.headers if h[0] != name.encode())
        return replace(self, headers=(*kept, (name.encode(), value)))

    def with_body(self, body: bytes, *, announced: bool = True) -> Made:
        """Return the request with another body."""
        changed = replace(self, parts=(body,), headers=tuple(h for h in self.headers if h[0] != b"content-length"))
        return changed.with_header("content-length", str(len(body)).encode()) if announced else changed


def operations(text: Mapping[str, Any]) -> list[Operation]:
    """Return the operations of an OpenAPI text, with references resolved."""
    found = []
    for template, methods in text["paths"].items():
        for method, said in methods.items():
            content = said.get("requestBody", {}).get("content", {}).get("application/json")
            found.append(
                Operation(
                    method.upper(),
                    template,
                    tuple(resolved(text, said.get("parameters", []))),
                    None if content is None else resolved(text, content["schema"]),
                    bool(said.get("security")),
                )
            )
    return found


def resolved(text: Mapping[str, Any], schema: Any) -> Any:
    """Return a schema without references."""
    if isinstance(schema, list):
        return [resolved(text, inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target: Any = text
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return resolved(text, target)
    return {name: resolved(text, inner) for name, inner in schema.items()}


def value_of(schema: Mapping[str, Any], rng: random.Random, known: Known, name: str = "") -> Any:
    """Return a value that fits a schema."""
    if name in known:
        return known[name](rng)
    choices = schema.get("anyOf", schema.get("oneOf"))
    if choices is not None:
        return value_of(rng.choice(choices), rng, known, name)
    if "enum" in schema:
        return rng.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        return [value_of(schema["items"], rng, known) for _ in range(schema.get("minItems", 1))]
    if kind == "object":
        return _object(schema, rng, known)
    plain = {"boolean": True, "null": None, "integer": schema.get("minimum", 1), "number": schema.get("minimum", 0.5)}
    return plain.get(str(kind), "x" * max(1, schema.get("minLength", 1)))


def _object(schema: Mapping[str, Any], rng: random.Random, known: Known) -> dict[str, Any]:
    """Return the fields that an object must have, those of a weather record, and most others that are known."""
    wanted, fields = schema.get("required", ()), schema.get("properties", {})
    given = {n for n in fields if n in wanted or n in RECORD or (n in known and rng.random() < 0.8)}
    return {n: value_of(fields[n], rng, {**RECORDED, **known}, n) for n in fields if n in given}


def valid(operation: Operation, rng: random.Random, known: Known, token: str) -> Made:
    """Return a valid request for an operation."""
    marker = f"{MARK}{rng.getrandbits(64):016x}"
    known = {**known, "why": lambda _: f"fuzzed {marker}"}
    path, query = MOUNT + operation.template, []
    for parameter in operation.parameters:
        name = parameter["name"]
        if parameter["in"] == "path":
            said = str(value_of(parameter["schema"], rng, known, name))
            path = path.replace("{" + name + "}", said)
        elif parameter["in"] == "query" and (parameter.get("required") or rng.random() < 0.5):
            query.append((name, str(value_of(parameter["schema"], rng, known, name))))
    made = Made(
        operation,
        operation.method,
        path,
        marker,
        query=urlencode([*query, ("unasked", marker)]).encode(),
        headers=((b"host", b"localhost"), (b"user-agent", marker.encode())),
    )
    if operation.behind_token:
        made = made.with_header("authorization", f"Bearer {token}".encode())
    if operation.body is not None:
        value = value_of(operation.body, rng, known)
        made = replace(made, value=value).with_header("content-type", b"application/json")
        made = made.with_body(json.dumps(value).encode())
    return made


def elsewhere(rng: random.Random) -> Made:
    """Return a request for a path that no OpenAPI text names."""
    marker = f"{MARK}{rng.getrandbits(64):016x}"
    path = MOUNT + rng.choice(UNDOCUMENTED).replace("MARK", marker)
    headers = ((b"host", b"localhost"), (b"x-marker", marker.encode()))
    return Made(None, "GET", path, marker, "elsewhere", f"q={marker}".encode(), headers)


UNDOCUMENTED: Sequence[str] = (
    "/docs",
    "/openapi.json",
    "/static/swagger/swagger-ui.css",
    "/static/swagger",
    "/static/MARK",
    "/static/../app.py",
    "/static/swagger/../../problems.py",
    "/static//etc/passwd",
    "/static/\x00MARK",
    "/static/" + "MARK/" * 300,
    "/static/" + "a" * 5000,
    "/MARK",
    "/admin",
    "/admin/MARK",
    "/admin/../metrics",
    "/health/",
    "/forecasts/MARK/",
    "/predict/MARK",
    "//MARK",
    "/%2e%2e/MARK",
    "/\u202eMARK",
)


def percent(text: str) -> bytes:
    """Return a path as it stood on the wire."""
    return quote(text, safe="/%").encode()
