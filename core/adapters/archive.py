"""The archive of hourly weather: Parquet files data/processed/<source>/<region>/<month>.parquet, flags included."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from core.adapters.files import PATIENCE_S, locked
from core.adapters.frames import from_frame, to_frame
from core.adapters.parquet import read_or_put_aside, read_where_possible, write_frame
from core.domain.quality import FlaggedWeather
from core.domain.units import as_utc, hour_axis
from core.domain.weather import Flag, HourlyWeather, Region
from core.errors import ConfigurationError

log = structlog.get_logger()
KEY = ["location_id", "valid_at"]
PARTITION = "a partition of the archive"


class ParquetArchive:
    """Archive below one folder; safe for several writers through a file lock.

    Parameters
    ----------
    folder
        Usually data/processed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, region_id: str, checked: FlaggedWeather) -> int:
        """Add observed hours with their flags; return the number of rows given.

        Of two values for one hour the newer wins, but a missing one never replaces a known one.

        Raises
        ------
        ConfigurationError
            If the folder cannot be written; months that were written before stay.
        """
        frame = to_frame(checked.weather)
        place, hour = checked.weather.observed().nonzero()
        for variable in checked.weather.values:
            frame[f"{variable}_flag"] = checked.flags(variable)[place, hour]
        months = frame["valid_at"].dt.strftime("%Y-%m")
        try:
            for month, rows in frame.groupby(months):
                self._merge(self._folder / checked.weather.source / region_id / f"{month}.parquet", rows)
        except OSError as error:
            raise ConfigurationError(
                f"The archive cannot be written: {error.strerror or type(error).__name__}.",
                hint="Check that the folder data/processed can be written and the disk is not full.",
            ) from error
        return len(frame)

    def read(self, region: Region, start: datetime, end: datetime, source: str) -> HourlyWeather:
        """Return the stored hours of `region` from one source, NaN where there are none."""
        folder = self._folder / source / region.id
        first, last = f"{as_utc(start):%Y-%m}", f"{as_utc(end):%Y-%m}"
        paths = [path for path in sorted(folder.glob("*.parquet")) if first <= path.stem <= last]
        found = [read_where_possible(path, PARTITION, KEY) for path in paths]
        parts = [part for part in found if part is not None]
        axis = hour_axis(start, end)
        if not parts:
            return HourlyWeather(region.locations, axis, {}, source)
        return from_frame(pd.concat(parts, ignore_index=True), region.locations, axis, source)

    def extent(self) -> tuple[Mapping[str, Any], ...]:
        """Return for every stored partition that can be read: source, region, month, rows."""
        found = []
        for path in sorted(self._folder.glob("*/*/*.parquet")):
            try:
                rows = pq.read_metadata(path).num_rows
            except (pa.ArrowException, OSError) as error:  # whoever reads its values puts it aside
                log.error(f"{PARTITION} cannot be read", file=path.name, error=str(error)[:200])
                continue
            found.append({"source": path.parts[-3], "region": path.parts[-2], "month": path.stem, "rows": rows})
        return tuple(found)

    def _merge(self, path: Path, rows: pd.DataFrame) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock"), PATIENCE_S, "the archive"):
            old = read_or_put_aside(path, PARTITION, KEY) if path.exists() else None
            if old is not None:
                rows = _merged(old, rows)
            write_frame(path, rows.sort_values(KEY))


def _merged(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return old and new rows in one; where both have an hour, every value with its flag is the newest known one."""
    new = new.astype(dict(old.select_dtypes("datetimetz").dtypes))  # read back, moments have another unit
    touched = old["valid_at"].isin(new["valid_at"])  # some hours of a month: the others are only passed on
    before, new = old[touched].set_index(KEY), new.set_index(KEY)
    flags = [name for name in new.columns if name.endswith("_flag")]
    new[flags] = new[flags].astype(float).where(new[flags] != Flag.MISSING)
    both = pd.concat([old[~touched], new.combine_first(before).reset_index()], ignore_index=True)
    flags = [name for name in both.columns if name.endswith("_flag")]
    both[flags] = both[flags].fillna(Flag.MISSING).astype("uint8")
    return both
