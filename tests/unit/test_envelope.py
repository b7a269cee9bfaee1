"""The envelope: what goes in comes out exact to the type, and what was touched does not come out at all."""

from __future__ import annotations

import math
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any

import msgpack
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_128_digest

from core.caching import envelope
from core.caching.envelope import Envelope, NotEncodable, decode, encode

MOMENT = datetime(2026, 7, 29, 18, 20, tzinfo=UTC)
SAMPLE = encode(Envelope("rain:x", {"mm": [1.5, None], "t": (MOMENT, b"\0")}, 1000.25, 1060.0, 1360.0))

moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)).map(lambda at: at.replace(tzinfo=UTC, fold=0))  # noqa: DTZ001
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(max_size=50),
    moments,
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text("abcé", max_size=5) | st.integers(0, 9) | st.tuples(st.booleans()), inner, max_size=4)
    ),
    max_leaves=12,
)


class Colour(IntEnum):
    RED = 1


def typed(value: Any) -> Any:
    """Return a value with the type of everything in it: 1, 1.0 and True are the same to ==."""
    if isinstance(value, dict):
        return dict, [(typed(k), typed(v)) for k, v in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [typed(one) for one in value]
    return type(value), repr(value)


def there_and_back(value: Any) -> Any:
    found = decode("k", encode(Envelope("k", value, 1000.0, 1060.0, 1360.0)))
    assert found is not None
    return found.value


@settings(max_examples=150, deadline=None)
@given(values)
def test_values_come_back_exact_to_the_type(value: Any) -> None:
    assert typed(there_and_back(value)) == typed(value)


def test_numbers_that_are_none_come_back() -> None:
    assert math.isnan(there_and_back(math.nan))
    assert typed(there_and_back([-0.0, math.inf, -math.inf])) == typed([-0.0, math.inf, -math.inf])


def test_a_moment_of_another_zone_comes_back_as_the_same_moment() -> None:
    there = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert there_and_back(there) == there
    assert there_and_back(there).tzinfo is UTC


def test_times_and_key_come_back() -> None:
    found = decode("rain:x", SAMPLE)
    assert found == Envelope("rain:x", {"mm": [1.5, None], "t": (MOMENT, b"\0")}, 1000.25, 1060.0, 1360.0)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"mm": [1.5, np.nan], "n": np.array([1, 2], "int8"), "ok": [True, False]}),
        pd.DataFrame({"name": ["a", "é"], "at": pd.to_datetime(["2026-01-01", None], utc=True)}),
        pd.DataFrame({"x": np.array([1, 2], "float32")}, index=pd.Index(["p", "q"], name="place")),
        pd.DataFrame({"c": pd.Categorical(["low", "high"], ["low", "high"], ordered=True)}),
        pd.DataFrame({7: [1, 2], 8: [3, 4]}),
        pd.DataFrame({"x": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["u", "v"])),
        pd.DataFrame({"x": []}),
        pd.DataFrame(),
    ],
    ids=["numbers", "texts", "index", "category", "numbered", "levels", "no rows", "nothing"],
)
def test_tables_come_back_exact_to_the_type(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(there_and_back(frame), frame, check_exact=True)


def deep(kind: type, levels: int) -> Any:
    value: Any = kind()
    for _ in range(levels):
        value = kind([value])
    return value


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        object(),
        Decimal("1.5"),
        date(2026, 1, 1),
        MOMENT.replace(tzinfo=None),
        pd.Timestamp(MOMENT),
        np.float64(1.5),
        np.array([1.0]),
        pd.Series([1.0]),
        OrderedDict(a=1),
        Colour.RED,
        2**64,
        "\ud800",
        [{"deep": object()}],
        {"frame": pd.DataFrame({"a": [1]})},
        pd.DataFrame({"mixed": [1, "x"]}),
        pd.DataFrame({"lists": [[1, 2], [3]]}),
        pd.DataFrame({"dicts": [{"x": 1}, {"y": 2}]}),
        pd.DataFrame([[1, 2]], columns=["twice", "twice"]),
        pd.DataFrame({"named": [1], 7: [2]}),
        deep(tuple, 5000),
        deep(list, 5000),
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_what_would_not_come_back_exactly_is_refused(value: Any) -> None:
    with pytest.raises(NotEncodable):
        encode(Envelope("k", value, 1000.0, 1060.0, 1360.0))


@pytest.mark.parametrize(("key", "at"), [("\ud800", 1.0), ("k", -1.0), ("k", math.nan), ("k", math.inf)])
def test_a_key_or_a_time_that_has_no_form_is_refused(key: str, at: float) -> None:
    with pytest.raises(NotEncodable):
        encode(Envelope(key, 1, at, 1060.0, 1360.0))


def test_every_flipped_byte_is_refused() -> None:
    for i in range(len(SAMPLE)):
        for mask in (0x01, 0x80, 0xFF):
            touched = bytearray(SAMPLE)
            touched[i] ^= mask
            assert decode("rain:x", bytes(touched)) is None, (i, mask)


def test_every_truncation_and_addition_is_refused() -> None:
    assert [n for n in range(len(SAMPLE)) if decode("rain:x", SAMPLE[:n]) is not None] == []
    assert decode("rain:x", SAMPLE + b"\0") is None
    assert decode("rain:x", b"\0" + SAMPLE) is None


def test_another_key_is_refused() -> None:
    assert decode("rain:y", SAMPLE) is None


def test_another_version_of_the_schema_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr(envelope, "SCHEMA", envelope.SCHEMA + 1)
        other = encode(Envelope("k", 1, 1000.0, 1060.0, 1360.0))
        assert decode("k", other) is not None
    assert decode("k", other) is None


def sealed(body: bytes) -> bytes:
    """Return bytes with a right checksum, as a foreign writer could make them."""
    return body + xxh3_128_digest(body)


def crafted(header: Any, payload: bytes = b"\x01") -> bytes:
    packed = header if isinstance(header, bytes) else msgpack.packb(header)
    return sealed(b"CBW1" + bytes(8) + len(packed).to_bytes(4, "big") + packed + payload)


def bomb(levels: int) -> bytes:
    data = msgpack.packb([])
    for _ in range(levels):
        data = msgpack.packb([msgpack.ExtType(1, data)])
    return bytes(data)


def test_a_crafted_envelope_is_read_where_everything_is_right() -> None:  # so that what follows can fail
    found = decode("k", crafted([2, "k", 2.0, 3.0, 0, "plain"]))
    assert found is not None
    assert found.value == 1


@pytest.mark.parametrize("deep", [False, True])
def test_a_time_of_msgpacks_own_is_a_moment(deep: bool) -> None:
    sent = msgpack.packb([msgpack.Timestamp(1785348000)])
    payload = msgpack.packb(msgpack.ExtType(1, sent)) if deep else sent
    found = decode("k", crafted([2, "k", 2.0, 3.0, 0, "plain"], payload))
    assert found is not None
    assert list(found.value) == [datetime(2026, 7, 29, 18, tzinfo=UTC)]


@pytest.mark.parametrize(("levels", "read"), [(envelope.DEEPEST, True), (envelope.DEEPEST + 1, False)])
def test_tuples_of_a_foreign_writer_lie_no_deeper_than_ours(levels: int, read: bool) -> None:
    payload = msgpack.packb(1)
    for _ in range(levels):
        payload = msgpack.packb(msgpack.ExtType(1, b"\x91" + payload))
    assert (decode("k", crafted([2, "k", 2.0, 3.0, 0, "plain"], payload)) is not None) is read


@pytest.mark.parametrize(
    "data",
    [
        b"",
        sealed(b""),
        sealed(b"CBW1"),
        sealed(b"CBW1" + bytes(12)),
        sealed(b"CBW2" + crafted([2, "k", 2.0, 3.0, 0, "plain"])[4:-16]),
        sealed(b"CBW1" + bytes(8) + b"\xff\xff\xff\xff" + b"\x01"),
        crafted(b"\xc1"),
        crafted([2, "k", 2.0, 3.0, 0]),
        crafted([2, "k", "2", 3.0, 0, "plain"]),
        crafted([2, "k", math.nan, 3.0, 0, "plain"]),
        crafted([2, "k", 2.0, math.inf, 0, "plain"]),
        crafted([2, "k", 2.0, 3.0, math.inf, "plain"]),
        crafted([1, "k", 2.0, 3.0, 0, "plain"]),
        crafted({"a": 1}),
        crafted([2, "k", 2.0, 3.0, 0, "plain"], b""),
        crafted([2, "k", 2.0, 3.0, 0, "plain"], b"\x01\x01"),
        crafted([2, "k", 2.0, 3.0, 0, "plain"], b"\xc1"),
        crafted([2, "k", 2.0, 3.0, 0, "plain"], msgpack.packb(msgpack.ExtType(2, b"yesterday"))),
        crafted([2, "k", 2.0, 3.0, 0, "plain"], msgpack.packb(msgpack.ExtType(2, b"2026-07-29T18:00"))),
        crafted([2, "k", 2.0, 3.0, 0, "plain"], msgpack.packb(msgpack.ExtType(9, b"?"))),
        crafted([2, "k", 2.0, 3.0, 0, "plain"], bomb(3000)),
        crafted([2, "k", 2.0, 3.0, 0, "arrow"], b"no table"),
    ],
)
def test_a_right_checksum_around_nonsense_is_refused(data: bytes) -> None:
    assert decode("k", data) is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["plain", "arrow", "pickle"]))
def test_any_payload_with_a_right_checksum_raises_nothing(payload: bytes, kind: str) -> None:
    found = decode("k", crafted([2, "k", 2.0, 3.0, 0, kind], payload))
    assert found is None or found.key == "k"
