"""Limits of the quality checks, one row per variable, each with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Values outside `low`..`high` cannot be weather: FAIL."""

    variable: str
    low: float
    high: float
    unit: str
    reason: str


RANGES: tuple[Range, ...] = (
    Range("temperature_c", -50.0, 60.0, "°C", "no inhabited place has been colder or hotter"),
    Range("dew_point_c", -60.0, 40.0, "°C", "the highest dew point ever measured is 35 °C"),
    Range("relative_humidity_pct", 0.0, 100.0, "%", "by definition"),
    Range("surface_pressure_hpa", 300.0, 1085.0, "hPa", "300 hPa is the summit of Everest, 1085 hPa the world record"),
    Range("pressure_msl_hpa", 870.0, 1085.0, "hPa", "lowest typhoon and highest winter anticyclone on record"),
    Range("wind_speed_ms", 0.0, 100.0, "m/s", "no hourly mean has been higher"),
    Range("wind_gust_ms", 0.0, 115.0, "m/s", "world record 113 m/s (Barrow Island, 1996)"),
    Range("wind_direction_deg", 0.0, 360.0, "°", "by definition"),
    Range("cloud_cover_pct", 0.0, 100.0, "%", "by definition"),
    Range("precipitation_mm", 0.0, 500.0, "mm", "world record 305 mm in 42 min (Holt, 1947)"),
    Range("cape_j_kg", 0.0, 10_000.0, "J/kg", "extreme soundings reach 8,000"),
    Range("precipitable_water_mm", 0.0, 100.0, "mm", "the tropics reach about 75"),
)

#: Deviation from the standard atmosphere's pressure at the station's height that is still weather, hPa.
PRESSURE_AT_HEIGHT_TOLERANCE_HPA = 45.0
#: Dew point above temperature that is still rounding, K.
DEW_POINT_TOLERANCE_K = 0.3
#: Change of temperature in one hour beyond which a value is suspect, K (WMO-No. 8, automatic station checks: 3 K in
#: one minute; fronts of thunderstorms reach 15 K in an hour, so this is SUSPECT, never FAIL).
TEMPERATURE_STEP_K = 12.0
#: Hours without the slightest change in temperature, humidity and pressure together after which sensors are stuck.
FLAT_LINE_H = 6
#: Equal rain of at least `STUCK_RAIN_MM` for this many hours is a stuck gauge.
STUCK_RAIN_H = 3
STUCK_RAIN_MM = 20.0
