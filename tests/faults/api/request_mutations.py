"""What spoils a valid request, by class: body, bytes, headers, token, method, path and query."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.faults.api.requests_made import MOUNT, Made

Mutation = Callable[[Made, random.Random], Made]
_RAW = "a raw token goes here"
TOKENS = (
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "-0", "-0.0", "1e-400", "0x10", "01", "+1", ".5", "1.", "true",
    "null", "9" * 400, "9" * 30, "-" + "9" * 5000, "9223372036854775808", "91", "-181", '"30.3"', '"NaN"',
)  # fmt: skip
TEXTS = (
    r"\ud800", r"\udfff x", r"\u0000", r"\r\nSet-Cookie: x=1", "../../etc/passwd", "'; DROP TABLE runs; --", "{{7*7}}",
    "${jndi:ldap://x}", "<script>alert(1)</script>", r"\u202e", "=1+1", "%00", "é" * 400, "x" * 30_000, "",
)  # fmt: skip
OTHERS: tuple[Any, ...] = ([], {}, None, True, 0, "", [[]], {"a": {}}, [1, "x", None], -1, 1e308, "null")
KINDS = (b"", b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"\xff\xfe",
         b"application/json; charset=utf-16", b"application/xml", b"APPLICATION/JSON",
         b"application/json,text/html")  # fmt: skip
PIECES = (b"\xff", b"\x00", b"\xed\xa0\x80", b"\xc0\xaf", b"//", b"{")
#: A request id is answered as it came; whether it is well-formed is tested where it is taken.
HEADERS = ("accept", "accept-encoding", "cookie", "origin", "referer", "range", "if-none-match", "if-modified-since",
           "expect", "x-forwarded-for", "x-forwarded-host", "forwarded", "upgrade", "access-control-request-method",
           "x-http-method-override", "transfer-encoding", "host", "connection")  # fmt: skip
METHODS = ("HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "POST", "GET", "get", "PROPFIND", "CONNECT", "MARK")
TIMES = ("now", "2026-07-01", "2026-07-01T00:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "1e400", "nan",
         "-1", "2026-13-45T99:99Z", "99999999999999999999", "2026-07-01T00:00+99:99", "1970-01-01T00:00Z")  # fmt: skip
SEGMENTS = (*["MARK"] * 9, "..", ".", "%2e%2e", "..%2f..%2fetc%2fpasswd", "\x00", "MARK\r\nX-Injected: 1", " ", "é",
            "\U0001f327", "a" * 8000, "MARK;x=1", "~", "%", "%ff", "null", "-1", "1e400", "<b>MARK</b>")  # fmt: skip


def spoil_number(made: Made, rng: random.Random) -> Made:
    return _with_token(made, rng, rng.choice(TOKENS))


def spoil_text(made: Made, rng: random.Random) -> Made:
    return _with_token(made, rng, f'"{made.marker}{rng.choice(TEXTS)}"')


def spoil_type(made: Made, rng: random.Random) -> Made:
    value = copy.deepcopy(made.value)
    places = list(_places(value))
    if not places or rng.random() < 0.2:
        return made.with_body(json.dumps(rng.choice(OTHERS)).encode())
    inside, at = rng.choice(places)
    inside[at] = rng.choice(OTHERS)
    return made.with_body(json.dumps(value).encode())


def spoil_fields(made: Made, rng: random.Random) -> Made:
    """Add an unknown field, take one out, or give one twice."""
    value = copy.deepcopy(made.value)
    inside = value[0] if isinstance(value, list) and value else value
    if not isinstance(inside, dict):
        return made.with_body(json.dumps([made.marker]).encode())
    choice = rng.randrange(3)
    if choice == 0:
        inside[rng.choice([made.marker, "__proto__", "", "a.b", "\x00", "é" * 50])] = made.marker
    elif choice == 1 and inside:
        del inside[rng.choice(list(inside))]
    body = json.dumps(value)
    if choice == 2 and inside:
        name = rng.choice(list(inside))
        twice = f'{{"{name}": "{made.marker}", '
        body = body.replace("{", twice, 1)
    return made.with_body(body.encode())


def spoil_depth(made: Made, rng: random.Random) -> Made:
    deep = rng.choice([17, 40, 1000, 15_000, 30_000, 100_000])
    left, right = rng.choice([("[", "]"), ('{"a":', "}"), ("[", "")])
    tower = left * deep + rng.choice(["", "1"]) + right * deep
    return made.with_body(tower.encode()) if rng.random() < 0.5 else _with_token(made, rng, tower)


def spoil_bytes(made: Made, rng: random.Random) -> Made:
    body = b"".join(made.parts)
    at = rng.randrange(len(body) + 1)
    return made.with_body(
        rng.choice([
            body[:at], body[:at] + rng.choice(PIECES) + body[at:],
            b"\xef\xbb\xbf" + body, body.decode().encode("utf-16"), body * 2, b"", rng.randbytes(60),
        ])
    )  # fmt: skip


def spoil_size(made: Made, rng: random.Random) -> Made:
    """Send more than 64 KB, announced, unannounced, in parts, or with a length that lies."""
    body = b"".join(made.parts) + b" " * rng.choice([65_536, 70_000, 300_000])
    lie = rng.choice([None, b"2", b"-1", b"x", b"9" * 40, b"1, 1", b"\xb2"])
    large = made.with_body(body, announced=rng.random() < 0.4)
    if rng.random() < 0.5:
        large = replace(large, parts=tuple(body[i : i + 20_000] for i in range(0, len(body), 20_000)))
    return large if lie is None else large.with_header("content-length", lie)


def spoil_kind(made: Made, rng: random.Random) -> Made:
    return made.with_header("content-type", rng.choice(KINDS))


def spoil_coding(made: Made, rng: random.Random) -> Made:
    coding = rng.choice([b"gzip", b"deflate", b"br", b"gzip, gzip", made.marker.encode(), b"IDENTITY"])
    body = b"".join(made.parts)
    packed = gzip.compress(body + b" " * rng.choice([0, 1_000_000]), 1) if b"gzip" in coding else body
    return made.with_body(packed).with_header("content-encoding", coding)


def spoil_arrival(made: Made, rng: random.Random) -> Made:
    """Let the body drip, end early, or come with a client that goes away."""
    body = b"".join(made.parts)
    step = max(rng.choice([1, 7, 100]), len(body) // 200)
    parts = tuple(body[i : i + step] for i in range(0, len(body), step)) or (b"",)
    gone = rng.random() < 0.3
    return replace(made, parts=parts[: rng.randint(0, len(parts))] if gone else parts, gone=gone)


def spoil_token(made: Made, rng: random.Random) -> Made:
    """Send no token, an odd one, or two."""
    mark = made.marker.encode()
    odd = [b"Bearer", b"Bearer ", b"Bearer " + mark, b"bearer  " + mark, b"Basic " + mark, b"Bearer \xff\xfe",
           b"Bearer " + mark * 900, mark, b"Bearer \x00", b"Bearer a\r\nX-Injected: " + mark]  # fmt: skip
    choice = rng.randrange(3)
    if choice == 0:
        return replace(made, headers=tuple(h for h in made.headers if h[0] != b"authorization"))
    if choice == 1:
        return made.with_header("authorization", rng.choice(odd))
    return replace(made, headers=(*made.headers, (b"authorization", rng.choice(odd))))


def spoil_headers(made: Made, rng: random.Random) -> Made:
    mark = made.marker.encode()
    name = rng.choice(HEADERS)
    values = [
        b"",
        b"*",
        mark,
        mark + b"\r\nX-Injected: " + mark,
        b"\xff" * 9,
        b"x" * 20_000,
        b"bytes=0-1,9-",
        b"W/" + mark,
    ]
    return made.with_header(name, rng.choice(values))


def spoil_method(made: Made, rng: random.Random) -> Made:
    others = [method for method in METHODS if method != made.method]
    return replace(made, operation=None, method=rng.choice(others).replace("MARK", made.marker.upper()))


def spoil_path(made: Made, rng: random.Random) -> Made:
    """Exchange, add or double a part of the path."""
    parts = made.path.removeprefix(MOUNT + "/").split("/")
    at, segment = rng.randrange(len(parts)), rng.choice(SEGMENTS).replace("MARK", made.marker)
    choice = rng.randrange(4)
    if choice == 0:
        parts[at] = segment
    elif choice == 1:
        parts.insert(at, segment)
    elif choice == 2:
        parts.append("")
    else:
        parts[at] += segment
    return replace(made, operation=None, path=f"{MOUNT}/{'/'.join(parts)}")


def spoil_parameter(made: Made, rng: random.Random) -> Made:
    """Say something else for one parameter of the path."""
    if made.operation is None or "{" not in made.operation.template:
        return spoil_query(made, rng)
    wanted = made.operation.template.split("/")
    parts = made.path.removeprefix(MOUNT).split("/")
    at = rng.choice([i for i, part in enumerate(wanted) if part.startswith("{") and i < len(parts)])
    parts[at] = rng.choice(SEGMENTS).replace("MARK", made.marker)
    return replace(made, path=MOUNT + "/".join(parts))


def spoil_query(made: Made, rng: random.Random) -> Made:
    names = [p["name"] for p in (made.operation.parameters if made.operation else ()) if p["in"] == "query"] or ["q"]
    mark, name = made.marker, rng.choice(names)
    said = rng.choice([mark, "", "NaN", "1e400", "%ED%A0%80", "%00" + mark, "%ff%fe", "%", "%zz", mark * 3000,
                       f"{mark}%0d%0aX-Injected:1", "..%2f..%2f", *TIMES])  # fmt: skip
    more = rng.choice(["", f"&{name}={mark}", f"&{mark}={mark}", "&" * 500, f"&{name}[]={mark}", f"&{'a=1&' * 2000}"])
    return replace(made, query=f"{name}={said.replace('+', '%2B')}{more}".encode())


def _with_token(made: Made, rng: random.Random, token: str) -> Made:
    """Return the request with one of its values, or its whole body, exchanged for a piece of text."""
    value = copy.deepcopy(made.value)
    places = list(_places(value))
    if not places:
        return made.with_body(token.encode())
    inside, at = rng.choice(places)
    inside[at] = _RAW
    return made.with_body(json.dumps(value).replace(json.dumps(_RAW), token).encode())


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return where values stand, each as its container and its name or number there."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, inner in list(pairs) for found in ((value, name), *_places(inner))]


#: Of requests with a body.
OF_BODIES: dict[str, Mutation] = {
    "number": spoil_number,
    "text": spoil_text,
    "type": spoil_type,
    "fields": spoil_fields,
    "depth": spoil_depth,
    "bytes": spoil_bytes,
    "size": spoil_size,
    "content type": spoil_kind,
    "coding": spoil_coding,
    "arrival": spoil_arrival,
}
#: Of all requests.
OF_ALL: dict[str, Mutation] = {
    "token": spoil_token,
    "headers": spoil_headers,
    "method": spoil_method,
    "path": spoil_path,
    "parameter": spoil_parameter,
    "query": spoil_query,
}


def spoiled(made: Made, rng: random.Random) -> Made:
    """Return the request with one or two things done to it; what is done to its address comes last."""
    kinds = {**(OF_BODIES if made.value is not None or rng.random() < 0.15 else {}), **OF_ALL}
    chosen = rng.sample(list(kinds), 1 if rng.random() < 0.7 else 2)
    for kind in sorted(chosen, key=list(kinds).index):
        made = kinds[kind](made, rng)
    return replace(made, kind=chosen[0] if len(chosen) == 1 else "several")
