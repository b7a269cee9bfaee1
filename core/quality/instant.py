"""Checks that look at one hour of one place by itself: range, pressure at height, consistency, z-score.

They take arrays of any shape, one per variable: hours of places, rows of a table, or a single record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.quality import Finding, Mask
from core.domain.told import tell
from core.domain.units import saturation_vapour_pressure_hpa, standard_pressure_hpa
from core.domain.weather import Flag
from core.quality import rules
from core.quality.baseline import EVERY_PLACE, Baseline

Arrays = Mapping[str, NDArray[Any]]


def instant(
    values: Arrays, elevation_m: NDArray[Any] | float, baseline: Baseline | None = None, place: Any = EVERY_PLACE
) -> Iterator[Finding]:
    """Yield the findings of all checks of single hours.

    Parameters
    ----------
    values
        Variables of the house, arrays of one shape.
    elevation_m
        Height of the places, broadcast to that shape; NaN where it is not known.
    baseline, place
        Past of the places against which values are rare, and which of its places each value belongs to (indices that
        broadcast to the shape). Without one there is no z-score.
    """
    yield from outside_range(values)
    yield from pressure_at_height(values, elevation_m)
    yield from dew_point(values)
    yield from humidity(values)
    yield from gust(values)
    yield from rain(values)
    if baseline is not None:
        for variable, z in baseline.z_scores(values, place):
            spread = tell(baseline.spread_name)
            reason = tell("beyond {z:g} {spread} of the place's past", z=rules.Z_LIMIT, spread=spread)
            yield Finding("z-score", variable, Flag.SUSPECT, reason, np.abs(z) > rules.Z_LIMIT)


def outside_range(values: Arrays) -> Iterator[Finding]:
    """Fail values outside the table of ranges."""
    for rule in rules.RANGES:
        if rule.variable in values:
            array = values[rule.variable]
            yield Finding("range", rule.variable, Flag.FAIL, rule.text, (array < rule.low) | (array > rule.high))


def pressure_at_height(values: Arrays, elevation_m: NDArray[Any] | float) -> Iterator[Finding]:
    """Suspect station pressure far from that of the standard atmosphere at the station's height (ICAO Doc 7488)."""
    if "surface_pressure_hpa" in values and not np.isnan(elevation_m).all():
        tolerance = rules.PRESSURE_AT_HEIGHT_TOLERANCE_HPA
        where = np.abs(values["surface_pressure_hpa"] - standard_pressure_hpa(elevation_m)) > tolerance
        reason = tell("more than {hpa:g} hPa from the standard atmosphere at the station's height", hpa=tolerance)
        yield Finding("pressure at height", "surface_pressure_hpa", Flag.SUSPECT, reason, where)


def dew_point(values: Arrays) -> Iterator[Finding]:
    """Fail dew points above the temperature, which is then suspect."""
    if "dew_point_c" in values and "temperature_c" in values:
        excess = values["dew_point_c"] - values["temperature_c"]
        where = excess > rules.DEW_POINT_TOLERANCE_K + 1e-4  # float32 keeps tenths no better
        yield Finding("consistency", "dew_point_c", Flag.FAIL, tell("dew point above temperature"), where)
        yield Finding("consistency", "temperature_c", Flag.SUSPECT, tell("temperature below dew point"), where)


def humidity(values: Arrays) -> Iterator[Finding]:
    """Suspect temperature, dew point and humidity that say different things; fail all three where they say it loudly.

    Humidity is 100 e_s(dew point) / e_s(temperature), both over water (WMO-No. 8, annex 4.B).
    """
    if not all(v in values for v in rules.HUMIDITY):
        return
    # Single precision is exact to a thousandth of a percent here, at a quarter of the time.
    air, dew = (np.asarray(values[v], np.float32) for v in ("temperature_c", "dew_point_c"))
    ratio = saturation_vapour_pressure_hpa(dew) / saturation_vapour_pressure_hpa(air)
    apart = np.abs(100 * ratio - np.asarray(_percent(values), np.float32))
    loud: Mask = apart > rules.HUMIDITY_CONTRADICTION_PCT
    mild: Mask = (apart > rules.HUMIDITY_TOLERANCE_PCT) & ~loud
    for variable in rules.HUMIDITY:
        for flag, where in ((Flag.FAIL, loud), (Flag.SUSPECT, mild)):
            yield Finding("consistency", variable, flag, rules.HUMIDITY_TEXT[flag], where)


def _percent(values: Arrays) -> NDArray[Any]:
    return values["relative_humidity_pct"]


def gust(values: Arrays) -> Iterator[Finding]:
    """Suspect gusts below the mean wind."""
    if "wind_gust_ms" in values and "wind_speed_ms" in values:
        lull = values["wind_gust_ms"] < values["wind_speed_ms"]
        yield Finding("consistency", "wind_gust_ms", Flag.SUSPECT, tell("gust below the mean wind"), lull)


def rain(values: Arrays) -> Iterator[Finding]:
    """Suspect rain out of dry air or out of a clear sky. Never fail it: a hygrometer may be what is wrong."""
    if "precipitation_mm" not in values:
        return
    amount = values["precipitation_mm"]
    if "relative_humidity_pct" in values:
        dry = (amount > rules.WETTING_RAIN_MM) & (_percent(values) <= rules.WETTING_HUMIDITY_PCT)
        reason = tell(
            "more than {mm:g} mm/h at {pct:g} % humidity or less",
            mm=rules.WETTING_RAIN_MM,
            pct=rules.WETTING_HUMIDITY_PCT,
        )
        yield Finding("consistency", "precipitation_mm", Flag.SUSPECT, reason, dry)
    if "cloud_cover_pct" in values:
        clear = (amount >= rules.HEAVY_RAIN_MM) & (values["cloud_cover_pct"] <= rules.HEAVY_RAIN_CLOUD_PCT)
        reason = tell(
            "{mm:g} mm/h or more under {pct:g} % cloud or less",
            mm=rules.HEAVY_RAIN_MM,
            pct=rules.HEAVY_RAIN_CLOUD_PCT,
        )
        yield Finding("consistency", "precipitation_mm", Flag.SUSPECT, reason, clear)
