"""Simulated storms: where they are born, how they live, and what they do to the weather around them.

A storm is born by chance (a Poisson process whose rate depends on moisture, instability, hour and slope), gathers for
one to four hours with precursors that a station can see, and then either dies unseen or breaks out with a gust front
and one to four hours of rain. Whether it will, and how hard, is drawn at birth and never shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.adapters.simulator.atmosphere import Terrain

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Births per hour in a cell of 0.25 x 0.25 degrees of average slope, moisture and hour at the monsoon's height.
BIRTHS_PER_HOUR = 0.028
REFERENCE_CELL_DEG2 = 0.0625
#: What one standard deviation of moisture and of instability does to the logarithm of the rate.
MOISTURE_EFFECT, INSTABILITY_EFFECT = 0.58, 0.48
#: Local solar hours at which most storms are born, about two hours before their rain, with the sharpness (von Mises
#: kappa) and height of each maximum over the floor. Afternoon heating and nocturnal convergence over the foothills
#: give the two maxima of monsoon rain there (Romatschke and Houze 2011, doi:10.1175/2010JHM1289.1).
AFTERNOON_H, NIGHT_H = 14.8, 0.4
AFTERNOON_PEAK, NIGHT_PEAK, DIURNAL_FLOOR, DIURNAL_SHARPNESS = 1.8, 1.45, 0.38, 3.0

#: Columns of the uniform draws of every (hour, cell).
DRAWS = 13
#: Longest time over which a storm leaves traces: 4 h gestation, 4 h rain, 5 h cold air. A day hangs on the day before.
MAX_LIFE_H = 13
GESTATION_SHARES = (0.30, 0.35, 0.22, 0.13)
RAIN_SHARES = (0.30, 0.36, 0.22, 0.12)
#: Share of the peak that falls in each hour of rain.
PROFILE = np.array([1.0, 0.62, 0.33, 0.16])
#: Radius (standard deviation) of the rain and of the surroundings a storm draws upon, in degrees of latitude.
RAIN_RADIUS_DEG, REACH_DEG = 0.125, 0.22

#: Peak rain in mm/h: the median and logarithmic spread of the body; above TAIL_FROM_MM a generalized Pareto law with
#: this scale and shape (daily maxima of the world have a shape of about 0.11, hourly ones a heavier tail: Papalexiou
#: and Koutsoyiannis 2013, doi:10.1029/2012WR012557). No hour brings more than GREATEST_MM.
BODY_MEDIAN_MM, BODY_SPREAD = 12.0, 0.58
TAIL_FROM_MM, TAIL_SCALE_MM, TAIL_SHAPE, GREATEST_MM = 34.0, 12.0, 0.16, 220.0

LEADS = 6
#: Places whose distances to all storms are held at once.
BLOCK_PLACES = 512


@dataclass(frozen=True)
class Storms:
    """All storms born on one day; every array has shape (storms,).

    Times are hours since the start of that day; places and drift are in degrees (of latitude, so that distances are
    true in both directions) and degrees per hour.
    """

    born_h: Integers
    longitude: Floats
    latitude: Floats
    drift_east: Floats
    drift_north: Floats
    gestation_h: Integers
    rain_h: Integers
    matures: NDArray[np.bool_]
    peak_mm: Floats
    precursor: Floats
    dew_rise: Floats
    gust_ms: Floats
    cooling_k: Floats

    def shifted(self, hours: int) -> Storms:
        """Return the same storms counted from a day that starts `hours` later."""
        return Storms(**{**vars(self), "born_h": self.born_h - hours})

    def and_also(self, others: Storms) -> Storms:
        """Return these storms followed by `others`."""
        return Storms(**{name: np.concatenate([mine, getattr(others, name)]) for name, mine in vars(self).items()})


def diurnal_rate(solar_hour: Floats) -> Floats:
    """Return how the rate of births depends on the local solar hour, about 1 on average, same shape.

    The two maxima are von Mises bells over a floor.
    """

    def bell(centre_h: float) -> Floats:
        bent = np.exp(DIURNAL_SHARPNESS * (np.cos((solar_hour - centre_h) * np.pi / 12) - 1))
        return np.asarray(bent, float)

    return DIURNAL_FLOOR + AFTERNOON_PEAK * bell(AFTERNOON_H) + NIGHT_PEAK * bell(NIGHT_H)


def birth_rate(
    terrain: Terrain, season: Floats, solar_hour: Floats, *, moisture: Floats, instability: Floats, cell_deg2: float
) -> Floats:
    """Return the expected number of births per cell and hour, shape (hours, places).

    Parameters
    ----------
    terrain
        The places.
    season
        Storm season in 0..1, shape (hours, 1).
    solar_hour
        Local solar time, shape (hours, places).
    moisture, instability
        Latent fields with mean 0 and variance 1, shape (hours, places).
    cell_deg2
        Area of a cell in square degrees: the rate belongs to the land, not to the grid.
    """
    spread = MOISTURE_EFFECT**2 + INSTABILITY_EFFECT**2
    chance = np.exp(MOISTURE_EFFECT * moisture + INSTABILITY_EFFECT * instability - spread / 2)
    area = cell_deg2 / REFERENCE_CELL_DEG2
    return np.asarray(BIRTHS_PER_HOUR * area * season * terrain.orography * diurnal_rate(solar_hour) * chance, float)


def peak_rain_mm(chance: Floats) -> Floats:
    """Return the peak rain of storms in mm/h from uniform numbers in 0..1: log-normal body, generalized Pareto tail.

    Below the threshold u the body is exp(N(ln median, spread)); above it, with the body's own probability q of lying
    above, P(x) = q (1 + shape (x - u) / scale)^(-1 / shape), cut off at the greatest possible value.
    """
    grid = np.linspace(-4.5, 4.5, 2001)
    density = np.exp(-(grid**2) / 2)
    cumulative = (np.cumsum(density) - density / 2) / density.sum()
    body = BODY_MEDIAN_MM * np.exp(BODY_SPREAD * np.interp(chance, cumulative, grid))
    start = float(np.interp(np.log(TAIL_FROM_MM / BODY_MEDIAN_MM) / BODY_SPREAD, grid, cumulative))
    floor = (1 + TAIL_SHAPE * (GREATEST_MM - TAIL_FROM_MM) / TAIL_SCALE_MM) ** (-1 / TAIL_SHAPE)
    left = np.clip((1 - chance) / (1 - start), 0, 1) * (1 - floor) + floor
    tail = TAIL_FROM_MM + TAIL_SCALE_MM / TAIL_SHAPE * (left**-TAIL_SHAPE - 1)
    return np.asarray(np.where(chance > start, tail, body), float)


def born(
    terrain: Terrain, rate: Floats, draws: Floats, *, moisture: Floats, steering: tuple[Floats, Floats], cell_deg: float
) -> Storms:
    """Return the storms born on one day.

    Parameters
    ----------
    terrain
        The places.
    rate
        Expected births per hour, shape (24, places).
    draws
        Uniform numbers, shape (24, places, DRAWS): the fate of a storm hangs on its own place and hour only.
    moisture
        Latent moisture, shape (24, places): moist storms mature more often and rain harder.
    steering
        Steering wind to the east and to the north in m/s, each of shape (24, places).
    cell_deg
        Size of a cell in degrees.
    """
    hour, place = np.nonzero(draws[:, :, 0] < 1 - np.exp(-rate))
    u = draws[hour, place]
    moist = moisture[hour, place]
    # 1 m/s = 3.6 km/h, and a degree of latitude is 111 km; storms over slopes move at half the steering wind.
    pace = 0.5 * 3.6 / 111.0
    share = np.clip(0.42 + 0.06 * moist, 0.15, 0.65)
    return Storms(
        born_h=hour.astype(np.int64),
        longitude=terrain.longitude[place] + (u[:, 1] - 0.5) * cell_deg,
        latitude=terrain.latitude[place] + (u[:, 2] - 0.5) * cell_deg,
        drift_east=pace * (steering[0][hour, place] + 4 * (u[:, 3] - 0.5)),
        drift_north=pace * (steering[1][hour, place] + 4 * (u[:, 4] - 0.5)),
        gestation_h=1 + np.searchsorted(np.cumsum(GESTATION_SHARES)[:-1], u[:, 5]),
        rain_h=1 + np.searchsorted(np.cumsum(RAIN_SHARES)[:-1], u[:, 6]),
        matures=u[:, 7] < share,
        peak_mm=peak_rain_mm(u[:, 8]) * np.exp(0.12 * moist),
        precursor=0.5 + 1.5 * u[:, 9],
        dew_rise=0.5 + 2.0 * u[:, 10],
        gust_ms=6 + 12 * u[:, 11],
        cooling_k=3 + 5 * u[:, 12],
    )


def effects(terrain: Terrain, storms: Storms) -> dict[str, Floats]:
    """Return what the storms do on the day from which their births are counted, each of shape (24, places).

    `rain_mm` (before the chance of the hour), `fall_hpa`, `dew_rise_k`, `inflow_east_ms`, `inflow_north_ms`,
    `cloud` (0..1), `gust_ms`, `cooling_k`, `jump_hpa` and `spent` (used-up instability, 0..1).
    """
    parts = [_effects(block, storms) for block in terrain.blocks(BLOCK_PLACES)]
    return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}


def _effects(terrain: Terrain, storms: Storms) -> dict[str, Floats]:
    """Return the effects on one block of places."""
    which, age, hour = _moments(storms, 0, 24)
    east, north, distance2 = _offsets(terrain, storms, which, age)
    near = np.exp(-distance2 / (2 * RAIN_RADIUS_DEG**2))
    wide = np.exp(-distance2 / (2 * REACH_DEG**2))
    gathering = _gathering(storms, which, age)
    raining = _profile(storms, which, age)
    since = age - storms.gestation_h[which]
    broken = storms.matures[which] & (since >= 0)
    onset = np.where(broken & (since == 0), 1.0, 0.0)
    # The pool of cold air fades with an e-folding time of two hours.
    pool = np.where(broken, np.exp(-np.maximum(since, 0) / 2.0), 0.0)
    pull = gathering * storms.precursor[which] * 1.5

    towards = wide / (np.sqrt(distance2) + 0.08)
    gust = (onset + 0.4 * (raining - onset).clip(0)) * storms.gust_ms[which]
    fall, dew_rise = gathering * storms.precursor[which], gathering * storms.dew_rise[which]
    surroundings = [fall, dew_rise, 0.6 * gathering + pool, gust, pool * storms.cooling_k[which], pool]
    spread = _summed(hour, np.stack([*surroundings, onset * storms.precursor[which]]), wide)
    return {
        "rain_mm": _summed(hour, (raining * storms.peak_mm[which])[None], near)[0],
        "inflow_east_ms": _summed(hour, pull[None], east * towards)[0],
        "inflow_north_ms": _summed(hour, pull[None], north * towards)[0],
        # Where several storms meet, their effects do not add up without end.
        "fall_hpa": np.minimum(spread[0], 3.0),
        "dew_rise_k": np.minimum(spread[1], 3.5),
        "cloud": np.minimum(spread[2], 1.0),
        "gust_ms": np.minimum(spread[3], 24.0),
        "cooling_k": np.minimum(spread[4], 9.0),
        "spent": np.minimum(spread[5], 1.0),
        "jump_hpa": np.minimum(spread[6], 2.5),
    }


def known_rain_mm(terrain: Terrain, storms: Storms) -> Floats:
    """Return the rain that storms already born will bring, shape (LEADS, 24, places), in mm.

    Entry [l - 1, t] is the rain of hour t + l from the storms born up to hour t: all that a mind knowing every storm's
    fate could say at t. Only the chance of the hour itself is left out, as it is drawn later.
    """
    which, age, hour = _moments(storms, 1, 24 + LEADS)
    raining = _profile(storms, which, age) > 0
    which, age, hour = which[raining], age[raining], hour[raining]
    amplitude = _profile(storms, which, age) * storms.peak_mm[which]
    footprint = np.exp(-_offsets(terrain, storms, which, age)[2] / (2 * RAIN_RADIUS_DEG**2))
    known = np.zeros((LEADS, 24, len(terrain.longitude)))
    for lead in range(1, LEADS + 1):
        seen = age >= lead
        known[lead - 1] = _summed(hour[seen] - lead, amplitude[None, seen], footprint[seen])[0]
    return known


def gathering_fields(terrain: Terrain, storms: Storms) -> dict[str, Floats]:
    """Return the storms that gather now, by what will become of them, each of shape (24, places)."""
    which, age, hour = _moments(storms, 0, 24)
    footprint = np.exp(-_offsets(terrain, storms, which, age)[2] / (2 * REACH_DEG**2))
    gathering = age < storms.gestation_h[which]
    matures = storms.matures[which]
    doomed, maturing = _summed(hour, np.stack([gathering & ~matures, gathering & matures]).astype(float), footprint)
    return {"doomed_storms": doomed, "maturing_storms": maturing}


def _summed(hour: Integers, amplitude: Floats, footprint: Floats) -> Floats:
    """Return the sums of amplitude x footprint by hour of the day, shape (effects, 24, places).

    `hour` (moments,) rises, `amplitude` is (effects, moments), `footprint` (moments, places). Not a matrix product:
    that would be shared out to threads, which costs more than it saves and adds in another order on other machines.
    """
    bounds = np.searchsorted(hour, np.arange(25))
    sums = np.zeros((len(amplitude), 24, footprint.shape[1]))
    for h in range(24):
        now = slice(bounds[h], bounds[h + 1])
        np.einsum("em,mp->ep", amplitude[:, now], footprint[now], out=sums[:, h])
    return sums


def _moments(storms: Storms, first_h: int, end_h: int) -> tuple[Integers, Integers, Integers]:
    """Return storm, age and hour of every storm-hour within first_h <= hour < end_h, by hour, then by storm."""
    age_h = np.arange(MAX_LIFE_H + 1)
    hour = storms.born_h[:, None] + age_h
    # A storm that dies has faded two hours after its gestation.
    lives = storms.matures[:, None] | (age_h <= storms.gestation_h[:, None] + 2)
    which, age = np.nonzero((hour >= first_h) & (hour < end_h) & lives)
    order = np.argsort(hour[which, age], kind="stable")
    which, age = which[order], age[order]
    return which, age, hour[which, age]


def _offsets(terrain: Terrain, storms: Storms, which: Integers, age: Integers) -> tuple[Floats, Floats, Floats]:
    """Return how far east and north of every place the storm stands, and the squared distance (degrees of latitude)."""
    east = (storms.longitude[which][:, None] - terrain.longitude) * terrain.cos_latitude
    east += (storms.drift_east[which] * age)[:, None]
    north = (storms.latitude[which] + storms.drift_north[which] * age)[:, None] - terrain.latitude
    return east, north, east**2 + north**2


def _gathering(storms: Storms, which: Integers, age: Integers) -> Floats:
    """Return how far a storm has gathered, 0..1: it grows until the outbreak; a storm that dies fades in two hours."""
    span = storms.gestation_h[which]
    grown = (age + 1) / (span + 1)
    fading = np.where(storms.matures[which], 0.0, 1 - (age - span + 1) / 3)
    return np.asarray(np.where(age < span, grown, np.clip(fading, 0, 1) * span / (span + 1)), float)


def _profile(storms: Storms, which: Integers, age: Integers) -> Floats:
    """Return the share of the peak that falls in the hour ending at this age."""
    since = age - storms.gestation_h[which]
    rains = storms.matures[which] & (since >= 0) & (since < storms.rain_h[which])
    return np.asarray(np.where(rains, PROFILE[np.clip(since, 0, len(PROFILE) - 1)], 0.0), float)
