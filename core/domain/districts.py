"""An issue by district: how many of its places have which level, and where it is most likely to pour."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import TARGET, EventDefinition, RegionForecast, RiskLevel
from core.domain.geometry import inside
from core.domain.levels import LADDER
from core.domain.standing import Standing
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
    return districts_in(Standing.of(issue, event.window), event)


def districts_in(standing: Standing, event: EventDefinition = TARGET) -> tuple[DistrictRisk, ...]:
    """Return the same of what stood at one time."""
    names = np.array(districts_of(standing.region), object)
    order = np.argsort(names, kind="stable")
    found, begins = np.unique(names[order].astype(str), return_index=True)
    members = np.split(order, begins[1:])
    chances = standing.probability_of(event)
    risks = (_risk(str(name), at, standing, chances) for name, at in zip(found, members, strict=True))
    return tuple(sorted(risks, key=_rank))


def _risk(name: str, at: NDArray[np.int64], standing: Standing, chances: NDArray[np.float64]) -> DistrictRisk:
    step = standing.step[at]
    counts = {level: int((step == (LADDER.index(level) if level in LADDER else -1)).sum()) for level in GRAVITY}
    place = int(at[np.argmax(np.nan_to_num(chances[at], nan=-1.0))])
    level = LADDER[step.max()] if step.max() >= 0 else RiskLevel.UNKNOWN
    return DistrictRisk(name, level, float(chances[place]), standing.region.locations[place], counts)


def _rank(district: DistrictRisk) -> tuple[int, float, str]:
    return GRAVITY.index(district.level), -_certain(district.probability), district.name


def _certain(probability: float) -> float:
    return -1.0 if math.isnan(probability) else probability
