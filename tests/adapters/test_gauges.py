"""The gauge folder: what it serves, and every way in which a file is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.adapters.gauges.folder import GaugeFolder
from core.errors import InsufficientData, SchemaMismatch, SourceUnavailable
from tests.adapters.gauge_folders import HEADER, STATIONS, folder, hour, load, observations, text

DATA = Path(__file__).parents[3] / "shared" / "data" / "gauges"


# ---------------------------------------------------------------------------------------------------- what it serves


@pytest.mark.parametrize("name", ["a.parquet", "a.PARQUET", "a.csv", "A.CSV"])
def test_serves_a_gapless_axis_with_nan_where_nothing_was_measured(tmp_path: Path, name: str) -> None:
    frame = observations(4).drop(index=2)
    weather = load(folder(tmp_path, {name: frame}), -1, 4)
    assert weather.source == "gauges"
    assert weather.available_at is None
    assert set(weather.values) == {"precipitation_mm", "temperature_c"}
    assert all(array.dtype == np.float32 for array in weather.values.values())
    np.testing.assert_array_equal(weather.get("temperature_c")[0], [math.nan, 20, 21, math.nan, 23, math.nan])
    assert not weather.observed()[1].any()


def test_region_holds_all_stations_with_what_the_table_does_not_say(tmp_path: Path) -> None:
    path = tmp_path / "brazil"
    path.mkdir()
    table = "station_id,name,latitude,longitude,elevation_m,state\n007,Bond,1,2,1160.96,DF\nB2,,3,4,,\n"
    (region,) = GaugeFolder(folder(path, {"a.csv": observations(2)}, table)).regions()
    assert (region.id, region.name, region.time_zone) == ("gauges", "Gauges in brazil", "UTC")
    assert region.spacing_deg is None
    one, two = region.locations
    assert (one.id, one.name, one.latitude, one.longitude, one.elevation_m) == ("007", "Bond", 1, 2, 1160.96)
    assert (two.id, two.name) == ("B2", "B2")
    assert math.isnan(two.elevation_m)


def test_stations_table_may_lie_elsewhere(tmp_path: Path) -> None:
    path = folder(tmp_path, {"a.csv": observations(2)}, stations=None)
    (path / "list.csv").write_text(STATIONS)
    assert [s.id for s in GaugeFolder(path, path / "list.csv").regions()[0].locations] == ["007", "B2"]


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_station_ids_stay_text(tmp_path: Path, name: str) -> None:
    weather = load(folder(tmp_path, {name: observations(2)}))
    assert weather.locations[0].id == "007"
    assert np.isfinite(weather.get("temperature_c")[0, 0])


def test_a_station_called_na_is_a_station(tmp_path: Path) -> None:
    stations = "station_id,latitude,longitude\nNA,1,2\n"
    weather = load(folder(tmp_path, {"a.csv": observations(2, station="NA")}, stations))
    assert weather.get("temperature_c")[0, 0] == 20


def test_serves_the_stations_of_the_region_in_its_order(tmp_path: Path) -> None:
    source = GaugeFolder(folder(tmp_path, {"a.csv": observations(2), "b.csv": observations(2, "B2", temperature_c=9)}))
    (region,) = source.regions()
    weather = source.hours(replace(region, locations=region.locations[::-1]), hour(0), hour(0))
    np.testing.assert_array_equal(weather.get("temperature_c"), [[9], [20]])
    weather = source.hours(replace(region, locations=region.locations[1:]), hour(0), hour(0))
    np.testing.assert_array_equal(weather.get("temperature_c"), [[9]])


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_extent_is_the_first_and_last_hour_with_a_row(tmp_path: Path, name: str) -> None:
    source = GaugeFolder(folder(tmp_path, {name: observations(5), "z.csv": HEADER + "\n"}))
    assert source.extent() == (hour(0), hour(4))


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_a_second_question_and_a_changed_file_are_answered_from_the_file(tmp_path: Path, name: str) -> None:
    path = folder(tmp_path, {name: observations(48)})
    source = GaugeFolder(path)
    (region,) = source.regions()
    assert np.isfinite(source.hours(region, hour(0), hour(47)).get("temperature_c")[0]).all()
    np.testing.assert_array_equal(source.hours(region, hour(10), hour(11)).get("temperature_c")[0], [20, 21])
    folder(path, {name: observations(50, temperature_c=1.5)})
    np.testing.assert_array_equal(source.hours(region, hour(49), hour(49)).get("temperature_c")[0], [1.5])
    folder(path, {name: observations(51, temperature_c=300.0)})
    with pytest.raises(SchemaMismatch):
        source.hours(region, hour(49), hour(49))


def test_an_end_before_the_start_is_an_empty_axis(tmp_path: Path) -> None:
    assert load(folder(tmp_path, {"a.csv": observations(2)}), 3, 0).get("temperature_c").shape == (2, 0)


@pytest.mark.parametrize(
    "extra", ["fault", "quality", "state", "temperature_flag", "note", "radiation_kj_m2", "temp_max"]
)
def test_foreign_columns_are_ignored(tmp_path: Path, extra: str) -> None:
    weather = load(folder(tmp_path, {"a.csv": observations(3).drop(columns="temperature_c").assign(**{extra: "x"})}))
    assert set(weather.values) == {"precipitation_mm"}


def test_a_like_named_column_beside_the_right_one_is_ignored(tmp_path: Path) -> None:
    weather = load(folder(tmp_path, {"a.csv": observations(3, temperature_f=70.0)}))
    assert weather.get("temperature_c")[0, 0] == 20


def test_files_with_other_variables_are_joined(tmp_path: Path) -> None:
    two = observations(2, "B2").drop(columns="temperature_c").assign(wind_speed_ms=3.0)
    weather = load(folder(tmp_path, {"a.parquet": observations(2), "b.csv": two}))
    assert set(weather.values) == {"precipitation_mm", "temperature_c", "wind_speed_ms"}
    assert np.isnan(weather.get("wind_speed_ms")[0]).all()
    assert weather.get("wind_speed_ms")[1, 0] == 3


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_of_contradictory_rows_the_last_wins(tmp_path: Path, name: str) -> None:
    frame = pd.concat([observations(2), observations(2), observations(1, temperature_c=5.0)])
    np.testing.assert_array_equal(load(folder(tmp_path, {name: frame}), 0, 1).get("temperature_c")[0], [5, 21])


@given(order=st.permutations(range(6)), values=st.lists(st.floats(-40, 45, width=32), min_size=6, max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_rows_does_not_matter(tmp_path: Path, order: Sequence[int], values: Sequence[float]) -> None:
    frame = observations(6, temperature_c=np.array(values, np.float32))
    for name in ("a.parquet", "a.csv"):
        for old in ("a.parquet", "a.csv"):
            (tmp_path / old).unlink(missing_ok=True)
        weather = load(folder(tmp_path, {name: frame.iloc[list(order)]}), 0, 5)
        np.testing.assert_array_equal(weather.get("temperature_c")[0], np.array(values, np.float32))


@pytest.mark.parametrize("missing", ["", "NaN", "-9999", "-9999.0"])
def test_missing_is_nan(tmp_path: Path, missing: str) -> None:
    csv = text("007,2021-01-01 00:00,,1", f"007,2021-01-01 01:00,{missing},2", "007,2021-01-01 02:00,0.4,3")
    np.testing.assert_array_equal(
        load(folder(tmp_path, {"a.csv": csv}), 0, 2).get("precipitation_mm")[0],
        np.array([math.nan, math.nan, 0.4], "f4"),
    )


def test_byte_order_mark_quotes_blank_lines_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    csv = "\ufeff" + text('"007","2021-01-01T00:00:00Z","0", 20 ', "", "007,2021-01-01T01:00Z,0,21").replace(
        "\n", "\r\n"
    )
    weather = load(folder(tmp_path, {"a.csv": csv.encode()}), 0, 1)
    np.testing.assert_array_equal(weather.get("temperature_c")[0], [20, 21])


@pytest.mark.parametrize(
    ("column", "value"), [("temperature_c", 77.0), ("precipitation_mm", 900.0), ("precipitation_mm", -3.0)]
)
@pytest.mark.parametrize("hours", [1, 3, 200])
def test_a_single_wild_value_stays_for_the_quality_checks(
    tmp_path: Path, column: str, value: float, hours: int
) -> None:
    frame = observations(hours)
    frame[column] = frame[column].astype(float)
    frame.loc[0, column] = value
    assert load(folder(tmp_path, {"a.parquet": frame})).get(column)[0, 0] == value


@pytest.mark.parametrize("zone", [None, "UTC", "Etc/UTC", "+00:00"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_times_in_utc_or_without_zone_are_read(tmp_path: Path, zone: str | None, unit: str) -> None:
    at = pd.date_range("2021-01-01", periods=5, freq="h", tz=zone, unit=unit)
    path = folder(tmp_path, {"a.parquet": observations(5, valid_at=at)})
    source = GaugeFolder(path)
    (region,) = source.regions()
    for _ in range(2):  # read as a whole, then with a filter
        weather = source.hours(region, hour(1), hour(2))
        np.testing.assert_array_equal(weather.get("temperature_c")[0], [21, 22])


@pytest.mark.parametrize(
    "stamp",
    ["2021-01-01", "2021-01-01 00:00", "2021-01-01T00:00:00Z", "2021-01-01 00:00:00+00:00", "2021-01-01 00:00 UTC"],
)
@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_times_as_text_are_read(tmp_path: Path, stamp: str, name: str) -> None:
    frame = pd.DataFrame({"station_id": ["007"], "valid_at": [stamp], "precipitation_mm": [1.5]})
    assert load(folder(tmp_path, {name: frame})).get("precipitation_mm")[0, 0] == 1.5


def test_parquet_dictionary_with_unused_stations_is_read(tmp_path: Path) -> None:
    ids = pd.Categorical(["007"] * 3, categories=["elsewhere", "007"])
    assert load(folder(tmp_path, {"a.parquet": observations(3, station_id=ids)})).get("temperature_c")[0, 0] == 20


def test_parquet_with_numbers_for_stations_and_texts_for_numbers_is_read(tmp_path: Path) -> None:
    frame = observations(4, station_id=82331, temperature_c=["1.5", "", None, "-9999"])
    stations = "station_id,latitude,longitude\n82331,1,2\n"
    weather = load(folder(tmp_path, {"a.parquet": frame}, stations))
    np.testing.assert_array_equal(weather.get("temperature_c")[0], [1.5, math.nan, math.nan, math.nan])


def test_parquet_below_a_folder_with_an_equals_sign_is_read(tmp_path: Path) -> None:
    path = tmp_path / "station_id=9"
    path.mkdir()
    assert load(folder(path, {"a.parquet": observations(3)})).get("temperature_c")[0, 0] == 20


def test_periods_are_what_the_files_cover_together(tmp_path: Path) -> None:
    parts = {"c.csv": observations(5), "a.parquet": observations(30), "b.csv": observations(40).iloc[35:]}
    late = observations(3, valid_at=pd.date_range("2022-06-01", periods=3, freq="h"))
    source = GaugeFolder(folder(tmp_path, {**parts, "d.parquet": late}))
    second = datetime(2022, 6, 1, tzinfo=UTC)
    assert source.periods() == ((hour(0), hour(39)), (second, second + timedelta(hours=2)))
    assert source.extent() == (hour(0), second + timedelta(hours=2))


# ------------------------------------------------------------------------------------------------- what is not there


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        GaugeFolder(tmp_path / "nowhere").regions()
    assert caught.value.hint


def test_a_missing_table_of_stations_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="station_id"):
        load(folder(tmp_path, {"a.csv": observations(2)}, stations=None))


@pytest.mark.parametrize("files", [{}, {"notes.txt": "x"}, {"a.csv": HEADER + "\n"}, {"a.parquet": observations(0)}])
def test_a_folder_without_rows_is_too_little(tmp_path: Path, files: Mapping[str, Any]) -> None:
    source = GaugeFolder(folder(tmp_path, files))
    for question in (source.regions, source.extent):
        with pytest.raises(InsufficientData) as caught:
            question()
        assert (caught.value.have, caught.value.need) == (0, 1)


def test_a_file_that_vanishes_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = GaugeFolder(folder(tmp_path, {"a.csv": observations(2)}))
    (region,) = source.regions()
    files = source._files()
    (tmp_path / "a.csv").unlink()
    monkeypatch.setattr(source, "_files", lambda: files)
    with pytest.raises(SourceUnavailable):
        source.hours(region, hour(0), hour(1))


# ---------------------------------------------------------------------------------------- real data of the archive


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is absent")
def test_the_archive_of_119_stations_is_served_as_it_stands() -> None:
    source = GaugeFolder(DATA)
    (region,) = source.regions()
    assert len(region.locations) == 119
    assert source.extent() == (datetime(2020, 1, 1, tzinfo=UTC), datetime(2023, 12, 31, 23, tzinfo=UTC))
    start, end = datetime(2021, 12, 31, 20, tzinfo=UTC), datetime(2022, 1, 1, 3, tzinfo=UTC)
    weather = source.hours(region, start, end)
    truth = pd.concat(pd.read_parquet(DATA / f"hourly_{year}.parquet") for year in (2021, 2022))
    truth = truth[(truth.valid_at >= start) & (truth.valid_at <= end)]
    for i in (0, 60, 118):
        rows = truth[truth.station_id == region.locations[i].id]
        for name in weather.values:
            np.testing.assert_array_equal(weather.get(name)[i], rows[name].to_numpy())
