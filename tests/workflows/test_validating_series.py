"""Hours of places handed in as records: also looked at along time, and against what is usual there."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import DataQualityMiddleware, Flag
from core.domain.units import hour_axis
from core.domain.weather import HourlyWeather, Location
from core.quality import baseline, schema
from core.quality import series as series_of
from core.quality.checks import check
from tests.weather_posted import RECORD, record

START = datetime(2026, 7, 1, tzinfo=UTC)
quality = DataQualityMiddleware()


def series(hours: int = 30, **columns: Any) -> pd.DataFrame:
    """Return a frame of one station with a daily wave in everything."""
    wave = np.sin(2 * np.pi * np.arange(hours) / 24)
    frame = pd.DataFrame([RECORD] * hours).assign(
        temperature_c=24 + wave,
        dew_point_c=20.3 + wave,
        surface_pressure_hpa=946 + wave,
        wind_speed_ms=3 + wave,
        wind_direction_deg=180 + 90 * wave,
        location_id="A1",
        valid_at=pd.date_range(START, periods=hours, freq="h"),
    )
    return frame.assign(**columns)


def test_hours_of_a_place_are_also_looked_at_along_time() -> None:
    rain = [0.0] * 30
    rain[10:16] = [33.0] * 6
    frame = series(precipitation_mm=rain)
    shuffled = frame.sample(frac=1.0, random_state=3)
    result = quality.process_and_validate(shuffled)
    assert result["not_evaluated"] == []
    assert "flat line" in result["anomalies"]["by_test"]
    place = Location("A1", "A1", RECORD["latitude"], RECORD["longitude"], RECORD["elevation_m"])
    names = list(result["flags"].variables)
    values = {n: frame[n].to_numpy(np.float32)[None, :] for n in names}
    weather = HourlyWeather((place,), hour_axis(START, START + timedelta(hours=29)), values, "made up")
    expected = check(weather, hindsight=True)
    for i, (row, _) in enumerate(shuffled.iterrows()):
        assert result["flags"].of(i) == {n: int(expected.flags(n)[0, row]) for n in names}
    texts = shuffled.assign(valid_at=[t.isoformat() for t in shuffled["valid_at"]])
    assert (quality.process_and_validate(texts)["flags"].values == result["flags"].values).all()
    records = [r | {"valid_at": r["valid_at"].to_pydatetime()} for r in shuffled.to_dict("records")]
    assert (quality.process_and_validate(records)["flags"].values == result["flags"].values).all()


def test_a_few_hours_over_a_century_cost_no_memory() -> None:
    frame = series(4, valid_at=pd.to_datetime(["1900-01-01", "1950-01-01", "2000-01-01", "2026-01-01"], utc=True))
    frame = pd.concat([frame.assign(location_id=f"A{i}") for i in range(20)])
    assert quality.process_and_validate(frame)["not_evaluated"] == [series_of.SCATTERED]


@pytest.mark.parametrize("field", schema.POSITION)
@pytest.mark.parametrize("nowhere", [None, 1e300, -math.inf, "x"])
def test_a_place_without_a_position_is_not_laid_out(field: str, nowhere: Any) -> None:
    rows = series(6).to_dict("records") + [
        {**r, "location_id": "A2", field: nowhere} for r in series(6).to_dict("records")
    ]
    result = quality.process_and_validate(pd.DataFrame(rows))
    assert result["failed_records"] == (0 if field == "elevation_m" and nowhere is None else 6)
    assert result["not_evaluated"] == []


def test_times_without_a_zone_do_not_fit() -> None:
    frame = series()
    result = quality.process_and_validate(frame.assign(valid_at=frame["valid_at"].dt.tz_localize(None)))
    assert result["failed_records"] == 30
    assert f"valid_at {schema.NO_ZONE}" in result["flags"].reasons(0)
    assert result["not_evaluated"] == [series_of.UNTOLD]


def test_ids_that_are_no_texts_do_not_fit_and_are_not_repeated() -> None:
    result = quality.process_and_validate(series(3, location_id=["A1", "secret\x00", None]))
    assert result["failed_records"] == 1
    assert "secret" not in str(result["anomalies"])


def test_a_baseline_makes_rare_values_suspect_at_its_own_places_only() -> None:
    hours = 24 * 200
    values = {"temperature_c": 20 + np.random.default_rng(5).normal(0, 1, (2, hours)).astype(np.float32)}
    values["temperature_c"][1] += 20
    places = tuple(Location(i, i, 30.0, 78.0) for i in ("A1", "A2"))
    past = baseline.fit(HourlyWeather(places, hour_axis(START, START + timedelta(hours=hours - 1)), values, "made up"))
    rare = DataQualityMiddleware(past, ("A1", "A2"))
    frame = pd.DataFrame([record(temperature_c=40.0, dew_point_c=..., location_id=i) for i in ("A1", "A2", "A3", None)])
    for together in (frame, frame[:1]):
        flags = rare.process_and_validate(together)["flags"]
        found = flags.values[:, flags.variables.index("temperature_c")].tolist()
        assert found == [Flag.SUSPECT, Flag.PASS, Flag.PASS, Flag.PASS][: len(together)]
    assert rare.process_and_validate(record(temperature_c=40.0, dew_point_c=..., location_id="A1"))["passed"]
    hours = pd.concat(
        [series(30, location_id=i, dew_point_c=np.nan, precipitation_mm=0.0) for i in ("A1", "A2", "A3")],
        ignore_index=True,
    )
    hours.loc[[10, 40, 70], "temperature_c"] = 40.0
    flags = rare.process_and_validate(hours)["flags"]
    found = {f.variable: np.flatnonzero(f.where).tolist() for f in flags.findings if f.test == "z-score"}
    assert 10 in found["temperature_c"]
    assert not {40, *range(60, 90)} & set(found["temperature_c"])
    with pytest.raises(ValueError, match="1 ids for a baseline of"):
        DataQualityMiddleware(past, ("A1",))
    for place, flag in (("A1", Flag.SUSPECT), ("A2", Flag.PASS), ("A3", Flag.PASS)):
        sent = record(temperature_c=40.0, dew_point_c=..., location_id=place)
        assert rare.process_and_validate(sent)["flags"]["temperature_c"] == flag
