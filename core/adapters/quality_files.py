"""Quality metrics as tables: data/quality_metrics/<source>/<region>/<month>.parquet, for whoever wants to plot them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from core.adapters.files import PATIENCE_S, locked
from core.adapters.parquet import read_or_put_aside, write_frame
from core.domain.quality import QualityMetrics
from core.errors import ConfigurationError

KEY = ["location_id", "end"]


class ParquetQuality:
    """Tables below one folder, a file per source, region and month (UTC) of the end of the period.

    One row per region (location_id "") or place and appraisal; shares and rates lie in 0..1, NaN is not known. Safe for
    several writers through a file lock; a file is replaced whole.

    Parameters
    ----------
    folder
        Usually data/quality_metrics.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, metrics: Sequence[QualityMetrics]) -> int:
        """Add metrics; those of a place and an end that are there already are kept. Return the number of new rows.

        Raises
        ------
        ConfigurationError
            If the folder cannot be written.
        """
        rows = pd.DataFrame([asdict(m) | {"location_id": m.location_id or ""} for m in metrics])
        if rows.empty:
            return 0
        months = rows["end"].dt.strftime("%Y-%m")
        try:
            return sum(
                self._merge(self._folder / str(source) / str(region_id) / f"{month}.parquet", part)
                for (source, region_id, month), part in rows.groupby(["source", "region_id", months])
            )
        except OSError as error:
            raise ConfigurationError(
                f"The quality metrics cannot be written: {error.strerror}.",
                hint="Check that the folder data/quality_metrics can be written and the disk is not full.",
            ) from error

    def _merge(self, path: Path, rows: pd.DataFrame) -> int:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock"), PATIENCE_S, "the quality metrics"):
            old = read_or_put_aside(path, "a table of quality metrics", KEY) if path.exists() else None
            both = rows if old is None else pd.concat([old, rows], ignore_index=True)
            both = both.drop_duplicates(KEY, keep="first").sort_values(["end", "location_id"], ignore_index=True)
            write_frame(path, both)
        return len(both) - (0 if old is None else len(old))
