"""The forecast that knows only the calendar: month x 3-hour frequencies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def cells(hour: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the month x 3-hour cell, 0..95, of hours since 1970 (UTC)."""
    months = hour.astype("datetime64[h]").astype("datetime64[M]").astype(np.int64) % 12
    return np.asarray(months * 8 + (hour % 24) // 3)


def frequencies(hour: NDArray[np.int64], happened: Floats) -> Floats:
    """Return the frequency of the event in every cell, shape (96,); a cell without cases gets the overall frequency."""
    index = cells(hour)
    n = np.bincount(index, minlength=96)
    events = np.bincount(index, weights=happened, minlength=96)
    overall = float(happened.mean()) if len(happened) else np.nan
    return np.where(n > 0, events / np.maximum(n, 1), overall)
