"""Quality flags as one Parquet file: one row per flagged value and check, put in place whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from core.adapters.parquet import write_tables
from core.domain.quality import FlaggedWeather
from core.domain.weather import Flag

SCHEMA = pa.schema(
    [
        pa.field("location_id", pa.string()),
        pa.field("valid_at", pa.timestamp("s", tz="UTC")),
        pa.field("variable", pa.string()),
        pa.field("flag", pa.uint8()),
        pa.field("test", pa.string()),
        pa.field("reason", pa.string()),
    ]
)


def write(path: Path, parts: Iterable[FlaggedWeather]) -> int:
    """Write every value that a check suspects or fails, by place and time; return the number of rows.

    Missing values are no values: gaps are counted by completeness, not listed here. Confirmed extremes are no flags.
    Nothing stands at `path` until all of it does.
    """
    return write_tables(path, SCHEMA, (_table(part) for part in parts))


def _table(checked: FlaggedWeather) -> pa.Table:
    found = list(_flagged(checked))
    count = [len(place) for _, place, _ in found]
    finding = np.repeat(np.arange(len(found)), count)
    place = np.concatenate([np.empty(0, np.int64), *(p for _, p, _ in found)])
    hour = np.concatenate([np.empty(0, np.int64), *(h for _, _, h in found)])
    order = np.lexsort((finding, hour, place))
    finding, place, hour = finding[order], place[order], hour[order]

    def texts(of: list[str], index: np.ndarray) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), pa.array(of, pa.string())).cast(pa.string())

    heads = [checked.findings[i] for i, _, _ in found]
    columns = [
        texts([p.id for p in checked.weather.locations], place),
        pa.array(checked.weather.valid_at[hour].astype("datetime64[s]")).cast(SCHEMA.field("valid_at").type),
        texts([f.variable for f in heads], finding),
        pa.array(np.array([int(f.flag) for f in heads], np.uint8)[finding]),
        texts([f.test for f in heads], finding),
        texts([f.reason for f in heads], finding),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _flagged(checked: FlaggedWeather) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield position of a finding, places and hours of the values it flags."""
    for i, finding in enumerate(checked.findings):
        if finding.flag in (Flag.SUSPECT, Flag.FAIL):
            place, hour = np.nonzero(finding.where)
            yield i, place, hour
