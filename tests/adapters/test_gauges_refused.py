"""Every way in which a gauge folder is refused: the error names file, column and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.gauges.columns import UNITS, resembles
from core.adapters.gauges.folder import GaugeFolder
from core.domain.weather import VARIABLES
from core.errors import InsufficientData
from tests.adapters.gauge_folders import HEADER, folder, hour, observations, refused, text

GOOD = "007,2021-01-01 00:00,0,20"


# ------------------------------------------------------------------------------------------------------- the columns


@pytest.mark.parametrize(
    ("own", "meant"),
    [
        ("temperature_f", "temperature_c"),
        ("temp_c", "temperature_c"),
        ("Temperature_C", "temperature_c"),
        ("temprature_c", "temperature_c"),
        ("temperature_2m", "temperature_c"),
        ("dewpoint_c", "dew_point_c"),
        ("humidity", "relative_humidity_pct"),
        ("wind_speed_kmh", "wind_speed_ms"),
        ("windspeed", "wind_speed_ms"),
        ("wind_gusts_10m_kn", "wind_gust_ms"),
        ("wind_dir", "wind_direction_deg"),
        ("pressure_pa", "surface_pressure_hpa"),
        ("pressure_msl_pa", "pressure_msl_hpa"),
        ("mean_sea_level_pressure", "pressure_msl_hpa"),
        ("cape", "cape_j_kg"),
        ("rain_mm", "precipitation_mm"),
        ("precipitation_in", "precipitation_mm"),
        ("precip", "precipitation_mm"),
    ],
)
@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_a_variable_under_another_name_is_refused(tmp_path: Path, own: str, meant: str, name: str) -> None:
    frame = observations(3).drop(columns="temperature_c").assign(**{own: 1.0})
    if meant == "precipitation_mm":  # required: its own column is what is missing
        error = refused(folder(tmp_path, {name: frame.drop(columns=meant)}), name, meant, 1)
        assert own in error.hint
    else:
        error = refused(folder(tmp_path, {name: frame}), name, own, 1)
    assert meant in error.hint
    assert UNITS[meant] in error.hint


@pytest.mark.parametrize(
    ("column", "own"),
    [("station_id", "station"), ("valid_at", "time"), ("valid_at", "valid_time"), ("station_id", "id")],
)
@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_a_missing_required_column_names_the_nearest(tmp_path: Path, column: str, own: str, name: str) -> None:
    error = refused(folder(tmp_path, {name: observations(3).rename(columns={column: own})}), name, column, 1)
    assert own in error.hint


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_has_a_unit_and_is_found_without_it(variable: str) -> None:
    assert UNITS[variable]
    stem = variable.rsplit("_", 2 if variable.endswith("j_kg") else 1)[0]
    assert resembles(stem) == variable
    assert resembles(variable) is None


@given(st.text(max_size=40))
def test_any_name_is_answered(name: str) -> None:
    assert resembles(name) in {None, *UNITS}


@pytest.mark.parametrize("mark", [";", "\t"])
def test_another_separator_is_refused(tmp_path: Path, mark: str) -> None:
    refused(folder(tmp_path, {"a.csv": text(GOOD).replace(",", mark)}), "a.csv", "station_id", 1)


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    csv = text(GOOD + ",3", header=HEADER + ",temperature_c")
    refused(folder(tmp_path, {"a.csv": csv}), "a.csv", "temperature_c", 1)


def test_a_row_with_too_few_fields_is_refused(tmp_path: Path) -> None:
    refused(folder(tmp_path, {"a.csv": text(GOOD, "", "007,2021-01-01 01:00,0")}), "a.csv", "(row)", 4)


def test_a_quote_that_is_never_closed_is_refused(tmp_path: Path) -> None:
    refused(folder(tmp_path, {"a.csv": text(GOOD, '007,"2021-01-01 01:00,0,1', GOOD)}), "a.csv", "(row)", 4)


# --------------------------------------------------------------------------------------------------------- the units


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("temperature_c", np.linspace(65, 95, 200)),  # °F
        ("temperature_c", np.linspace(285, 305, 200)),  # K
        ("dew_point_c", np.linspace(55, 75, 200)),  # °F
        ("dew_point_c", np.linspace(275, 295, 200)),  # K
        ("surface_pressure_hpa", np.linspace(70_000, 101_000, 200)),  # Pa
        ("surface_pressure_hpa", np.linspace(70, 101, 200)),  # kPa
        ("surface_pressure_hpa", np.linspace(20, 30, 200)),  # inHg
        ("pressure_msl_hpa", np.linspace(750, 770, 200)),  # mmHg
        ("wind_speed_ms", np.linspace(41, 60, 200)),
        ("precipitation_mm", np.where(np.arange(200) % 10, 0, 1200.0)),
        ("precipitation_mm", np.where(np.arange(200) % 10, 0, -5.0)),
    ],
)
@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_a_whole_file_in_the_wrong_unit_is_refused(tmp_path: Path, column: str, values: Any, name: str) -> None:
    frame = observations(203)
    frame[column] = np.concatenate([[np.nan, 10.0 if column != "surface_pressure_hpa" else 900, np.nan], values])
    if column in {"pressure_msl_hpa", "dew_point_c"}:
        frame.loc[1, column] = np.nan
    line = {"a.parquet": 4, "a.csv": 5}[name]
    error = refused(folder(tmp_path, {name: frame}), name, column, line)
    assert column in error.hint
    assert "unit" in error.message


@pytest.mark.parametrize(("hours", "refusal"), [(101, True), (100, False)])
def test_humidity_as_a_fraction_is_refused(tmp_path: Path, hours: int, refusal: bool) -> None:
    path = folder(tmp_path, {"a.csv": observations(hours, relative_humidity_pct=0.7)})
    if refusal:
        refused(path, "a.csv", "relative_humidity_pct", 2)
    else:
        GaugeFolder(path).hours(GaugeFolder(path).regions()[0], hour(0), hour(1))


# ------------------------------------------------------------------------------------------------------- the numbers


@pytest.mark.parametrize("bad", ['"12,5"', "abc", "1.2.3", "--", "1_0", "inf", "-inf", "Infinity", "1e400", "0x10"])
def test_a_number_that_is_none_is_refused_with_its_line(tmp_path: Path, bad: str) -> None:
    csv = text(GOOD, "007,2021-01-01 01:00,0.5,", "", f"007,2021-01-01 02:00,0,{bad}", "007,2021-01-01 03:00,x,1")
    refused(folder(tmp_path, {"a.csv": csv}), "a.csv", "temperature_c", 5)


@pytest.mark.parametrize("bad", ["12,5", "abc", "inf"])
def test_text_for_a_number_in_parquet_is_refused_with_its_row(tmp_path: Path, bad: str) -> None:
    frame = observations(4, temperature_c=["1.5", "", bad, "2"])
    refused(folder(tmp_path, {"a.parquet": frame}), "a.parquet", "temperature_c", 3)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, 1e300])
def test_an_infinite_number_in_parquet_is_refused(tmp_path: Path, bad: float) -> None:
    frame = observations(3, temperature_c=[1.0, bad, 2.0])
    refused(folder(tmp_path, {"a.parquet": frame}), "a.parquet", "temperature_c", 2)


def test_a_column_of_another_type_is_refused(tmp_path: Path) -> None:
    frame = observations(2)
    refused(folder(tmp_path, {"a.parquet": frame.assign(temperature_c=True)}), "a.parquet", "temperature_c", 1)
    refused(folder(tmp_path, {"a.parquet": frame.assign(station_id=7.0)}), "a.parquet", "station_id", 1)
    refused(folder(tmp_path, {"a.parquet": frame.assign(valid_at=1609459200)}), "a.parquet", "valid_at", 1)


# --------------------------------------------------------------------------------------------------------- the times


@pytest.mark.parametrize(
    "bad",
    [
        "2021-01-01T05:30:00+05:30",
        "2021-01-01 00:00-03:00",
        "2021-01-01 00:00 America/Sao_Paulo",
        "2021-01-01 00:30",
        "2021-01-01 00:00:01",
        "2021-01-01 00:00:00.5",
        "01/02/2021 00:00",
        "2021-02-29 00:00",
        "yesterday",
        "1609459200",
        "0001-01-01 00:00",
        "9999-01-01 00:00",
        "",
    ],
)
def test_a_time_that_is_no_full_hour_in_utc_is_refused(tmp_path: Path, bad: str) -> None:
    csv = text(GOOD, f"007,{bad},0,1", "007,nonsense,0,1")
    refused(folder(tmp_path, {"a.csv": csv}), "a.csv", "valid_at", 3)
    (tmp_path / "a.csv").unlink()
    frame = observations(3, valid_at=["2021-01-01T00:00Z", bad, "nonsense"])
    refused(folder(tmp_path, {"a.parquet": frame}), "a.parquet", "valid_at", 2)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/Sao_Paulo", "+05:30", "Europe/London"])
def test_parquet_times_of_another_zone_are_refused(tmp_path: Path, zone: str) -> None:
    at = pd.date_range("2021-01-01", periods=3, freq="h", tz="UTC").tz_convert(zone)
    refused(folder(tmp_path, {"a.parquet": observations(3, valid_at=at)}), "a.parquet", "valid_at", 1)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("bad", ["2021-01-01 00:30", None, "2200-01-01 00:00"])
def test_parquet_times_off_the_hour_or_missing_are_refused(tmp_path: Path, unit: str, bad: str | None) -> None:
    at = pd.to_datetime(pd.Series(["2021-01-01 00:00", bad, "2021-01-01 03:00"])).dt.as_unit(unit)
    refused(folder(tmp_path, {"a.parquet": observations(3, valid_at=at)}), "a.parquet", "valid_at", 2)


# ---------------------------------------------------------------------------------------------- stations and encoding


@pytest.mark.parametrize(("name", "line"), [("a.parquet", 3), ("a.csv", 4)])
def test_stations_that_are_not_in_the_table_are_refused(tmp_path: Path, name: str, line: int) -> None:
    frame = observations(8, station_id=["007", "B2", *(f"X{i}" for i in range(6))])
    error = refused(folder(tmp_path, {name: frame}), name, "station_id", line)
    assert "X0, X1, X2, ..." in error.message


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
@pytest.mark.parametrize("bad", ["", None, "  "])
def test_a_row_without_station_is_refused(tmp_path: Path, name: str, bad: str | None) -> None:
    path = folder(tmp_path, {name: observations(2, station_id=["007", bad])})
    refused(path, name, "station_id", {"a.parquet": 2, "a.csv": 3}[name])


@pytest.mark.parametrize(
    ("table", "column", "line"),
    [
        ("station_id,lat,longitude\n007,1,2\n", "latitude", 1),
        ("station,latitude,longitude\n007,1,2\n", "station_id", 1),
        ("", "station_id", 1),
        ("station_id,latitude,longitude\n007,1,2\nB2,91,2\n", "latitude", 3),
        ("station_id,latitude,longitude\n007,1,\n", "longitude", 2),
        ("station_id,latitude,longitude\n007,x,2\n", "latitude", 2),
        ("station_id,latitude,longitude,elevation_m\n007,1,2,high\n", "elevation_m", 2),
        ("station_id,latitude,longitude,elevation_m\n007,1,2,99999\n", "elevation_m", 2),
        ("station_id,latitude,longitude\n007,1,2\n,1,2\n", "station_id", 3),
        ("station_id,latitude,longitude\n007,1,2\n\n007,1,3\n", "station_id", 4),
        ("station_id,latitude,longitude\n007,1\n", "(row)", 2),
    ],
)
def test_a_broken_table_of_stations_is_refused(tmp_path: Path, table: str, column: str, line: int) -> None:
    refused(folder(tmp_path, {"a.csv": text(GOOD)}, table), "stations.csv", column, line)


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    latin = text(GOOD, "007,2021-01-01 01:00,0,20,é", header=HEADER + ",note").encode("latin-1")
    refused(folder(tmp_path, {"a.csv": latin}), "a.csv", "(text)", 3)
    (tmp_path / "a.csv").unlink()
    refused(folder(tmp_path, {"b.csv": text(GOOD).encode("utf-16")}), "b.csv", "(text)", 1)
    (tmp_path / "b.csv").write_text(text(GOOD))
    (tmp_path / "stations.csv").write_bytes("station_id,name,latitude,longitude\n007,São,1,2\n".encode("latin-1"))
    refused(tmp_path, "stations.csv", "(text)", 2)


def test_parquet_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    ids = pa.array([b"007", b"\xff\xfe"]).view(pa.string())
    table = pa.Table.from_pandas(observations(2)).set_column(0, "station_id", ids)
    pq.write_table(table, folder(tmp_path, {}) / "a.parquet")
    refused(tmp_path, "a.parquet", "(text)", 2)


def test_unreadable_parquet_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path, {"a.parquet": observations(500)})
    whole = (path / "a.parquet").read_bytes()
    for broken in (b"", b"no parquet at all", whole[:-20], whole[:4] + bytes(400) + whole[404:]):
        (path / "a.parquet").write_bytes(broken)
        refused(path, "a.parquet", "(file)", 1)


def test_an_empty_csv_is_too_little_alone_and_refused_beside_others(tmp_path: Path) -> None:
    path = folder(tmp_path, {"a.csv": ""})
    with pytest.raises(InsufficientData):
        GaugeFolder(path).regions()
    refused(folder(path, {"b.csv": text(GOOD)}), "a.csv", "(text)", 1)
