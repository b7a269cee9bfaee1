"""The weather source `gauges:FOLDER`: a folder of station archives, Parquet or CSV, or raw station-years of INMET."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from core.adapters.gauges.columns import mismatch
from core.adapters.gauges.files import CsvFile, ObservationFile, ParquetFile, Span
from core.adapters.gauges.inmet import InmetFile, is_inmet
from core.adapters.gauges.merging import Merged
from core.adapters.gauges.stations import FILE_NAME, read_stations
from core.adapters.gauges.times import HOUR_S, Seconds
from core.domain.told import tell
from core.domain.units import as_utc, floor_hour, hour_axis
from core.domain.weather import VARIABLES, HourlyWeather, Location, Region
from core.errors import InsufficientData, SchemaMismatch, SourceUnavailable

#: What identifies the state of a file: size and time of the last change, nanoseconds.
_State = tuple[int, int]
#: Files that are not more than a day apart belong to one period: at the turn of a year some hours are often missing.
_SEAM_S = 24 * HOUR_S


class GaugeFolder:
    """Hourly observations of the stations in a folder.

    Every `*.parquet` and every `*.csv` (in any case) but `stations.csv` is a file of observations. A file is read and
    checked as a whole when it is first needed, and again when it has changed; only its first and last hour are kept.
    Rows of the same station and hour are merged: where they contradict each other the last one wins, the files being
    read in the order of their names, and the hour is marked as doubled.

    Parameters
    ----------
    folder
        Where the files are.
    stations
        Table of stations; `stations.csv` in the folder where it is not given. Without a table, raw INMET files bring
        their stations with them; with one, the table wins for the stations in it.
    """

    def __init__(self, folder: Path, stations: Path | None = None) -> None:
        self._folder = folder
        self._table = stations
        self._checked: dict[Path, tuple[_State, Span | None]] = {}

    @property
    def name(self) -> str:
        """Provenance of everything it serves."""
        return "gauges"

    def regions(self) -> tuple[Region, ...]:
        """Return the one region of all stations.

        Raises
        ------
        SourceUnavailable
            If the folder or the table of stations is not there.
        InsufficientData
            If there is no observation.
        SchemaMismatch
            If the table of stations is not what it must be.
        """
        with self._reading():
            stations = self._stations(self._files())
        name = self._folder.name or self._folder.resolve().name
        return (Region(id="gauges", name=f"Gauges in {name}", time_zone="UTC", locations=tuple(stations.values())),)

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the hours from `start` to `end` (both included) of the region's stations, NaN where there are none.

        Raises
        ------
        SourceUnavailable, InsufficientData
            If the folder is not there or holds no observation.
        SchemaMismatch
            If a file is not what it must be; its name, the column and the line are in the message and the context.
        """
        with self._reading():
            return self._hours(region, start, end)

    def _hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        files = self._files()
        stations = self._stations(files)
        axis = hour_axis(start, end)
        present = {name for file in files for name in file.variables()}
        merged = Merged((len(region.locations), len(axis)), [name for name in VARIABLES if name in present])
        wanted = _epoch(floor_hour(start)), _epoch(floor_hour(end))
        place = {location.id: i for i, location in enumerate(region.locations)}
        for file in files:
            span = self._span(file)
            if span is None or (span[0] <= wanted[1] and span[1] >= wanted[0]):
                _scatter(self._read(file, wanted, stations), place, wanted, merged)
        return HourlyWeather(region.locations, axis, merged.values, source=self.name, doubled=merged.doubled)

    def extent(self) -> tuple[datetime, datetime]:
        """Return the first and the last hour with a row.

        Raises
        ------
        SourceUnavailable, InsufficientData, SchemaMismatch
            As `hours`.
        """
        periods = self.periods()
        return periods[0][0], periods[-1][1]

    def periods(self) -> tuple[tuple[datetime, datetime], ...]:
        """Return first and last hour of every period that the files cover together, in the order of time.

        Raises
        ------
        SourceUnavailable, InsufficientData, SchemaMismatch
            As `hours`.
        """
        with self._reading():
            spans = sorted(self._spans())
        if not spans:
            raise self._nothing()
        joined = spans[:1]
        for first, last in spans[1:]:
            begin, end = joined[-1]
            if first <= end + _SEAM_S:
                joined[-1] = begin, max(end, last)
            else:
                joined.append((first, last))
        return tuple((_moment(first), _moment(last)) for first, last in joined)

    def _spans(self) -> list[Span]:
        """Return first and last second of every file with rows."""
        files = self._files()
        stations = self._stations(files)
        spans: list[Span] = []
        for file in files:
            file.variables()
            span = self._span(file)
            if span is None and file.has_rows():
                span = _span_of(self._read(file, None, stations))
            if span is not None:
                spans.append(span)
        return spans

    def _files(self) -> tuple[ObservationFile, ...]:
        """Return the files of observations in the order of their names."""
        if not self._folder.is_dir():
            raise SourceUnavailable(
                tell("The gauge folder {folder} is not there.", folder=self._folder),
                hint="Name a folder with station archives: CLOUDBURST_SOURCE=gauges:FOLDER.",
                folder=str(self._folder),
            )
        table = self._table.resolve() if self._table is not None else None
        paths = sorted(path for path in self._folder.iterdir() if path.is_file() and path.resolve() != table)
        files = tuple(file for path in paths if (file := _open(path)) is not None)
        if not any(file.has_rows() for file in files):
            raise self._nothing()
        return files

    def _stations(self, files: Sequence[ObservationFile]) -> Mapping[str, Location]:
        """Return all stations by id: those of the table, then those that only raw INMET files know."""
        path = self._table if self._table is not None else self._folder / FILE_NAME
        stations: dict[str, Location] = {}
        if path.is_file():
            stations.update(read_stations(path))
        elif self._table is not None or not all(isinstance(file, InmetFile) for file in files):
            raise SourceUnavailable(
                f"The table of stations {path} is not there.",
                hint="Add a CSV file with the columns station_id, latitude and longitude.",
                file=path.name,
            )
        for file in files:
            if isinstance(file, InmetFile):
                station = file.station()
                stations.setdefault(station.id, station)
        return stations

    def _span(self, file: ObservationFile) -> Span | None:
        """Return first and last second of a file where they are known without reading it."""
        known = self._checked.get(file.path)
        if known is not None and known[0] == _state(file.path):
            return known[1]
        return file.span()

    def _read(self, file: ObservationFile, wanted: Span | None, stations: Mapping[str, Location]) -> pd.DataFrame:
        """Return the rows of a file: the wanted ones where it was checked before, all of them otherwise."""
        state = _state(file.path)
        known = self._checked.get(file.path)
        if known is not None and known[0] == state and not _unknown(frame := file.read(wanted), stations):
            return frame
        frame = file.read()
        unknown = _unknown(frame, stations)
        if unknown:
            raise _not_in_table(file, frame, unknown)
        self._checked[file.path] = (state, _span_of(frame))
        return frame

    def _nothing(self) -> InsufficientData:
        hint = "Put *.parquet or *.csv files with station_id, valid_at and precipitation_mm there."
        return InsufficientData(
            tell("The gauge folder {folder} holds no observation.", folder=self._folder),
            have=0,
            need=1,
            hint=hint,
            folder=str(self._folder),
        )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Translate what the file system says."""
        try:
            yield
        except OSError as error:
            raise SourceUnavailable(
                f"The gauge folder {self._folder} cannot be read: {error.strerror or 'input error'}.",
                hint="May this process read it, and is it still there?",
                folder=str(self._folder),
            ) from error


def _open(path: Path) -> ObservationFile | None:
    """Return the reader of a file, None for one that holds no observations."""
    if path.name.startswith(".") or path.name.lower() == FILE_NAME:
        return None
    match path.suffix.lower():
        case ".parquet":
            return ParquetFile(path)
        case ".csv":
            return InmetFile(path) if is_inmet(path) else CsvFile(path)
    return None


def _scatter(frame: pd.DataFrame, place: Mapping[str, int], wanted: Span, merged: Merged) -> None:
    """Write the wanted rows of one file into the arrays (places, hours)."""
    column = frame["station_id"]
    places = np.array([place.get(name, -1) for name in column.cat.categories], np.int64)
    row = places[column.cat.codes.to_numpy()] if len(frame) else np.empty(0, np.int64)
    seconds = _seconds(frame)
    keep = (row >= 0) & (seconds >= wanted[0]) & (seconds <= wanted[1])
    columns = {name: frame[name].to_numpy()[keep] for name in merged.values if name in frame}
    merged.add(row[keep], (seconds[keep] - wanted[0]) // HOUR_S, columns)


def _unknown(frame: pd.DataFrame, stations: Mapping[str, Location]) -> list[str]:
    """Return the stations of the rows that are not known."""
    return [name for name in frame["station_id"].cat.categories if name not in stations]


def _not_in_table(file: ObservationFile, frame: pd.DataFrame, unknown: Sequence[str]) -> SchemaMismatch:
    """Return the error that names the first rows' stations that the table does not have."""
    row = int(frame["station_id"].isin(unknown).to_numpy().argmax())
    some = ", ".join(name[:40] for name in unknown[:3]) + (", ..." if len(unknown) > 3 else "")
    what = f"{len(unknown)} station(s) are not in the table of stations: {some}"
    return mismatch(file.path, "station_id", file.line_of(row), what, f"Add them to {FILE_NAME}.")


def _seconds(frame: pd.DataFrame) -> Seconds:
    """Return the times of a frame as seconds since 1970 (UTC)."""
    seconds: Seconds = frame["valid_at"].dt.tz_localize(None).to_numpy().astype("datetime64[s]").view(np.int64)
    return seconds


def _span_of(frame: pd.DataFrame) -> Span | None:
    seconds = _seconds(frame)
    return (int(seconds.min()), int(seconds.max())) if len(seconds) else None


def _state(path: Path) -> _State:
    state = path.stat()
    return state.st_size, state.st_mtime_ns


def _epoch(moment: datetime) -> int:
    return int(as_utc(moment).timestamp())


def _moment(second: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
