"""The feature table: what a model sees of every place and hour, the same code for training and for serving."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.domain.weather import HourlyWeather, Location, Values
from core.features import fields as model_fields
from core.features import history, storms, surroundings, terrain, thermo

#: Name of this set of features; a model trained on another one is refused.
FEATURE_VERSION = "observed-3"
#: Feature sets by name: what gauges and their neighbours saw, and that with the forecast fields of a weather model.
OBSERVED, OBSERVED_MODEL = FEATURE_VERSION, "observed+model-1"
FEATURE_SETS: Mapping[str, str] = {"observed": OBSERVED, "observed+model": OBSERVED_MODEL}
#: The farthest any feature looks back, in hours: served weather must reach back as far.
LOOKBACK_H = 360
EVERY_HOUR = slice(None)


@dataclass(frozen=True)
class FeatureTable:
    """Features of every place and hour, `values` of shape (places, hours, features), float32, missing NaN."""

    names: tuple[str, ...]
    values: NDArray[np.float32]

    def rows(self, where: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the rows at the true places of `where` (places, hours), shape (rows, features)."""
        return self.values[where]


def build(
    weather: HourlyWeather,
    around: Mapping[str, Values] | None = None,
    fields: HourlyWeather | None = None,
    hours: slice = EVERY_HOUR,
) -> FeatureTable:
    """Build the features of every place and hour of `weather`; each uses values up to its own hour only.

    Parameters
    ----------
    around
        Features of the surroundings of these places, where `weather` holds a part of a network only.
    fields
        Forecasts of a weather model for the same places. With them the set is `OBSERVED_MODEL`: theirs come last.
    hours
        The hours of which features are wanted. To lay those of 15 days side by side takes as long as to compute them.
    """
    columns: dict[str, Values] = {}
    for group in GROUPS:
        columns.update(group(weather))
    columns.update(surroundings.build(weather) if around is None else around)
    if fields is not None:
        columns.update(model_fields.build(fields, weather.valid_at))
    return FeatureTable(tuple(columns), np.stack([c[:, hours].astype(np.float32) for c in columns.values()], axis=-1))


def in_parts(
    weather: HourlyWeather, places: int, fields: HourlyWeather | None = None
) -> Iterator[tuple[slice, FeatureTable]]:
    """Yield the features of `places` places at a time, with the surroundings that the whole network gives them.

    All of them at once take 400 bytes per place and hour: 1.4 GB for 100 stations and four years.
    """
    around = surroundings.build(weather)
    for part in slices(len(weather.locations), places):
        yield part, of_places(weather, part, around, fields)


def slices(count: int, places: int) -> Iterator[slice]:
    """Yield which of `count` places are taken at a time, `places` of them."""
    for begin in range(0, count, places):
        yield slice(begin, min(begin + places, count))


def of_places(
    weather: HourlyWeather, part: slice, around: Mapping[str, Values], fields: HourlyWeather | None = None
) -> FeatureTable:
    """Build the features of some places of a network, with the surroundings that all of it gives them.

    Parameters
    ----------
    around
        What `surroundings.build` returns for the whole network.
    """
    some = range(part.start, part.stop)
    nearby = {name: values[part] for name, values in around.items()}
    return build(weather.select(some), nearby, None if fields is None else fields.select(some))


@lru_cache
def feature_names(feature_set: str = OBSERVED) -> tuple[str, ...]:
    """Return the names of the features of a set in their order."""
    place = (Location("", "", 0.0, 0.0, 0.0),)
    nothing = HourlyWeather(place, np.zeros(1, "datetime64[h]"), {}, "")
    return build(nothing, fields=nothing if feature_set == OBSERVED_MODEL else None).names


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
        "wet_bulb_temperature_c": thermo.wet_bulb_temperature_c(t, td, p),
        "specific_humidity_g_kg": thermo.specific_humidity_g_kg(td, p),
        "lifting_condensation_level_m": thermo.lifting_condensation_level_m(t, td),
        "theta_e_change_3h": history.change(theta_e, 3),
        "theta_e_change_24h": history.change(theta_e, 24),
        "theta_e_mean_24h": history.mean(theta_e, 24, at_least=12),
        "theta_e_max_24h": history.highest(theta_e, 24),
    }
    for name, values in (("temperature", t), ("dew_point", td), ("theta_e", theta_e)):
        out[f"{name}_anomaly_k"] = history.unusual(values)
    return out


def _last_days(weather: HourlyWeather) -> dict[str, Values]:
    """Return what the air of the last day and of the last ten days was like."""
    t, td = weather.get("temperature_c"), weather.get("dew_point_c")
    return {
        "temperature_max_24h_c": history.highest(t, 24),
        "temperature_min_24h_c": -history.highest(-t, 24),
        "relative_humidity_min_24h_pct": -history.highest(-weather.get("relative_humidity_pct"), 24),
        "dew_point_mean_24h_c": history.mean(td, 24, at_least=12),
        "dew_point_mean_240h_c": history.mean(td, 240, at_least=100),
        "temperature_mean_240h_c": history.mean(t, 240, at_least=100),
        "surface_pressure_hpa_change_12h": history.change(weather.get("surface_pressure_hpa"), 12),
    }


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
    """Return antecedent rain at several scales, how it came and went, and what fell at this hour of the days before."""
    rain = weather.get("precipitation_mm")
    wet, heavy = history.above(rain, 0), history.above(rain, surroundings.HEAVY_MM)
    out = {f"rain_{hours}h_mm": history.total(rain, hours) for hours in (1, 3, 6, 24, 72, 240)}
    out |= {f"rain_max_{hours}h_mm": history.highest(rain, hours) for hours in (6, 24, 72, 240)}
    out |= {f"wet_hours_{hours}h": history.total(wet, hours) for hours in (24, 72, 240)}
    return out | {
        "heavy_hours_240h": history.total(heavy, 240),
        "hours_since_rain": storms.hours_since_rain(rain, 240),
        "intermittency_24h": storms.intermittency(rain, 24),
        "rain_6h_days_before_mm": history.usual_at_this_hour(out["rain_6h_mm"], 10, at_least=3),
        "rain_next_6h_days_before_mm": history.usual_at_this_hour(out["rain_6h_mm"], 10, at_least=3, later_h=6),
    }


def _wind(weather: HourlyWeather) -> dict[str, Values]:
    """Return wind, its components, the strongest gust, what it carries and what it drives up the ground."""
    speed, gust = weather.get("wind_speed_ms"), weather.get("wind_gust_ms")
    t, td, p = weather.get("temperature_c"), weather.get("dew_point_c"), weather.get("surface_pressure_hpa")
    east, north = thermo.wind_components_ms(speed, weather.get("wind_direction_deg"))
    flux_east, flux_north = thermo.moisture_flux(td, p, east, north)
    front = storms.gust_front(t, gust, p)
    return {
        "wind_speed_ms": speed,
        "wind_gust_ms": gust,
        "wind_gust_max_6h_ms": history.highest(gust, 6),
        "wind_east_ms": east.astype(np.float32),
        "wind_north_ms": north.astype(np.float32),
        "wind_gust_change_1h_ms": history.change(gust, 1),
        "moisture_flux_east": flux_east,
        "moisture_flux_north": flux_north,
        "gust_front": front,
        "gust_front_max_6h": history.highest(front, 6),
        "orographic_lift_ms": terrain.orographic_lift_ms(weather.locations, east, north),
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
        "latitude_deg": latitude,
        "longitude_deg": longitude,
        "solar_hour_sin": np.sin(solar),
        "solar_hour_cos": np.cos(solar),
        "season_sin": np.sin(season),
        "season_cos": np.cos(season),
    }
    return {name: np.broadcast_to(values.astype(np.float32), shape) for name, values in columns.items()}


GROUPS: tuple[Callable[[HourlyWeather], dict[str, Values]], ...] = (
    _state,
    _last_days,
    _tendencies,
    _rain,
    _wind,
    _place_and_time,
)
