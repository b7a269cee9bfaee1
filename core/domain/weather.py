"""Places and hourly weather: what a source hands to the rest of the house."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from core.domain.units import EARTH_RADIUS_KM, HOUR, from_datetime64, to_hour64, to_second64

Values = NDArray[np.float32]
Hours = NDArray[np.datetime64]
#: A station speaks for points no farther than this: heavy showers are a few kilometres wide.
STATION_REACH_KM = 15.0


class Flag(IntEnum):
    """Quality flag of one value, with the numbers of QARTOD (IOOS, Manual for Real-Time Quality Control)."""

    PASS = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


@dataclass(frozen=True)
class Location:
    """A station or a grid cell. Elevation is NaN where it is not known, and so is the rise of the ground, m per m."""

    id: str
    name: str
    latitude: float
    longitude: float
    elevation_m: float = math.nan
    slope_east: float = math.nan
    slope_north: float = math.nan


@dataclass(frozen=True)
class Observation:
    """The weather of one place in one hour. Missing is NaN, never zero.

    `valid_at` is the end of the hour (UTC); precipitation and gust belong to the hour before it. `available_at` is when
    the value could first be known.
    """

    location_id: str
    valid_at: datetime
    available_at: datetime
    source: str
    temperature_c: float = math.nan
    dew_point_c: float = math.nan
    relative_humidity_pct: float = math.nan
    surface_pressure_hpa: float = math.nan
    pressure_msl_hpa: float = math.nan
    wind_speed_ms: float = math.nan
    wind_direction_deg: float = math.nan
    wind_gust_ms: float = math.nan
    cloud_cover_pct: float = math.nan
    precipitation_mm: float = math.nan
    cape_j_kg: float = math.nan
    lifted_index_k: float = math.nan
    convective_inhibition_j_kg: float = math.nan
    precipitable_water_mm: float = math.nan
    freezing_level_m: float = math.nan


#: The physical variables, in the order of `Observation`: the columns of every hourly table of the house.
VARIABLES: tuple[str, ...] = tuple(f.name for f in fields(Observation))[4:]


@dataclass(frozen=True)
class ModelRun:
    """The run of a weather model behind some fields: when it began and since when it is out, None where not known."""

    model: str = ""
    begun_at: datetime | None = None
    out_at: datetime | None = None


@dataclass(frozen=True)
class HourlyWeather:
    """Hourly weather of several places on one gapless time axis.

    `valid_at` has shape (hours,), datetime64[h]; every array of `values` has shape (places, hours), float32, NaN where
    missing. A variable that the source never has is absent from `values`. `available_at` (places, hours),
    datetime64[s], is None where every value is known at the end of its hour. `doubled` (places, hours) is true where
    two reports of one hour came that differ in some value, None where there are none.
    """

    locations: tuple[Location, ...]
    valid_at: Hours
    values: Mapping[str, Values]
    source: str
    available_at: Hours | None = None
    #: Day of the year that stands for every hour's season (the simulator's eternal 29 July), None for the calendar's.
    season_day: int | None = None
    #: The oldest model run behind the values; None where they are observations or an archive's.
    run: ModelRun | None = None
    doubled: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit the axes.

        Raises
        ------
        ValueError
            If a variable is unknown, an array has another shape, or the hours have a gap.
        """
        shape = (len(self.locations), len(self.valid_at))
        for name, array in self.values.items():
            if name not in VARIABLES:
                raise ValueError(f"{name!r} is no variable of the house; known are {VARIABLES}")
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}, the axes say {shape}")
        if self.available_at is not None and self.available_at.shape != shape:
            raise ValueError(f"available_at has shape {self.available_at.shape}, the axes say {shape}")
        if self.doubled is not None and self.doubled.shape != shape:
            raise ValueError(f"doubled has shape {self.doubled.shape}, the axes say {shape}")
        if len(self.valid_at) > 1 and not bool((np.diff(self.valid_at) == HOUR).all()):
            raise ValueError("valid_at must be consecutive full hours")

    def get(self, variable: str) -> Values:
        """Return one variable, shape (places, hours); all NaN where the source does not have it."""
        if variable in self.values:
            return self.values[variable]
        return np.full((len(self.locations), len(self.valid_at)), np.nan, np.float32)

    def with_values(self, values: Mapping[str, Values]) -> HourlyWeather:
        """Return a copy with other arrays on the same axes."""
        return replace(self, values=dict(values))

    def window(self, start: datetime, end: datetime) -> HourlyWeather:
        """Return the hours from that of `start` to that of `end`, both included where they exist."""
        keep = (self.valid_at >= to_hour64(start)) & (self.valid_at <= to_hour64(end))
        return replace(
            self,
            valid_at=self.valid_at[keep],
            values={name: array[:, keep] for name, array in self.values.items()},
            available_at=None if self.available_at is None else self.available_at[:, keep],
            doubled=None if self.doubled is None else self.doubled[:, keep],
        )

    def select(self, indices: Sequence[int]) -> HourlyWeather:
        """Return some of the places, by position."""
        rows = list(indices)
        return replace(
            self,
            locations=tuple(self.locations[i] for i in rows),
            values={name: array[rows] for name, array in self.values.items()},
            available_at=None if self.available_at is None else self.available_at[rows],
            doubled=None if self.doubled is None else self.doubled[rows],
        )

    def mean_of_members(self, size: int) -> HourlyWeather:
        """Return the mean over the members of an ensemble, NaN where none has a value.

        Parameters
        ----------
        size
            Number of members: all places of the first come first, then all of the second, and so on.
        """
        places = len(self.locations) // size
        values: dict[str, Values] = {}
        for name, array in self.values.items():
            each = array.reshape(size, places, len(self.valid_at))
            known = np.isfinite(each)
            total = np.where(known, each, 0).sum(axis=0)
            count = known.sum(axis=0)
            values[name] = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
        return replace(
            self,
            locations=self.locations[:places],
            values=values,
            available_at=None if self.available_at is None else self.available_at[:places],
            doubled=None,
        )

    def as_known(self, issued_at: datetime) -> HourlyWeather:
        """Return what could be known at `issued_at`: every later value is NaN."""
        if self.available_at is None:
            hidden = np.broadcast_to(self.valid_at > to_second64(issued_at), (len(self.locations), len(self.valid_at)))
        else:
            hidden = ~(self.available_at <= to_second64(issued_at))
        return self.with_values(
            {name: np.where(hidden, np.float32(np.nan), array) for name, array in self.values.items()}
        )

    def observed(self) -> NDArray[np.bool_]:
        """Return where any variable has a value, shape (places, hours)."""
        present = np.zeros((len(self.locations), len(self.valid_at)), bool)
        for array in self.values.values():
            present |= np.isfinite(array)
        return present

    def last_observed(self, where: NDArray[np.bool_] | None = None) -> tuple[datetime | None, ...]:
        """Return for every place the end of the last hour at `where`, by default with any value; None without one."""
        seen = [np.flatnonzero(row) for row in (self.observed() if where is None else where)]
        return tuple(from_datetime64(self.valid_at[hours[-1]]) if len(hours) else None for hours in seen)


Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Outline:
    """Named rings of (longitude, latitude): a district or a state."""

    name: str
    rings: tuple[Ring, ...] = field(repr=False)


@dataclass(frozen=True)
class Thresholds:
    """What a region sets for itself; empty where the settings hold.

    `levels` are the probabilities of the target event from which it is yellow, orange and red; `ages` those of
    observations from which they are STALE and from which there is NO DATA.
    """

    levels: tuple[float, ...] = ()
    ages: tuple[timedelta, ...] = ()


@dataclass(frozen=True)
class Region:
    """A region in a forecaster's care. `spacing_deg` is None where the places are stations, not cells of a grid.

    `languages` are those of its warnings (ISO 639), the first foremost.
    """

    id: str
    name: str
    time_zone: str
    locations: tuple[Location, ...] = field(repr=False)
    outlines: tuple[Outline, ...] = field(repr=False, default=())
    spacing_deg: float | None = None
    languages: tuple[str, ...] = ("en",)
    thresholds: Thresholds = Thresholds()

    def __hash__(self) -> int:
        """Return a hash that does not read thousands of places: a region is the key of what is made once of it."""
        return hash((self.id, len(self.locations), self.spacing_deg))

    def place_at(self, latitude: float, longitude: float) -> Location | None:
        """Return the place that speaks for a point, degrees: the cell it lies in, or the nearest station within reach.

        None where the point lies outside: a neighbouring cell is no answer to a question about another valley.
        """
        offs = [(abs(p.latitude - latitude), abs((p.longitude - longitude + 180) % 360 - 180)) for p in self.locations]
        if self.spacing_deg is not None:
            half = self.spacing_deg / 2 + 1e-9
            inside = (i for i, (north, east) in enumerate(offs) if north <= half and east <= half)
            found = next(inside, None)
            return None if found is None else self.locations[found]
        shrink = math.cos(math.radians(latitude))
        reach = math.degrees(STATION_REACH_KM / EARTH_RADIUS_KM)
        near = [(math.hypot(north, east * shrink), i) for i, (north, east) in enumerate(offs)]
        distance, nearest = min(near, default=(math.inf, -1))
        return self.locations[nearest] if distance <= reach else None
