"""Rain that has fallen, as it was observed."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.domain.units import to_hour64
from core.domain.weather import HourlyWeather


def fallen_mm(weather: HourlyWeather, end: datetime, hours: int) -> NDArray[np.float32]:
    """Return the rain of the `hours` hours up to `end`, mm, shape (places,); NaN where an hour of them is missing.

    Parameters
    ----------
    end
        End of the last hour (UTC).
    """
    last = to_hour64(end)
    of = (weather.valid_at > last - np.timedelta64(hours, "h")) & (weather.valid_at <= last)
    rain = weather.get("precipitation_mm")[:, of]
    whole = np.isfinite(rain).all(axis=1) & (rain.shape[1] == hours)
    return np.where(whole, rain.sum(axis=1), np.nan).astype(np.float32)
