"""An issue by district: how many of its places have which level, and where it is most likely to pour."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from core.domain.forecast import TARGET, EventDefinition, Forecast, RegionForecast, RiskLevel
from core.domain.geometry import inside
from core.domain.weather import Location, Region

#: The gravest first. UNKNOWN stands before green: what nobody knows is not safe.
GRAVITY = (RiskLevel.RED, RiskLevel.ORANGE, RiskLevel.YELLOW, RiskLevel.UNKNOWN, RiskLevel.GREEN)


@dataclass(frozen=True)
class DistrictRisk:
    """One district of an issue; `probability` is the highest of its places, NaN where none is known.

    `level` is that of its gravest known place, UNKNOWN where nothing is known of any; `highest` names the place.
    """

    name: str
    level: RiskLevel
    probability: float
    highest: Location
    counts: Mapping[RiskLevel, int] = field(repr=False)

    @property
    def places(self) -> int:
        """Number of its places."""
        return sum(self.counts.values())


@lru_cache(maxsize=8)
def districts_of(region: Region) -> tuple[str, ...]:
    """Return the name of every place's district, "" where it lies in none."""
    longitude = np.array([p.longitude for p in region.locations])
    latitude = np.array([p.latitude for p in region.locations])
    names = np.full(len(region.locations), "", object)
    for outline in region.outlines:
        names[(names == "") & inside(longitude, latitude, outline.rings)] = outline.name
    return tuple(names)


def by_district(issue: RegionForecast, event: EventDefinition = TARGET) -> tuple[DistrictRisk, ...]:
    """Return the districts of an issue, the gravest level first, then the highest probability of `event`.

    Places outside every district count as one of the name "".
    """
    together: dict[str, list[tuple[Location, Forecast]]] = {}
    for name, place, forecast in zip(districts_of(issue.region), issue.region.locations, issue.forecasts, strict=True):
        together.setdefault(name, []).append((place, forecast))
    return tuple(sorted((_risk(name, members, event) for name, members in together.items()), key=_rank))


def _risk(name: str, members: list[tuple[Location, Forecast]], event: EventDefinition) -> DistrictRisk:
    counts = {level: sum(f.level is level for _, f in members) for level in GRAVITY}
    known = [level for level in GRAVITY if counts[level] and level is not RiskLevel.UNKNOWN]
    place, forecast = max(members, key=lambda member: _certain(member[1].exceedance.of(event)))
    level = known[0] if known else RiskLevel.UNKNOWN
    return DistrictRisk(name, level, forecast.exceedance.of(event), place, counts)


def _rank(district: DistrictRisk) -> tuple[int, float, str]:
    return GRAVITY.index(district.level), -_certain(district.probability), district.name


def _certain(probability: float) -> float:
    return -1.0 if math.isnan(probability) else probability
