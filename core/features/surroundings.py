"""The surroundings of a place: rain, tendencies and anomalies of its neighbours, weighted by distance and by the wind.

Rain that comes is often rain that is already near: on real gauges these features are worth more than anything else that
was added to those of the place itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.domain import geometry
from core.domain.weather import HourlyWeather, Values
from core.features import history, storms, thermo

#: Neighbours farther away than this say nothing within six hours at the speed of a storm system (40 to 70 km/h).
RADIUS_KM = 400.0
#: The nearest so many neighbours within the radius are looked at.
MOST = 48
#: Two circles: what is next door, and what is on its way.
CIRCLES_KM = (150, 400)
#: Neighbours within this distance give the heaviest rain around, km.
HEAVIEST_KM = 250.0
#: Neighbours for the anomalies against the surroundings, km.
AROUND_KM = 300.0
#: Weight 1 / (distance + this): neighbours at 0 and 50 km differ by a factor of two only, km.
SOFTENING_KM = 50.0
#: Rain of an hour that counts as heavy here, mm.
HEAVY_MM = 5.0
QUARTERS: Mapping[str, float] = {"north": 0.0, "east": np.pi / 2, "south": np.pi, "west": -np.pi / 2}


def build(weather: HourlyWeather) -> dict[str, Values]:
    """Return the features of the surroundings of every place and hour; NaN where no neighbour has a value."""
    index, distance_km = geometry.nearest(weather.locations, RADIUS_KM, MOST)
    rain_3h, fields, pressure_anomaly, theta_e_anomaly = _fields(weather)
    out: dict[str, Values] = {}
    for circle_km in CIRCLES_KM:
        weights = _weights(index, _by_distance(distance_km, circle_km))
        out |= {f"around_{circle_km}km_{name}": _mean(field, weights) for name, field in fields.items()}
    bearing = geometry.bearing_rad(weather.locations, index)
    quarters = {}
    for name, direction in QUARTERS.items():
        facing = np.nan_to_num(np.maximum(np.cos(bearing - direction), 0)) ** 2
        quarters[name] = _mean(rain_3h, _weights(index, _by_distance(distance_km, RADIUS_KM) * facing))
    out |= {f"rain_3h_{name}": values for name, values in quarters.items()}
    out |= _flow(weather, index, distance_km, bearing, quarters)
    around = _weights(index, _by_distance(distance_km, AROUND_KM))
    out["pressure_against_surroundings_hpa"] = pressure_anomaly - _mean(pressure_anomaly, around)
    out["theta_e_against_surroundings_k"] = theta_e_anomaly - _mean(theta_e_anomaly, around)
    out["rain_3h_heaviest_around_mm"] = _heaviest(history.total(weather.get("precipitation_mm"), 3), index, distance_km)
    nearest_km = np.minimum(distance_km.min(axis=1, initial=np.inf), RADIUS_KM).astype(np.float32)
    for circle_km in CIRCLES_KM:
        rain_now = out[f"around_{circle_km}km_root_rain"]
        out[f"around_{circle_km}km_root_rain_change_3h"] = history.change(rain_now, 3)
    out["nearest_neighbour_km"] = np.broadcast_to(nearest_km[:, None], rain_3h.shape)
    return out


def _flow(
    weather: HourlyWeather,
    index: NDArray[np.int64],
    distance_km: NDArray[np.float64],
    bearing: NDArray[np.float64],
    quarters: Mapping[str, Values],
) -> dict[str, Values]:
    """Return the wind around, the rain on its way with that wind, and where winds and their moisture run together.

    The rain upwind is that of the quarters, weighted by max(cos(angle between quarter and wind), 0)^2: the weights of
    all four sum to 1. Convergence is the mean of what neighbours send towards the place, m/s and g/kg m/s: the radial
    part of their wind, inwards positive (a line integral around the place is its convergence by Gauss's theorem).
    """
    t_d, pressure = weather.get("dew_point_c"), weather.get("surface_pressure_hpa")
    east, north = thermo.wind_components_ms(weather.get("wind_speed_ms"), weather.get("wind_direction_deg"))
    flux_east, flux_north = thermo.moisture_flux(t_d, pressure, east, north)
    wide = _weights(index, _by_distance(distance_km, RADIUS_KM))
    mean_east, mean_north = (history.mean(_mean(v.astype(np.float32), wide), 6, at_least=3) for v in (east, north))
    out = {"around_400km_wind_east_ms": mean_east, "around_400km_wind_north_ms": mean_north}
    out["rain_3h_upwind"] = _upwind(quarters, mean_east, mean_north)
    near = _by_distance(distance_km, AROUND_KM)
    inwards = [-np.nan_to_num(part) for part in (np.sin(bearing), np.cos(bearing))]
    for name, (x, y) in {"wind": (east, north), "moisture": (flux_east, flux_north)}.items():
        out[f"{name}_convergence_300km"] = _mean_towards((x, y), index, near, inwards)
    return out


def _upwind(quarters: Mapping[str, Values], east: Values, north: Values) -> Values:
    """Return the mean over the quarters that the wind comes from; NaN where they or the wind are not known."""
    origin = np.arctan2(-east, -north)
    total = np.zeros_like(east)
    weight = np.zeros_like(east)
    for name, direction in QUARTERS.items():
        share = np.maximum(np.cos(origin - direction), 0) ** 2
        known = np.isfinite(quarters[name]) & np.isfinite(share)
        total += np.where(known, share * quarters[name], 0)
        weight += np.where(known, share, 0)
    # Less than a quarter of the directions known is not upwind.
    return np.where(weight > 0.25, total / np.maximum(weight, 0.25), np.nan).astype(np.float32)


def _mean_towards(
    vector: tuple[NDArray[np.floating], NDArray[np.floating]],
    index: NDArray[np.int64],
    weight: NDArray[np.float64],
    inwards: list[NDArray[np.float64]],
) -> Values:
    """Return the weighted mean of the neighbours' vectors towards the place, shape (places, hours)."""
    known = np.isfinite(vector[0]) & np.isfinite(vector[1])
    parts = [
        _weights(index, weight, factor) @ np.where(known, part, 0).astype(np.float32)
        for part, factor in zip(vector, inwards, strict=True)
    ]
    total = _weights(index, weight) @ known.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, (parts[0] + parts[1]) / total, np.nan).astype(np.float32)


def _fields(weather: HourlyWeather) -> tuple[Values, dict[str, Values], Values, Values]:
    """Return root of 3 h rain, the fields that are averaged over circles, and the anomalies of pressure and theta-e.

    Rain goes in by its square root: one gauge's cloudburst shall not outweigh that ten others are dry.
    """
    rain, pressure = weather.get("precipitation_mm"), weather.get("surface_pressure_hpa")
    temperature = weather.get("temperature_c")
    theta_e = thermo.equivalent_potential_temperature_k(temperature, weather.get("dew_point_c"), pressure)
    theta_e_anomaly = history.unusual(theta_e.astype(np.float32))
    rain_3h = np.sqrt(history.total(rain, 3))
    fields = {
        "root_rain": np.sqrt(np.maximum(rain, 0)),
        "root_rain_3h": rain_3h,
        "root_rain_24h": np.sqrt(history.total(rain, 24)),
        "wet": history.above(rain, 0.0),
        "temperature_change_3h": history.change(temperature, 3),
        "pressure_change_3h_without_tide": history.unusual(history.change(pressure, 3)),
        "theta_e_anomaly": theta_e_anomaly,
        "relative_humidity": weather.get("relative_humidity_pct"),
        "heavy_6h": history.highest(history.above(rain, HEAVY_MM), 6),
        "gust_front": storms.gust_front(temperature, weather.get("wind_gust_ms"), pressure),
    }
    return rain_3h, fields, pressure - history.mean(pressure, 360, at_least=100), theta_e_anomaly


def _by_distance(distance_km: NDArray[np.float64], within_km: float) -> NDArray[np.float64]:
    return np.where(distance_km <= within_km, 1 / (distance_km + SOFTENING_KM), 0.0)


def _weights(
    index: NDArray[np.int64], weight: NDArray[np.float64], factor: NDArray[np.float64] | None = None
) -> csr_array:
    """Return weights, times a factor, (places, most) of the places at `index` as a sparse matrix (places, places)."""
    row, column = np.nonzero((index >= 0) & (weight > 0))
    count = len(index)
    values = weight[row, column] * (1.0 if factor is None else factor[row, column])
    return csr_array((values.astype(np.float32), (row, index[row, column])), shape=(count, count))


def _mean(field: Values, weights: csr_array) -> Values:
    """Return the weighted mean of what the neighbours have, shape (places, hours); NaN where none has a value."""
    known = np.isfinite(field)
    total = weights @ np.where(known, field, np.float32(0))
    weight = weights @ known.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Values = np.where(weight > 0, total / weight, np.float32(np.nan))
    return mean


def _heaviest(rain: Values, index: NDArray[np.int64], distance_km: NDArray[np.float64]) -> Values:
    heaviest = np.full(rain.shape, np.nan, np.float32)
    for place, (others, apart) in enumerate(zip(index, distance_km, strict=True)):
        near = others[apart <= HEAVIEST_KM]
        if len(near):
            heaviest[place] = np.fmax.reduce(rain[near], axis=0)
    return heaviest
