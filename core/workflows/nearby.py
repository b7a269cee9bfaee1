"""What lies near a place: the gauges that measure rain, and what they measured last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from core.domain.forecast import REPLAY
from core.domain.geometry import from_point
from core.domain.places import compass
from core.domain.units import from_datetime64
from core.domain.weather import Location
from core.workflows.forecasting import Issue

#: Gauges that are named, the nearest first.
MOST = 5
#: The provenance whose rain was measured by gauges, as it happens or replayed.
MEASURED = ("gauges", f"{REPLAY}:gauges")


@dataclass(frozen=True)
class Gauge:
    """A station: how far it is, in which direction, and its newest rain that did not fail its checks.

    `rain_mm` is that of the hour that ended `at`: NaN and None where it sent none in the hours that are kept.
    """

    place: Location
    distance_km: float
    bearing_deg: float
    rain_mm: float
    at: datetime | None

    @property
    def compass(self) -> str:
        """The nearest of the eight winds, empty at the very place."""
        return compass(self.bearing_deg)


def nearest_gauges(issue: Issue, location_id: str, most: int = MOST) -> tuple[Gauge, ...]:
    """Return the gauges nearest to a place, its own among them; none where the source does not measure."""
    if issue.forecast.source not in MEASURED:
        return ()
    places = issue.forecast.region.locations
    here = next(p for p in places if p.id == location_id)
    distance_km, bearing_deg = from_point(here.latitude, here.longitude, places)
    rain = issue.checked.usable().get("precipitation_mm")
    return tuple(
        Gauge(
            places[i], float(distance_km[i]), float(bearing_deg[i]), *_newest(rain[i], issue.checked.weather.valid_at)
        )
        for i in np.argsort(distance_km, kind="stable")[:most].tolist()
    )


def _newest(rain_mm: np.ndarray, valid_at: np.ndarray) -> tuple[float, datetime | None]:
    known = np.flatnonzero(np.isfinite(rain_mm))
    return (float(rain_mm[known[-1]]), from_datetime64(valid_at[known[-1]])) if len(known) else (float("nan"), None)
