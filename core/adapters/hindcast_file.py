"""A hindcast as one Parquet file, written piece by piece and put in place whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from core.adapters.parquet import write_tables
from core.domain.forecast import EVENTS, HOURLY_EVENTS, HindcastRows

SCHEMA = pa.schema(
    [
        pa.field("location_id", pa.string()),
        pa.field("issued_at", pa.timestamp("s", tz="UTC")),
        *(pa.field(event.key, pa.float64()) for event in HOURLY_EVENTS),
        pa.field("level", pa.string()),
    ]
)


def write(path: Path, parts: Iterable[HindcastRows]) -> int:
    """Write the columns location_id, issued_at, p_15, p_30, p_50, p_100, level; return the number of rows.

    Nothing stands at `path` until all of it does.
    """
    return write_tables(path, SCHEMA, (_table(part) for part in parts))


def _table(part: HindcastRows) -> pa.Table:
    columns = {
        "location_id": part.location_id,
        "issued_at": pd.DatetimeIndex(part.issued_at.astype("datetime64[s]"), tz="UTC"),
        **{event.key: part.probability[:, EVENTS.index(event)] for event in HOURLY_EVENTS},
        "level": [level.value for level in part.level],
    }
    return pa.Table.from_pandas(pd.DataFrame(columns), SCHEMA, preserve_index=False)
