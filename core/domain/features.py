"""Rows of features as they are kept: which place and hour, since when they could be built, and their values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.weather import HourlyWeather, Hours, Values


@dataclass(frozen=True)
class FeatureRows:
    """Features of places and hours, one row each.

    `location_id` (rows,) are strings; `valid_at` (rows,), datetime64[h], is the end of the hour and `available_at`
    (rows,), datetime64[s], when the row could first be built (UTC); `values` (rows, features) float32, missing NaN. A
    row that was asked for and is not there has no times (NaT) and no values.
    """

    names: tuple[str, ...]
    location_id: NDArray[np.object_]
    valid_at: Hours
    available_at: Hours
    values: Values

    def __post_init__(self) -> None:
        """Refuse rows that do not fit together.

        Raises
        ------
        ValueError
            If the arrays are of different lengths, or a row was there before the end of its hour.
        """
        rows = len(self.location_id)
        if not rows == len(self.valid_at) == len(self.available_at) or self.values.shape != (rows, len(self.names)):
            raise ValueError(f"{rows} places, {len(self.valid_at)} hours and values {self.values.shape} do not fit")
        if bool((self.available_at < self.valid_at).any()):
            raise ValueError("a row cannot be there before its hour is over")

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.location_id)

    @classmethod
    def of(
        cls, weather: HourlyWeather, names: tuple[str, ...], values: Values, hours: slice, lookback_h: int
    ) -> FeatureRows:
        """Return the rows of every place and of some hours of `weather`, place by place.

        Parameters
        ----------
        values
            Features of these hours, shape (places, hours of the slice, features).
        hours
            Which hours of the axis of `weather`.
        lookback_h
            How far the features look back.
        """
        places = len(weather.locations)
        valid_at = weather.valid_at[hours]
        return cls(
            names,
            np.repeat(np.array([place.id for place in weather.locations], object), len(valid_at)),
            np.tile(valid_at, places),
            np.tile(first_known(weather, lookback_h)[hours], places),
            values.reshape(places * len(valid_at), len(names)),
        )


def first_known(weather: HourlyWeather, lookback_h: int) -> Hours:
    """Return when all that features of an hour rest on was known, shape (hours,), datetime64[s].

    Features look back, and those of one place use its neighbours': it is the latest moment at which any present value
    of any place of the last `lookback_h` hours became known, and not before the end of the hour.
    """
    ends = weather.valid_at.astype("datetime64[s]")
    if weather.available_at is None or not weather.available_at.size:
        return ends
    present = weather.observed() & ~np.isnat(weather.available_at)
    latest = np.where(present, weather.available_at, ends).max(axis=0)
    padded = np.concatenate([np.full(lookback_h, latest[0]), latest])
    windows = np.lib.stride_tricks.sliding_window_view(padded, lookback_h + 1)
    known: Hours = np.maximum(windows.max(axis=1), ends)
    return known
