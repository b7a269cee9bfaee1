"""Records, lists and frames through schema and checks: the same flags by every way, and nothing edited."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import DataQualityMiddleware, Flag
from core.errors import SchemaMismatch
from core.quality import schema
from core.quality import series as series_of
from tests.weather_posted import BY_ALIAS, RECORD, record

quality = DataQualityMiddleware()


def test_the_documented_call_has_the_documented_shape() -> None:
    weather_data = BY_ALIAS
    result = DataQualityMiddleware().process_and_validate(weather_data)
    assert result["passed"] is True
    assert result["quality_metrics"]["overall_quality"] == 1.0
    assert result["anomalies"]["descriptions"] == []


def test_a_good_record_passes_with_a_flag_per_variable() -> None:
    result = quality.process_and_validate(record(station="A1", note=3))
    assert result["passed"]
    assert set(result["flags"].values()) == {Flag.PASS}
    assert set(result["flags"]) == set(RECORD) - set(schema.POSITION)
    assert result["quality_metrics"] == {
        "overall_quality": 1.0,
        "completeness": 1.0,
        "validity": 1.0,
        "consistency": 1.0,
        "anomaly_rate": 0.0,
        "extra_fields": 2,
    }
    assert result["anomalies"] == {"count": 0, "descriptions": [], "total": 0, "by_test": {}}
    assert result["not_evaluated"] == [series_of.UNTOLD]


def test_a_value_that_cannot_be_fails_and_one_that_is_odd_is_suspect() -> None:
    result = quality.process_and_validate(record(precipitation_mm=610.0, wind_gust_ms=1.0))
    assert not result["passed"]
    assert result["flags"]["precipitation_mm"] == Flag.FAIL
    assert result["flags"]["wind_gust_ms"] == Flag.SUSPECT
    assert result["flags"]["temperature_c"] == Flag.PASS
    assert result["anomalies"]["count"] == 2
    assert result["anomalies"]["by_test"] == {"range": 1, "consistency": 1}
    assert result["anomalies"]["descriptions"][0].startswith("precipitation_mm: outside 0..500 mm")
    assert result["quality_metrics"]["validity"] == pytest.approx(8 / 9)
    assert result["quality_metrics"]["consistency"] == pytest.approx(8 / 9)
    assert result["quality_metrics"]["overall_quality"] == pytest.approx(7 / 9)
    both = quality.process_and_validate(record(temperature_c=90.0))  # out of range, and against dew point and humidity
    assert both["quality_metrics"]["overall_quality"] == pytest.approx(6 / 9)
    odd = quality.process_and_validate(record(wind_gust_ms=1.0))
    assert odd["passed"]  # suspect is not failed


def test_an_extreme_rain_passes() -> None:
    assert quality.process_and_validate(record(precipitation_mm=120.0, relative_humidity_pct=80))["passed"]


def test_a_record_that_does_not_fit_is_news_not_an_error() -> None:
    result = quality.process_and_validate(record(temperature_c="24", cloud_cover_pct=..., latitude=99))
    assert not result["passed"]
    assert result["flags"]["temperature_c"] == Flag.FAIL
    assert result["flags"]["cloud_cover_pct"] == Flag.MISSING
    assert result["flags"]["wind_speed_ms"] == Flag.PASS
    assert sorted(result["reasons"]) == [
        f"cloud_cover_pct {schema.MISSING}",
        f"latitude {schema.OUTSIDE}",
        f"temperature_c {schema.NO_NUMBER}",
    ]
    assert result["quality_metrics"]["completeness"] == pytest.approx(8 / 9)
    assert quality.process_and_validate({})["quality_metrics"]["completeness"] == 0.0


@pytest.mark.parametrize(
    "nonsense",
    [None, 3, "weather", b"", [3], [RECORD, None], {1, 2}, np.zeros(3), iter([RECORD])],
    ids=lambda n: type(n).__name__,
)
def test_what_is_no_record_at_all_is_an_error_with_a_hint(nonsense: Any) -> None:
    with pytest.raises(SchemaMismatch) as caught:
        quality.process_and_validate(nonsense)
    assert caught.value.hint


@pytest.mark.parametrize("nothing", [[], pd.DataFrame(), pd.DataFrame(columns=list(RECORD))], ids=["l", "f", "c"])
def test_nothing_at_all_does_not_pass(nothing: Any) -> None:
    result = quality.process_and_validate(nothing)
    assert result["records"] == 0
    assert not result["passed"]
    assert math.isnan(result["quality_metrics"]["overall_quality"])


CASES = [
    RECORD,
    record(temperature_c=90.0),
    record(wind_gust_ms=1.0),
    record(precipitation_mm=-1.0, relative_humidity_pct=101),
    record(dew_point_c=30.0),
    record(surface_pressure_hpa=700.0),
    record(temperature_c=None),
    record(cape_j_kg=1e300),
]


def test_a_list_and_a_frame_say_what_every_single_record_says() -> None:
    alone = [quality.process_and_validate(case) for case in CASES]
    for several in (CASES, pd.DataFrame(CASES), pd.DataFrame(CASES, dtype=object)):
        result = quality.process_and_validate(several)
        assert result["records"] == len(CASES)
        assert result["failed_records"] == sum(not single["passed"] for single in alone)
        for i, single in enumerate(alone):
            flags = {k: v for k, v in result["flags"].of(i).items() if k in single["flags"]}
            assert flags == single["flags"]
            assert set(result["flags"].reasons(i)) == set(single["reasons"])
    assert {s["passed"] for s in alone} == {True, False}


def test_flags_are_compact_and_reasons_stand_once() -> None:
    table = quality.process_and_validate(pd.DataFrame(CASES * 50))["flags"]
    assert table.values.dtype == np.uint8
    assert table.values.shape == (400, len(table.variables))
    rows, codes = table.entries()
    assert len(rows) == sum(int(f.where.sum()) for f in table.findings)
    for row, code in zip(rows[:100], codes[:100], strict=True):
        assert table.findings[code].where[row]


def test_nothing_that_is_handed_in_is_edited() -> None:
    one, many, frame = copy.deepcopy(RECORD), copy.deepcopy(CASES), pd.DataFrame(CASES)
    kept = frame.copy(deep=True)
    for data in (one, many, frame):
        quality.process_and_validate(data)
    assert one == RECORD
    assert many == CASES
    pd.testing.assert_frame_equal(frame, kept)


@pytest.mark.parametrize(
    "column",
    [["24"] * 2, [True, False], pd.array([True, None], "boolean"), pd.array(["a", "b"], "str"), [1j, 2j]],
    ids=["text", "bool", "boolean", "str", "complex"],
)
def test_a_column_that_is_no_number_fails(column: Any) -> None:
    frame = pd.DataFrame([RECORD] * 2).drop(columns="temperature_c").assign(temperature_2m=column)
    result = quality.process_and_validate(frame)
    said = int(frame["temperature_2m"].notna().sum())
    assert result["anomalies"]["by_test"]["schema"] == 2  # what was left out in one of them is required
    assert (result["flags"].values[:, result["flags"].variables.index("temperature_c")] == Flag.FAIL).sum() == said


@pytest.mark.parametrize("dtype", ["float32", "Float64", "int16", "Int64", "float64[pyarrow]"])
def test_every_numeric_column_is_taken(dtype: str) -> None:
    frame = pd.DataFrame([RECORD] * 3).astype({"temperature_c": dtype})
    assert quality.process_and_validate(frame)["passed"]


def test_cells_that_are_no_numbers_fail_one_by_one() -> None:
    cells = pd.Series([24.0, "24", True, None, pd.NA, np.int8(20), 10**400, math.inf, [1]], dtype=object)
    frame = pd.DataFrame([RECORD] * len(cells)).assign(temperature_c=cells)
    result = quality.process_and_validate(frame)
    flags = result["flags"]
    found = flags.values[:, flags.variables.index("temperature_c")].tolist()
    ok, bad, gone = Flag.PASS, Flag.FAIL, Flag.MISSING
    # 20 degrees against a dew point of 20.3 and 80 % are a contradiction of their own
    assert found[:5] + found[6:] == [ok, bad, bad, gone, gone, bad, bad, bad]
    assert flags.reasons(7)[0] == f"temperature_c {schema.NOT_FINITE}"


def test_columns_that_are_absent_twice_or_unknown_are_told() -> None:
    frame = pd.DataFrame([RECORD] * 2)
    result = quality.process_and_validate(frame.drop(columns="cloud_cover_pct").assign(foo=1, bar="x"))
    assert result["quality_metrics"]["extra_fields"] == 2
    assert result["anomalies"]["descriptions"] == [f"cloud_cover_pct {schema.MISSING} (2 of 2 records)"]
    assert result["flags"].of(0)["cloud_cover_pct"] == Flag.MISSING
    twice = quality.process_and_validate(frame.assign(cloud_cover=50.0))
    assert twice["failed_records"] == 2
    assert f"cloud_cover_pct {schema.TWICE}" in twice["flags"].reasons(0)
    again = quality.process_and_validate(pd.concat([frame, frame["cloud_cover_pct"]], axis=1))
    assert again["failed_records"] == 2


ANY = st.none() | st.booleans() | st.floats() | st.integers(-(10**20), 10**20) | st.text(max_size=4)


@settings(deadline=None)  # the machine of a test is shared
@given(rows=st.lists(st.dictionaries(st.sampled_from(sorted({*RECORD, "location_id", "valid_at"})), ANY), max_size=6))
def test_no_table_escapes(rows: list[dict[str, Any]]) -> None:
    several = quality.process_and_validate(rows)
    frame = quality.process_and_validate(pd.DataFrame([record(**row) for row in rows], dtype=object))
    for result in (several, frame):
        assert result["records"] == len(rows)
        assert set(np.unique(result["flags"].values)) <= {int(f) for f in Flag}
        assert result["failed_records"] <= len(rows)
    alone = [quality.process_and_validate(row) for row in rows]
    assert several["failed_records"] == sum(not single["passed"] for single in alone)


def test_the_benchmark_compares_like_with_like() -> None:
    pytest.importorskip("pandera", reason="a peer of the benchmark only")
    from benchmarks import quality_peers, quality_speed

    frame = quality_speed.records(3000)
    found = quality_speed.by_house(quality_speed.house(), frame)
    assert 30 < found < 60
    assert found == quality_peers.by_pydantic(frame.to_dict("records")) == quality_peers.by_pandera(frame)
