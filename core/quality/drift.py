"""Drift: a sensor that wanders away from its neighbours, told from weather by how steadily it does so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.quality import Drift
from core.domain.units import HOUR, MAD_TO_SIGMA, ZERO_CELSIUS_K
from core.domain.weather import HourlyWeather, Hours
from core.quality import rules
from core.quality.neighbours import known_median, neighbours

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Limit:
    """From which shift on a sensor drifts; of wind speed `shift` is the logarithm of a factor."""

    variable: str
    shift: float
    reason: str


LIMITS: tuple[Limit, ...] = (
    Limit("temperature_c", 1.5, "a dirty shield or a failing fan makes 1 to 2 K; WMO-No. 8 asks for 0.2 K"),
    Limit("relative_humidity_pct", 10.0, "three times what WMO-No. 8 asks for (3 %)"),
    Limit("surface_pressure_hpa", 2.0, "neighbours share their tendency; WMO-No. 8 asks for 0.15 hPa"),
    Limit("wind_speed_ms", float(np.log(2.0)), "half or twice the wind: a worn bearing, or a tree that has grown"),
)
#: With three, the median holds when one of them drifts itself.
LEAST_NEIGHBOURS = 3
#: Fewer hours make no day, fewer days no trend.
LEAST_HOURS = 12
LEAST_DAYS = 14
#: A shift must be this many times the scatter of the days around the trend (more where there are fewer than 30 days),
#: and the weak end of its 95 % interval this part of the limit. Measured on four years of 119 real stations into which
#: no drift was put: 0.8 % of the place-months and 0.6 % of the place-fortnights are called a drift.
SCATTERS = 3.5
SCATTER_DAYS = 30.0
LEAST_PART = 0.75
#: Gravity over the gas constant of dry air, K/m.
GRAVITY_OVER_GAS = 9.80665 / 287.05
#: Added to wind before its logarithm is taken, m/s: calms are no minus infinity.
CALM_MS = 0.5


@dataclass(frozen=True)
class Trend:
    """Theil-Sen trend of daily values: shift over its days, the ends of its 95 % interval, scatter around it."""

    shift: float
    low: float
    high: float
    scatter: float
    days: float

    def exceeds(self, limit: float) -> bool:
        """Say whether it is beyond a limit, beyond the scatter, and surely not near zero."""
        size, weak_end = abs(self.shift), self.low if self.shift > 0 else -self.high
        scatters = SCATTERS * max(1.0, (SCATTER_DAYS / max(self.days, 1.0)) ** 0.5)
        return size > limit and size > scatters * self.scatter and weak_end > LEAST_PART * limit


def drifts(weather: HourlyWeather) -> tuple[Drift, ...]:
    """Return the sensors that wander away from their neighbours in the time of `weather`.

    Of every place and hour the departure from the neighbours is taken (`departures`), of every day its median, of the
    days a Theil-Sen trend (Sen 1968, doi:10.1080/01621459.1968.10480934). It is a drift where the shift over the days
    is beyond the variable's limit, beyond the scatter of the days, and its 95 % interval keeps away from zero.

    Temperature and humidity are compared as they are: what height makes of them (6.5 K/km) is the same on every day and
    falls out. Pressure is brought to one height with the neighbours' temperature: in a month that grows 10 K warmer
    the pressure 1,000 m higher up rises by 4 hPa by itself. Wind is compared as a ratio.

    Parameters
    ----------
    weather
        Hourly weather without the values that failed, 14 days or more; shorter gives no drift.

    Returns
    -------
    tuple of Drift
        `shift` in the variable's unit over the days looked at (of wind at the place's median wind).
    """
    near = neighbours(weather.locations, height_m=np.inf)
    return tuple(
        drift
        for limit in LIMITS
        if limit.variable in weather.values
        for place, others in enumerate(near)
        if len(others) >= LEAST_NEIGHBOURS and (drift := _drift(weather, place, others, limit)) is not None
    )


def departures(values: Numbers) -> Numbers:
    """Return how far the first row is from the others, hour by hour, shape (hours,); NaN with fewer than three of them.

    The median difference of every pair is taken off first, so that a neighbour that comes or goes leaves no step:
    median over j of (x_0 - x_j - median over hours of (x_0 - x_j)).

    Parameters
    ----------
    values
        A place and its neighbours, shape (1 + neighbours, hours).
    """
    apart = values[0] - values[1:]
    apart = apart - known_median(apart, axis=1)[:, None]
    enough = np.isfinite(apart).sum(axis=0) >= LEAST_NEIGHBOURS
    return np.where(enough, known_median(apart, axis=0), np.nan)


def daily(hourly: Numbers, valid_at: Hours) -> Numbers:
    """Return the median of every day (UTC), shape (days,); NaN where fewer than twelve hours are known."""
    begin = (valid_at - HOUR).astype("datetime64[h]").astype(np.int64)
    day, hour = begin // 24 - begin[0] // 24, begin % 24
    table = np.full((int(day[-1]) + 1, 24), np.nan)
    table[day, hour] = hourly
    return np.where(np.isfinite(table).sum(axis=1) >= LEAST_HOURS, known_median(table, axis=1), np.nan)


def trend(days: Numbers) -> Trend | None:
    """Return the trend of daily values, shape (days,); None with fewer than fourteen known ones."""
    from scipy.stats import theilslopes  # a quarter of the program's start, for what is asked once a day

    at = np.flatnonzero(np.isfinite(days))
    if len(at) < LEAST_DAYS:
        return None
    slope, intercept, low, high = theilslopes(days[at], at, alpha=0.95)
    rest = days[at] - intercept - slope * at
    span = float(at[-1] - at[0])
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(rest - np.median(rest))))
    return Trend(float(slope) * span, float(low) * span, float(high) * span, scatter, span)


def _drift(weather: HourlyWeather, place: int, others: Places, limit: Limit) -> Drift | None:
    group = weather.select([place, *others.tolist()])
    if not len(group.valid_at):
        return None
    found = trend(daily(departures(_comparable(group, limit.variable)), group.valid_at))
    if found is None or not found.exceeds(limit.shift):
        return None
    name, days = group.locations[0].name, f"in {found.days:.0f} days"
    against = f"against {len(others)} neighbours within {rules.BUDDY_RADIUS_KM:.0f} km"
    if limit.variable == "wind_speed_ms":
        factor = float(np.exp(found.shift))
        typical_ms = float(known_median(group.values[limit.variable][:1].astype(float), axis=1)[0])
        reason = f"{name} has come to read {factor:.1f} times as much wind {days} {against}"
        return Drift(group.locations[0].id, limit.variable, (factor - 1) * typical_ms, reason)
    word, unit = _WORDS[limit.variable]
    way = "rise" if found.shift > 0 else "fall"
    reason = f"{word} of {name} has seen a {way} of {abs(found.shift):.1f} {unit} {days} {against}"
    return Drift(group.locations[0].id, limit.variable, found.shift, reason)


_WORDS = {
    "temperature_c": ("The temperature", "K"),
    "relative_humidity_pct": ("The humidity", "%"),
    "surface_pressure_hpa": ("The pressure", "hPa"),
}


def _comparable(group: HourlyWeather, variable: str) -> Numbers:
    """Return a variable of a place and its neighbours so that differences between them are steady."""
    values = group.values[variable].astype(float)
    if variable == "wind_speed_ms":
        return np.asarray(np.log(np.maximum(values, 0.0) + CALM_MS))
    if variable == "surface_pressure_hpa":
        return _at_one_height(values, group)
    return values


def _at_one_height(pressure_hpa: Numbers, group: HourlyWeather) -> Numbers:
    """Return pressures brought to the median height of the group: p exp(g (z - z0) / (R T)), T in between."""
    height = np.array([[p.elevation_m] for p in group.locations], float)
    if not np.isfinite(height).any():
        return np.full_like(pressure_hpa, np.nan)
    above = height - float(np.nanmedian(height))
    temperature_k = group.get("temperature_c").astype(float) + ZERO_CELSIUS_K
    at_middle_k = known_median(temperature_k + rules.LAPSE_RATE_K_M * above, axis=0)
    return np.asarray(
        pressure_hpa * np.exp(GRAVITY_OVER_GAS * above / (at_middle_k - rules.LAPSE_RATE_K_M * above / 2))
    )
