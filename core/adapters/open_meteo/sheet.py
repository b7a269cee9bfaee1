"""Putting answers together: one sheet of hours, each value with the moment from which it could be known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from core.adapters.open_meteo.answers import Batch
from core.adapters.open_meteo.contract import Endpoint, Query
from core.domain.units import hour_axis, to_hour64
from core.domain.weather import VARIABLES, HourlyWeather, Hours, ModelRun, Region

#: What is kept for an hour is an analysis, or the first hours of the run that began before it. Runs of the global
#: models are out four to six hours after they begin, so a value could be known six hours after its hour at the latest.
#: A value that was fetched earlier was known when it was fetched, to the hour: whoever asks for what is known now has
#: looked at the clock before we have.
DELAY = np.timedelta64(6, "h")
#: ERA5 follows five days behind (Hersbach et al. 2020, doi:10.1002/qj.3803).
ARCHIVE_DELAY = np.timedelta64(5 * 24, "h")

UNKNOWN = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Fetched:
    """A checked answer, when it was asked for, and the model run behind it where it reaches the present."""

    batch: Batch
    at: datetime
    run: ModelRun | None = None


class Sheet:
    """The hours from `start` to `end` of a region, all missing at first.

    Parameters
    ----------
    until
        Hours after it stay missing. An hour that was still to come when an answer was fetched is as good as its model
        run, whose age goes with the sheet.
    """

    def __init__(self, region: Region, start: datetime, end: datetime, until: datetime) -> None:
        self._region = region
        self._until = to_hour64(until)
        self._axis = hour_axis(start, end)
        shape = (len(region.locations), len(self._axis))
        self._values = {variable: np.full(shape, np.nan, np.float32) for variable in VARIABLES}
        self._available: Hours = np.empty(shape, "datetime64[s]")
        self._available[:] = self._axis + DELAY
        self._runs: list[ModelRun] = []

    def lay(self, fetched: Fetched, query: Query) -> None:
        """Put one answer where it belongs."""
        if not len(self._axis):
            return
        if fetched.run is not None:
            self._runs.append(fetched.run)
        batch = fetched.batch
        here = (batch.valid_at >= self._axis[0]) & (batch.valid_at <= min(self._axis[-1], self._until))
        hours = batch.valid_at[here]
        there = (hours - self._axis[0]).astype(int)
        first = self._region.locations.index(query.places[0])
        rows = slice(first, first + len(query.places))
        for variable, array in batch.values.items():
            self._values[variable][rows, there] = array[:, here]
        delay = ARCHIVE_DELAY if query.endpoint is Endpoint.ARCHIVE else DELAY
        delay = delay - np.timedelta64(24 * (query.days_before or 0), "h")
        known = np.minimum(hours + delay, to_hour64(fetched.at))
        self._available[rows, there] = known.astype("datetime64[s]")

    def weather(self, source: str) -> HourlyWeather:
        """Return the sheet as a value, with the oldest run of its answers: an unknown one counts as older than any."""
        run = min(self._runs, key=lambda run: run.out_at or UNKNOWN, default=None)
        return HourlyWeather(self._region.locations, self._axis, self._values, source, self._available, run=run)
