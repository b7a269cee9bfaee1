"""Forecast fields with their spread: the members of an ensemble of Open-Meteo's ensemble API."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.adapters.open_meteo.client import OpenMeteoClient
from core.adapters.open_meteo.contract import Endpoint, Query
from core.domain.units import as_utc, floor_hour, hour_axis, to_hour64
from core.domain.weather import HourlyWeather, Location, Region, Values
from core.ports import Clock

#: Members by name of the service, the control among them.
ENSEMBLES = {"ecmwf_ifs025": 51, "gfs025": 31, "gfs05": 31, "icon_global": 40, "gem_global": 21}
DEFAULT_ENSEMBLE = "ecmwf_ifs025"
#: One place in each square of so many degrees is asked, and speaks for the others: 51 members of three variables weigh
#: 15 calls a place, and the cells of the global ensembles are a quarter to half a degree wide.
SPACING_DEG = 0.5
#: An answer is used again for so long: ensembles are run each six to twelve hours, and a day has so many calls only.
KEPT = timedelta(hours=6)
#: Places in one request: the answer of one place has up to 150 columns.
MOST_PLACES = 20


@dataclass(frozen=True)
class _Kept:
    """An answer: when it was asked for, and arrays of shape (members x places, hours) from `first` on."""

    at: datetime
    first: np.datetime64
    values: dict[str, Values]


class EnsembleForecasts:
    """Port `EnsembleSource` over the ensemble API (weather data by Open-Meteo.com, CC BY 4.0).

    Parameters
    ----------
    client
        Asks the service, within the budget that it shares with the weather.
    model
        One of `ENSEMBLES`.
    """

    name = "open-meteo"

    def __init__(self, client: OpenMeteoClient, clock: Clock, model: str = DEFAULT_ENSEMBLE) -> None:
        self._client, self._clock, self.model, self.size = client, clock, model, ENSEMBLES[model]
        self._kept: dict[str, tuple[Region, _Kept]] = {}
        self._asking = threading.Lock()

    def fields(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the mean of the members, NaN where none has a value.

        Raises
        ------
        SourceError
            If the service does not answer, says wait or the budget is spent, or answers nonsense.
        """
        return self.members(region, start, end).mean_of_members(self.size)

    def members(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the members for the hours from `start` to `end`: all places of the control, then of each member.

        Raises
        ------
        SourceError
            As `fields`.
        """
        kept, axis = self._answer(region), hour_axis(start, end)
        shape = (self.size * len(region.locations), len(axis))
        at = (axis - kept.first).astype(int)
        inside = (at >= 0) & (at < next(iter(kept.values.values())).shape[1])
        speakers, spoken_by = thinned(region.locations)
        rows = (np.arange(self.size)[:, None] * len(speakers) + spoken_by).ravel()
        values = {}
        for variable, array in kept.values.items():
            values[variable] = np.full(shape, np.nan, np.float32)
            values[variable][:, inside] = array[rows][:, at[inside]]
        # The run behind it was out when it was asked for, to the hour.
        known = np.full(shape, to_hour64(floor_hour(kept.at)).astype("datetime64[s]"))
        return HourlyWeather(region.locations * self.size, axis, values, self.name, known)

    def _answer(self, region: Region) -> _Kept:
        """Return the newest answer for a region; who asks for the same waits for it."""
        with self._asking:
            now = as_utc(self._clock())
            region_then, kept = self._kept.get(region.id, (None, None))
            if kept is None or region_then != region or not timedelta(0) <= now - kept.at < KEPT:
                kept = self._asked(region, now)
                self._kept[region.id] = (region, kept)
            return kept

    def _asked(self, region: Region, now: datetime) -> _Kept:
        speakers, _ = thinned(region.locations)
        places = [region.locations[i] for i in speakers]
        first, last = now.date() - timedelta(days=1), now.date() + timedelta(days=2)
        parts: list[dict[str, Values]] = []
        for begin in range(0, len(places), MOST_PLACES):
            some = tuple(places[begin : begin + MOST_PLACES])
            query = Query(Endpoint.ENSEMBLE, some, first, last, None, self.model, self.size)
            batch = self._client.fetch(query)
            parts.append({name: array.reshape(self.size, len(some), -1) for name, array in batch.values.items()})
        values = {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}
        flat = {name: array.reshape(self.size * len(places), -1) for name, array in values.items()}
        return _Kept(now, np.datetime64(first, "h"), flat)


def thinned(places: tuple[Location, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the places that are asked, and for every place the number of the one that speaks for it.

    Of each square of `SPACING_DEG` the place nearest to its centre is asked.
    """
    at = np.array([(place.latitude, place.longitude) for place in places]) / SPACING_DEG
    squares, spoken_by = np.unique(np.floor(at).astype(np.int64), axis=0, return_inverse=True)
    spoken_by = spoken_by.ravel()
    off = np.hypot(*(at - np.floor(at) - 0.5).T)
    order = np.lexsort((off, spoken_by))
    return order[np.searchsorted(spoken_by[order], np.arange(len(squares)))], spoken_by
