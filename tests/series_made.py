"""Series of one place for the tests of the quality checks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np

from core.domain.quality import Finding
from core.domain.units import hour_axis, saturation_vapour_pressure_hpa, standard_pressure_hpa
from core.domain.weather import VARIABLES, Flag, HourlyWeather, Location

START = datetime(2026, 7, 1, tzinfo=UTC)


def weather(elevation_m: float = np.nan, start: datetime = START, **series: Iterable[float]) -> HourlyWeather:
    """Return one place with the given series."""
    values = {name: np.array([list(row)], np.float32) for name, row in series.items()}
    hours = next(iter(values.values())).shape[1]
    place = Location("a", "A", 30.0, 78.0, elevation_m)
    return HourlyWeather((place,), hour_axis(start, start + timedelta(hours=hours - 1)), values, "made up")


def good(hours: int = 96, seed: int = 3) -> HourlyWeather:
    """Return weather that no check may touch: every variable of the house, a daily course, a storm of 120 mm."""
    t = np.arange(hours)
    rng = np.random.default_rng(seed)
    day = np.sin(2 * np.pi * (t - 6) / 24) + 0.05 * rng.standard_normal(hours)
    values = dict.fromkeys(VARIABLES, 50 + day)
    temperature, dew_point = 24 + 6 * day, 15 + 0.5 * day
    temperature[20:23] -= (4, 3, 1)
    dew_point[20:23] = np.minimum(temperature[20:23] - 0.2, 19)
    humidity = 100 * saturation_vapour_pressure_hpa(dew_point) / saturation_vapour_pressure_hpa(temperature)
    gust = 9 + day + rng.random(hours)
    gust[20] = 19
    values |= {
        "temperature_c": temperature,
        "dew_point_c": dew_point,
        "relative_humidity_pct": humidity,
        "surface_pressure_hpa": standard_pressure_hpa(800) + 1.2 * np.sin(4 * np.pi * t / 24) + 0.1 * day,
        "pressure_msl_hpa": 1005 + 1.2 * np.sin(4 * np.pi * t / 24) + 0.1 * day,
        "wind_speed_ms": 5 + day,
        "wind_gust_ms": gust,
        "wind_direction_deg": 180 + 40 * day,
        "cloud_cover_pct": np.where(t == 20, 100.0, 60 + 5 * day),
        "precipitation_mm": np.select([t == 20, t == 21], [120.0, 14.0], 0.0),
        "lifted_index_k": -2 + day,
    }
    return weather(800.0, **{name: row.tolist() for name, row in values.items()})


def hits(findings: Iterable[Finding]) -> dict[tuple[str, str, Flag], list[int]]:
    """Return the hours of every finding of the one place that hit any."""
    return {(f.test, f.variable, f.flag): np.flatnonzero(f.where[0]).tolist() for f in findings if f.where.any()}
