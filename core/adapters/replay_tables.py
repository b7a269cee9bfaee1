"""Parquet files of stored hours: what must stand in them, and how they become tables of the house."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.domain.units import saturation_vapour_pressure_hpa
from core.domain.weather import VARIABLES
from core.errors import InsufficientData, SchemaMismatch, SourceUnavailable
from core.quality.rules import DEW_POINT_TOLERANCE_K

#: A place is known from two variables on; a table with fewer says nothing.
LEAST_VARIABLES = 2
#: About six months of the largest region; a larger file would fill the memory of a small machine.
MOST_ROWS = 2_000_000
COMPONENTS = ("wind_u_ms", "wind_v_ms")
POSITION = ("latitude", "longitude")
_BOUNDS = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 360.0), "elevation_m": (-500.0, 9000.0)}
_HINT = "Needed: valid_at, location_id or latitude and longitude, and variables such as precipitation_mm."
_TIME_HINT = "valid_at is the end of the hour with its time zone, best UTC."


def read_tables(path: Path) -> pd.DataFrame:
    """Return the rows of a Parquet file, or of all `*.parquet` in a folder.

    Columns: location_id, or latitude and longitude (degrees, elevation_m where given); valid_at and, where given,
    available_at (both UTC); variables of the house, NaN where missing. Stored flags are left behind: they may have been
    set in hindsight.

    Raises
    ------
    SourceUnavailable
        If there is no such file or it cannot be read.
    SchemaMismatch
        If a file is no Parquet or a column is missing or not what it must be.
    InsufficientData
        If there is no row.
    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    tables = [_read(file) for file in files]
    if not any(len(table) for table in tables):
        raise InsufficientData(f"{path.name} holds no stored hours.", have=0, need=1, hint=_HINT)
    if len({"location_id" in table for table in tables}) > 1:
        raise SchemaMismatch(f"{path.name} mixes files with and without location_id.", hint="Replay them one by one.")
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise SourceUnavailable(f"There is no file {path}.", hint="Name a Parquet file of stored hours.")
    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows > MOST_ROWS:
                raise _mismatch(path, f"holds more than {MOST_ROWS:,} rows", "Cut out the weeks to be replayed.")
            columns = _columns(file.schema_arrow, path)
            frame = file.read(columns=columns).to_pandas(ignore_metadata=True)
    except OSError as error:  # pyarrow's own errors of reading are among them
        reason = error.strerror or "broken"
        raise SourceUnavailable(f"{path.name} cannot be read: {reason}.", hint="Write the file anew.") from None
    except pa.ArrowException:
        raise _mismatch(path, "is no Parquet file, or a damaged one", "Write the file anew.") from None
    return _checked(frame, path)


def _columns(schema: Any, path: Path) -> list[str]:
    """Return the columns to be read; refuse what is missing or of the wrong kind."""
    names = [str(name) for name in schema.names]
    for twice in sorted({name for name in names if names.count(name) > 1}):
        raise _mismatch(path, f"has the column {twice[:40]} twice")
    known = ("location_id",) if "location_id" in names else POSITION
    for needed in (*known, "valid_at"):
        if needed not in names:
            raise _mismatch(path, f"lacks the column {needed}")
    optional = ("available_at",) if "location_id" in names else ("available_at", "elevation_m")
    numbers = [name for name in (*VARIABLES, *COMPONENTS) if name in names]
    if len(numbers) < LEAST_VARIABLES:
        raise _mismatch(path, f"has fewer than {LEAST_VARIABLES} variables of the house")
    wanted = [*known, "valid_at", *(name for name in optional if name in names), *numbers]
    for name in wanted:
        _check_kind(name, schema.field(name).type, path)
    return wanted


def _check_kind(name: str, kind: Any, path: Path) -> None:
    if name in ("valid_at", "available_at"):
        if not pa.types.is_timestamp(kind):
            raise _mismatch(path, f"has a column {name} of {kind}, not of times", _TIME_HINT)
        if kind.tz is None:
            raise _mismatch(path, f"has a column {name} without a time zone", _TIME_HINT)
    elif name == "location_id":
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise _mismatch(path, f"has a column location_id of {kind}, not of texts")
    elif not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        raise _mismatch(path, f"has a column {name} of {kind}, not of numbers")


def _checked(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the table in the variables of the house; refuse impossible times and positions."""
    frame["valid_at"] = frame["valid_at"].dt.tz_convert("UTC")
    if frame["valid_at"].isna().any() or (frame["valid_at"] != frame["valid_at"].dt.floor("h")).any():
        raise _mismatch(path, "has a time that is missing or no full hour", _TIME_HINT)
    if "location_id" in frame and frame["location_id"].isna().any():
        raise _mismatch(path, "has a row without location_id")
    for name, (low, high) in _BOUNDS.items():
        if name in frame:
            numbers = frame[name].astype(float)
            if not (numbers.between(low, high) | (numbers.isna() if name == "elevation_m" else False)).all():
                raise _mismatch(path, f"has a {name} outside {low:g} to {high:g}")
    if "available_at" in frame:  # nothing is known before its hour is over
        known = frame["available_at"].dt.tz_convert("UTC").fillna(frame["valid_at"])
        frame["available_at"] = known.where(known > frame["valid_at"], frame["valid_at"])
    return _converted(frame)


def _converted(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with wind as speed and direction, and with the humidity that the dew point stands for."""
    if set(COMPONENTS) <= set(frame) and "wind_speed_ms" not in frame:
        east, north = (frame[name].astype(float) for name in COMPONENTS)
        frame["wind_speed_ms"] = np.hypot(east, north)
        # The direction that the wind comes from, clockwise from north.
        frame["wind_direction_deg"] = np.degrees(np.arctan2(-east, -north)) % 360
    if {"temperature_c", "dew_point_c"} <= set(frame) and "relative_humidity_pct" not in frame:
        warm, dew = (frame[name].to_numpy(float) for name in ("temperature_c", "dew_point_c"))
        ratio = 100 * saturation_vapour_pressure_hpa(dew) / saturation_vapour_pressure_hpa(warm)
        possible = dew <= warm + DEW_POINT_TOLERANCE_K
        frame["relative_humidity_pct"] = np.where(possible, np.minimum(ratio, 100), np.nan)
    return frame.drop(columns=[name for name in COMPONENTS if name in frame])


def _mismatch(path: Path, what: str, hint: str = _HINT) -> SchemaMismatch:
    return SchemaMismatch(f"{path.name} {what}.", hint=hint, file=path.name)
