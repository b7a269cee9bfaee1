"""Hourly weather as tables: one row per place and hour with a value, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.domain.units import HOUR
from core.domain.weather import VARIABLES, HourlyWeather, Hours, Location


def to_frame(weather: HourlyWeather) -> pd.DataFrame:
    """Return the observed place-hours as a frame: location_id, valid_at, available_at, variables."""
    place, hour = np.nonzero(weather.observed())
    ids = np.array([p.id for p in weather.locations], dtype=object)
    valid_at = weather.valid_at[hour].astype("datetime64[s]")
    known = valid_at if weather.available_at is None else weather.available_at[place, hour]
    columns = {
        "location_id": ids[place],
        "valid_at": pd.DatetimeIndex(valid_at, tz="UTC"),
        "available_at": pd.DatetimeIndex(known.astype("datetime64[s]"), tz="UTC"),
    }
    return pd.DataFrame({**columns, **{name: values[place, hour] for name, values in weather.values.items()}})


def from_frame(frame: pd.DataFrame, locations: Sequence[Location], hours: Hours, source: str) -> HourlyWeather:
    """Return the rows of `frame` that belong to `locations` and `hours`; of two rows for one hour the later counts.

    Parameters
    ----------
    frame
        Columns location_id, valid_at (UTC), variables, and available_at where it is known.
    hours
        Gapless time axis, datetime64[h].
    """
    shape = (len(locations), len(hours))
    rows = {p.id: i for i, p in enumerate(locations)}
    place = frame["location_id"].map(rows).fillna(-1).to_numpy(np.int64)
    stamps = frame["valid_at"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[h]")
    hour = ((stamps - hours[0]) / HOUR).astype(np.int64) if len(hours) else np.zeros(len(frame), np.int64)
    inside = (place >= 0) & (hour >= 0) & (hour < shape[1])
    place, hour = place[inside], hour[inside]
    values = {}
    for name in VARIABLES:
        if name in frame:
            values[name] = np.full(shape, np.nan, np.float32)
            values[name][place, hour] = frame[name].to_numpy(np.float32)[inside]
    available = None
    if "available_at" in frame:
        available = np.full(shape, np.datetime64("NaT"), "datetime64[s]")
        known = frame["available_at"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[s]")
        available[place, hour] = known[inside]
    return HourlyWeather(tuple(locations), hours, values, source, available)
