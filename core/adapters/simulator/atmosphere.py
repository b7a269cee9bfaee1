"""Simulated air: terrain, season, and the observed variables that follow from the latent state and the storms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.units import SEA_LEVEL_PRESSURE_HPA, standard_pressure_hpa
from core.domain.weather import Location

Floats = NDArray[np.float64]

#: Mean lapse rate of the simulated air, K per m (the moist air of the Himalayan slopes has 5 to 6.5 K per km).
LAPSE_K_M = 0.006
#: Coefficients of the Magnus formula over water (WMO-No. 8, 2018, annex 4.B): e = 6.112 exp(a t / (b + t)).
MAGNUS_A, MAGNUS_B = 17.62, 243.12
#: Height that stands in for a place whose elevation is unknown, in a region where none is known.
UNKNOWN_ELEVATION_M = 500.0
#: Elevation at which slopes get most storms, the width of that belt, and where storms fade out, in m (maxima at 1 to 2
#: km: Bookhagen and Burbank 2006, doi:10.1029/2006GL026037).
BELT_M, BELT_WIDTH_M, STORM_CEILING_M, CEILING_WIDTH_M = 1500.0, 850.0, 3700.0, 220.0
#: Spacing and radius of the bumps that make up a local field, in degrees: cells 100 km apart still know of each other.
BUMP_SPACING_DEG, BUMP_RADIUS_DEG = 0.8, 0.75


@dataclass(frozen=True)
class Terrain:
    """The places as arrays of shape (places,); slopes are unit vectors uphill times a steepness of 0..1."""

    longitude: Floats
    latitude: Floats
    elevation_m: Floats
    cos_latitude: float
    uphill_east: Floats
    uphill_north: Floats
    #: Standard pressure at the elevation in hPa.
    pressure_hpa: Floats
    #: How much more storms this place gets than the average place.
    orography: Floats

    def blocks(self, places: int) -> list[Terrain]:
        """Return the places in blocks of at most `places`, so that fine grids fit into memory."""
        arrays: dict[str, Any] = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        starts = range(0, len(self.longitude), places)
        return [replace(self, **{name: a[i : i + places] for name, a in arrays.items()}) for i in starts]


def terrain_of(locations: Sequence[Location]) -> Terrain:
    """Return elevation, slope and orographic preference of `locations`, the slope from the places around each."""
    longitude = np.array([place.longitude for place in locations], float)
    latitude = np.array([place.latitude for place in locations], float)
    height = np.array([place.elevation_m for place in locations], float)
    known = np.isfinite(height)
    height = np.where(known, height, height[known].mean() if known.any() else UNKNOWN_ELEVATION_M)
    narrow = float(np.cos(np.deg2rad(latitude.mean())))
    slope_east, slope_north = _slopes(longitude * narrow, latitude, height)
    steep = np.hypot(slope_east, slope_north) + 1e-9
    # A rise of 2,500 m per degree (1 in 44) counts as a full slope of the Himalayan front.
    steepness = np.minimum(steep / 2500.0, 1.0)
    uphill_east, uphill_north = slope_east / steep * steepness, slope_north / steep * steepness
    return Terrain(
        longitude, latitude, height, narrow, uphill_east, uphill_north,
        np.array([standard_pressure_hpa(z) for z in height.tolist()]),
        _orography(height, uphill_north),
    )  # fmt: skip


def bumps(longitude: Floats, latitude: Floats) -> Floats:
    """Return the weight of every bump at every place, shape (places, bumps); each row has length 1.

    Gaussian bumps on a lattice over the region: a field of unit variance that is smooth in space and the same on
    every grid laid over it.
    """
    edges = [
        np.arange(
            np.floor(axis.min() / BUMP_SPACING_DEG) - 1, np.ceil(axis.max() / BUMP_SPACING_DEG) + 2
        ) * BUMP_SPACING_DEG
        for axis in (longitude, latitude)
    ]  # fmt: skip
    at_longitude, at_latitude = (grid.ravel() for grid in np.meshgrid(*edges))
    narrow = np.cos(np.deg2rad(latitude))[:, None]
    east, north = (longitude[:, None] - at_longitude) * narrow, latitude[:, None] - at_latitude
    weights = np.exp(-(east**2 + north**2) / (2 * BUMP_RADIUS_DEG**2))
    return np.asarray(weights / np.sqrt((weights**2).sum(axis=1, keepdims=True)))


def surroundings(terrain: Terrain) -> Floats:
    """Return the weights of the places within some 30 km in an average around each, shape (places, places)."""
    east = (terrain.longitude - terrain.longitude[:, None]) * terrain.cos_latitude
    weight = np.exp(-(east**2 + (terrain.latitude - terrain.latitude[:, None]) ** 2) / (2 * 0.25**2))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), float)


def _slopes(east: Floats, north: Floats, height: Floats) -> tuple[Floats, Floats]:
    """Return the slope to the east and to the north, m per degree, of the plane through the heights around a place."""
    slopes = np.zeros((2, len(height)))
    for place in range(len(height)):
        x, y, rise = east - east[place], north - north[place], height - height[place]
        # Weights fade over 0.3 degrees; the ridge of 0.001 keeps lonely places flat.
        weight = np.exp(-(x**2 + y**2) / (2 * 0.3**2))
        xx, yy, xy = weight @ (x**2 + 0.001), weight @ (y**2 + 0.001), weight @ (x * y)
        xh, yh = weight @ (x * rise), weight @ (y * rise)
        slopes[:, place] = np.array([yy * xh - xy * yh, xx * yh - xy * xh]) / (xx * yy - xy**2)
    return slopes[0], slopes[1]


def _orography(height: Floats, uphill_north: Floats) -> Floats:
    """Return the preference of storms for the windward belt: the monsoon's moist flow climbs slopes that face south."""
    windward = np.clip(uphill_north, 0, 1)
    belt = np.exp(-(((height - BELT_M) / BELT_WIDTH_M) ** 2))
    below_ceiling = 1 / (1 + np.exp((height - STORM_CEILING_M) / CEILING_WIDTH_M))
    return np.asarray((0.25 + belt * (0.7 + 1.6 * windward)) * below_ceiling + 0.02, float)


def monsoon_strength(day_of_year: Floats) -> Floats:
    """Return the strength of the monsoon in 0..1: onset about 21 June, withdrawal about 25 September.

    Logistic in both flanks; the dates are the normals of the India Meteorological Department for the western Himalaya
    (onset 20-25 June, withdrawal from 20 September).
    """
    onset = 1 / (1 + np.exp(-(day_of_year - 172) / 4.5))
    withdrawal = 1 / (1 + np.exp((day_of_year - 266) / 5.0))
    return np.asarray(onset * withdrawal, float)


def storm_season(day_of_year: Floats) -> Floats:
    """Return the relative frequency of storms in 0..1, greatest in late July and early August."""
    height = 0.62 + 0.38 * np.exp(-(((day_of_year - 212) / 28) ** 2))
    return np.asarray(0.10 + 0.90 * monsoon_strength(day_of_year) * height, float)


def light_rain_mm(monsoon: Floats, orography: Floats, solar_hour: Floats, moisture: Floats, wetness: Floats) -> Floats:
    """Return widespread stratiform rain in mm per hour: where moist air and wet spells meet, most of all at night."""
    night = 0.25 * np.cos((solar_hour - 3) * np.pi / 12)
    slope = 0.35 * np.log(np.maximum(orography, 0.1))
    wet = -2.5 + 1.6 * monsoon + 0.7 * moisture + 0.9 * wetness + night + slope
    return np.asarray(np.minimum(1.1 * np.maximum(wet, 0) ** 1.6, 7.0), float)


def relative_humidity_pct(temperature_c: Floats, dew_point_c: Floats) -> Floats:
    """Return relative humidity over water in %, by the Magnus formula (WMO-No. 8, 2018, annex 4.B).

    RH = 100 exp(a Td / (b + Td) - a T / (b + T)), any shape.
    """

    def exponent(t: Floats) -> Floats:
        return np.asarray(MAGNUS_A * t / (MAGNUS_B + t), float)

    return np.asarray(100 * np.exp(exponent(dew_point_c) - exponent(temperature_c)), float)


@dataclass(frozen=True)
class AirState:
    """One day of the latent state; arrays are (24, places) unless said otherwise."""

    day_of_year: Floats  # (24, 1)
    monsoon: Floats  # (24, 1)
    solar_hour: Floats
    #: Standardised latent fields: moisture, instability, warmth, tide (pressure), flow_east, flow_north.
    latent: Mapping[str, Floats]
    #: Widespread light rain in mm and all rain of the hour in mm.
    rain_mm: Floats
    storms: Mapping[str, Floats]
    #: Standard normal numbers of the sensors, (variables, 24, places).
    noise: Floats


def observed(terrain: Terrain, state: AirState) -> dict[str, Floats]:
    """Return the observed variables of one day under the names of `Observation`, each of shape (24, places)."""
    storms, noise = state.storms, state.noise
    cloud = _cloud(terrain, state)
    mean_c, temperature = _temperature(terrain, state, cloud)
    dew_point = _dew_point(state, mean_c, temperature)
    pressure = _pressure(terrain, state)
    wind = _wind(terrain, state)
    speed = np.hypot(*wind)
    turbulence = 1.35 + 0.25 * np.abs(noise[5])
    gust = np.maximum(speed * turbulence + 0.5 + storms["gust_ms"], speed)
    air = {
        "temperature_c": temperature,
        "dew_point_c": dew_point,
        "relative_humidity_pct": np.clip(relative_humidity_pct(temperature, dew_point), 1, 100),
        "surface_pressure_hpa": pressure,
        "pressure_msl_hpa": pressure * SEA_LEVEL_PRESSURE_HPA / terrain.pressure_hpa,
        "wind_speed_ms": speed,
        "wind_direction_deg": np.mod(np.rad2deg(np.arctan2(-wind[0], -wind[1])), 360.0),
        "wind_gust_ms": gust,
        "cloud_cover_pct": 100 * cloud,
        "precipitation_mm": state.rain_mm,
    }
    return air | _column(terrain, state, mean_c, dew_point)


def _cloud(terrain: Terrain, state: AirState) -> Floats:
    """Return cloud cover in 0..1: moist air, afternoon cumulus over slopes, storms; never clear where it rains."""
    heating = np.clip(np.cos((state.solar_hour - 15) * np.pi / 12), 0, None)
    slope = np.hypot(terrain.uphill_east, terrain.uphill_north)
    score = -1.2 + 1.9 * state.monsoon + 0.9 * state.latent["moisture"] + heating * (0.4 + 0.6 * slope)
    cover = 1 / (1 + np.exp(-(score + 0.5 * state.latent["wetness"] + 0.25 * state.noise[6])))
    cover = cover + (1 - cover) * state.storms["cloud"]
    raining = 1 - np.exp(-state.rain_mm / 1.5)
    return np.asarray(np.clip(cover + (1 - cover) * raining, 0, 1), float)


def _temperature(terrain: Terrain, state: AirState, cloud: Floats) -> tuple[Floats, Floats]:
    """Return the temperature without its daily course, and with all of it, in deg C."""
    # Sea-level mean: 24 deg C over the year, 8.5 K warmer around 24 June, 2 K cooler under the monsoon's clouds.
    sea_level = 24 + 8.5 * np.cos((state.day_of_year - 175) * 2 * np.pi / 365.25) - 2.0 * state.monsoon
    mean_c = sea_level - LAPSE_K_M * terrain.elevation_m + 1.2 * state.latent["warmth"]
    mean_c = mean_c - 0.5 * state.latent["moisture"]
    turn = (state.solar_hour - 14.5) * np.pi / 12
    course = np.cos(turn) + 0.25 * np.cos(2 * turn)
    swing = (6.5 - 2.0 * state.monsoon) * (1 - 0.55 * cloud)
    now = mean_c + swing * course - state.storms["cooling_k"] - 1.5 * (1 - np.exp(-state.rain_mm / 4))
    return mean_c, now + 0.2 * state.noise[0]


def _dew_point(state: AirState, mean_c: Floats, temperature: Floats) -> Floats:
    """Return the dew point in deg C: dry before the monsoon, moist within, never above the temperature."""
    spread = 10.5 - 7.0 * state.monsoon - 1.5 * state.latent["moisture"]
    spread = np.logaddexp(spread - 0.4, 0) + 0.4
    dew = mean_c - spread + state.storms["dew_rise_k"] + 0.35 * state.noise[1]
    dew = np.minimum(dew, temperature)
    # Rain evaporates into the air it falls through: the gap closes within some mm.
    return np.asarray(temperature - (temperature - dew) * np.exp(-state.rain_mm / 4), float)


def _pressure(terrain: Terrain, state: AirState) -> Floats:
    """Return surface pressure in hPa: standard pressure of the elevation, weather, tides and storms.

    Tides: semidiurnal 1.0 hPa with maxima at 10 and 22 h, diurnal 0.6 hPa at 7 h local solar time (Dai and Wang 1999,
    doi:10.1175/1520-0469(1999)056<3874:DASTIG>2.0.CO;2).
    """
    hour = state.solar_hour
    tide = 1.0 * np.cos((hour - 10) * np.pi / 6) + 0.6 * np.cos((hour - 7) * np.pi / 12)
    # The monsoon trough lies about 12 hPa below the standard atmosphere, its flanks 5.
    weather = -5 - 7 * state.monsoon + 1.8 * state.latent["pressure"] - 0.7 * state.latent["moisture"]
    scale = terrain.pressure_hpa / SEA_LEVEL_PRESSURE_HPA
    storms = state.storms["jump_hpa"] - state.storms["fall_hpa"]
    return np.asarray(terrain.pressure_hpa + (weather + tide) * scale + storms + 0.12 * state.noise[2], float)


def _wind(terrain: Terrain, state: AirState) -> tuple[Floats, Floats]:
    """Return the wind to the east and to the north in m/s: monsoon flow, slope wind, storms' inflow."""
    # Uphill by day with its maximum at 14 h, a weaker downhill flow by night.
    slope = 2.2 * np.cos((state.solar_hour - 14) * np.pi / 12) + 0.5
    east, north = steering_ms(state.monsoon, state.latent)
    storms = state.storms
    outflow = 0.25 * storms["gust_ms"]
    east = 0.45 * east + slope * terrain.uphill_east + storms["inflow_east_ms"] + 0.35 * state.noise[3]
    north = 0.45 * north + slope * terrain.uphill_north + storms["inflow_north_ms"] + 0.35 * state.noise[4]
    return np.asarray(east, float), np.asarray(north - outflow, float)


def steering_ms(monsoon: Floats, latent: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """Return the flow aloft to the east and to the north in m/s: south-easterly to south-westerly in the monsoon."""
    east = 2.0 - 2.5 * monsoon + 2.8 * latent["flow_east"]
    north = 0.5 + 2.5 * monsoon + 1.6 * latent["flow_north"]
    return east, north


def _column(terrain: Terrain, state: AirState, mean_c: Floats, dew_point: Floats) -> dict[str, Floats]:
    """Return CAPE, lifted index, inhibition, precipitable water and freezing level."""
    latent, noise = state.latent, state.noise
    heating = 1 + 0.45 * np.cos((state.solar_hour - 15.5) * np.pi / 12)
    # Warm and moist air at the ground feeds it: e-folding per 6 K of dew point; none is left where storms spent it.
    fuel = 1100 * np.exp((dew_point - 22) / 6 + 0.5 * latent["instability"] + 0.45 * noise[7])
    cape = np.clip(fuel * heating * (1 - 0.8 * state.storms["spent"]), 0, 6000)
    inhibition = 45 * np.exp(-0.5 * latent["instability"] - 0.35 * latent["moisture"] + 0.3 * noise[8]) / heating
    # Reitan (1963, J. Appl. Meteor. 2, 776-779): ln w (cm) = 0.1102 + 0.0614 Td (deg C), with
    # the dew point freed of its daily noise.
    water = 10 * np.exp(0.1102 + 0.0614 * dew_point + 0.06 * latent["moisture"] + 0.03 * noise[9])
    # 0 deg C lies where the free air, cooling by 5.3 K per km, has lost the sea-level mean.
    freezing = (mean_c + LAPSE_K_M * terrain.elevation_m) / 0.0053 + 60 * noise[10]
    return {
        "cape_j_kg": cape,
        "lifted_index_k": 3.0 - 0.19 * np.sqrt(cape) + 0.4 * noise[11],
        "convective_inhibition_j_kg": np.clip(inhibition, 0, 800),
        "precipitable_water_mm": water,
        "freezing_level_m": np.clip(freezing, 0, 7500),
    }
