"""Raw station-years of INMET: both spellings of the service are read, anything else is refused with its line."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.adapters.gauges.folder import GaugeFolder
from core.adapters.gauges.inmet import InmetFile, is_inmet
from core.errors import InsufficientData
from tests.adapters.gauge_folders import hour, load, refused

DATA = Path(__file__).parents[3] / "shared" / "data"
HEAD = """REGIAO:;CO
UF:;DF
ESTACAO:;BRASILIA
CODIGO (WMO):;A001
LATITUDE:;-15,78944444
LONGITUDE:;-47,92583332
ALTITUDE:;1160,96
DATA DE FUNDACAO:;07/05/00
"""
OLD_HEAD = HEAD.replace("REGIAO", "REGIÃO").replace("ESTACAO", "ESTAÇÃO").replace("FUNDACAO", "FUNDAÇÃO (YYYY-MM-DD)")
NAMES = (
    "Data;Hora UTC;PRECIPITAÇÃO TOTAL, HORÁRIO (mm);PRESSAO ATMOSFERICA AO NIVEL DA ESTACAO, HORARIA (mB);"
    "PRESSÃO ATMOSFERICA MAX.NA HORA ANT. (AUT) (mB);RADIACAO GLOBAL (Kj/m²);"
    "TEMPERATURA DO AR - BULBO SECO, HORARIA (°C);TEMPERATURA DO PONTO DE ORVALHO (°C);"
    "TEMPERATURA MÁXIMA NA HORA ANT. (AUT) (°C);TEMPERATURA ORVALHO MAX. NA HORA ANT. (AUT) (°C);"
    "UMIDADE REL. MAX. NA HORA ANT. (AUT) (%);UMIDADE RELATIVA DO AR, HORARIA (%);"
    "VENTO, DIREÇÃO HORARIA (gr) (° (gr));VENTO, RAJADA MAXIMA (m/s);VENTO, VELOCIDADE HORARIA (m/s);\n"
)
OLD_NAMES = NAMES.replace("Data;Hora UTC", "DATA (YYYY-MM-DD);HORA (UTC)")
ROWS = (
    "2021/01/01;0000 UTC;0;887,1;999;;20,9;15,9;99;99;99;73;327;3,6;,8;\n"
    "2021/01/01;0100 UTC;,4;-9999;999;298,2;20,5;;99;99;99;78;134;2,3;1,5;\n"
    "2021/01/01;0200 UTC;;887,9;999;-9999;-9999;16,4;99;99;99;80;;;;\n"
)
OLD_ROWS = ROWS.replace("2021/01/01", "2021-01-01").replace("00 UTC", ":00")
TRUTH = {
    "precipitation_mm": [0, 0.4, math.nan],
    "surface_pressure_hpa": [887.1, math.nan, 887.9],
    "temperature_c": [20.9, 20.5, math.nan],
    "dew_point_c": [15.9, math.nan, 16.4],
    "relative_humidity_pct": [73, 78, 80],
    "wind_direction_deg": [327, 134, math.nan],
    "wind_gust_ms": [3.6, 2.3, math.nan],
    "wind_speed_ms": [0.8, 1.5, math.nan],
}


def raw(tmp_path: Path, content: str = HEAD + NAMES + ROWS, encoding: str = "latin-1", name: str = "a.CSV") -> Path:
    (tmp_path / name).write_bytes(content.encode(encoding))
    return tmp_path


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize(
    "content", [HEAD + NAMES + ROWS, OLD_HEAD + OLD_NAMES + OLD_ROWS, (HEAD + NAMES + ROWS).replace("\n", "\r\n")]
)
def test_both_spellings_are_read_by_the_names_of_the_columns(tmp_path: Path, encoding: str, content: str) -> None:
    weather = load(raw(tmp_path, content, encoding), 0, 2)
    assert set(weather.values) == set(TRUTH)
    for name, truth in TRUTH.items():
        np.testing.assert_array_equal(weather.get(name)[0], np.array(truth, np.float32))
    (station,) = weather.locations
    assert (station.id, station.name) == ("A001", "BRASILIA")
    assert (station.latitude, station.longitude, station.elevation_m) == (-15.78944444, -47.92583332, 1160.96)


def test_columns_may_stand_in_another_order(tmp_path: Path) -> None:
    rows = [line.split(";") for line in (NAMES + ROWS).splitlines()]
    turned = "".join(";".join([*row[:2], *row[-2:1:-1], ""]) + "\n" for row in rows)
    weather = load(raw(tmp_path, HEAD + turned), 0, 2)
    for name, truth in TRUTH.items():
        np.testing.assert_array_equal(weather.get(name)[0], np.array(truth, np.float32))


def test_only_precipitation_must_be_there(tmp_path: Path) -> None:
    content = HEAD + "Data;Hora UTC;PRECIPITAÇÃO TOTAL, HORÁRIO (mm);\n2021/01/01;0000 UTC;1,2;\n"
    assert set(load(raw(tmp_path, content)).values) == {"precipitation_mm"}


def test_a_missing_height_is_nan(tmp_path: Path) -> None:
    path = raw(tmp_path, (HEAD + NAMES + ROWS).replace("1160,96", ""))
    assert math.isnan(InmetFile(path / "a.CSV").station().elevation_m)


def test_the_table_wins_for_the_stations_in_it(tmp_path: Path) -> None:
    raw(tmp_path)
    raw(tmp_path, (HEAD + NAMES + ROWS).replace("A001", "A002"), name="b.csv")
    (tmp_path / "stations.csv").write_text("station_id,latitude,longitude\nA002,1,2\n")
    two, one = GaugeFolder(tmp_path).regions()[0].locations
    assert (two.id, two.name, two.latitude, two.longitude) == ("A002", "A002", 1, 2)
    assert (one.id, one.latitude) == ("A001", -15.78944444)


def test_raw_and_converted_files_may_lie_together(tmp_path: Path) -> None:
    raw(tmp_path)
    (tmp_path / "b.csv").write_text("station_id,valid_at,precipitation_mm\nB,2021-01-01T00:00Z,7\n")
    (tmp_path / "stations.csv").write_text("station_id,latitude,longitude\nB,1,2\n")
    weather = load(tmp_path, 0, 0)
    assert [location.id for location in weather.locations] == ["B", "A001"]
    np.testing.assert_array_equal(weather.get("precipitation_mm"), [[7], [0]])


def test_extent_is_the_first_and_last_stamped_hour(tmp_path: Path) -> None:
    assert GaugeFolder(raw(tmp_path)).extent() == (hour(0), hour(2))


def test_a_file_without_rows_is_too_little(tmp_path: Path) -> None:
    with pytest.raises(InsufficientData):
        GaugeFolder(raw(tmp_path, HEAD + NAMES)).regions()


def test_other_csv_is_not_taken_for_inmet(tmp_path: Path) -> None:
    assert not is_inmet(raw(tmp_path, "station_id,valid_at\n") / "a.CSV")
    assert not is_inmet(raw(tmp_path, "") / "a.CSV")


@pytest.mark.parametrize(
    ("old", "new", "column", "line"),
    [
        ("Hora UTC", "Hora BRT", "Hora BRT", 9),
        ("Hora UTC", "Hora local", "Hora local", 9),
        ("Hora UTC", "Hora", "Hora", 9),
        ("PRECIPITAÇÃO TOTAL, HORÁRIO (mm)", "CHUVA (mm)", "precipitation_mm", 9),
        ("HORÁRIO (mm)", "HORÁRIO (in)", "PRECIPITAÇÃO TOTAL, HORÁRIO (in)", 9),
        ("SECO, HORARIA (°C)", "SECO, HORARIA (°F)", "TEMPERATURA DO AR - BULBO SECO, HORARIA (°F)", 9),
        ("DATA DE FUNDACAO:;07/05/00\n", "", "Data", 9),
        ("0100 UTC", "0130 UTC", "valid_at", 11),
        ("0100 UTC", "0100 BRT", "valid_at", 11),
        ("0100 UTC", "", "valid_at", 11),
        ("2021/01/01;0200", "2021/02/30;0200", "valid_at", 12),
        ("2021/01/01;0200", "01/01/2021;0200", "valid_at", 12),
        (";,4;", ";0.4;", "PRECIPITAÇÃO TOTAL, HORÁRIO (mm)", 11),
        (";16,4;", ";abc;", "TEMPERATURA DO PONTO DE ORVALHO (°C)", 12),
        (";80;;;;", ";80;;;", "(row)", 12),
        ("A001", "", "station_id", 4),
        ("-15,78944444", "", "latitude", 5),
        ("-15,78944444", "-15.78944444", "latitude", 5),
        ("-47,92583332", "447,9", "longitude", 6),
    ],
)
def test_what_is_not_as_it_must_be_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, column: str, line: int
) -> None:
    content = HEAD + NAMES + ROWS
    assert old in content
    refused(raw(tmp_path, content.replace(old, new, 1)), "a.CSV", column, line)


def test_a_whole_file_in_fahrenheit_is_refused(tmp_path: Path) -> None:
    content = HEAD + NAMES + ROWS.replace(";20,9;", ";69,6;").replace(";20,5;", ";68,9;")
    refused(raw(tmp_path, content), "a.CSV", "temperature_c", 10)


def test_a_utf8_file_with_a_broken_letter_is_refused(tmp_path: Path) -> None:
    content = (HEAD + NAMES).encode() + ROWS.replace("0100 UTC", "0100 UTÇ").encode("latin-1")
    (tmp_path / "a.csv").write_bytes(content)
    refused(tmp_path, "a.csv", "(text)", 11)


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is absent")
@pytest.mark.parametrize("station", ["A001", "A771"])
@pytest.mark.parametrize("year", [2021, 2022])
def test_raw_years_hold_what_the_converted_archive_holds(station: str, year: int) -> None:
    source = GaugeFolder(DATA / "gauges_raw")
    (region,) = source.regions()
    weather = source.hours(region, datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, 23, tzinfo=UTC))
    truth = pd.read_parquet(DATA / "gauges" / f"hourly_{year}.parquet", filters=[("station_id", "==", station)])
    truth = truth.set_index("valid_at").sort_index()
    assert len(truth) == len(weather.valid_at)
    place = [location.id for location in region.locations].index(station)
    for name in TRUTH:
        np.testing.assert_array_equal(weather.get(name)[place], truth[name].to_numpy(), err_msg=name)
    known = pd.read_csv(DATA / "gauges" / "stations.csv").set_index("station_id").loc[station]
    assert region.locations[place].elevation_m == known.elevation_m
    assert region.locations[place].latitude == pytest.approx(known.latitude, abs=1e-3)


@pytest.mark.parametrize(("written", "means"), [("312,07416668", -47.92583332), ("180", 180.0), ("-180", -180.0)])
def test_longitudes_may_be_counted_to_the_east_alone(tmp_path: Path, written: str, means: float) -> None:
    path = raw(tmp_path, (HEAD + NAMES + ROWS).replace("-47,92583332", written)) / "a.CSV"
    assert InmetFile(path).station().longitude == pytest.approx(means, abs=1e-8)
