"""Comparing: any two versions on the same cases of the archive, which neither of them has learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from core.domain.learning import Measure
from core.domain.lifecycle import Comparison
from core.domain.weather import Location
from core.errors import InsufficientData
from core.ports import Clock, Progress, silent
from core.verification import diagrams
from core.workflows.collecting import Collecting
from core.workflows.judging import HeldOut, Judging, compared, happened_in, said_of, unseen
from core.workflows.serving import Served, Serving

#: Draws behind the bands of the diagrams: somebody waits for the page.
DRAWS = 60
SEED = 7
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PlaceDifference:
    """How two versions did at one place: `difference` is the Brier score of the first less that of the second.

    Below 0 the first is better; `events` says how little a place alone can tell.
    """

    place: Location
    n: int
    events: int
    difference: float


@dataclass(frozen=True)
class SideBySide:
    """Two versions on the same cases.

    Parameters
    ----------
    comparison
        Scorecards and paired differences; the first version stands as candidate, the second as champion.
    reliability, curves
        Diagrams by version.
    places
        One entry per place with cases, in the order of the region.
    """

    one: str
    other: str
    comparison: Comparison
    reliability: Mapping[str, diagrams.Reliability] = field(repr=False)
    curves: Mapping[str, diagrams.WarningCurve] = field(repr=False)
    places: tuple[PlaceDifference, ...] = field(repr=False)

    @property
    def brier(self) -> Measure:
        """Brier score of the first version less that of the second, with its interval over days."""
        return self.comparison.differences["brier"]


@dataclass(frozen=True)
class Comparing:
    """Holds two versions against each other on the newest part of the archive that neither has learned from."""

    collecting: Collecting
    serving: Serving
    judging: Judging
    clock: Clock

    def two(self, one: str, other: str, region_id: str, days_back: int, told: Progress = silent) -> SideBySide:
        """Return two versions side by side.

        Raises
        ------
        InsufficientData
            If the archive holds no case of these days that neither has learned from.
        ModelError
            If one of them cannot serve these data.
        ConfigurationError, SourceError, DataError
            If the region is not known or its archive cannot be read.
        """
        source, now = self.collecting.observing.source.name, self.clock()
        has_fields = self.collecting.fields(source) is not None
        pair = [self.serving.version(version, source, has_fields) for version in (one, other)]
        begin = now - timedelta(days=days_back)
        for served in pair:
            if served.manifest.source == source:
                begin = max(begin, served.manifest.trained_on.end)
        cases, fit = self.collecting.cases((source, region_id), begin, now, told)
        if cases is None:
            raise InsufficientData(f"There is nothing to compare on: {fit.reasons[0]}", have=0, need=1, hint=_LATER)
        held = HeldOut.of(cases, cases, source)  # the climatology of these very cases: harder to beat than a real one
        for served in pair:
            held = unseen(held, served.manifest)
        if not len(held):
            raise InsufficientData("Every case was learned from by one of them.", have=0, need=1, hint=_LATER)
        return self._side_by_side((pair[0], pair[1]), held, region_id)

    def _side_by_side(self, pair: tuple[Served, Served], held: HeldOut, region_id: str) -> SideBySide:
        region = self.collecting.observing.region(region_id)
        alarm = self.judging.alarm(region, pair[1].manifest)
        comparison = compared(*pair, held, gate=self.judging.gate, alarm=alarm, seed=SEED)
        happened, day = happened_in(held.cases), held.cases.hour // 24
        said = {served.manifest.version: said_of(served, held.cases) for served in pair}
        one, other = (served.manifest.version for served in pair)
        places = {place.id: place for place in region.locations}
        found = [places[place_id] for place_id in held.cases.place_ids]
        return SideBySide(
            one,
            other,
            comparison,
            {
                version: diagrams.reliability(p, happened, day, draws=DRAWS, rng=np.random.default_rng(SEED))
                for version, p in said.items()
            },
            {version: diagrams.warning_curve(p, happened) for version, p in said.items()},
            _by_place(found, held.cases.place, happened, (said[one] - happened) ** 2 - (said[other] - happened) ** 2),
        )


def _by_place(
    places: list[Location], place: NDArray[np.int64], happened: Floats, excess: Floats
) -> tuple[PlaceDifference, ...]:
    """Return the mean excess of squared error by place, for places with cases."""
    n, events, total = (
        np.bincount(place, weights=weight, minlength=len(places)) for weight in (None, happened, excess)
    )
    return tuple(
        PlaceDifference(one, int(n[i]), int(events[i]), float(total[i] / n[i])) for i, one in enumerate(places) if n[i]
    )


_LATER = "Choose versions that were trained earlier, or wait until new hours and their truths have come."
