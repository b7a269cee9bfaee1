"""Checks that look at one hour of one place by itself: range, pressure at height, consistency.

They take arrays of any shape, one per variable: hours of places, rows of a table, or a single record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.quality import Finding
from core.domain.units import SEA_LEVEL_PRESSURE_HPA, STANDARD_EXPONENT, STANDARD_HEIGHT_M
from core.domain.weather import Flag
from core.quality import rules

Arrays = Mapping[str, NDArray[Any]]


def instant(values: Arrays, elevation_m: NDArray[Any] | float) -> Iterator[Finding]:
    """Yield the findings of all checks of single hours.

    Parameters
    ----------
    values
        Variables of the house, arrays of one shape.
    elevation_m
        Height of the places, broadcast to that shape; NaN where it is not known.
    """
    yield from outside_range(values)
    yield from pressure_at_height(values, elevation_m)
    yield from consistency(values)


def outside_range(values: Arrays) -> Iterator[Finding]:
    """Fail values outside the table of ranges."""
    for rule in rules.RANGES:
        if rule.variable in values:
            array = values[rule.variable]
            reason = f"outside {rule.low:g}..{rule.high:g} {rule.unit}: {rule.reason}"
            yield Finding("range", rule.variable, Flag.FAIL, reason, (array < rule.low) | (array > rule.high))


def pressure_at_height(values: Arrays, elevation_m: NDArray[Any] | float) -> Iterator[Finding]:
    """Suspect station pressure far from that of the standard atmosphere at the station's height (ICAO Doc 7488)."""
    if "surface_pressure_hpa" not in values:
        return
    height = np.asarray(elevation_m, float)
    expected = SEA_LEVEL_PRESSURE_HPA * (1 - height / STANDARD_HEIGHT_M) ** STANDARD_EXPONENT
    tolerance = rules.PRESSURE_AT_HEIGHT_TOLERANCE_HPA
    where = np.abs(values["surface_pressure_hpa"] - expected) > tolerance
    reason = f"more than {tolerance:g} hPa from the standard atmosphere at the station's height"
    yield Finding("pressure at height", "surface_pressure_hpa", Flag.SUSPECT, reason, where)


def consistency(values: Arrays) -> Iterator[Finding]:
    """Fail dew points above the temperature; suspect gusts below the mean wind."""
    if "dew_point_c" in values and "temperature_c" in values:
        excess = values["dew_point_c"] - values["temperature_c"]
        where = excess > rules.DEW_POINT_TOLERANCE_K + 1e-4  # float32 keeps tenths no better
        yield Finding("consistency", "dew_point_c", Flag.FAIL, "dew point above temperature", where)
    if "wind_gust_ms" in values and "wind_speed_ms" in values:
        lull = values["wind_gust_ms"] < values["wind_speed_ms"]
        yield Finding("consistency", "wind_gust_ms", Flag.SUSPECT, "gust below the mean wind", lull)
