"""People's levels: set with a reason and an end, shown in the place of the model's, and never written over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

from core.domain.districts import districts_of
from core.domain.forecast import Forecast, RegionForecast, RiskLevel
from core.domain.overrides import Override, Scope
from core.domain.told import tell
from core.domain.weather import Region
from core.errors import CloudburstError, UnfitInput
from core.ports import AlertRecords, Clock
from core.ports.weather import WeatherSource

#: The longest that a person's level stands: nobody sees the weather of the day after tomorrow.
LONGEST = timedelta(hours=48)


@dataclass(frozen=True)
class Overruling:
    """Sets, withdraws and applies levels that people set.

    Parameters
    ----------
    changed
        Told the region whose shown levels are others from now on.
    """

    records: AlertRecords
    source: WeatherSource
    clock: Clock
    changed: Callable[[str], None] = field(default=lambda _region_id: None)

    def set_level(
        self, region: Region, target: tuple[Scope, str], level: RiskLevel, until: datetime, *, who: str, why: str
    ) -> Override:
        """Set the level of a place (by its id) or a district (by its name).

        Raises
        ------
        UnfitInput
            If nobody is named or no reason is given, the end does not lie in the next 48 hours, or the region has no
            such place or district.
        """
        scope, name = target
        known = districts_of(region) if scope is Scope.DISTRICT else [place.id for place in region.locations]
        now = self.clock()
        if level is RiskLevel.UNKNOWN:
            raise UnfitInput("Nobody sets a level to unknown.", hint="Withdraw the level that was set instead.")
        if not name or name not in known:
            raise UnfitInput("The region has no such place or district.", hint="Choose one of those offered.")
        if not now < until <= now + LONGEST:
            raise UnfitInput("The end does not lie in the next 48 hours.", hint="Say until when this level holds.")
        made = Override(
            uuid4().hex, self.source.name, region.id, scope, name, level, require(who), require(why), now, until
        )
        self.records.override(made)
        self.changed(region.id)
        return made

    def withdraw(self, override: Override) -> bool:
        """Withdraw a level; say whether nobody had done so before."""
        done = self.records.withdraw(override.id, self.clock())
        self.changed(override.region_id)
        return done

    def standing(self, region_id: str) -> tuple[Override, ...]:
        """Return the overrides of a region that hold now, the oldest first."""
        now = self.clock()
        return tuple(one for one in self.records.overrides(self.source.name, region_id, now) if one.holds(now))

    def overruled(self, issue: RegionForecast) -> RegionForecast:
        """Return an issue with the levels that people set; the model's own stand beside them.

        Where the records do not answer, the issue says so.
        """
        try:
            standing = self.standing(issue.region.id)
        except CloudburstError as error:
            unread = tell("Levels that people set cannot be read: {error}", error=error.told)
            return replace(issue, problems=(*issue.problems, unread))
        return applied(issue, standing) if standing else issue


def applied(issue: RegionForecast, standing: Sequence[Override]) -> RegionForecast:
    """Return an issue with overrides; a place's goes before its district's, a newer before an older one."""
    by_target = {(one.scope, one.target): one for one in sorted(standing, key=lambda one: one.at)}

    def said(forecast: Forecast, district: str) -> Forecast:
        found = by_target.get((Scope.PLACE, forecast.location_id)) or by_target.get((Scope.DISTRICT, district))
        if found is None:
            return forecast
        return replace(forecast, level=found.level, override=replace(found, model_level=forecast.level))

    forecasts = tuple(map(said, issue.forecasts, districts_of(issue.region)))
    names = {place.id: place.name for place in issue.region.locations}
    notes = tuple(
        tell(
            "{target}: {level} ({said}), until {until:%d %b %H:%M} UTC. The model's own level stands beside it and is "
            "what the ledger keeps.",
            target=names.get(one.target, one.target),
            level=tell(one.level.value.capitalize()),
            said=one.said,
            until=one.until,
        )
        for one in by_target.values()
    )
    return replace(issue, forecasts=forecasts, notes=(*issue.notes, *notes))


def require(text: str) -> str:
    """Return a name or reason without the space around it.

    Raises
    ------
    UnfitInput
        If nothing is left.
    """
    said = " ".join(text.split())
    if not said:
        raise UnfitInput("A name and a reason are needed.", hint="Both stand in the ledger.")
    return said[:200]
