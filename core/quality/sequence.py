"""Checks that look at the hours of one place: step, spike, flat line, z-score, climatology, gale, repetition, gap.

Without hindsight a value is judged by its own hour and those before it only: a forecast may use no other.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.domain.quality import Finding, Mask
from core.domain.series import shifted
from core.domain.told import tell
from core.domain.weather import Flag, HourlyWeather, Values
from core.quality import rules
from core.quality.baseline import Baseline, bin_of

WIND = ("wind_speed_ms", "wind_gust_ms")
#: Variables whose repetition to the last digit makes a repeated record.
RECORD = (*rules.HUMIDITY, "surface_pressure_hpa", *WIND, "wind_direction_deg")


def step(weather: HourlyWeather) -> Iterator[Finding]:
    """Suspect values that jump away from both hours before: the hour that comes back from a spike is no jump."""
    for course in rules.COURSES:
        if course.step is not None and course.variable in weather.values:
            values = weather.values[course.variable]
            with np.errstate(invalid="ignore"):  # infinite values have failed the range check
                last, before = (np.abs(values - shifted(values, lag)) for lag in (1, 2))
            where = (last > course.step) & ~(before <= course.step)
            reason = tell("more than {x:g} {unit} from the hours before", x=course.step, unit=course.unit)
            yield Finding("step", course.variable, Flag.SUSPECT, reason, where)


def spike(weather: HourlyWeather) -> Iterator[Finding]:
    """Find single hours far above or far below both their neighbours (QARTOD spike test). Needs the hour after."""
    for course in rules.COURSES:
        if course.spike is not None and course.variable in weather.values:
            height = spike_height(weather.values[course.variable])
            loud = height > course.spike_fail if course.spike_fail is not None else np.zeros(height.shape, bool)
            for flag, limit, where in (
                (Flag.FAIL, course.spike_fail, loud),
                (Flag.SUSPECT, course.spike, (height > course.spike) & ~loud),
            ):
                reason = tell("one hour more than {x} {unit} beyond both its neighbours", x=limit, unit=course.unit)
                yield Finding("spike", course.variable, flag, reason, where)


def wind_spike(weather: HourlyWeather) -> Iterator[Finding]:
    """Suspect single hours of wind far above both neighbours, mean and gust alike, that no gust front explains."""
    wind, gust = (np.sqrt(np.maximum(weather.get(v), 0)) for v in ("wind_speed_ms", "wind_gust_ms"))
    mean_up, gust_up = _rise(wind), _rise(gust)
    both = (mean_up > rules.WIND_SPIKE) & (gust_up > rules.GUST_SPIKE)
    alone = (mean_up > rules.WIND_SPIKE_ALONE) & np.isnan(gust_up)
    where = (both | alone) & ~gust_front(weather)
    reason = tell("one hour of wind far above both its neighbours, as if given in other units, without cooling or rain")
    for variable in WIND:
        yield Finding("spike", variable, Flag.SUSPECT, reason, where & np.isfinite(weather.get(variable)))


def gust_front(weather: HourlyWeather) -> Mask:
    """Return the hours that cooled or were wet: wind that is rare belongs to them."""
    temperature = weather.get("temperature_c")
    cooled = shifted(temperature, 1) - temperature >= rules.GUST_FRONT_COOLING_K
    front: Mask = cooled | _wet(weather)
    return front


def _wet(weather: HourlyWeather) -> Mask:
    wet: Mask = weather.get("precipitation_mm") >= rules.GUST_FRONT_RAIN_MM
    return wet


def flat_line(weather: HourlyWeather, hindsight: bool = False) -> Iterator[Finding]:
    """Find sensors that stand still: FAIL together, SUSPECT alone; and FAIL rain that repeats a large amount.

    Only the hours from which the standstill can be known are flagged (the last of a run of `FLAT_LINE_H`), in hindsight
    the whole run but its first, true, value; of repeated rain all.
    """
    sensors = {v: weather.get(v) for v in ("temperature_c", "relative_humidity_pct", "surface_pressure_hpa")}
    stuck = _run(_together(sensors), rules.FLAT_LINE_H - 1, hindsight)
    for variable in (*sensors, "dew_point_c"):
        reason = tell("temperature, humidity and pressure unchanged for {h} h", h=rules.FLAT_LINE_H)
        yield Finding("flat line", variable, Flag.FAIL, reason, stuck & np.isfinite(weather.get(variable)))
    rain = weather.get("precipitation_mm")
    repeated = run_of(unchanged(rain) & (rain >= rules.STUCK_RAIN_MM), rules.STUCK_RAIN_H - 1)
    if hindsight:
        repeated = whole_run(repeated, rules.STUCK_RAIN_H)
    reason = tell("the same {mm:g} mm or more for {h} h", mm=rules.STUCK_RAIN_MM, h=rules.STUCK_RAIN_H)
    yield Finding("flat line", "precipitation_mm", Flag.FAIL, reason, repeated)
    yield from _alone(weather, hindsight)


def _together(sensors: dict[str, Values]) -> Mask:
    """Return where all sensors that a place has, and at least two, stand as in the hour before."""
    present = np.sum([np.isfinite(values) for values in sensors.values()], axis=0)
    standing = np.sum([unchanged(values) for values in sensors.values()], axis=0)
    together: Mask = (standing == present) & (standing >= 2)
    return together


def _alone(weather: HourlyWeather, hindsight: bool) -> Iterator[Finding]:
    for course in rules.COURSES:
        if course.still_h is not None and course.variable in weather.values:
            values = weather.values[course.variable]
            still = unchanged(values)
            if course.may_stand is not None:
                low, high = course.may_stand
                still &= ~((values >= low) & (values <= high))
            where = _run(still, course.still_h - 1, hindsight)
            reason = tell("unchanged for {h} h", h=course.still_h)
            yield Finding("flat line", course.variable, Flag.SUSPECT, reason, where)


def rare(weather: HourlyWeather, baseline: Baseline, hindsight: bool = False) -> Iterator[Finding]:
    """Suspect values beyond `Z_LIMIT` spreads of the place's past, unless a neighbouring hour is nearly as rare.

    Weather that is rare is rare for hours, rain explains the cold of its hour and a gust front its wind; a fault of one
    hour stands alone. The plain z-score knows no such mercy.
    Rain is not judged here: see `extremes`.
    """
    front, wet = gust_front(weather), _wet(weather)
    for variable, z in baseline.z_scores(weather.values):
        where = np.abs(z) > rules.Z_LIMIT
        if not baseline.plain:
            if variable == "precipitation_mm":
                continue
            where &= ~front if variable in WIND else ~wet
            around = [shifted(z, 1), shifted(z, 2)] + ([shifted(z, -1), shifted(z, -2)] if hindsight else [])
            nearest = np.abs(np.stack(around) - z)
            where &= np.isfinite(nearest).any(axis=0) & ~(nearest <= rules.Z_SUPPORT).any(axis=0)
        reason = tell(
            "beyond {z:g} {spread} of the place's past, unlike the hours around",
            z=rules.Z_LIMIT,
            spread=tell(baseline.spread_name),
        )
        yield Finding("z-score", variable, Flag.SUSPECT, reason, where)


def climatology(weather: HourlyWeather, baseline: Baseline) -> Iterator[Finding]:
    """Suspect values far outside the percentiles of their month and hour (QARTOD climatology test)."""
    bins = bin_of(weather.valid_at)
    front = gust_front(weather)
    for variable, low in baseline.low.items():
        if variable in weather.values:
            values = weather.values[variable]
            where = (values < low[:, bins]) | (values > baseline.high[variable][:, bins])
            where &= ~front if variable in WIND else True
            reason = tell("far outside what the place has seen in this month at this time of day")
            yield Finding("climatology", variable, Flag.SUSPECT, reason, where)


def gale(weather: HourlyWeather) -> Iterator[Finding]:
    """Suspect gales under a pressure that does not move."""
    pressure = weather.get("surface_pressure_hpa")
    tendency = np.abs(pressure - shifted(pressure, 3))
    where = (weather.get("wind_speed_ms") >= rules.GALE_MS) & (tendency < rules.GALE_TENDENCY_HPA)
    reason = tell(
        "a gale of {ms:g} m/s while pressure moved less than {hpa:g} hPa in 3 h",
        ms=rules.GALE_MS,
        hpa=rules.GALE_TENDENCY_HPA,
    )
    yield Finding("consistency", "wind_speed_ms", Flag.SUSPECT, reason, where)


def repeated(weather: HourlyWeather, hindsight: bool = False) -> Iterator[Finding]:
    """Suspect hours that stand there a second time within a day; in hindsight both times."""
    again = np.zeros(weather.observed().shape, bool)
    for lag in range(2, rules.REPEATED_WITHIN_H + 1):
        equal = np.ones(again.shape, bool)
        present = np.zeros(again.shape, np.int8)
        for values in (weather.values[v] for v in RECORD if v in weather.values):
            before = shifted(values, lag)
            both = np.isfinite(values) & np.isfinite(before)
            equal &= ~both | (values == before)
            present += both
        known = run_of(equal & (present >= 4) & ~_standing(weather), rules.REPEATED_H)
        if known.any():
            hours = whole_run(known, rules.REPEATED_H) if hindsight else known
            again |= hours
            if hindsight:
                again[:, :-lag] |= hours[:, lag:]
    reason = tell("{n} h or more that stand here twice within {h} h", n=rules.REPEATED_H, h=rules.REPEATED_WITHIN_H)
    for variable, values in weather.values.items():
        yield Finding("repeated", variable, Flag.SUSPECT, reason, again & np.isfinite(values))


def _standing(weather: HourlyWeather) -> Mask:
    """Return the hours in which nothing has changed since the hour before: a flat line, no repetition."""
    return unchanged(weather.get("temperature_c")) & unchanged(weather.get("relative_humidity_pct"))


def gap(weather: HourlyWeather) -> Iterator[Finding]:
    """Say where a place has been silent for `GAP_H` hours."""
    silent = run_of(~weather.observed(), rules.GAP_H)
    for variable in weather.values:
        yield Finding("gap", variable, Flag.MISSING, tell("silent for {h} h or more", h=rules.GAP_H), silent)


def spike_height(values: Values) -> Values:
    """Return how far an hour lies beyond both its neighbours, on the same side of both; 0 between them, NaN unknown.

    A neighbour that is missing is stood in for by the next one.
    """
    left, right = _nearest(values, 1), _nearest(values, -1)
    with np.errstate(invalid="ignore"):
        height: Values = np.minimum(np.abs(values - left), np.abs(values - right))
        same_side = np.sign(values - left) == np.sign(values - right)
    return np.where(same_side, height, np.where(np.isnan(height), np.float32(np.nan), np.float32(0)))


def _rise(values: Values) -> Values:
    """Return how far an hour lies above both its neighbours; negative or NaN where it does not."""
    rise: Values = np.minimum(values - _nearest(values, 1), values - _nearest(values, -1))
    return rise


def _nearest(values: Values, direction: int) -> Values:
    near, far = shifted(values, direction), shifted(values, 2 * direction)
    return np.where(np.isfinite(near), near, far)


def unchanged(values: Values) -> Mask:
    """Return where a value equals that of the hour before."""
    same = np.zeros(values.shape, bool)
    same[:, 1:] = values[:, 1:] == values[:, :-1]
    return same


def run_of(where: Mask, hours: int) -> Mask:
    """Return where `where` has been true for `hours` hours in a row, this one included."""
    run = where.copy()
    for lag in range(1, hours):
        run[:, lag:] &= where[:, :-lag]
        run[:, :lag] = False
    return run


def whole_run(known: Mask, hours: int) -> Mask:
    """Return the `hours` hours that end where a run became known, and all later ones of it."""
    run = known.copy()
    for lag in range(1, min(hours, known.shape[1])):
        run[:, :-lag] |= known[:, lag:]
    return run


def _run(where: Mask, hours: int, hindsight: bool) -> Mask:
    known = run_of(where, hours)
    return whole_run(known, hours) if hindsight else known
