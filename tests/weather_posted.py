"""A weather record as somebody outside would send it."""

from __future__ import annotations

from typing import Any

from core.quality.schema import ALIASES

#: Plausible in every check: dry-ish monsoon afternoon at 560 m.
RECORD: dict[str, Any] = {
    "temperature_c": 24.0,
    "dew_point_c": 20.3,
    "relative_humidity_pct": 80,
    "surface_pressure_hpa": 946.0,
    "wind_speed_ms": 3.2,
    "wind_direction_deg": 200,
    "wind_gust_ms": 7.0,
    "cloud_cover_pct": 90,
    "precipitation_mm": 2.4,
    "latitude": 30.3,
    "longitude": 78.0,
    "elevation_m": 560.0,
}
BY_ALIAS: dict[str, Any] = {ALIASES.get(name, name): value for name, value in RECORD.items()}


def record(**changes: Any) -> dict[str, Any]:
    """Return the record with changes; `...` takes a field out."""
    return {name: value for name, value in {**RECORD, **changes}.items() if value is not ...}
