"""The situation of a region at one moment: what was seen, how old it is, and what a model makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from core.domain.forecast import EVENTS, Exceedance, Freshness
from core.domain.quality import FlaggedWeather
from core.domain.units import floor_hour, to_hour64
from core.domain.weather import Flag, HourlyWeather, Region
from core.features import table
from core.risk import AgeLimits
from core.workflows.serving import Served

#: A single value left over says too little: a place is known from two variables on.
LEAST_VARIABLES = 2


@dataclass(frozen=True)
class Situation:
    """Flagged weather of a region as known at `now`."""

    region: Region
    checked: FlaggedWeather
    limits: AgeLimits
    now: datetime

    @cached_property
    def usable(self) -> HourlyWeather:
        """The weather without the values that failed."""
        return self.checked.usable()

    @cached_property
    def seen(self) -> tuple[datetime | None, ...]:
        """End of the last hour with usable values, for every place."""
        return self.usable.last_observed(LEAST_VARIABLES)

    @cached_property
    def fresh(self) -> tuple[Freshness, ...]:
        """Freshness of every place."""
        return tuple(self.limits.freshness(at, self.now) for at in self.seen)

    @property
    def newest(self) -> datetime | None:
        """End of the last hour with a value anywhere in the region."""
        return max((at for at in self.seen if at is not None), default=None)

    @property
    def freshness(self) -> Freshness:
        """Freshness of the region: that of its newest value."""
        return self.limits.freshness(self.newest, self.now)

    @property
    def valid_from(self) -> datetime:
        """Begin of the window: the newest hour with data, or the current hour where there are none of use."""
        newest = self.newest
        return floor_hour(self.now) if newest is None or self.freshness is Freshness.NO_DATA else newest

    def exceedances(self, served: Served | None) -> tuple[Exceedance, ...]:
        """Return the curve of every place; unknown where there is no model or no data."""
        curves = [Exceedance.unknown()] * len(self.seen)
        known = np.array([f is not Freshness.NO_DATA for f in self.fresh], bool)
        if served is None or not known.any():
            return tuple(curves)
        extrapolated = frozenset(e for e in EVENTS if e.key in served.model.extrapolated)
        hour = int(np.searchsorted(self.checked.weather.valid_at, to_hour64(self.valid_from)))
        rows = table.build(self.usable).values[known, hour]
        bounds = (part.tolist() for part in served.model.with_interval(rows))
        for i, p, low, high in zip(np.flatnonzero(known).tolist(), *bounds, strict=True):
            curves[i] = Exceedance(EVENTS, tuple(p), tuple(low), tuple(high), extrapolated)
        return tuple(curves)

    def worst_flag(self, place: int) -> Flag:
        """Return the worst flag of the newest values of one place."""
        hour = self._hour(place)
        return Flag.MISSING if hour is None else self.checked.worst(place, hour)

    def reasons(self, place: int) -> tuple[str, ...]:
        """Return why the newest values of one place are flagged."""
        hour = self._hour(place)
        return ("no usable observation",) if hour is None else self.checked.reasons(place, hour)

    def remarks(self) -> tuple[str, ...]:
        """Return in words what the age of the data means; nothing where they are fresh."""
        if self.newest is None:
            return ("There are no observations in the last days: no level can be given.",)
        hours = (self.now - self.newest).total_seconds() / 3600
        if self.freshness is Freshness.NO_DATA:
            return (f"The newest observation is {hours:.1f} h old: too old for any level.",)
        behind = sum(f is not self.freshness for f in self.fresh)
        parts = (
            (f"{behind} of {len(self.fresh)} places are older than the newest: stale or no data.",) if behind else ()
        )
        return (f"The newest observation is {hours:.1f} h old.", *parts) if self.freshness is Freshness.STALE else parts

    def lasts_s(self) -> float:
        """Return the seconds until the freshness of some place changes, infinity where it never does."""
        ages = [(self.now - at).total_seconds() for at in self.seen if at is not None]
        limits = (self.limits.amber.total_seconds(), self.limits.no_data.total_seconds())
        return min((limit - age for age in ages for limit in limits if limit > age), default=float("inf"))

    def _hour(self, place: int) -> int | None:
        at = self.seen[place]
        return None if at is None else int(np.searchsorted(self.checked.weather.valid_at, to_hour64(at)))
