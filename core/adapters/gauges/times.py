"""Times of observation tables: UTC, full hours, whether they come as timestamps or as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from core.adapters.gauges.columns import LineOf, mismatch
from core.adapters.gauges.text import codes_of

Seconds = NDArray[np.int64]

HOUR_S = 3600
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
#: Times outside these years are broken clocks or broken files, and would make axes of millions of hours.
FIRST_YEAR, LAST_YEAR = 1850, 2150
_UTC_NAMES = frozenset({"UTC", "utc", "Etc/UTC", "Z", "Zulu", "+00:00", "GMT", "Etc/GMT"})
TIME_HINT = "valid_at is the end of the hour in UTC, such as 2021-01-01T00:00:00Z."


def check_time_type(kind: Any, path: Path) -> None:
    """Refuse a column that holds no times, or times of another zone.

    Raises
    ------
    SchemaMismatch
        If it does.
    """
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_timestamp(kind):
        if kind.tz is not None and kind.tz not in _UTC_NAMES:
            raise mismatch(path, "valid_at", 1, f"the times are in {kind.tz}, not in UTC", TIME_HINT)
    elif not (pa.types.is_string(inner) or pa.types.is_large_string(inner)):
        raise mismatch(path, "valid_at", 1, f"the column holds {kind}, not times", TIME_HINT)


def times(column: pa.ChunkedArray, path: Path, line_of: LineOf) -> Seconds:
    """Return the times as seconds since 1970, full hours all of them.

    Raises
    ------
    SchemaMismatch
        If a time is missing, unreadable, not in UTC or not on the full hour.
    """
    if not pa.types.is_timestamp(column.type):
        return times_of_texts(*codes_of(column), path, line_of)
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy()))
        raise mismatch(path, "valid_at", line_of(row), "the time is missing", TIME_HINT)
    per_second = PER_SECOND[column.type.unit]
    counts = column.cast(pa.int64()).to_numpy()
    seconds: Seconds = counts // per_second
    odd = counts % (per_second * HOUR_S) != 0
    if odd.any():
        raise mismatch(path, "valid_at", line_of(int(odd.argmax())), "the time is not a full hour", TIME_HINT)
    first, last = (epoch_s(pd.Timestamp(year, 1, 1)) for year in (FIRST_YEAR, LAST_YEAR))
    far = (seconds < first) | (seconds >= last)
    if far.any():
        raise mismatch(path, "valid_at", line_of(int(far.argmax())), "the year is impossible", TIME_HINT)
    return seconds


def times_of_texts(codes: NDArray[np.int64], texts: list[str | None], path: Path, line_of: LineOf) -> Seconds:
    """Return times written as text, each distinct one parsed once."""
    read = [_time(text) for text in texts] + ["the time is missing"]
    bad = [i if i < len(texts) else -1 for i, found in enumerate(read) if isinstance(found, str)]
    wrong = np.isin(codes, bad)
    if wrong.any():
        row = int(wrong.argmax())
        raise mismatch(path, "valid_at", line_of(row), str(read[codes[row]]), TIME_HINT)
    return np.array([found if isinstance(found, int) else 0 for found in read], np.int64)[codes]


def _time(text: str | None) -> int | str:
    """Return seconds since 1970, or what is wrong with the text."""
    text = (text or "").strip()
    if not text:
        return "the time is missing"
    try:
        moment = datetime.fromisoformat(text.removesuffix("UTC").strip())
    except ValueError:
        return f"{text[:40]!r} is not a time"
    if moment.utcoffset() not in (None, timedelta(0)):
        return f"{text[:40]!r} is not in UTC"
    if (moment.minute, moment.second, moment.microsecond) != (0, 0, 0):
        return f"{text[:40]!r} is not a full hour"
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        return f"{text[:40]!r} is in an impossible year"
    return int(moment.replace(tzinfo=UTC).timestamp())


def epoch_s(moment: pd.Timestamp) -> int:
    """Return a moment, UTC where it says nothing else, as seconds since 1970."""
    aware = moment.tz_localize("UTC") if moment.tzinfo is None else moment
    return int(aware.timestamp())
