"""Stored windows: hours of another time, handed out as known then. Their provenance is never that of a live source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from core.adapters.frames import from_frame

# The elevation map has one reader; a second one here could differ from what live places get.
from core.adapters.maps import ELEVATION_FILE, ELEVATION_STEP_DEG, cell_elevation_m, elevation_grid_m
from core.adapters.replay_tables import POSITION, read_tables
from core.adapters.simulator.source import SEASON_DAY
from core.domain.forecast import REPLAY
from core.domain.geometry import inside
from core.domain.units import east_or_west_deg, hour_axis
from core.domain.weather import HourlyWeather, Location, Region
from core.errors import SchemaMismatch

#: Sources that write the archive: the folder above a region's names one of them, or a product of it after a hyphen.
ORIGINS = ("simulator", "gauges", "open-meteo")
#: Hours without a row that still belong to a window: an outage is worth a replay.
_SEAM = pd.Timedelta(hours=24)
#: Positions that agree to this many decimals (10 m) are one place.
_DECIMALS = 4

Known = Callable[[], Sequence[Region]]


@dataclass(frozen=True)
class StoredWindow:
    """One region in one stored period: a `ReplayWindow`.

    Parameters
    ----------
    served_as
        Provenance and region whose champion serves it.
    """

    name: str
    region: Region
    begin: datetime
    end: datetime
    served_as: tuple[str, str]
    _frame: pd.DataFrame = field(repr=False, compare=False)
    _season_day: int | None = None

    @property
    def id(self) -> str:
        """Its name in addresses and on the command line."""
        return self.region.id

    def regions(self) -> tuple[Region, ...]:
        """Return its one region."""
        return (self.region,)

    def periods(self) -> tuple[tuple[datetime, datetime], ...]:
        """Return its first and its last hour."""
        return ((self.begin, self.end),)

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the hours from `start` to `end` (both included), NaN where nothing was stored.

        A value becomes known at its available_at, where the file has none at the end of its hour.
        """
        weather = from_frame(self._frame, region.locations, hour_axis(start, end), self.name)
        return replace(weather, season_day=self._season_day)


def read_windows(path: Path, known: Known, maps: Path) -> tuple[StoredWindow, ...]:
    """Return the windows of a Parquet file or of a folder of them, by time.

    In a table with positions a window is one place in one gapless period; places with the same period are shown
    together. In a partition of the archive it is the region. Gaps of less than a day belong to the window.

    Parameters
    ----------
    known
        Regions whose places an archive may mean; one whose outlines surround a table's places lends it outlines and
        time zone.
    maps
        Folder with the elevation, for tables without elevation_m.

    Raises
    ------
    SourceUnavailable, SchemaMismatch, InsufficientData
        If it is not there, not what it must be, or empty.
    """
    frame = read_tables(path).sort_values("valid_at", kind="stable")
    windows = _archived(frame, path, known()) if "location_id" in frame else _placed(frame, known(), maps)
    return tuple(sorted(windows, key=lambda window: (window.begin, window.id)))


def source_of(folder: str) -> str | None:
    """Return the source behind a folder of an archive, None where it is none of ours.

    >>> source_of("open-meteo-previous-runs-day1"), source_of("elsewhere")
    ('open-meteo', None)
    """
    return next((name for name in ORIGINS if folder == name or folder.startswith(f"{name}-")), None)


def _archived(frame: pd.DataFrame, path: Path, known: Sequence[Region]) -> Iterator[StoredWindow]:
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    origin, region = folder.parent.name, next((r for r in known if r.id == folder.name), None)
    served_by = source_of(origin)
    if served_by is None:
        raise SchemaMismatch(
            f"{path.name} is a part of an archive, and its origin is not known.",
            hint="Leave it where the archive wrote it, in SOURCE/REGION/, such as open-meteo/uttarakhand-himachal/.",
        )
    if region is None:
        raise SchemaMismatch(
            f"The places of {folder.name!r} are not known.", hint="Open its source with CLOUDBURST_SOURCE first."
        )
    strange = set(frame["location_id"]) - {place.id for place in region.locations}
    if strange:
        raise SchemaMismatch(
            f"{path.name} has {len(strange)} places that {region.name} has not, such as {min(strange)[:40]}.",
            hint="Was it stored with another CLOUDBURST_GRID_SPACING_DEG?",
        )
    for run in _runs(frame):
        begin, end = _span(run)
        yield StoredWindow(
            name=f"{REPLAY}:{origin}",
            region=replace(region, id=f"{begin:%Y-%m-%d}-{region.id}"),
            begin=begin,
            end=end,
            served_as=(served_by, region.id),
            _frame=run,
            _season_day=SEASON_DAY if served_by == "simulator" else None,
        )


def _placed(frame: pd.DataFrame, known: Sequence[Region], maps: Path) -> Iterator[StoredWindow]:
    rounded = frame.round(dict.fromkeys(POSITION, _DECIMALS))
    rounded["longitude"] = east_or_west_deg(rounded["longitude"].to_numpy())
    rounded["location_id"] = [_coordinates(lat, lon, "-") for lat, lon in rounded[list(POSITION)].to_numpy().tolist()]
    together: dict[tuple[datetime, datetime], list[pd.DataFrame]] = {}
    for _, rows in rounded.groupby("location_id"):
        for run in _runs(rows):
            together.setdefault(_span(run), []).append(run)
    names: set[str] = set()
    for (begin, end), runs in sorted(together.items(), key=lambda item: item[0]):
        places = tuple(_place(run, maps) for run in runs)
        what = places[0].id if len(places) == 1 else f"{len(places)}-places"
        name = _unused(f"{begin:%Y-%m-%d}-{what}", names)
        yield StoredWindow(
            name=REPLAY,
            region=_region(name, places, known),
            begin=begin,
            end=end,
            served_as=(REPLAY, REPLAY),
            _frame=pd.concat(runs, ignore_index=True),
        )


def _runs(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows, sorted by time, cut where a day or more is missing."""
    new = rows["valid_at"].diff() > _SEAM
    return [run for _, run in rows.groupby(new.cumsum())]


def _span(rows: pd.DataFrame) -> tuple[datetime, datetime]:
    return rows["valid_at"].iloc[0].to_pydatetime(), rows["valid_at"].iloc[-1].to_pydatetime()


def _place(rows: pd.DataFrame, maps: Path) -> Location:
    latitude, longitude = (float(rows[name].iloc[0]) for name in POSITION)
    if "elevation_m" in rows:
        height = float(rows["elevation_m"].iloc[0])
    else:
        at = np.array([longitude]), np.array([latitude])
        height = float(cell_elevation_m(elevation_grid_m(maps / ELEVATION_FILE), *at, ELEVATION_STEP_DEG)[0])
    return Location(str(rows["location_id"].iloc[0]), _coordinates(latitude, longitude), latitude, longitude, height)


def _region(name: str, places: tuple[Location, ...], known: Sequence[Region]) -> Region:
    """Return the region of a table's places; one whose districts hold them all lends their names, outlines and zone."""
    for region in known:
        named = tuple(_in_district(place, region) for place in places)
        if region.outlines and None not in named:
            found = tuple(place for place in named if place is not None)
            return Region(name, _together(found), region.time_zone, found, region.outlines)
    return Region(name, _together(places), "UTC", places)


def _in_district(place: Location, region: Region) -> Location | None:
    """Return the place with the name of its district before its own, None where it lies in none of the region's."""
    at = np.array([place.longitude]), np.array([place.latitude])
    for district in region.outlines:
        if inside(*at, district.rings)[0]:
            return replace(place, name=f"{district.name} {place.name}")
    return None


def _together(places: tuple[Location, ...]) -> str:
    return places[0].name if len(places) == 1 else f"{len(places)} stored places"


def _coordinates(latitude: float, longitude: float, between: str = " ") -> str:
    north, east = "NS"[latitude < 0], "EW"[longitude < 0]
    return f"{abs(latitude):.{_DECIMALS - 1}f}{north}{between}{abs(longitude):.{_DECIMALS - 1}f}{east}"


def _unused(name: str, names: set[str]) -> str:
    """Return the name, numbered where it is taken, and take it."""
    count = 1
    while name in names:
        count += 1
        name = f"{name.rpartition('~')[0] or name}~{count}"
    names.add(name)
    return name
