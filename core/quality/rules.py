"""Limits of the quality checks, each with its unit and its reason. `thresholds` puts them into words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.told import tell
from core.domain.weather import Flag

HUMIDITY = ("temperature_c", "dew_point_c", "relative_humidity_pct")


@dataclass(frozen=True)
class Range:
    """Values outside `low`..`high` cannot be weather: FAIL."""

    variable: str
    low: float
    high: float
    unit: str
    reason: str

    @property
    def text(self) -> str:
        """The rule in words."""
        return tell(
            "outside {low:g}..{high:g} {unit}: {reason}",
            low=self.low,
            high=self.high,
            unit=self.unit,
            reason=tell(self.reason),
        )


RANGES: tuple[Range, ...] = (
    Range(
        "temperature_c",
        -50.0,
        60.0,
        "°C",
        "colder than the served mountains see, hotter than the world record of 56.7 °C",
    ),
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
    Range("lifted_index_k", -20.0, 60.0, "K", "extreme soundings reach -15"),
    Range("convective_inhibition_j_kg", -5_000.0, 5_000.0, "J/kg", "given with either sign; soundings reach 1,000"),
    Range("precipitable_water_mm", 0.0, 100.0, "mm", "the tropics reach about 75"),
    Range("freezing_level_m", -500.0, 7_000.0, "m", "the tropics reach about 6,000"),
)
RANGE_OF: dict[str, Range] = {rule.variable: rule for rule in RANGES}

#: Deviation from the standard atmosphere's pressure at the station's height that is still weather, hPa.
PRESSURE_AT_HEIGHT_TOLERANCE_HPA = 30.0
#: Dew point above temperature that is still rounding, K.
DEW_POINT_TOLERANCE_K = 0.3
#: Humidity against that of temperature and dew point: beyond the first SUSPECT, beyond the second FAIL, %. Rounding to
#: tenths makes 1 %; at 20 % one of the three is wrong whatever the instruments, and it is not known which.
HUMIDITY_TOLERANCE_PCT, HUMIDITY_CONTRADICTION_PCT = 5.0, 20.0
HUMIDITY_TEXT: dict[Flag, str] = {
    Flag.SUSPECT: tell(
        "humidity more than {pct:g} % from that of temperature and dew point", pct=HUMIDITY_TOLERANCE_PCT
    ),
    Flag.FAIL: tell(
        "humidity more than {pct:g} % from that of temperature and dew point", pct=HUMIDITY_CONTRADICTION_PCT
    ),
}
#: Rain above the first needs a humidity above the second, mm and %: such rain moistens the air it falls through.
WETTING_RAIN_MM, WETTING_HUMIDITY_PCT = 5.0, 60.0
#: Heavy rain (India Meteorological Department: over 15 mm/h) needs clouds over at least this part of the sky, %.
HEAVY_RAIN_MM, HEAVY_RAIN_CLOUD_PCT = 15.0, 50.0
#: An hourly mean of a gale (Beaufort 9) under a pressure that moved less than this in three hours, m/s and hPa.
GALE_MS, GALE_TENDENCY_HPA = 20.8, 0.5


@dataclass(frozen=True)
class Course:
    """How fast a variable may change, and how long it may stand still. None: not tested.

    `step` SUSPECT, against both hours before; `spike`, `spike_fail`: one hour above or below both its neighbours,
    SUSPECT and FAIL; `still_h` hours unchanged, SUSPECT, but for values within `may_stand`.
    """

    variable: str
    unit: str
    reason: str
    step: float | None = None
    spike: float | None = None
    spike_fail: float | None = None
    still_h: int | None = None
    may_stand: tuple[float, float] | None = None


COURSES: tuple[Course, ...] = (
    Course("temperature_c", "K", "gust fronts cool by up to 15 K, and stay cool", 12.0, 6.0, 12.0, 18),
    Course("dew_point_c", "K", "dry lines and fronts change it by 10 K, rarely there and back", 14.0, 10.0, None, 24),
    Course(
        "relative_humidity_pct",
        "%",
        "fog saturates air and sensor for days, old sensors at 95 %",
        60.0,
        40.0,
        None,
        24,
        (95.0, 100.0),
    ),
    Course("surface_pressure_hpa", "hPa", "squall lines raise it by 5 hPa", 8.0, 5.0, 10.0, 18),
    Course("pressure_msl_hpa", "hPa", "squall lines raise it by 5 hPa", 8.0, 5.0, 10.0, 18),
    Course("wind_speed_ms", "m/s", "calm may stand for days", 20.0, None, None, 24, (0.0, 0.0)),
    Course("wind_gust_ms", "m/s", "a gust of a calm day may stand", 35.0, None, None, 24, (0.0, 0.0)),
)
#: One hour of wind above both its neighbours, (m/s)^0.5: mean wind and gust together, or the mean alone where there is
#: no gust. Wind in km/h instead of m/s is 1.9 times its root. A gust front makes such an hour too, cooling or wet.
WIND_SPIKE, GUST_SPIKE, WIND_SPIKE_ALONE = 0.8, 1.2, 1.3
GUST_FRONT_COOLING_K, GUST_FRONT_RAIN_MM = 2.0, 1.0
#: Hours without the slightest change in temperature, humidity and pressure together after which sensors are stuck.
FLAT_LINE_H = 6
#: Equal rain of at least `STUCK_RAIN_MM` for this many hours is a stuck gauge.
STUCK_RAIN_H = 3
STUCK_RAIN_MM = 20.0
#: The same values in all variables for this many hours, a second time within a day: sent twice under other times.
REPEATED_H, REPEATED_WITHIN_H = 4, 24
#: Hours without any value after which a station was silent.
GAP_H = 6


@dataclass(frozen=True)
class Scale:
    """Scale on which a variable is judged against its past: `floor` is the least spread, in units of the scale.

    The floor keeps a variable that hardly varies (calm nights, tropical pressure) from flagging its own noise.
    """

    variable: str
    name: str
    floor: float
    transform: Callable[[NDArray[Any]], NDArray[Any]]


def as_it_is(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values."""
    return values


def _root(values: NDArray[Any]) -> NDArray[Any]:
    root: NDArray[Any] = np.sqrt(np.maximum(values, 0))
    return root


def _wet_log(values: NDArray[Any]) -> NDArray[Any]:
    """Rain on a log scale, wet hours only: over all hours its median absolute deviation is 0, and every shower rare."""
    logarithm: NDArray[Any] = np.log(np.where(values >= WET_MM, values, np.nan))
    return logarithm


#: Least rain of a wet hour, mm: the resolution of most gauges is 0.1 or 0.2.
WET_MM = 0.2
SCALES: tuple[Scale, ...] = (
    Scale("temperature_c", "as it is", 2.0, as_it_is),
    Scale("dew_point_c", "as it is", 2.0, as_it_is),
    Scale("relative_humidity_pct", "as it is", 8.0, as_it_is),
    Scale("surface_pressure_hpa", "as it is", 1.5, as_it_is),
    Scale("pressure_msl_hpa", "as it is", 1.5, as_it_is),
    Scale("wind_speed_ms", "square root", 0.3, _root),
    Scale("wind_gust_ms", "square root", 0.4, _root),
    Scale("precipitation_mm", "logarithm of wet hours", 0.8, _wet_log),
)
#: A value is rare beyond this many robust standard deviations from the median of its place.
Z_LIMIT = 3.0
#: A rare value whose neighbouring hour lies within this many standard deviations of it is weather, not a fault.
Z_SUPPORT = 2.0
#: Outside the 1st..99th percentile of its month and hours by this part of their distance: SUSPECT.
CLIMATE_MARGIN = 0.5
#: Values from which percentiles of a month and three hours of the day are taken, at least.
CLIMATE_VALUES = 60
#: Values from which median and spread of a place are taken, at least: two days.
SCALE_VALUES = 48

#: Rain from which an hour is looked at as an extreme even where the place's past is not known, mm.
EXTREME_RAIN_MM = 50.0
#: What corroborates extreme rain, two of them: a humid hour (%), cooling over three hours (K), a gust (m/s), rain in
#: the hour before or after (mm), rain at a neighbour within the buddy radius (mm).
EVIDENCE_HUMIDITY_PCT, EVIDENCE_COOLING_K, EVIDENCE_GUST_MS = 85.0, 3.0, 10.0
EVIDENCE_RAIN_MM, EVIDENCE_NEIGHBOUR_MM, EVIDENCE_NEEDED = 1.0, 1.0, 2

#: Neighbours within this distance (km) and height (m) are comparable, the nearest so many of them, at least so many.
BUDDY_RADIUS_KM, BUDDY_HEIGHT_M, BUDDIES_MOST, BUDDIES_LEAST = 150.0, 600.0, 8, 3
#: Mean lapse rate of the standard atmosphere, K per m (ICAO Doc 7488).
LAPSE_RATE_K_M = 0.0065
#: Distance from the neighbours' median: at least this much, and so many times their spread.
BUDDY_TEMPERATURE_K, BUDDY_SPREADS = 12.0, 4.0

#: A clock is compared with shifts of at least and at most so many hours, on windows of a day.
CLOCK_WINDOW_H, CLOCK_LEAST_H, CLOCK_MOST_H = 24, 3, 12
#: How much better the shifted day must fit the place's own day, in multiples of the usual misfit of an hour.
CLOCK_GAIN = 16.0
#: The least gain of a variable that agrees, and the rain of a day (mm) from which the sun's course is washed out.
CLOCK_AGREE, CLOCK_WET_DAY_MM = 1.0, 5.0
