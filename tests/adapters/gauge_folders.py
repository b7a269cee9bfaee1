"""Small gauge folders for the tests of the source `gauges:FOLDER`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.adapters.gauges.folder import GaugeFolder
from core.domain.weather import HourlyWeather
from core.errors import SchemaMismatch

FIRST = datetime(2021, 1, 1, tzinfo=UTC)
STATIONS = "station_id,latitude,longitude\n007,-15.8,-47.9\nB2,30.0,79.0\n"
HEADER = "station_id,valid_at,precipitation_mm,temperature_c"


def hour(i: int) -> datetime:
    return FIRST + timedelta(hours=i)


def observations(hours: int = 200, station: str = "007", **columns: Any) -> pd.DataFrame:
    """A quiet warm record; `columns` replaces or adds."""
    frame = pd.DataFrame(
        {
            "station_id": station,
            "valid_at": pd.date_range(FIRST, periods=hours, freq="h"),
            "precipitation_mm": np.zeros(hours),
            "temperature_c": 20 + np.arange(hours) % 10,
        }
    )
    return frame.assign(**columns)


def folder(tmp_path: Path, files: Mapping[str, pd.DataFrame | str | bytes], stations: str | None = STATIONS) -> Path:
    if stations is not None:
        (tmp_path / "stations.csv").write_text(stations)
    for name, content in files.items():
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content)
        elif path.suffix.lower() == ".csv":
            content.to_csv(path, index=False)
        else:
            content.to_parquet(path, index=False)
    return tmp_path


def load(path: Path, first: int = 0, last: int = 3) -> HourlyWeather:
    source = GaugeFolder(path)
    return source.hours(source.regions()[0], hour(first), hour(last))


def refused(path: Path, file: str, column: str, line: int) -> SchemaMismatch:
    """Load, and check that the error names file, column and line in message and context."""
    with pytest.raises(SchemaMismatch) as caught:
        load(path)
    error = caught.value
    assert (error.context["file"], error.context["column"], error.context["line"]) == (file, column, line)
    assert file in error.message
    assert column in error.message
    assert f"line {line}" in error.message
    return error


def text(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"
