"""The feature table: what a model sees of every place and hour, the same code for training and for serving."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.domain.weather import HourlyWeather, Location, Values
from core.features import history, surroundings, thermo

#: Name of this set of features; a model trained on another one is refused.
FEATURE_VERSION = "observed-2"
#: The farthest any feature looks back, in hours: served weather must reach back as far.
LOOKBACK_H = 360


@dataclass(frozen=True)
class FeatureTable:
    """Features of every place and hour, `values` of shape (places, hours, features), float32, missing NaN."""

    names: tuple[str, ...]
    values: NDArray[np.float32]

    def rows(self, where: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the rows at the true places of `where` (places, hours), shape (rows, features)."""
        return self.values[where]


def build(weather: HourlyWeather, around: Mapping[str, Values] | None = None) -> FeatureTable:
    """Build the features of every place and hour of `weather`; each uses values up to its own hour only.

    Parameters
    ----------
    around
        Features of the surroundings of these places, where `weather` holds a part of a network only.
    """
    columns: dict[str, Values] = {}
    for group in GROUPS:
        columns.update(group(weather))
    columns.update(surroundings.build(weather) if around is None else around)
    return FeatureTable(tuple(columns), np.stack([c.astype(np.float32) for c in columns.values()], axis=-1))


def in_parts(weather: HourlyWeather, places: int) -> Iterator[tuple[slice, FeatureTable]]:
    """Yield the features of `places` places at a time, with the surroundings that the whole network gives them.

    All of them at once take 280 bytes per place and hour: 1 GB for 100 stations and four years.
    """
    around = surroundings.build(weather)
    for begin in range(0, len(weather.locations), places):
        part = slice(begin, min(begin + places, len(weather.locations)))
        some = weather.select(range(part.start, part.stop))
        yield part, build(some, {name: values[part] for name, values in around.items()})


@lru_cache
def feature_names() -> tuple[str, ...]:
    """Return the names of the features in their order."""
    place = (Location("", "", 0.0, 0.0, 0.0),)
    return build(HourlyWeather(place, np.zeros(1, "datetime64[h]"), {}, "")).names


def _state(weather: HourlyWeather) -> dict[str, Values]:
    """Return the state of the air now, and how it differs from the days before."""
    t, td, p = weather.get("temperature_c"), weather.get("dew_point_c"), weather.get("surface_pressure_hpa")
    theta_e = thermo.equivalent_potential_temperature_k(t, td, p).astype(np.float32)
    out = {
        "temperature_c": t,
        "dew_point_c": td,
        "relative_humidity_pct": weather.get("relative_humidity_pct"),
        "dew_point_depression_k": t - td,
        "equivalent_potential_temperature_k": theta_e,
        "pressure_anomaly_hpa": p - history.mean(p, 360, at_least=100),
    }
    for name, values in (("temperature", t), ("dew_point", td), ("theta_e", theta_e)):
        out[f"{name}_anomaly_k"] = history.unusual(values)
    return out


def _tendencies(weather: HourlyWeather) -> dict[str, Values]:
    """Return changes over 1, 3, 6 and 24 h, and the 3 h pressure change without the daily tide."""
    out: dict[str, Values] = {}
    for name in ("temperature_c", "dew_point_c", "surface_pressure_hpa", "relative_humidity_pct"):
        values = weather.get(name)
        for hours in (1, 3, 6, 24):
            out[f"{name}_change_{hours}h"] = history.change(values, hours)
    out["pressure_change_3h_without_tide"] = history.unusual(out["surface_pressure_hpa_change_3h"])
    return out


def _rain(weather: HourlyWeather) -> dict[str, Values]:
    """Return antecedent rain at several scales."""
    rain = weather.get("precipitation_mm")
    out = {f"rain_{hours}h_mm": history.total(rain, hours) for hours in (1, 3, 6, 24, 72, 240)}
    out["rain_max_6h_mm"] = history.highest(rain, 6)
    out["rain_max_24h_mm"] = history.highest(rain, 24)
    out["wet_hours_24h"] = history.total(history.above(rain, 0), 24)
    return out


def _wind(weather: HourlyWeather) -> dict[str, Values]:
    """Return wind, its components and the strongest gust."""
    speed, gust = weather.get("wind_speed_ms"), weather.get("wind_gust_ms")
    east, north = thermo.wind_components_ms(speed, weather.get("wind_direction_deg"))
    return {
        "wind_speed_ms": speed,
        "wind_gust_ms": gust,
        "wind_gust_max_6h_ms": history.highest(gust, 6),
        "wind_east_ms": east.astype(np.float32),
        "wind_north_ms": north.astype(np.float32),
    }


def _place_and_time(weather: HourlyWeather) -> dict[str, Values]:
    """Return height, distance from the equator, solar hour and season (turned by half a year south of the equator)."""
    shape = (len(weather.locations), len(weather.valid_at))
    latitude = np.array([p.latitude for p in weather.locations], np.float32)[:, None]
    longitude = np.array([p.longitude for p in weather.locations], np.float32)[:, None]
    elevation = np.array([p.elevation_m for p in weather.locations], np.float32)[:, None]
    hours = weather.valid_at.astype(np.int64)
    solar = (2 * np.pi / 24) * ((hours % 24)[None, :] + longitude / 15)
    days = (weather.valid_at.astype("datetime64[D]") - weather.valid_at.astype("datetime64[Y]")).astype(np.int64)
    day = days if weather.season_day is None else np.full(days.shape, weather.season_day - 1)
    season = (2 * np.pi / 365.25) * day[None, :] + np.where(latitude < 0, np.pi, 0)
    columns = {
        "elevation_m": elevation,
        "latitude_abs_deg": np.abs(latitude),
        "solar_hour_sin": np.sin(solar),
        "solar_hour_cos": np.cos(solar),
        "season_sin": np.sin(season),
        "season_cos": np.cos(season),
    }
    return {name: np.broadcast_to(values.astype(np.float32), shape) for name, values in columns.items()}


GROUPS: tuple[Callable[[HourlyWeather], dict[str, Values]], ...] = (_state, _tendencies, _rain, _wind, _place_and_time)
