"""A gauge folder in which an hour stands twice: the later row counts, and the hour is known as doubled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.gauges.merging import Merged
from tests.adapters.gauge_folders import folder, load, observations


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_rows_of_one_hour_that_differ_are_remembered(tmp_path: Path, name: str) -> None:
    frame = pd.concat([observations(4), observations(2), observations(1, temperature_c=5.0), observations(4, "B2")])
    weather = load(folder(tmp_path, {name: frame}))
    assert weather.get("temperature_c")[0].tolist() == [5, 21, 22, 23]
    assert weather.doubled is not None
    assert weather.doubled.tolist() == [[True, False, False, False], [False] * 4]


@pytest.mark.parametrize(
    ("other", "doubled"),
    [
        ({"temperature_c": 30.0}, [[True, True, False, False], [False] * 4]),
        ({}, None),
        ({"temperature_c": np.nan}, None),
        ({"station_id": "B2", "temperature_c": 30.0}, None),
    ],
    ids=["differs", "equal", "says nothing", "elsewhere"],
)
def test_files_that_overlap_are_compared(tmp_path: Path, other: dict[str, Any], doubled: Any) -> None:
    weather = load(folder(tmp_path, {"a.parquet": observations(4), "b.csv": observations(2, **other)}))
    found = None if weather.doubled is None else weather.doubled.tolist()
    assert found == doubled


def test_files_with_other_variables_do_not_contradict_each_other(tmp_path: Path) -> None:
    rain, warmth = observations(4).drop(columns="temperature_c"), observations(4).drop(columns="precipitation_mm")
    assert load(folder(tmp_path, {"a.csv": rain.assign(wind_speed_ms=1.0), "b.csv": rain})).doubled is None
    joined = rain.assign(temperature_c=np.nan), warmth.assign(precipitation_mm=np.nan)
    assert load(folder(tmp_path, {"a.csv": joined[0], "b.csv": joined[1]})).doubled is None


ROWS = st.tuples(st.integers(0, 1), st.integers(0, 2), st.sampled_from([0.0, 1.0, 2.0]))


@given(files=st.lists(st.lists(ROWS, max_size=6), max_size=3))
def test_however_rows_are_spread_over_files_the_same_hours_are_doubled(files: list[list[Any]]) -> None:
    merged, said = Merged((2, 3), ["temperature_c"]), dict[tuple[int, int], list[float]]()
    for rows in files:
        place, hour = (np.array([row[i] for row in rows], np.int64) for i in (0, 1))
        merged.add(place, hour, {"temperature_c": np.array([row[2] for row in rows], np.float32)})
        for p, h, value in rows:
            said.setdefault((p, h), []).append(value)
    expected = [[len(set(said.get((p, h), []))) > 1 for h in range(3)] for p in range(2)]
    assert (merged.doubled is None) == (not np.any(expected))
    assert merged.doubled is None or merged.doubled.tolist() == expected
    for at, values in said.items():
        assert merged.values["temperature_c"][at] == values[-1]
