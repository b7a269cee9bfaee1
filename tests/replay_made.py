"""Made-up stored weather for tests: Parquet tables with positions, and partitions as the archive writes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from core.adapters.archive import ParquetArchive
from core.domain.weather import HourlyWeather, Outline, Region
from core.quality.checks import check
from tests.weather_made import REGION, weather

MAPS = Path(__file__).resolve().parents[1] / "data" / "maps"
BEGIN = datetime.fromisoformat("2013-06-01T00:00:00+00:00")
#: A district around the places of `frame`, so that they get its name and zone.
KNOWN = replace(
    REGION, outlines=(Outline("Square", (((78.0, 30.0), (79.0, 30.0), (79.0, 31.0), (78.0, 31.0), (78.0, 30.0)),)),)
)


def frame(hours: int = 240, begin: datetime = BEGIN, place: tuple[float, float] = (30.5, 78.5)) -> pd.DataFrame:
    """Return hourly rows of one place, wind as components."""
    rng = np.random.default_rng(int(10 * abs(sum(place))))
    return pd.DataFrame(
        {
            "latitude": place[0],
            "longitude": place[1],
            "valid_at": pd.date_range(begin, periods=hours, freq="h"),
            "temperature_c": 20 + rng.normal(size=hours),
            "dew_point_c": 15 + rng.normal(size=hours),
            "surface_pressure_hpa": 860 + rng.normal(size=hours),
            "wind_u_ms": rng.normal(size=hours),
            "wind_v_ms": rng.normal(size=hours),
            "precipitation_mm": rng.gamma(0.5, 2, hours),
        }
    )


def table(path: Path, *frames: pd.DataFrame) -> Path:
    """Write rows as Parquet and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.concat(frames or (frame(),)).to_parquet(path, index=False)
    return path


def archived(
    folder: Path, source: str = "gauges", hours: int = 240, late_h: int = 0, region: Region = REGION
) -> tuple[Path, HourlyWeather]:
    """Write hours into an archive, each known `late_h` hours after its end; return its folder and what was stored."""
    stored = weather(hours, BEGIN + timedelta(hours=hours - 1), source, region.locations)
    known = stored.valid_at.astype("datetime64[s]") + np.timedelta64(late_h, "h")
    stored = replace(stored, available_at=np.tile(known, (len(region.locations), 1)))
    ParquetArchive(folder).store(region.id, check(stored, True))
    return folder / source / region.id, stored
