"""Hours handed in twice, off the hour, known too soon or of the future; and what only the hours after them tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import DataQualityMiddleware, Flag
from core.quality import schema
from tests.weather_posted import record
from tests.workflows.test_validating_series import START, series

NOW = datetime(2026, 7, 29, 18, 20, tzinfo=UTC)
quality = DataQualityMiddleware()


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as somebody would send them one by one."""
    times = [name for name in ("valid_at", "available_at") if name in frame]
    return [r | {name: r[name].to_pydatetime() for name in times} for r in frame.to_dict("records")]


def hits(result: Any, test: str) -> dict[str, list[int]]:
    """Return the records that a test found, by variable."""
    found: dict[str, set[int]] = {}
    for f in result["flags"].findings:
        if f.test == test:
            found.setdefault(f.variable, set()).update(np.flatnonzero(f.where).tolist())
    return {name: sorted(rows) for name, rows in found.items()}


def with_twin(at: int, **changes: float) -> pd.DataFrame:
    """Return 30 hours, and as record 30 one of them again."""
    frame = series(precipitation_mm=0.0)
    return pd.concat([frame, frame.iloc[[at]].assign(**changes)], ignore_index=True)


@pytest.mark.parametrize("form", [pd.DataFrame, records], ids=["frame", "records"])
def test_an_hour_given_twice_is_suspect_on_both_and_its_flags_fall_on_the_one_that_counts(form: Any) -> None:
    sent = with_twin(10, precipitation_mm=80.0)
    result = quality.process_and_validate(form(sent))
    assert hits(result, "duplicate")["precipitation_mm"] == [10, 30]
    assert hits(result, "duplicate")["temperature_c"] == [10, 30]
    assert hits(result, "extreme rain") == {"precipitation_mm": [30]}
    assert not any("extreme" in reason for reason in result["flags"].reasons(10))
    assert result["flags"].of(10)["precipitation_mm"] == result["flags"].of(30)["precipitation_mm"] == Flag.SUSPECT
    assert "precipitation_mm: two reports of this hour differ" in result["flags"].reasons(10)
    assert result["anomalies"]["by_test"]["duplicate"] > 0
    turned = quality.process_and_validate(form(sent.iloc[::-1]))
    assert "extreme rain" not in turned["anomalies"]["by_test"]  # the later one says 0 mm
    assert hits(turned, "duplicate")["precipitation_mm"] == [0, 20]


def test_an_hour_sent_again_as_it_was_is_a_remark() -> None:
    for changes in ({}, {"cape_j_kg": 300.0}):  # one says more than the other: no contradiction
        result = quality.process_and_validate(with_twin(10, **changes))
        assert "duplicate" not in result["anomalies"]["by_test"]
        assert result["not_evaluated"] == [
            "1 record of an hour that is given again: only the last one was looked at along time."
        ]
    many = pd.concat([series()] * 3)
    assert quality.process_and_validate(many)["not_evaluated"][0].startswith("60 records of an hour")


def test_one_hour_given_twice_is_found_without_a_course_of_hours() -> None:
    two = [record(location_id="A1", valid_at=START, precipitation_mm=rain) for rain in (0.0, 5.0)]
    assert hits(quality.process_and_validate(two), "duplicate")["precipitation_mm"] == [0, 1]
    elsewhere = [two[0], {**two[1], "location_id": "A2"}]
    unnamed = [{**r, "location_id": None} for r in two]
    for apart in (elsewhere, unnamed):
        assert "duplicate" not in quality.process_and_validate(apart)["anomalies"]["by_test"]


@pytest.mark.parametrize("form", [pd.DataFrame, lambda frame: frame.to_dict("records")], ids=["frame", "records"])
@pytest.mark.parametrize(
    ("sent", "reason"), [("rubbish", schema.NO_TIME), ("2026-07-29T18:00:00", schema.NO_ZONE), (3, schema.NO_TIME)]
)
def test_when_a_value_was_known_must_be_a_time(form: Any, sent: Any, reason: str) -> None:
    frame = pd.DataFrame([record(), record()]).assign(available_at=pd.Series([sent, None], dtype=object))
    result = quality.process_and_validate(form(frame))
    assert result["failed_records"] == 1
    assert f"available_at {reason}" in result["flags"].reasons(0)


def test_records_off_the_hour_are_counted() -> None:
    frame = series()
    frame.loc[[3, 7], "valid_at"] += pd.Timedelta(minutes=10)
    told = quality.process_and_validate(frame)["not_evaluated"]
    assert told == ["2 records not on a full hour were not looked at along time."]
    frame.loc[7, "valid_at"] -= pd.Timedelta(minutes=10)
    told = quality.process_and_validate(records(frame))["not_evaluated"]
    assert told == ["1 record not on a full hour was not looked at along time."]


def test_a_spike_is_found_by_the_hours_after_it() -> None:
    frame = series(dew_point_c=np.nan)
    frame.loc[12, "temperature_c"] += 15
    result = quality.process_and_validate(frame)
    assert hits(result, "spike") == {"temperature_c": [12]}
    assert not result["passed"]


def at(valid_at: datetime, known_after: timedelta | None = None) -> dict[str, Any]:
    known = {} if known_after is None else {"available_at": valid_at + known_after}
    return record(location_id="A1", valid_at=valid_at, **known)


def test_with_a_clock_what_lies_in_the_future_fails() -> None:
    timed = DataQualityMiddleware(clock=lambda: NOW)
    late, edge = NOW + timedelta(hours=1, seconds=1), NOW + timedelta(hours=1)
    result = timed.process_and_validate({**at(late), "cape_j_kg": None})
    assert not result["passed"]
    assert {name for name, flag in result["flags"].items() if flag != Flag.FAIL} == {"cape_j_kg"}
    assert result["flags"]["cape_j_kg"] == Flag.MISSING
    assert "precipitation_mm: lies in the future" in result["reasons"]
    assert set(result["anomalies"]["by_test"]) == {"freshness"}
    for fine in (at(edge), at(NOW - timedelta(days=9000)), record()):
        assert timed.process_and_validate(fine)["passed"]
    assert quality.process_and_validate(at(late))["passed"]
    table = timed.process_and_validate(pd.DataFrame([at(edge), at(late)]))
    assert hits(table, "freshness")["temperature_c"] == [1]
    assert table["failed_records"] == 1


def test_with_a_clock_what_was_known_before_its_time_is_suspect() -> None:
    timed = DataQualityMiddleware(clock=lambda: NOW)
    soon = at(NOW - timedelta(days=1), -timedelta(hours=1, seconds=1))
    result = timed.process_and_validate(soon)
    assert result["passed"]
    assert set(result["flags"].values()) == {Flag.SUSPECT}
    assert result["anomalies"]["by_test"] == {"freshness": 9}
    for fine in (at(NOW, -timedelta(hours=1)), at(NOW, timedelta(days=3)), at(NOW)):
        assert timed.process_and_validate(fine)["anomalies"]["count"] == 0
    assert quality.process_and_validate(soon)["anomalies"]["count"] == 0
    table = timed.process_and_validate(pd.DataFrame([at(NOW, timedelta(0)), soon]))
    assert hits(table, "freshness")["temperature_c"] == [1]


def test_the_clock_is_not_asked_where_no_record_has_a_time() -> None:
    def broken() -> datetime:
        raise AssertionError("asked")

    assert DataQualityMiddleware(clock=broken).process_and_validate(record())["passed"]
