"""The envelope around every value that leaves this process: what it is, how old, how long it holds, and a checksum.

::

    "CBW1" | fetched_at, microseconds, 8 bytes | length of the header, 4 bytes | header | payload | XXH3, 16 bytes

Header and plain payloads are msgpack, tables are Arrow; nothing is ever pickled. What does not verify is no value. The
checksum finds what was damaged; who may write to the server could compute any.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from typing import Any, NamedTuple

import msgpack
import pandas as pd
import pyarrow as pa
from xxhash import xxh3_128_digest

from core.domain.units import as_utc

MAGIC = b"CBW1"
#: Version of header and payload; another one is a miss.
SCHEMA = 2
#: Bytes before the header; of the checksum.
FIXED, CHECKSUM = 16, 16
_TUPLE, _MOMENT = 1, 2
#: Tuples in tuples go through C and Python in turn: some thousands of them would end the process, not the call.
DEEPEST = 50


class NotEncodable(Exception):
    """A value has no form outside this process."""


class Envelope(NamedTuple):
    """A value with its times, seconds since 1970: fresh until `soft_until`, of use in need until `hard_until`.

    `size` is about how many bytes it takes in memory, weighed once by whoever made it.
    """

    key: str
    value: Any
    fetched_at: float
    soft_until: float
    hard_until: float
    size: int = 0


def encode(envelope: Envelope) -> bytes:
    """Return the bytes of an envelope.

    Raises
    ------
    NotEncodable
        If the value is not made of None, bool, int, float, str, bytes, list, tuple, dict, datetime with a zone (which
        comes back as UTC), or a pandas table.
    """
    kind, payload = _payload(envelope.value)
    try:
        header = msgpack.packb([SCHEMA, envelope.key, envelope.soft_until, envelope.hard_until, envelope.size, kind])
        at = round(envelope.fetched_at * 1e6).to_bytes(8, "big")
    except (ValueError, OverflowError) as error:  # a key that is no text, a time before 1970 or none at all
        raise NotEncodable(str(error)) from None
    body = MAGIC + at + len(header).to_bytes(4, "big") + header + payload
    return bytes(body + xxh3_128_digest(body))


def decode(key: str, data: bytes) -> Envelope | None:
    """Return the envelope in some bytes, None where they are not an envelope of this key, whole and of this version."""
    if len(data) < FIXED + CHECKSUM or not data.startswith(MAGIC):
        return None
    body = memoryview(data)[:-CHECKSUM]  # half a megabyte is not copied to be read
    if data[-CHECKSUM:] != xxh3_128_digest(body):
        return None
    try:
        begin = FIXED + int.from_bytes(body[12:FIXED], "big")
        schema, found, soft, hard, size, kind = msgpack.unpackb(body[FIXED:begin])
        if (schema, found) != (SCHEMA, key) or not math.isfinite(soft + hard + size):
            return None
        value = _value(kind, body[begin:])
    except Exception:  # whatever a foreign writer with a right checksum brings about
        return None
    return Envelope(key, value, int.from_bytes(body[4:12], "big") / 1e6, soft, hard, size)


def _payload(value: Any) -> tuple[str, bytes]:
    if type(value) is pd.DataFrame:
        if value.columns.inferred_type.startswith("mixed"):
            raise NotEncodable("names of columns of several types would all come back as texts")
        try:
            table = pa.Table.from_pandas(value)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise NotEncodable(str(error)) from None
        if any(pa.types.is_nested(field.type) for field in table.schema):  # lists would come back as arrays
            raise NotEncodable("a table with lists or dicts in it has no form outside this process")
        out = BytesIO()
        with pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
        return "arrow", out.getvalue()
    try:
        return "plain", msgpack.packb(value, default=_extended, strict_types=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise NotEncodable(str(error)) from None


def _value(kind: str, payload: memoryview) -> Any:
    if kind == "arrow":
        with pa.ipc.open_stream(pa.py_buffer(payload)) as reader:
            return reader.read_all().to_pandas()
    return _unpacked(payload)


def _unpacked(data: bytes | memoryview, depth: int = 0) -> Any:
    # A time in the form of msgpack, which we never write, is a moment too, and no type of its library.
    return msgpack.unpackb(data, ext_hook=partial(_restored, depth=depth), strict_map_key=False, timestamp=3)


def _extended(value: Any, depth: int = 0) -> msgpack.ExtType:
    if type(value) is tuple and depth < DEEPEST:
        deeper = partial(_extended, depth=depth + 1)
        return msgpack.ExtType(_TUPLE, msgpack.packb(list(value), default=deeper, strict_types=True))
    if type(value) is datetime and value.tzinfo is not None:
        return msgpack.ExtType(_MOMENT, value.astimezone(UTC).isoformat().encode())
    raise TypeError(f"{type(value).__name__} has no form outside this process")


def _restored(code: int, data: bytes, depth: int = 0) -> Any:
    if code == _TUPLE and depth < DEEPEST:
        return tuple(_unpacked(data, depth + 1))
    if code == _MOMENT:
        return as_utc(datetime.fromisoformat(data.decode()))
    raise ValueError("unknown extension")
