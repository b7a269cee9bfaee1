"""The map as a file: GeoJSON and CSV of one issue."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.adapters.map_files import geojson, table
from core.domain.forecast import TARGET, RegionForecast
from tests.issued_made import House, hours


@pytest.fixture
def issue(tmp_path: Path) -> RegionForecast:
    made = House(tmp_path).issue()
    return replace(made, source="simulator", season_day=210, problems=("=cmd", "old"))


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))


def test_the_file_of_the_map_is_geojson_that_says_what_it_is_of(issue: RegionForecast) -> None:
    made = json.loads(geojson(issue, hours(1)))
    assert [f["id"] for f in made["features"]] == ["a", "b", "c"]
    assert made["features"][0]["properties"]["p_15"] == 0.4
    assert made["source_text"] == "Simulated: 29 July"
    assert (made["made_at"], made["data_age_s"]) == ("2026-07-29T19:00:00+00:00", 3600.0)


def test_a_station_is_a_point(issue: RegionForecast) -> None:
    made = json.loads(geojson(replace(issue, region=replace(issue.region, spacing_deg=None)), hours(1)))
    assert made["features"][0]["geometry"] == {"type": "Point", "coordinates": [78.1, 30.1]}


def test_a_row_says_what_is_forecast_and_from_what(issue: RegionForecast) -> None:
    first = rows(table(issue, hours(1)))[0]
    assert first["p_15 (≥ 15 mm/h, 0 to 6 h, fraction)"] == "0.4"
    assert (first["place"], first["latitude_deg"], first["level"]) == ("Alpha", "30.1", "red")
    assert (first["made_at_utc"], first["data_age_s"]) == ("2026-07-29T19:00:00+00:00", "3600.0")
    assert (first["source_text"], first["freshness"], first["model_version"]) == ("Simulated: 29 July", "fresh", "m1")


def test_what_is_not_known_is_empty(tmp_path: Path) -> None:
    first = rows(table(House(tmp_path / "h").issue(model=None), hours(1)))[0]
    assert (first["p_15 (≥ 15 mm/h, 0 to 6 h, fraction)"], first["level"], first["model_version"]) == (
        "",
        "unknown",
        "",
    )


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_text_is_a_formula_and_numbers_stay_numbers(issue: RegionForecast, begin: str) -> None:
    name = f'{begin}HYPERLINK("x";1),2'
    places = tuple(replace(place, name=name, longitude=-43.2) for place in issue.region.locations)
    first = rows(table(replace(issue, region=replace(issue.region, locations=places)), hours(1)))[0]
    assert first["place"] == f"'{name}"
    assert first["longitude_deg"] == "-43.2"
    assert first["problems"] == "'=cmd; old"
    assert len(rows(table(issue, hours(1)))) == len(issue.forecasts)
    assert issue.forecasts[0].exceedance.of(TARGET) == 0.4
