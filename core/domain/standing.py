"""What stood for every place of a region at one time, as arrays: a current issue or a recorded one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import (
    DEFAULT_WINDOW,
    EventDefinition,
    Freshness,
    RegionForecast,
    RiskLevel,
    Window,
    events_in,
)
from core.domain.levels import LADDER, rank
from core.domain.overrides import Override
from core.domain.units import from_datetime64
from core.domain.verification import VerifiedCases
from core.domain.weather import Region


@dataclass(frozen=True, eq=False)
class Standing:
    """Levels and probabilities of all places of a region, in their order.

    Parameters
    ----------
    window
        The hours of `probability`; a level is always that of the default window.
    issued_at
        When the newest of its places was issued.
    step
        Level of every place as its number in `LADDER`, shape (places,), int8; -1 where it is UNKNOWN.
    probability
        Shape (places, events) in the order of `events_in(window)`, NaN where none is known.
    stale
        Where the data behind it were stale, shape (places,); of recorded issues that is not told.
    overrides
        Levels that people set, by the position of their place; of recorded issues that is not told.
    """

    region: Region = field(repr=False)
    window: Window
    valid_from: datetime
    issued_at: datetime
    step: NDArray[np.int8] = field(repr=False)
    probability: NDArray[np.float64] = field(repr=False)
    stale: NDArray[np.bool_] = field(repr=False)
    overrides: Mapping[int, Override] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, issue: RegionForecast, window: Window = DEFAULT_WINDOW) -> Standing:
        """Return that of an issue; NaN where a place has no curve of the window."""
        nothing = (np.nan,) * len(events_in(window))
        asked = window.begin_h, window.length_h  # no window is made of every curve: regions have 40,000 places
        curves = (
            next(
                (
                    c.probability
                    for c in (f.exceedance, *f.others)
                    if (c.events[0].begin_h, c.events[0].window_h) == asked
                ),
                nothing,
            )
            for f in issue.forecasts
        )
        return cls(
            region=issue.region,
            window=window,
            valid_from=issue.valid_from,
            issued_at=issue.issued_at,
            step=np.array([rank(f.level) for f in issue.forecasts], np.int8),
            probability=np.array(list(curves), float).reshape(len(issue.forecasts), -1),
            stale=np.array([f.freshness is Freshness.STALE for f in issue.forecasts], bool),
            overrides={i: f.override for i, f in enumerate(issue.forecasts) if f.override is not None},
        )

    @classmethod
    def recorded(cls, region: Region, cases: VerifiedCases) -> Standing | None:
        """Return that of recorded cases of one hour, one per place; None where no place of the region is among them."""
        where = {place.id: i for i, place in enumerate(region.locations)}
        rows = np.array([where.get(str(name), -1) for name in cases.location_id], np.int64)
        there = np.flatnonzero(rows >= 0)
        if not len(there):
            return None
        step = np.full(len(where), -1, np.int8)
        step[rows[there]] = [rank(RiskLevel(str(level))) for level in cases.level[there]]
        probability = np.full((len(where), len(cases.events)), np.nan)
        probability[rows[there]] = cases.probability[there]
        return cls(
            region=region,
            window=cases.window,
            valid_from=from_datetime64(cases.valid_from[there[0]]),
            issued_at=from_datetime64(cases.issued_at[there].max()),
            step=step,
            probability=probability,
            stale=np.zeros(len(where), bool),
        )

    def probability_of(self, event: EventDefinition) -> NDArray[np.float64]:
        """Return the probability of an event of the window, shape (places,), NaN where it is not known or none."""
        events = events_in(self.window)
        known = event in events
        return self.probability[:, events.index(event)] if known else np.full(len(self.step), np.nan)

    def level(self, place: int) -> RiskLevel:
        """Return the level of one place, by position."""
        return RiskLevel.UNKNOWN if self.step[place] < 0 else LADDER[self.step[place]]

    def counts(self) -> dict[RiskLevel, int]:
        """Return the number of places by level, every level named."""
        return {level: int((self.step == rank(level)).sum()) for level in (*LADDER, RiskLevel.UNKNOWN)}

    def says_the_same(self, other: Standing) -> bool:
        """Say whether both are of one hour, with the same levels and numbers."""
        same = self.valid_from == other.valid_from and np.array_equal(self.step, other.step)
        return same and np.allclose(self.probability, other.probability, rtol=0, atol=1e-9, equal_nan=True)
