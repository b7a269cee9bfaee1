"""The table of stations beside the observations."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

from core.adapters.gauges.columns import UNITS, check_required, mismatch
from core.adapters.gauges.text import TextForm, check_utf8, not_a_number, rows
from core.domain.units import east_or_west_deg
from core.domain.weather import Location

FILE_NAME = "stations.csv"
_REQUIRED = ("station_id", "latitude", "longitude")
#: Bounds of the numbers; the lowest land is at -430 m, the highest station below 8850 m.
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "latitude": (-90, 90),
    "longitude": (-180, 360),
    "elevation_m": (-500, 9000),
}
#: Heights that say "not known", as in the observations.
_SENTINELS = (-9999.0, -999.0)


def read_stations(path: Path) -> dict[str, Location]:
    """Return the stations of a table by their id, in the table's order.

    Needed are station_id (text), latitude and longitude; without a name the id stands for it, without elevation_m the
    elevation is NaN.

    Raises
    ------
    SchemaMismatch
        If a column is missing, a number is none or out of bounds, or a station is there twice at different places.
    """
    check_utf8(path)
    table = rows(path, TextForm())
    try:
        _, names = next(table, (1, []))
        check_required(names, path, _REQUIRED)
        stations: dict[str, Location] = {}
        for line, fields in table:
            if len(fields) != len(names):
                raise mismatch(path, "(row)", line, f"{len(fields)} fields where the header has {len(names)}")
            station = _station(dict(zip(names, fields, strict=True)), path, line)
            if not same_place(stations.setdefault(station.id, station), station):
                raise mismatch(path, "station_id", line, f"station {station.id[:40]} is there twice, at two places")
    except csv.Error:
        raise mismatch(path, "(table)", 1, "cannot be read as a table") from None
    return stations


def same_place(one: Location, other: Location) -> bool:
    """Say whether two entries give the same position."""
    return (one.latitude, one.longitude) == (other.latitude, other.longitude)


def _station(entry: Mapping[str, str], path: Path, line: int) -> Location:
    identity = entry["station_id"].strip()
    if not identity:
        raise mismatch(path, "station_id", line, "the station is missing")
    elevation = coordinate(entry.get("elevation_m", ""), "elevation_m", path, line)
    return Location(
        id=identity,
        name=entry.get("name", "").strip() or identity,
        latitude=coordinate(entry["latitude"], "latitude", path, line),
        longitude=coordinate(entry["longitude"], "longitude", path, line),
        elevation_m=elevation,
    )


def coordinate(text: str, column: str, path: Path, line: int, form: TextForm | None = None) -> float:
    """Return a latitude, longitude or elevation; an elevation that is not known is NaN.

    A longitude may be counted to 360° east; it is returned within -180 to 180.

    Raises
    ------
    SchemaMismatch
        If it is no number, out of bounds, or a position is missing.
    """
    form = form or TextForm()
    text = text.strip()
    if not form.is_number(text):
        raise not_a_number(path, column, line, text, form.decimal)
    number = form.number(text)
    if column == "elevation_m" and (math.isnan(number) or number in _SENTINELS):
        return math.nan
    low, high = _BOUNDS[column]
    if not low <= number <= high:
        raise mismatch(
            path, column, line, f"{text[:30]!r} is not within {low:g} to {high:g}", f"Unit: {UNITS[column]}."
        )
    return float(east_or_west_deg(number)) if column == "longitude" else number
