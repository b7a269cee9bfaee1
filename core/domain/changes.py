"""What changed between two issues of a region: levels that rose and fell, by place and by district."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.domain.districts import districts_of
from core.domain.forecast import EventDefinition
from core.domain.standing import Standing

Places = NDArray[np.int64]


@dataclass(frozen=True)
class DistrictChange:
    """How many places of one district rose, fell, lost their level, and got one."""

    name: str
    risen: int
    fallen: int
    lost: int
    found: int


@dataclass(frozen=True, eq=False)
class Changes:
    """The way from one standing of a region to a later one; both have the same places."""

    before: Standing
    after: Standing

    @cached_property
    def _known(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        return self.before.step >= 0, self.after.step >= 0

    @cached_property
    def _steps(self) -> NDArray[np.int8]:
        """How many levels every place went up, 0 where one of both is unknown."""
        both = self._known[0] & self._known[1]
        return np.where(both, self.after.step - self.before.step, 0).astype(np.int8)

    @property
    def risen(self) -> Places:
        """Places whose level rose, the gravest now first; by position, as all that follow."""
        at = np.flatnonzero(self._steps > 0)
        return at[np.argsort(-self.after.step[at], kind="stable")]

    @property
    def fallen(self) -> Places:
        """Places whose level fell, the gravest before first."""
        at = np.flatnonzero(self._steps < 0)
        return at[np.argsort(-self.before.step[at], kind="stable")]

    @property
    def lost(self) -> Places:
        """Places that had a level and have none now: that is no all-clear."""
        return np.flatnonzero(self._known[0] & ~self._known[1])

    @property
    def found(self) -> Places:
        """Places that had no level and have one now."""
        return np.flatnonzero(~self._known[0] & self._known[1])

    @property
    def none(self) -> bool:
        """True where every level is what it was."""
        return not any(len(places) for places in (self.risen, self.fallen, self.lost, self.found))

    def difference(self, event: EventDefinition) -> NDArray[np.float64]:
        """Return how much the probability of an event rose, shape (places,), NaN where one of both is not known."""
        return self.after.probability_of(event) - self.before.probability_of(event)

    def by_district(self) -> tuple[DistrictChange, ...]:
        """Return the districts in which a level changed, that with the most risen places first."""
        names = np.array(districts_of(self.after.region), object)
        kinds = (self.risen, self.fallen, self.lost, self.found)
        moved = sorted(set(names[np.concatenate(kinds)].tolist()))
        found = (DistrictChange(name, *(int((names[kind] == name).sum()) for kind in kinds)) for name in moved)
        return tuple(sorted(found, key=lambda d: (-d.risen, -d.lost, -d.fallen, d.name)))
