"""The duplicate check: hours of which two reports came that differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.weather import Flag
from core.quality.checks import check
from core.quality.duplicates import differing, doubled, last, shared
from core.quality.thresholds import thresholds
from tests.series_made import START, good, hits, weather


def test_doubled_hours_are_suspect_in_every_variable_that_has_a_value() -> None:
    made = weather(temperature_c=[1, 2, np.nan], precipitation_mm=[0, 0, 0])
    twice = replace(made, doubled=np.array([[False, True, True]]))
    assert hits(doubled(twice)) == {
        ("duplicate", "temperature_c", Flag.SUSPECT): [1],
        ("duplicate", "precipitation_mm", Flag.SUSPECT): [1, 2],
    }
    assert list(doubled(made)) == []


@pytest.mark.parametrize("hindsight", [False, True])
def test_the_duplicate_check_is_one_of_all_checks(hindsight: bool) -> None:
    made = good()
    where = np.zeros((1, 96), bool)
    where[0, 40] = True
    found = check(replace(made, doubled=where), hindsight)
    assert {f.test for f in found.findings if f.flag is not Flag.PASS} == {"duplicate"}
    assert found.flags("temperature_c")[0, 39:42].tolist() == [Flag.PASS, Flag.SUSPECT, Flag.PASS]
    assert "duplicate" in {t.test for t in thresholds()}


def test_what_is_doubled_is_carried_along_and_must_fit_the_axes() -> None:
    made = weather(temperature_c=[1, 2, 3])
    twice = replace(made, doubled=np.array([[False, True, False]]))
    later = START + timedelta(hours=1)
    for same in (twice.with_values({}), twice.as_known(later), twice.select([0])):
        assert same.doubled is not None
        assert same.doubled.tolist() == [[False, True, False]]
    cut = twice.window(later, START + timedelta(hours=2))
    assert cut.doubled is not None
    assert cut.doubled.tolist() == [[True, False]]
    assert made.select([0]).doubled is None
    none = twice.select([])
    assert none.doubled is not None
    assert none.doubled.shape == (0, 3)
    with pytest.raises(ValueError, match="doubled has shape"):
        replace(made, doubled=np.zeros((1, 2), bool))


VALUES = st.sampled_from([0.0, 1.0, 2.0, float("nan")])


@given(rows=st.lists(st.tuples(st.integers(0, 4), VALUES), max_size=12))
def test_rows_that_share_a_key_are_compared_pair_by_pair(rows: list[tuple[int, float]]) -> None:
    key = np.array([k for k, _ in rows], np.int64)
    values = np.array([v for _, v in rows], np.float32)
    expected = {a for i, (a, x) in enumerate(rows) for b, y in rows[:i] if a == b and abs(x - y) > 0}
    assert set(differing(key, values).tolist()) == expected
    assert shared(key, 5).tolist() == [i for i, k in enumerate(key) if (key == k).sum() > 1]
    assert last(key, 5).tolist() == [k not in key[i + 1 :] for i, k in enumerate(key)]
