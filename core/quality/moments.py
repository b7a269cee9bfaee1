"""Times of records held against the clock: hours that have not been yet, and values known before their time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from core.domain.quality import Finding, Mask
from core.domain.units import to_second64
from core.domain.weather import Flag
from core.quality.columns import Columns

FRESHNESS = "freshness"
#: Clocks may differ by so much, and the values of the hour that runs are often sent under its end.
TOLERANCE = np.timedelta64(3600, "s")
FUTURE = "lies in the future"
TOO_SOON = "was known more than an hour before its time"


def untimely(columns: Columns, now: datetime) -> Iterator[Finding]:
    """Fail what is said of the future, and suspect what was known before its time; findings have shape (records,).

    Parameters
    ----------
    now
        The moment at which the records came, UTC.
    """
    future = columns.valid_at > to_second64(now) + TOLERANCE  # NaT is never later
    soon = columns.available_at < columns.valid_at - TOLERANCE
    yield from _of_every_value(columns, Flag.FAIL, FUTURE, future)
    yield from _of_every_value(columns, Flag.SUSPECT, TOO_SOON, soon)


def _of_every_value(columns: Columns, flag: Flag, reason: str, records: Mask) -> Iterator[Finding]:
    if records.any():
        for name, values in columns.values.items():
            where = records & np.isfinite(values)
            if where.any():
                yield Finding(FRESHNESS, name, flag, reason, where)
