"""Strict JSON: what every room that reads foreign JSON takes, and what it is told of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import NotStrict, parse_json
from core.strict_json import MOST_DEPTH

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=8),
    max_leaves=12,
)


@settings(deadline=None)  # the machine of a test is shared
@given(value=ANYTHING)
def test_what_is_taken_can_be_written_again(value: Any) -> None:
    try:
        found = parse_json(json.dumps(value).encode())
    except NotStrict:
        return
    assert found == json.loads(json.dumps(found, allow_nan=False, ensure_ascii=False).encode("utf-8"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": [1, 2.5, "x", null, true]}', {"a": [1, 2.5, "x", None, True]}),
        ('"\N{SNOWMAN} \\ud83c\\udf27"'.encode(), "\N{SNOWMAN} \N{CLOUD WITH RAIN}"),
        (b"-1e308", -1e308),
        (b"1" + b"0" * 308, 10**308),
        (b"1e-999", 0.0),
    ],
)
def test_what_is_strict_is_taken_as_it_is(text: bytes, value: object) -> None:
    found = parse_json(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"NaN", "NaN and Infinity are not JSON"),
        (b'{"a": [-Infinity]}', "NaN and Infinity are not JSON"),
        (b"1e309", "A number is too large."),
        (b"-1" + b"0" * 309, "A number is too large."),
        (b"1" * 5000, "A number is too large."),  # more digits than int() takes
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "A field is given twice."),
        (b'"\\ud800"', "The text is not UTF-8, or holds half a character."),
        (b'"\xff"', "The text is not UTF-8, or holds half a character."),
        (b"", "The text is not JSON."),
        (b"{} {}", "The text is not JSON."),
        (b"[" * 100_000, "The values are nested too deeply."),
    ],
)
def test_what_is_not_strict_is_refused_without_repeating_it(text: bytes, said: str) -> None:
    with pytest.raises(NotStrict) as refusal:
        parse_json(text)
    assert str(refusal.value).startswith(said)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("left", "right", "levels"),
    [("[", "]", MOST_DEPTH), ('{"a": ', "}", MOST_DEPTH), ('[1, {"a": ', "}]", MOST_DEPTH // 2)],
)
def test_brackets_within_brackets_are_counted(left: str, right: str, levels: int) -> None:
    assert parse_json(f"{left * levels}1{right * levels}".encode())
    with pytest.raises(NotStrict, match="nested too deeply"):
        parse_json(f"{left * (levels + 1)}1{right * (levels + 1)}".encode())
