"""The map of an issue as a file: GeoJSON for a map, CSV for a table."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

from core.domain.forecast import RegionForecast, known_or_none
from core.domain.maps import as_geojson
from core.domain.workbook import FORMULA_SIGNS

_COLUMNS = ("place_id", "place", "latitude_deg", "longitude_deg", "level")


def geojson(issue: RegionForecast, now: datetime) -> bytes:
    """Return the map as a GeoJSON file; what the issue is of stands beside its features."""
    return json.dumps(as_geojson(issue, now), indent=1, allow_nan=False, ensure_ascii=False).encode()


def table(issue: RegionForecast, now: datetime) -> bytes:
    """Return the map as CSV (RFC 4180, UTF-8): one row per place, and in each what the issue is of.

    The header names the units; probabilities are fractions, times UTC. What is not known is empty.
    """
    names = {place.id: place for place in issue.region.locations}
    events = [(curve, i) for curve in issue.forecasts[0].curves for i in range(len(curve.events))]
    heads = [f"{c.events[i].key} ({c.events[i].text}, {c.window.text}, fraction)" for c, i in events]
    about = {"made_at": now.isoformat(), **issue.about(now)}
    shared = [_text(value) for value in about.values()]
    file = io.StringIO(newline="")
    rows = csv.writer(file)
    rows.writerow([*_COLUMNS, *heads, "place_freshness", "place_data_at_utc", *map(_titled, about)])
    for forecast in issue.forecasts:
        place = names[forecast.location_id]
        known = [known_or_none(p) for curve in forecast.curves for p in curve.probability]
        of_place = [forecast.freshness.value, forecast.data_at and forecast.data_at.isoformat()]
        first = [_text(place.id), _text(place.name), place.latitude, place.longitude, forecast.level.value]
        rows.writerow([*first, *known, *of_place, *shared])
    return file.getvalue().encode()


def _titled(name: str) -> str:
    """Return the head of a column; times say that they are UTC."""
    return f"{name}_utc" if name.endswith("_at") or name == "valid_from" else name


def _text(value: Any) -> Any:
    """Return a value as a cell: lists become one text, and no text can be taken for a formula."""
    if isinstance(value, list):
        value = "; ".join(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value
