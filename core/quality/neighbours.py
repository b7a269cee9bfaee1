"""Checks against the neighbours: temperature reduced to one height, and extreme rain that something must confirm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain import geometry
from core.domain.quality import Finding, Mask
from core.domain.series import shifted
from core.domain.told import tell
from core.domain.weather import Flag, HourlyWeather, Location, Values
from core.quality import rules
from core.quality.baseline import Baseline

Neighbours = tuple[NDArray[np.int64], ...]


def neighbours(locations: Sequence[Location], height_m: float = rules.BUDDY_HEIGHT_M) -> Neighbours:
    """Return for every place its nearest comparable neighbours: near enough, and of similar height where it is known.

    Parameters
    ----------
    height_m
        Greatest difference of height.
    """
    # Of more than are wanted, because some stand too high or too low.
    index, _ = geometry.nearest(locations, rules.BUDDY_RADIUS_KM, 4 * rules.BUDDIES_MOST)
    height = np.array([p.elevation_m for p in locations], float)
    comparable = (index >= 0) & ~(np.abs(height[index] - height[:, None]) > height_m)
    return tuple(row[fits][: rules.BUDDIES_MOST] for row, fits in zip(index, comparable, strict=True))


def known_median(values: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """Return medians of what is known along an axis, NaN where nothing is.

    What numpy's nanmedian returns, without its warning, and some forty times as fast on a few neighbours' hours.
    """
    ordered = np.sort(values, axis=axis)  # NaN last
    count = np.isfinite(values).sum(axis=axis, keepdims=True)
    low, high = (
        np.take_along_axis(ordered, np.maximum(i, 0), axis) for i in ((count - 1) // 2, count // 2 - (count < 1))
    )
    return np.asarray(np.where(count > 0, (low + high) / 2, np.nan).squeeze(axis), float)


def buddy(weather: HourlyWeather, near: Neighbours) -> Iterator[Finding]:
    """Suspect temperatures far from those of the neighbours reduced to the same height.

    T_j' = T_j + 0.0065 (z_j - z_i), known where both heights are; suspect where |T_i - median T_j'| exceeds a limit and
    a multiple of the neighbours' own spread (buddy check, Båserud et al. 2020, doi:10.5194/asr-17-153-2020).
    """
    values = weather.get("temperature_c")
    height = np.array([p.elevation_m for p in weather.locations], np.float32)
    where = np.zeros(values.shape, bool)
    for i, others in enumerate(near):
        if len(others) >= rules.BUDDIES_LEAST:
            lift = np.float32(rules.LAPSE_RATE_K_M) * (height[others] - height[i])
            where[i] = _apart(values[i], values[others] + lift[:, None])
    reason = tell("more than {k:g} K from the neighbours' median at the same height", k=rules.BUDDY_TEMPERATURE_K)
    yield Finding("buddy", "temperature_c", Flag.SUSPECT, reason, where)


def _apart(own: Values, others: Values) -> Mask:
    """Return the hours in which a place is far from its neighbours, shape (hours,)."""
    where = np.zeros(own.shape, bool)
    # A value within the limit of any neighbour needs no median.
    with np.errstate(invalid="ignore"):
        lone = ~(np.abs(others - own) <= rules.BUDDY_TEMPERATURE_K).any(axis=0)
    hours = np.flatnonzero(lone & np.isfinite(own) & (np.isfinite(others).sum(axis=0) >= rules.BUDDIES_LEAST))
    if len(hours):
        some = others[:, hours]
        middle = known_median(some, axis=0)
        spread = known_median(np.abs(some - middle), axis=0)
        limit = np.maximum(rules.BUDDY_TEMPERATURE_K, rules.BUDDY_SPREADS * spread)
        where[hours] = np.abs(own[hours] - middle) > limit
    return where


def extremes(
    weather: HourlyWeather, baseline: Baseline, near: Neighbours, hindsight: bool = False
) -> Iterator[Finding]:
    """Look at extreme rain: confirmed by what belongs to it, or suspect because nothing does. Never failed.

    A remark (PASS) names a confirmed extreme; SUSPECT an isolated one. In hindsight the hour after counts too.
    """
    rain = weather.get("precipitation_mm")
    scores = dict(baseline.z_scores({"precipitation_mm": rain}))
    rare = scores["precipitation_mm"] > rules.Z_LIMIT if scores else np.zeros(rain.shape, bool)
    extreme = (rain >= rules.EXTREME_RAIN_MM) | rare
    places, hours = np.nonzero(extreme)
    if len(places):
        confirmed = np.zeros(extreme.shape, bool)
        span = np.arange(max(0, hours.min() - 4), min(rain.shape[1], hours.max() + 2))
        part = {v: weather.get(v)[:, span] for v in EVIDENCE}
        weight = _evidence(part, near, hindsight)
        confirmed[:, span] = extreme[:, span] & (weight >= rules.EVIDENCE_NEEDED)
        text = tell("extreme rain, confirmed by humidity, cooling, gust, the hours around it or a neighbour")
        yield Finding("extreme rain", "precipitation_mm", Flag.PASS, text, confirmed)
        text = tell("extreme rain, isolated: nothing that belongs to it was seen")
        yield Finding("extreme rain", "precipitation_mm", Flag.SUSPECT, text, extreme & ~confirmed)


#: What extreme rain comes with.
EVIDENCE = ("precipitation_mm", "relative_humidity_pct", "temperature_c", "wind_gust_ms")


def _evidence(part: dict[str, Values], near: Neighbours, hindsight: bool) -> NDArray[np.int64]:
    """Return how much speaks for rain in every hour, shape (places, hours)."""
    rain, temperature = part["precipitation_mm"], part["temperature_c"]
    lags = (1, -1) if hindsight else (1,)
    beforehand = [shifted(rain, lag) for lag in lags]
    # The same amount again is what a stuck gauge says: it speaks for nothing.
    around = np.any([(other >= rules.EVIDENCE_RAIN_MM) & (other != rain) for other in beforehand], axis=0)
    cooling = np.any([shifted(temperature, lag) - temperature >= rules.EVIDENCE_COOLING_K for lag in (1, 3)], axis=0)
    wet = np.where(np.isfinite(rain), rain, 0) >= rules.EVIDENCE_NEIGHBOUR_MM
    beside = np.stack([wet[others].any(axis=0) for others in near])
    humid = part["relative_humidity_pct"] >= rules.EVIDENCE_HUMIDITY_PCT
    gusty = part["wind_gust_ms"] >= rules.EVIDENCE_GUST_MS
    evidence: NDArray[np.int64] = np.sum([around, cooling, beside, humid, gusty], axis=0)
    return evidence
