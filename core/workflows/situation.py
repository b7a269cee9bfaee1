"""The situation of a region at one moment: what was seen, how old it is, and what a model makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import DEFAULT_WINDOW, Exceedance, Freshness
from core.domain.quality import FlaggedWeather
from core.domain.told import tell
from core.domain.units import floor_hour, to_hour64
from core.domain.weather import Flag, HourlyWeather, ModelRun, Region, Values
from core.features import fields as model_fields
from core.features import table
from core.risk import AgeLimits
from core.workflows.serving import Served

#: A place is known from rain and one of these on: with wind or pressure alone no one can say how likely rain is.
AIR = ("temperature_c", "dew_point_c", "relative_humidity_pct")


@dataclass(frozen=True)
class Situation:
    """Flagged weather of a region as known at `now`, and forecast fields where the house has them.

    `members` are those of an ensemble, all places of the first, then all of the second; `fields` are their mean.
    """

    region: Region
    checked: FlaggedWeather
    limits: AgeLimits
    now: datetime
    fields: HourlyWeather | None = None
    members: HourlyWeather | None = None

    @cached_property
    def ages(self) -> AgeLimits:
        """The limits of age, the region's own where it has them."""
        return self.limits.of(self.region)

    @cached_property
    def usable(self) -> HourlyWeather:
        """The weather without the values that failed."""
        return self.checked.usable()

    @cached_property
    def seen(self) -> tuple[datetime | None, ...]:
        """End of the last hour with usable rain and a usable state of the air, for every place."""
        air = np.logical_or.reduce([np.isfinite(self.usable.get(v)) for v in AIR])
        return self.usable.last_observed(air & np.isfinite(self.usable.get("precipitation_mm")))

    @cached_property
    def fresh(self) -> tuple[Freshness, ...]:
        """Freshness of every place."""
        return tuple(self.ages.freshness(at, self.now, self.run) for at in self.seen)

    @property
    def run(self) -> ModelRun | None:
        """The model run behind the weather, None where it was observed."""
        return self.checked.weather.run

    def known_at(self, seen: datetime | None) -> datetime | None:
        """Return the moment from which data count their age: the end of their hour, or that their run came out."""
        out_at = self.run.out_at if self.run is not None else None
        return seen if seen is None or out_at is None else min(seen, out_at)

    @property
    def newest(self) -> datetime | None:
        """End of the last hour with a value anywhere in the region."""
        return max((at for at in self.seen if at is not None), default=None)

    @property
    def freshness(self) -> Freshness:
        """Freshness of the region: that of its newest value."""
        return self.ages.freshness(self.newest, self.now, self.run)

    @property
    def valid_from(self) -> datetime:
        """Begin of the window: the newest hour with data, or the current hour where there are none of use."""
        newest = self.newest
        return floor_hour(self.now) if newest is None or self.freshness is Freshness.NO_DATA else newest

    @property
    def _begin(self) -> int:
        """Position of the begin of the window on the axis of the weather."""
        return int(np.searchsorted(self.checked.weather.valid_at, to_hour64(self.valid_from)))

    def member_rows(self, known: NDArray[np.bool_]) -> Values | None:
        """Return the features as each member has them, shape (members, places at `known`, features); None without.

        What was observed is the same for all of them.
        """
        if self.members is None:
            return None
        hour = self._begin
        axis = self.checked.weather.valid_at[hour : hour + 1]
        columns = model_fields.build(self.members, axis)
        said = np.stack([column[:, 0] for column in columns.values()], axis=-1)
        said = said.reshape(-1, len(known), len(columns))[:, known]
        rows = np.repeat(self.rows[known][None], len(said), axis=0)
        rows[:, :, -len(columns) :] = said
        return rows

    @cached_property
    def rows(self) -> Values:
        """Features of every place at the begin of the window, shape (places, features); those of fields come last."""
        hour = self._begin
        return table.build(self.usable, fields=self.fields, hours=slice(hour, hour + 1)).values[:, 0].copy()

    def curves(self, served: Served | None) -> tuple[tuple[Exceedance, ...], ...]:
        """Return for every place its curves, that of the default window first; unknown without model or data."""
        unknown = (Exceedance.unknown(),)
        known = np.array([f is not Freshness.NO_DATA for f in self.fresh], bool)
        if served is None or not known.any():
            return (unknown,) * len(known)
        by_window = served.curves(self.rows[known], self.member_rows(known))
        windows = sorted(by_window, key=lambda window: (window != DEFAULT_WINDOW, window))
        places = iter(zip(*(by_window[window] for window in windows), strict=True))
        return tuple(next(places) if place else unknown for place in known)

    def notes(self, served: Served | None) -> tuple[str, ...]:
        """Return in words that the numbers of a model rest on an ensemble; nothing where they do not."""
        if self.members is None or served is None or served.manifest.feature_version != table.OBSERVED_MODEL:
            return ()
        size = len(self.members.locations) // len(self.region.locations)
        text = "Mean over {n} members of an ensemble; the intervals hold their spread, which no truth has verified."
        return (tell(text, n=size),)

    def worst_flag(self, place: int) -> Flag:
        """Return the worst flag of the newest values of one place."""
        hour = self._hour(place)
        if hour is None or self.fresh[place] is Freshness.NO_DATA:
            return Flag.MISSING
        worst = self.checked.worst(place, hour)
        return worst if self.fresh[place] is Freshness.FRESH else max(worst, Flag.SUSPECT)

    def reasons(self, place: int) -> tuple[str, ...]:
        """Return why the newest values of one place are flagged."""
        hour = self._hour(place)
        if hour is None:
            return (tell("no usable observation"),)
        old = (
            ()
            if self.fresh[place] is Freshness.FRESH
            else (tell("freshness: the newest values count as {state}", state=tell(self.fresh[place].value)),)
        )
        return self.checked.reasons(place, hour) + old

    def remarks(self) -> tuple[str, ...]:
        """Return in words what the age of the data means; nothing where they are fresh."""
        if self.newest is None:
            return (tell("There are no observations of rain and of the air in the last days: no level can be given."),)
        behind = sum(f is not self.freshness for f in self.fresh)
        late = tell("{n} of {all} places are older than the newest: stale or no data.", n=behind, all=len(self.fresh))
        parts = (late,) if behind and self.freshness is not Freshness.NO_DATA else ()
        return (*self._age_remark(self.newest), *self._run_remark(), *parts)

    def _age_remark(self, newest: datetime) -> tuple[str, ...]:
        hours = _hours(self.now - newest)
        state = self.ages.freshness(newest, self.now)
        if state is Freshness.NO_DATA:
            return (tell("The newest observation is {h:.1f} h old: too old for any level.", h=hours),)
        return (tell("The newest observation is {h:.1f} h old.", h=hours),) if state is Freshness.STALE else ()

    def _run_remark(self) -> tuple[str, ...]:
        """Return in words what the age of the model run means."""
        state = self.ages.freshness(self.now, self.now, self.run)
        if self.run is None or state is Freshness.FRESH:
            return ()
        if self.run.out_at is None:
            return (tell("The weather service does not say how old the model run behind these data is."),)
        model, begun = self.run.model, self.run.begun_at
        run = tell("{model}, began {begun:%d %b %H:%M} UTC", model=model, begun=begun) if begun else model
        terms = {"run": run, "h": _hours(self.now - self.run.out_at)}
        if state is not Freshness.NO_DATA:
            return (tell("The model run behind these data ({run}) came out {h:.1f} h ago.", **terms),)
        return (
            tell("The model run behind these data ({run}) came out {h:.1f} h ago: too old for any level.", **terms),
        )

    def lasts_s(self) -> float:
        """Return the seconds until the freshness of some place changes, infinity where it never does."""
        seen = [at for at in self.seen if at is not None]
        return min((self.ages.lasts_s(at, self.now, self.run) for at in seen), default=float("inf"))

    def _hour(self, place: int) -> int | None:
        at = self.seen[place]
        return None if at is None else int(np.searchsorted(self.checked.weather.valid_at, to_hour64(at)))


def _hours(age: timedelta) -> float:
    return age.total_seconds() / 3600
