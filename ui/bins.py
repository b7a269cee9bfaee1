"""Hours in bins of local time: hours, days or several days, as many as a figure can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ui.figures import local_hours
from ui.language import say
from ui.words import day

#: Widths of a bin in hours.
STEPS_H = (1, 3, 6, 24, 48, 96, 168, 336, 672)


@dataclass(frozen=True)
class Bins:
    """Hours in bins of local time: bin of every hour (hours,), and the local begin of every bin."""

    index: NDArray[np.int64]
    begins: tuple[datetime, ...]
    step_h: int

    def counts(self, per_hour: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the sums of `per_hour` (..., hours) by bin, (..., bins)."""
        member = (self.index[:, None] == np.arange(len(self.begins))).astype(np.float64)
        sums: NDArray[np.float64] = np.asarray(per_hour, np.float64) @ member
        return sums

    def labels(self) -> list[str]:
        """Return one short label per bin: the hour it ends with, or the day it begins."""
        if self.step_h < 24:
            return [day(begin + timedelta(hours=self.step_h), "%d %b %H:%M") for begin in self.begins]
        return [day(begin, "%d %b") for begin in self.begins]

    @property
    def text(self) -> str:
        """The width of a bin in words."""
        if self.step_h < 24:
            return say("hour") if self.step_h == 1 else say("{step_h} hours", step_h=self.step_h)
        return say("day") if self.step_h == 24 else say("{step_h} days", step_h=self.step_h // 24)


def bins(valid_at: NDArray[np.datetime64], time_zone: str, most: int, steps_h: Sequence[int] = STEPS_H) -> Bins:
    """Return at most about `most` bins over hours that are named by their end."""
    step = next((s for s in steps_h if len(valid_at) / s <= most), steps_h[-1])
    zone = ZoneInfo(time_zone)
    begin = np.array([h.replace(tzinfo=None) for h in local_hours(valid_at, zone)], "datetime64[m]") - np.timedelta64(
        60
    )
    first = begin[0].astype("datetime64[D]").astype("datetime64[m]")
    if step < 24:  # hours of UTC begin at half past where the zone is half an hour off
        first += (begin[0] - first) % np.timedelta64(60)
    index = ((begin - first) // np.timedelta64(60 * step)).astype(np.int64)
    lowest = int(index[0])
    count = int(index.max()) - lowest + 1
    start = first.astype("datetime64[s]").item()
    begins = tuple(start + timedelta(hours=step * (lowest + i)) for i in range(count))
    return Bins(index - lowest, begins, step)
