"""Parquet files of the house: written whole, and put aside with their bytes where they cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from core.adapters.files import write_whole

log = structlog.get_logger()


def write_tables(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write tables one after the other as one file; return the number of rows.

    Nothing stands at `path` until all of it does.
    """
    rows = 0

    def fill(temporary: Path) -> None:
        nonlocal rows
        with pq.ParquetWriter(temporary, schema) as writer:
            for table in tables:
                writer.write_table(table)
                rows += table.num_rows

    write_whole(path, fill)
    return rows


def read_or_put_aside(path: Path, what: str) -> pd.DataFrame | None:
    """Return a file as a frame; one that cannot be read is put aside with its bytes, said in the log, and None."""
    try:
        return pd.read_parquet(path)
    except (pa.ArrowException, OSError) as error:
        log.error(f"{what} cannot be read and is put aside", file=path.name, error=str(error)[:200])
        path.replace(path.with_suffix(".parquet.bad"))
        return None
