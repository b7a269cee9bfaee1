"""The past of places: median and spread of every variable, and the percentiles of month and hour.

Fitted on values that no check failed. A spread from the median absolute deviation is not moved by the faults that it
shall find: ten stuck hours of 300 mm raise a standard deviation so far that a wrong 90 mm passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.units import MAD_TO_SIGMA
from core.domain.weather import HourlyWeather, Hours
from core.quality import rules

Table = Mapping[str, NDArray[np.float32]]
HOURS_PER_BIN = 3
#: Index of arrays with one row per place.
EVERY_PLACE = (slice(None), None)
BINS = 12 * 24 // HOURS_PER_BIN
#: Percentiles of a month and hour outside of which, with a margin, a value is new to the place.
LOW_PERCENT, HIGH_PERCENT = 1, 99


@dataclass(frozen=True)
class Baseline:
    """What is usual at some places.

    `centre` and `spread` have shape (places,) per variable, on the scale of `rules.SCALES`; `low` and `high` shape
    (places, 96): bounds of month and three hours of the day (UTC). NaN where there is too little past.
    """

    centre: Table
    spread: Table
    low: Table
    high: Table
    #: Mean and standard deviation of all hours instead of median and median absolute deviation.
    plain: bool = False

    @property
    def spread_name(self) -> str:
        """What the z-score counts in, in words."""
        return "standard deviations" if self.plain else "robust standard deviations"

    def z_scores(self, values: Mapping[str, NDArray[Any]], place: Any = EVERY_PLACE) -> Iterator[tuple[str, Any]]:
        """Yield variable and z-score of every variable that has a scale; NaN where the past is not known.

        z = (f(x) - centre) / spread, f the scale of the variable.

        Parameters
        ----------
        values
            Arrays of one shape.
        place
            Places of the values: indices that broadcast to that shape; by default one row per place.
        """
        for scale in rules.SCALES:
            if scale.variable in values and scale.variable in self.centre:
                transform = rules.as_it_is if self.plain else scale.transform
                centre, spread = self.centre[scale.variable][place], self.spread[scale.variable][place]
                yield scale.variable, (transform(np.asarray(values[scale.variable], np.float32)) - centre) / spread


def fit(weather: HourlyWeather, plain: bool = False) -> Baseline:
    """Return what is usual at the places of `weather`, without the values that failed.

    Parameters
    ----------
    plain
        Take mean and standard deviation of all hours on no scale: the z-score as it is often written. It flags most
        hours of heavy rain, and is kept to be compared with.
    """
    centre, spread, low, high = {}, {}, {}, {}
    bins = bin_of(weather.valid_at)
    for scale in rules.SCALES:
        if scale.variable in weather.values:
            values = weather.values[scale.variable]
            scaled = values if plain else scale.transform(values)
            centre[scale.variable], spread[scale.variable] = _mean(scaled) if plain else _median(scaled, scale.floor)
            if scale.variable != "precipitation_mm":
                low[scale.variable], high[scale.variable] = _bounds(values, bins, scale)
    return Baseline(centre, spread, low, high, plain)


def bin_of(valid_at: Hours) -> NDArray[np.int64]:
    """Return the bin of month and three hours of the day of every hour, 0..95."""
    month = valid_at.astype("datetime64[M]").astype(np.int64) % 12
    hour = valid_at.astype(np.int64) % 24
    return month * (24 // HOURS_PER_BIN) + hour // HOURS_PER_BIN


def _median(scaled: NDArray[Any], floor: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return median and spread of every place, NaN where there are too few values."""
    enough = np.isfinite(scaled).sum(axis=1) >= rules.SCALE_VALUES
    centre, spread = np.full(len(scaled), np.nan, np.float32), np.full(len(scaled), np.nan, np.float32)
    for i in np.flatnonzero(enough):
        known = scaled[i][np.isfinite(scaled[i])]
        centre[i] = np.median(known)
        spread[i] = max(MAD_TO_SIGMA * float(np.median(np.abs(known - centre[i]))), floor)
    return centre, spread


def _mean(values: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    known = np.isfinite(values)
    count = known.sum(axis=1)
    enough = count >= rules.SCALE_VALUES
    filled = np.where(known, values, 0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=1) / count
        deviation = np.sqrt((np.where(known, filled - mean[:, None], 0) ** 2).sum(axis=1) / count)
    usable = enough & (deviation > 0)
    return (np.where(usable, mean, np.nan).astype(np.float32), np.where(usable, deviation, np.nan).astype(np.float32))


def _bounds(
    values: NDArray[Any], bins: NDArray[np.int64], scale: rules.Scale
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the bounds of every place and bin: percentiles with a margin, in the variable's own unit."""
    low = np.full((len(values), BINS), np.nan, np.float32)
    high = low.copy()
    for b in np.unique(bins):
        part = np.sort(values[:, bins == b], axis=1)  # NaN last
        count = np.isfinite(part).sum(axis=1)
        rows = np.flatnonzero(count >= rules.CLIMATE_VALUES)
        first = part[rows, ((count[rows] - 1) * LOW_PERCENT) // 100]
        last = part[rows, -(-(count[rows] - 1) * HIGH_PERCENT // 100)]
        margin = rules.CLIMATE_MARGIN * np.maximum(last - first, 2 * scale.floor)
        low[rows, b], high[rows, b] = first - margin, last + margin
    return low, high
