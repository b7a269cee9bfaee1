"""Arrivals: when the hours of a region were first seen, measured at every look instead of believed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from core.domain.quality import Mask
from core.domain.units import to_second64
from core.domain.weather import HourlyWeather, Hours

#: After a longer pause nobody can say when an hour came: the house slept, not the station.
LONGEST_PAUSE = timedelta(minutes=90)
Key = tuple[str, str]


@dataclass(frozen=True)
class _Look:
    """What was there at one look: hours, places, which were observed, and when each was first seen (NaT: not known)."""

    at: datetime
    valid_at: Hours
    places: tuple[str, ...]
    observed: Mask
    first_seen: Hours


@dataclass
class Arrivals:
    """Remembers, per source and region, what was there at the last look.

    An hour that is there now and was not at the last look came in between; the moment of this look stands for its
    arrival and is late by at most the pause between the two. What was there at the first look, or came in a pause of
    more than 90 minutes, has no measured arrival.
    """

    _looks: dict[Key, _Look] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, region_id: str, weather: HourlyWeather, now: datetime) -> None:
        """Compare what is there with the last look, and remember it."""
        key = (weather.source, region_id)
        places = tuple(p.id for p in weather.locations)
        observed = weather.observed()
        with self._lock:
            last = self._looks.get(key)
            first_seen = np.full(observed.shape, np.datetime64("NaT"), "datetime64[s]")
            if last is not None and last.places == places:
                first_seen = _carried(last, weather.valid_at)
                if timedelta(0) < now - last.at <= LONGEST_PAUSE:
                    first_seen[observed & ~_was_there(last, weather.valid_at)] = to_second64(now)
            self._looks[key] = _Look(now, weather.valid_at, places, observed, first_seen)

    def told(self, region_id: str, weather: HourlyWeather) -> HourlyWeather:
        """Return the weather with the measured arrivals as `available_at`, those of the source elsewhere."""
        with self._lock:
            last = self._looks.get((weather.source, region_id))
        if last is None or last.places != tuple(p.id for p in weather.locations):
            return weather
        measured = _carried(last, weather.valid_at)
        known = weather.available_at
        if known is None:
            return replace(weather, available_at=measured)
        return replace(weather, available_at=np.where(np.isnat(measured), known, measured))


def _carried(last: _Look, valid_at: Hours) -> Hours:
    """Return the arrivals of the last look on another time axis."""
    out = np.full((len(last.places), len(valid_at)), np.datetime64("NaT"), "datetime64[s]")
    out[:, np.isin(valid_at, last.valid_at)] = last.first_seen[:, np.isin(last.valid_at, valid_at)]
    return out


def _was_there(last: _Look, valid_at: Hours) -> Mask:
    """Return what was there at the last look, on another time axis; hours before its axis count as there."""
    out = np.zeros((len(last.places), len(valid_at)), bool)
    out[:, np.isin(valid_at, last.valid_at)] = last.observed[:, np.isin(last.valid_at, valid_at)]
    if len(last.valid_at):
        out[:, valid_at < last.valid_at[0]] = True
    return out
