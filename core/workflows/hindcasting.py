"""Hindcasting: what would have been forecast for every hour of an archive, each from what was known at its hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.domain.forecast import EVENTS, TARGET, HindcastRows
from core.domain.units import to_hour64
from core.domain.weather import Region
from core.errors import InsufficientData
from core.features import table
from core.ports import Progress, WeatherArchive, silent
from core.quality.checks import Checker
from core.risk import Tiers
from core.workflows.serving import Served, Serving

#: Places per step: 10 stations x 4 years x 50 features are 70 MB.
CHUNK = 10
Period = tuple[datetime, datetime]


@dataclass(frozen=True)
class Hindcasting:
    """Scores archives with a model."""

    serving: Serving
    check: Checker
    tiers: Tiers

    def run(
        self, source: WeatherArchive, wanted: Period, version: str | None = None, told: Progress = silent
    ) -> Iterator[HindcastRows]:
        """Yield forecasts for every station-hour with an observation in `wanted` (both ends included).

        Raises
        ------
        InsufficientData
            If there is no observation in this period.
        ModelError
            If the version cannot be served.
        """
        rows = 0
        periods = [p for p in (_overlap(period, wanted) for period in source.periods()) if p]
        for region in source.regions():
            served = self._served(source.name, region.id, version)
            for number, period in enumerate(periods):
                for done, found in self._parts(source, region, period, served):
                    rows += len(found.location_id)
                    told((number + done) / len(periods), f"{region.name}: {rows} station-hours")
                    yield found
        told(1.0, f"{rows} station-hours")
        if not rows:
            raise InsufficientData("No observation in this period.", have=0, need=1, hint="Check --from and --to.")

    def _served(self, source: str, region_id: str, version: str | None) -> Served:
        if version is None:
            return self.serving.champion(source, region_id)
        return self.serving.version(version, source)

    def _parts(
        self, source: WeatherArchive, region: Region, period: Period, served: Served
    ) -> Iterator[tuple[float, HindcastRows]]:
        """Yield the share done and the hindcast of some places of a region."""
        begin, end = period
        weather = source.hours(region, begin - timedelta(hours=table.LOOKBACK_H), end)
        inside = (weather.valid_at >= to_hour64(begin)) & (weather.valid_at <= to_hour64(end))
        observed = weather.observed() & inside
        ids = np.array([p.id for p in weather.locations], dtype=object)
        for part, features in table.in_parts(self.check(weather, False).usable(), CHUNK):
            rows = features.rows(observed[part])
            probability = served.model.probabilities(rows) if len(rows) else np.empty((0, len(EVENTS)))
            place, hour = np.nonzero(observed[part])
            levels = self.tiers.levels(probability[:, EVENTS.index(TARGET)])
            yield part.stop / len(ids), HindcastRows(ids[part][place], weather.valid_at[hour], probability, levels)


def _overlap(period: Period, wanted: Period) -> Period | None:
    begin, end = max(period[0], wanted[0]), min(period[1], wanted[1])
    return (begin, end) if begin <= end else None
