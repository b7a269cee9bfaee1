"""Made-up weather for tests: plain numbers on the shapes of the house."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from core.domain.units import hour_axis, saturation_vapour_pressure_hpa
from core.domain.weather import HourlyWeather, Location, Region
from core.errors import SourceUnavailable

PLACES = (
    Location("a", "Alpha", 30.1, 78.1, 500.0),
    Location("b", "Beta", 30.1, 78.35, 1500.0),
    Location("c", "Gamma", 30.35, 78.1, 900.0),
)
REGION = Region("uttarakhand-himachal", "Test region", "Asia/Kolkata", PLACES, (), 0.25)
END = datetime.fromisoformat("2026-07-29T18:00:00+00:00")
MEANS = {
    "temperature_c": 24.0,
    "dew_point_c": 20.0,
    "surface_pressure_hpa": 900.0,
    "wind_speed_ms": 3.0,
    "wind_gust_ms": 7.0,
    "wind_direction_deg": 180.0,
}


def weather(
    hours: int = 48, end: datetime = END, source: str = "gauges", places: tuple[Location, ...] = PLACES, seed: int = 0
) -> HourlyWeather:
    """Return coherent hours up to `end`: noise around plain means, and some rain."""
    rng = np.random.default_rng(seed)
    axis = hour_axis(end - timedelta(hours=hours - 1), end)
    shape = (len(places), len(axis))
    values = {n: (m + rng.uniform(-1, 1, shape)).astype(np.float32) for n, m in MEANS.items()}
    vapour = saturation_vapour_pressure_hpa(values["dew_point_c"])
    values["relative_humidity_pct"] = 100 * vapour / saturation_vapour_pressure_hpa(values["temperature_c"])
    values["precipitation_mm"] = np.where(rng.random(shape) < 0.2, rng.gamma(0.6, 4, shape), 0).astype(np.float32)
    return HourlyWeather(places, axis, values, source)


class FakeSource:
    """Port `WeatherSource` of made-up weather that ends at `end`, and fails when told to."""

    def __init__(self, end: datetime = END, name: str = "gauges") -> None:
        self.end = end
        self.name = name
        self.down = False

    def regions(self) -> tuple[Region, ...]:
        """Return the one region."""
        return (REGION,)

    def periods(self) -> tuple[tuple[datetime, datetime], ...]:
        """Return the last twenty days."""
        return ((self.end - timedelta(days=20), self.end),)

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the asked hours, NaN after `end`."""
        if self.down:
            raise SourceUnavailable("The fake source is down.", hint="Put it up again.")
        hours = round((end - start).total_seconds() / 3600) + 1
        return weather(hours, end, self.name, region.locations).as_known(self.end)
