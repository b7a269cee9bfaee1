"""Forecast fields from the archive: what `ingest open-meteo --product previous-runs` has stored of a region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from core.domain.units import EARTH_RADIUS_KM, hour_axis
from core.domain.weather import HourlyWeather, Hours, Location, Region
from core.errors import SourceUnavailable
from core.ports import Archive

#: What was forecast a day before, under the name that the ingest gives it.
DAY_BEFORE = "open-meteo-previous-runs-day1"
#: A row that does not say when it was known was known a day before its hour: that is what the product is.
LEAD = np.timedelta64(24, "h")
#: The global models have cells of 11 to 25 km: farther away it is another cell, and not the weather of the place.
NEAR_KM = 25.0


class ArchivedForecasts:
    """Port `FieldSource` over an archive. It knows what was ingested, and nothing beyond.

    Parameters
    ----------
    archive
        Where the forecasts are stored.
    region
        Region whose forecasts stand for others: each place gets those of the nearest place within 25 km, so that gauges
        are served by a region pack with points near them. None: every region has forecasts of its own.
    """

    def __init__(self, archive: Archive, region: Region | None = None) -> None:
        self._archive = archive
        self._region = region

    def fields(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the forecasts for the hours from `start` to `end`, NaN where none is stored.

        Raises
        ------
        SourceUnavailable
            If there are none at all.
        """
        stored = self._archive.read(self._region or region, start, end, DAY_BEFORE)
        found = stored if self._region is None else _nearest(stored, region.locations)
        if not found.observed().any():
            raise SourceUnavailable(
                f"The archive holds no forecasts of {(self._region or region).id} for these hours and places.",
                hint="Store them: `python -m core ingest open-meteo --product previous-runs --days-before 1`.",
            )
        return replace(found, available_at=_known_at(found, hour_axis(start, end)))


def _nearest(stored: HourlyWeather, places: Sequence[Location]) -> HourlyWeather:
    """Return for each of `places` what is stored of the nearest place, NaN where that is farther than `NEAR_KM`."""
    apart, index = cKDTree(_on_sphere(stored.locations)).query(_on_sphere(places))
    far = (2 * EARTH_RADIUS_KM * np.arcsin(np.clip(apart / 2, 0, 1)) > NEAR_KM)[:, None]
    chosen = stored.select(index.tolist())
    values = {name: np.where(far, np.float32(np.nan), array) for name, array in chosen.values.items()}
    return replace(chosen, locations=tuple(places), values=values)


def _on_sphere(places: Sequence[Location]) -> NDArray[np.float64]:
    """Return the places as points of the unit sphere, shape (places, 3)."""
    latitude, longitude = (np.radians([getattr(p, name) for p in places]) for name in ("latitude", "longitude"))
    flat = np.cos(latitude)
    return np.stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)], axis=1)


def _known_at(found: HourlyWeather, axis: Hours) -> Hours:
    """Return since when each value was known, shape (places, hours)."""
    usual = np.broadcast_to((axis - LEAD).astype("datetime64[s]"), (len(found.locations), len(axis)))
    return usual if found.available_at is None else np.where(np.isnat(found.available_at), usual, found.available_at)
