"""What a weather model says of the hours to come: the features of its forecast fields, as known at the issue.

A value counts for an issue where it was known by then (`available_at`); a window of which nothing was known is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import DEFAULT_WINDOW, FIELD_WINDOWS, Window
from core.domain.units import HOUR
from core.domain.weather import HourlyWeather, Hours, Values

#: Windows ahead that the fields are summed up for.
AHEAD = (DEFAULT_WINDOW, *FIELD_WINDOWS)
#: The farthest that any feature looks ahead into a forecast, in hours: fields must reach as far beyond the issue.
REACH_H = max(window.end_h for window in AHEAD)


def build(fields: HourlyWeather, valid_at: Hours) -> dict[str, Values]:
    """Return the features of the fields for issues at `valid_at`, each of shape (places, hours), float32.

    Highest, lowest and mean are those of the hours that were known at the issue. The sum of the model's rain is missing
    where any hour of its window is: a part of a sum is another quantity.

    Parameters
    ----------
    fields
        Forecasts for hours beyond `valid_at`, on a time axis of their own; `available_at` says when each was known.
        Without it every value is known at the end of its hour, and so none was known before.
    valid_at
        Consecutive hours of issue, shape (hours,), datetime64[h].
    """
    axis = valid_at[:1] + HOUR * np.arange(1, len(valid_at) + REACH_H)
    at = (axis - fields.valid_at[0]).astype(np.int64) if len(fields.valid_at) else np.full(len(axis), -1)
    inside = (at >= 0) & (at < len(fields.valid_at))
    shape = (len(fields.locations), len(axis))
    known_at: Hours = np.full(shape, np.datetime64("NaT"), "datetime64[s]")
    if fields.available_at is not None:
        known_at[:, inside] = fields.available_at[:, at[inside]]
    out: dict[str, Values] = {}
    for window in AHEAD:
        known = _ahead(known_at, window, len(valid_at)) <= valid_at
        for name, (variable, sum_up) in FEATURES.items():
            values = np.full(shape, np.nan, np.float32)
            values[:, inside] = fields.get(variable)[:, at[inside]]
            ahead = np.where(known, _ahead(values, window, len(valid_at)), np.float32(np.nan))
            out[name.format(f"{window.begin_h}to{window.end_h}h")] = sum_up(ahead).astype(np.float32)
    return out


def _ahead(array: NDArray[Any], window: Window, hours: int) -> NDArray[Any]:
    """Return for every issue the hours of its window, shape (hours of the window, places, hours).

    `array` (places, ...) begins with the hour after the first issue.
    """
    return np.stack([array[:, lead - 1 : lead - 1 + hours] for lead in range(window.begin_h + 1, window.end_h + 1)])


def _highest(ahead: Values) -> Values:
    return np.asarray(np.fmax.reduce(ahead, axis=0))


def _lowest(ahead: Values) -> Values:
    return np.asarray(np.fmin.reduce(ahead, axis=0))


def _mean(ahead: Values) -> Values:
    known = np.isfinite(ahead)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, ahead, 0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _sum(ahead: Values) -> Values:
    return np.asarray(ahead.sum(axis=0))


#: Name with the window's place in it, variable, and how the hours of the window are summed up.
FEATURES: dict[str, tuple[str, Callable[[Values], Values]]] = {
    "model_cape_max_{}_j_kg": ("cape_j_kg", _highest),
    "model_inhibition_min_{}_j_kg": ("convective_inhibition_j_kg", _lowest),
    "model_precipitable_water_max_{}_mm": ("precipitable_water_mm", _highest),
    "model_lifted_index_min_{}_k": ("lifted_index_k", _lowest),
    "model_freezing_level_mean_{}_m": ("freezing_level_m", _mean),
    "model_rain_{}_mm": ("precipitation_mm", _sum),
    "model_rain_max_{}_mm": ("precipitation_mm", _highest),
}
