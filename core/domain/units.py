"""Constants of the atmosphere, and the few conversions of time that everything shares."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

ZERO_CELSIUS_K = 273.15
SEA_LEVEL_PRESSURE_HPA = 1013.25
#: Scale height and exponent of the ICAO standard atmosphere (ICAO Doc 7488, 1993), p = p0 (1 - z / 44330.77)^5.25588.
STANDARD_HEIGHT_M = 44_330.77
STANDARD_EXPONENT = 5.25588
#: Mean radius of the Earth, km (IUGG).
EARTH_RADIUS_KM = 6371.0
#: Makes a median absolute deviation the standard deviation of a normal law (Rousseeuw and Croux 1993).
MAD_TO_SIGMA = 1.4826
HOUR = np.timedelta64(1, "h")


def as_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC.

    Raises
    ------
    ValueError
        If `moment` carries no time zone: guessing one is how clocks come to be six hours off.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC)


def floor_hour(moment: datetime) -> datetime:
    """Return the full hour at or before `moment`, in UTC."""
    return as_utc(moment).replace(minute=0, second=0, microsecond=0)


def to_hour64(moment: datetime) -> np.datetime64:
    """Return the full hour at or before `moment` as datetime64[h] (UTC by convention)."""
    return np.datetime64(floor_hour(moment).replace(tzinfo=None), "h")


def to_second64(moment: datetime) -> np.datetime64:
    """Return `moment` as datetime64[s] (UTC by convention)."""
    return np.datetime64(as_utc(moment).replace(tzinfo=None), "s")


def from_datetime64(moment: np.datetime64) -> datetime:
    """Return a datetime64 (UTC by convention) as an aware datetime."""
    seconds = int(moment.astype("datetime64[s]").astype(np.int64))
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def hour_axis(start: datetime, end: datetime) -> NDArray[np.datetime64]:
    """Return the full hours from `start` to `end`, both included, as datetime64[h], shape (hours,)."""
    return np.arange(to_hour64(start), to_hour64(end) + HOUR, HOUR)


def east_or_west_deg(longitude_deg: NDArray[Any] | float) -> Any:
    """Return longitudes, which may be counted to 360° east, within -180 to 180."""
    return longitude_deg - 360.0 * (np.asarray(longitude_deg) > 180)


def standard_pressure_hpa(elevation_m: NDArray[Any] | float) -> Any:
    """Return the pressure of the standard atmosphere at `elevation_m` (ICAO Doc 7488), hPa, of the same shape.

    >>> round(standard_pressure_hpa(3500.0))
    658
    """
    return SEA_LEVEL_PRESSURE_HPA * (1 - elevation_m / STANDARD_HEIGHT_M) ** STANDARD_EXPONENT


def saturation_vapour_pressure_hpa(temperature_c: NDArray[Any]) -> NDArray[Any]:
    """Return the saturation vapour pressure over water, hPa.

    e_s = 6.112 exp(17.67 T / (T + 243.5)), T in °C, within 0.1 % for -30..35 °C
    (Bolton 1980, Mon. Wea. Rev. 108, eq. 10, doi:10.1175/1520-0493(1980)108<1046:TCOEPT>2.0.CO;2).

    >>> round(float(saturation_vapour_pressure_hpa(np.array(20.0))), 2)
    23.37
    """
    vapour: NDArray[Any] = 6.112 * np.exp(17.67 * temperature_c / (temperature_c + 243.5))
    return vapour


def dew_point_c(vapour_hpa: NDArray[Any]) -> NDArray[Any]:
    """Return the dew point of a vapour pressure over water, °C: `saturation_vapour_pressure_hpa` turned round.

    >>> round(float(dew_point_c(saturation_vapour_pressure_hpa(np.array(20.0)))), 9)
    20.0
    """
    log = np.log(vapour_hpa / 6.112)
    dew_point: NDArray[Any] = 243.5 * log / (17.67 - log)
    return dew_point


def months(begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield first and last hour of every calendar month (UTC) between `begin` and `end`, cut to them."""
    first, last = floor_hour(begin), floor_hour(end)
    while first <= last:
        following = (first.replace(day=1, hour=0) + timedelta(days=32)).replace(day=1)
        yield first, min(last, following - timedelta(hours=1))
        first = following


def first_due_s(last: datetime | None, now: datetime, every_s: float) -> tuple[float, float]:
    """Return when work that is done every `every_s` seconds is due in a process that begins `now`.

    Parameters
    ----------
    last
        When an earlier process last did it, by its wall clock; None where none did. One in the future is taken for
        `now`: the clock was set back since, and nobody knows by how much.

    Returns
    -------
    tuple of float
        Seconds from `now` until it is due, and the seconds by which that is late: one of the two is 0.

    Raises
    ------
    ValueError
        If a moment carries no time zone.

    >>> monday = datetime(2026, 7, 27, tzinfo=UTC)
    >>> first_due_s(monday, monday + timedelta(days=6), 7 * 86400.0)
    (86400.0, 0.0)
    >>> first_due_s(monday, monday + timedelta(days=9), 7 * 86400.0)
    (0.0, 172800.0)
    """
    if last is None:
        return every_s, 0.0
    wait_s = every_s - max(0.0, (as_utc(now) - as_utc(last)).total_seconds())
    return max(0.0, wait_s), max(0.0, -wait_s)
