"""Tables of quality metrics: a file per source, region and month, whole or absent."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from core.adapters.quality_files import ParquetQuality
from core.domain.quality import QualityMetrics
from core.errors import ConfigurationError

END = datetime(2026, 7, 31, 23, tzinfo=UTC)
MADE = QualityMetrics("gauges", "r", None, END - timedelta(hours=23), END, 0.9, 1.0, 1.0, math.nan, math.nan, 0.0, 0.9)


@pytest.fixture
def files(tmp_path: Path) -> ParquetQuality:
    return ParquetQuality(tmp_path)


def read(tmp_path: Path, month: str = "2026-07") -> pd.DataFrame:
    return pd.read_parquet(tmp_path / "gauges" / "r" / f"{month}.parquet")


def test_a_region_and_its_places_are_rows_of_their_month(files: ParquetQuality, tmp_path: Path) -> None:
    place = replace(MADE, location_id="a", completeness=0.8)
    assert files.store([MADE, place, replace(MADE, end=END + timedelta(hours=1))]) == 3
    table = read(tmp_path)
    assert table["location_id"].tolist() == ["", "a"]
    assert table["completeness"].tolist() == [0.9, 0.8]
    assert table["timeliness"].isna().all()
    assert str(table["end"].dt.tz) == "UTC"
    assert len(read(tmp_path, "2026-08")) == 1
    assert {p.name for p in (tmp_path / "gauges" / "r").glob("*.parquet")} == {"2026-07.parquet", "2026-08.parquet"}


def test_what_is_there_already_is_kept(files: ParquetQuality, tmp_path: Path) -> None:
    assert files.store([MADE]) == 1
    assert files.store([replace(MADE, completeness=0.1), replace(MADE, location_id="a")]) == 1
    assert read(tmp_path)["completeness"].tolist() == [0.9, 0.9]
    assert files.store([]) == 0


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    rows = [replace(MADE, end=END - timedelta(hours=h)) for h in range(20)]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda row: ParquetQuality(tmp_path).store([row]), rows)) == 20
    assert len(read(tmp_path)) == 20


def test_a_table_that_cannot_be_read_is_put_aside_with_its_bytes(files: ParquetQuality, tmp_path: Path) -> None:
    files.store([MADE])
    path = tmp_path / "gauges" / "r" / "2026-07.parquet"
    path.write_bytes(b"rain")
    assert files.store([MADE]) == 1
    assert path.with_suffix(".parquet.bad").read_bytes() == b"rain"
    assert len(read(tmp_path)) == 1


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "gauges").write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be written") as error:
        ParquetQuality(tmp_path).store([MADE])
    assert "data/quality_metrics" in error.value.hint
