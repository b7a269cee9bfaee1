"""The checks: range, pressure at height, consistency, step, flat line. Flags follow QARTOD; raw values stay.

Rain is never failed for being rare: that is what this house forecasts. It fails for being impossible (negative, beyond
any record) and for being stuck.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.domain.quality import Finding, FlaggedWeather, Mask
from core.domain.weather import Flag, HourlyWeather, Values
from core.quality import rules
from core.quality.instant import instant


def check(weather: HourlyWeather, hindsight: bool = False) -> FlaggedWeather:
    """Run all checks.

    Parameters
    ----------
    weather
        Raw hourly weather; it is not changed.
    hindsight
        Flag whole runs of a standstill, also the hours in which it could not be known yet: for archive and truth. A
        forecast may use only what could be known at its hour.

    Returns
    -------
    FlaggedWeather
        The same weather with every finding that hit at least one value.
    """
    heights = np.array([[p.elevation_m] for p in weather.locations])
    findings = [*instant(weather.values, heights), *step(weather), *flat_line(weather, hindsight)]
    return FlaggedWeather(weather, tuple(f for f in findings if bool(f.where.any())))


def step(weather: HourlyWeather) -> Iterator[Finding]:
    """Suspect temperatures that jump from the hour before."""
    values = weather.get("temperature_c")
    where = np.zeros(values.shape, bool)
    with np.errstate(invalid="ignore"):  # infinite values have failed the range check
        where[:, 1:] = np.abs(np.diff(values, axis=1)) > rules.TEMPERATURE_STEP_K
    reason = f"more than {rules.TEMPERATURE_STEP_K:g} K from the hour before"
    yield Finding("step", "temperature_c", Flag.SUSPECT, reason, where)


def flat_line(weather: HourlyWeather, hindsight: bool = False) -> Iterator[Finding]:
    """Fail sensors that stand still together, and rain that repeats a large amount.

    Only the hours from which the standstill can be known are flagged (the last of a run of `FLAT_LINE_H`), in hindsight
    the whole run but its first, true, value; of repeated rain all.
    """
    sensors = {v: weather.get(v) for v in ("temperature_c", "relative_humidity_pct", "surface_pressure_hpa")}
    unchanged = {v: _unchanged(values) for v, values in sensors.items()}
    present = np.sum([np.isfinite(values) for values in sensors.values()], axis=0)
    standing = np.sum(list(unchanged.values()), axis=0)
    # One sensor alone may well stand still; all that a place has, and at least two, do not.
    stuck = _run_of((standing == present) & (standing >= 2), rules.FLAT_LINE_H - 1)
    if hindsight:
        stuck = _whole_run(stuck, rules.FLAT_LINE_H - 1)
    for variable, values in sensors.items():
        reason = f"temperature, humidity and pressure unchanged for {rules.FLAT_LINE_H} h"
        yield Finding("flat line", variable, Flag.FAIL, reason, stuck & np.isfinite(values))
    rain = weather.get("precipitation_mm")
    repeated = _run_of(_unchanged(rain) & (rain >= rules.STUCK_RAIN_MM), rules.STUCK_RAIN_H - 1)
    if hindsight:
        repeated = _whole_run(repeated, rules.STUCK_RAIN_H)
    reason = f"the same {rules.STUCK_RAIN_MM:g} mm or more for {rules.STUCK_RAIN_H} h"
    yield Finding("flat line", "precipitation_mm", Flag.FAIL, reason, repeated)


def _unchanged(values: Values) -> Mask:
    """Return where a value equals that of the hour before."""
    same = np.zeros(values.shape, bool)
    same[:, 1:] = values[:, 1:] == values[:, :-1]
    return same


def _run_of(where: Mask, hours: int) -> Mask:
    """Return where `where` has been true for `hours` hours in a row, this one included."""
    run = where.copy()
    for lag in range(1, hours):
        run[:, lag:] &= where[:, :-lag]
        run[:, :lag] = False
    return run


def _whole_run(known: Mask, hours: int) -> Mask:
    """Return the `hours` hours that end where a run became known, and all later ones of it."""
    run = known.copy()
    for lag in range(1, min(hours, known.shape[1])):
        run[:, :-lag] |= known[:, lag:]
    return run
