"""All checks of hourly weather in one call. Flags follow QARTOD; raw values stay.

Rain is never failed for being rare: that is what this house forecasts. It fails for being impossible (negative, beyond
any record) and for being stuck.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from core.domain.quality import FlaggedWeather
from core.domain.weather import HourlyWeather
from core.quality.baseline import Baseline, fit
from core.quality.clock import clock
from core.quality.duplicates import doubled
from core.quality.instant import instant
from core.quality.neighbours import buddy, extremes, neighbours
from core.quality.sequence import climatology, flat_line, gale, gap, rare, repeated, spike, step, wind_spike


class Checker(Protocol):
    """All checks in one call, as the workflows see it."""

    def __call__(
        self, weather: HourlyWeather, hindsight: bool = False, baseline: Baseline | None = None
    ) -> FlaggedWeather:
        """Return the same weather with its findings."""


def check(
    weather: HourlyWeather, hindsight: bool = False, baseline: Baseline | None = None, plain_z: bool = False
) -> FlaggedWeather:
    """Run all checks.

    Parameters
    ----------
    weather
        Raw hourly weather; it is not changed.
    hindsight
        Use what came later too: whole runs of a standstill, spikes, a clock that was off. For archive and truth; a
        forecast may use only what could be known at its hour.
    baseline
        What is usual at these places; without one, what does not fail in `weather` itself.
    plain_z
        The z-score from mean and standard deviation, as it is often written (for comparison).

    Returns
    -------
    FlaggedWeather
        The same weather with every finding that hit at least one value.
    """
    heights = np.array([p.elevation_m for p in weather.locations], float).reshape(-1, 1)
    findings = [*instant(weather.values, heights), *step(weather), *flat_line(weather, hindsight), *gale(weather)]
    findings += [*repeated(weather, hindsight), *gap(weather), *doubled(weather)]
    if hindsight:
        findings += [*spike(weather), *wind_spike(weather), *clock(weather)]
    if baseline is None:
        baseline = fit(FlaggedWeather(weather, tuple(findings)).usable(), plain_z)
    near = neighbours(weather.locations)
    findings += [*rare(weather, baseline, hindsight), *climatology(weather, baseline)]
    findings += [*buddy(weather, near), *extremes(weather, baseline, near, hindsight)]
    return FlaggedWeather(weather, tuple(f for f in findings if bool(f.where.any())))
