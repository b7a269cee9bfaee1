"""A clock hours off: the day fits its place's own course, shifted, far better than as it stands. Hindsight only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from core.domain.quality import Finding, Mask
from core.domain.told import tell
from core.domain.weather import Flag, HourlyWeather, Values
from core.quality import rules

#: Variables with a daily course: sun (temperature, humidity) and the tide of the atmosphere (pressure).
DAILY = ("temperature_c", "relative_humidity_pct", "surface_pressure_hpa")
#: Of these the course comes from the tide of the atmosphere and holds in rain too.
TIDAL = ("surface_pressure_hpa",)
LEAST_VARIABLES = 2
MONTH_HOURS = 12 * 24
#: Days of a month and hours of a window that must be known.
LEAST_DAYS, LEAST_HOURS = 10, 20


def clock(weather: HourlyWeather) -> Iterator[Finding]:
    """Suspect days whose clock was `CLOCK_LEAST_H` to `CLOCK_MOST_H` hours off.

    Over every window of a day, for each variable, the misfit of the values x to the median course c of their month is
    compared with that to the course shifted by L hours, each without its mean over the window:

        gain(L) = sum_v [ sum (x - c_0)^2 - sum (x - c_L)^2 ] / (24 s_v^2),

    s_v^2 being the place's median misfit of an hour. A window is suspect where the best gain exceeds `CLOCK_GAIN`, is
    the largest of its surroundings, and comes from two variables at least. On a wet day only pressure has a say: the
    sun writes no course into temperature and humidity then, and a cool rainy afternoon is no wrong clock.
    """
    where = np.zeros((len(weather.locations), len(weather.valid_at)), bool)
    if len(weather.valid_at) > rules.CLOCK_WINDOW_H:
        for place in range(len(weather.locations)):
            where[place] = _shifted_days(weather, place)
    for variable, values in weather.values.items():
        reason = tell(
            "the day fits the usual course of its place hours later or earlier far better: is the clock right?"
        )
        yield Finding("clock", variable, Flag.SUSPECT, reason, where & np.isfinite(values))


def _shifted_days(weather: HourlyWeather, place: int) -> Mask:
    """Return the hours of one place that lie in a shifted window, shape (hours,)."""
    hour = weather.valid_at.astype(np.int64) % 24
    month = weather.valid_at.astype("datetime64[M]").astype(np.int64) % 12
    courses = {}
    for variable in DAILY:
        values = weather.get(variable)[place]
        course = _course(values, month * 24 + hour)
        if np.isfinite(course).any():
            courses[variable] = (values, course)
    if not _worth_a_look(courses.values(), month * 24 + hour):
        return np.zeros(len(hour), bool)
    sunny = _window_sums(np.nan_to_num(weather.get("precipitation_mm")[place])) < rules.CLOCK_WET_DAY_MM
    best = np.zeros(len(hour) - rules.CLOCK_WINDOW_H + 1)
    for lag in range(rules.CLOCK_LEAST_H, rules.CLOCK_MOST_H + 1):
        for shift in (lag, -lag):
            gains = [
                _gain(values, course[month * 24 + hour], course[month * 24 + (hour + shift) % 24])
                * (1.0 if variable in TIDAL else sunny)
                for variable, (values, course) in courses.items()
            ]
            agree = np.sum([gain > rules.CLOCK_AGREE for gain in gains], axis=0) >= LEAST_VARIABLES
            best = np.maximum(best, np.where(agree, np.sum(gains, axis=0), 0.0))
    return _windows(best)


def _worth_a_look(courses: Iterable[tuple[Values, NDArray[np.float64]]], key: NDArray[np.int64]) -> bool:
    """Say whether any shift could gain enough: none gains more than the whole misfit of a window."""
    most = np.zeros(len(key) - rules.CLOCK_WINDOW_H + 1)
    for values, course in courses:
        most += _gain(values, course[key], None)
    return bool((most > rules.CLOCK_GAIN).any())


def _course(values: Values, key: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the median of every month and hour, shape (288,); NaN where fewer than `LEAST_DAYS` days are known."""
    known = np.isfinite(values)
    order = np.argsort(key[known], kind="stable")
    sorted_keys, sorted_values = key[known][order], values[known][order]
    edges = np.searchsorted(sorted_keys, np.arange(MONTH_HOURS + 1))
    course = np.full(MONTH_HOURS, np.nan)
    for k in range(MONTH_HOURS):
        if edges[k + 1] - edges[k] >= LEAST_DAYS:
            course[k] = np.median(sorted_values[edges[k] : edges[k + 1]])
    return course


def _gain(values: Values, here: NDArray[np.float64], there: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return the gain of the course `there` over `here` in one variable for every window, 0 where too little is known.

    Without `there` the gain of a perfect course.
    """
    known = np.isfinite(values) & np.isfinite(here) & (True if there is None else np.isfinite(there))
    count = _window_sums(known.astype(float))
    enough = count >= LEAST_HOURS
    if not enough.any():
        return np.zeros(len(count))
    misfit = _misfit(np.where(known, values - here, 0), count)
    other = 0.0 if there is None else _misfit(np.where(known, values - there, 0), count)
    usual = float(np.median(misfit[enough] / count[enough]))
    gain: NDArray[np.float64] = np.where(enough, (misfit - other) / max(usual, 1e-6) / rules.CLOCK_WINDOW_H, 0.0)
    return gain


def _misfit(residual: NDArray[np.floating], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of squares of every window around its own mean."""
    misfit: NDArray[np.float64] = _window_sums(residual**2) - _window_sums(residual) ** 2 / np.maximum(count, 1)
    return misfit


def _window_sums(values: NDArray[np.floating]) -> NDArray[np.float64]:
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    windows: NDArray[np.float64] = sums[rules.CLOCK_WINDOW_H :] - sums[: -rules.CLOCK_WINDOW_H]
    return windows


def _windows(gain: NDArray[np.float64]) -> Mask:
    """Return the hours of all windows whose gain is large and the largest within half a window, shape (hours,)."""
    width = rules.CLOCK_WINDOW_H
    where = np.zeros(len(gain) + width - 1, bool)
    for start in np.flatnonzero(gain > rules.CLOCK_GAIN):
        around = gain[max(0, start - width // 2) : start + width // 2 + 1]
        if gain[start] == around.max():
            where[start : start + width] = True
    return where
