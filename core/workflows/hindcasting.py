"""Hindcasting: what would have been forecast for every hour of an archive, each from what was known at its hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.domain.forecast import EVENTS, TARGET, HindcastRows
from core.domain.units import to_hour64
from core.domain.weather import HourlyWeather, Region
from core.errors import InsufficientData
from core.features import fields as model_fields
from core.features import table
from core.ports import FieldSource, Progress, WeatherArchive, silent
from core.quality.checks import Checker
from core.risk import Tiers
from core.workflows.gathering import CHUNK
from core.workflows.serving import Served, Serving

Period = tuple[datetime, datetime]


@dataclass(frozen=True)
class Hindcasting:
    """Scores archives with a model.

    Parameters
    ----------
    fields
        Where forecast fields come from, for versions that want them; None: this house has none.
    """

    serving: Serving
    check: Checker
    tiers: Tiers
    fields: FieldSource | None = None

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
            return self.serving.champion(source, region_id, self.fields is not None)
        return self.serving.version(version, source, has_fields=self.fields is not None)

    def _fields(self, served: Served, region: Region, period: Period) -> HourlyWeather | None:
        """Return the forecast fields for issues in a period, None where the version does not look at any."""
        if self.fields is None or served.manifest.feature_version != table.OBSERVED_MODEL:
            return None
        begin, end = period
        return self.fields.fields(region, begin, end + timedelta(hours=model_fields.REACH_H))

    def _parts(
        self, source: WeatherArchive, region: Region, period: Period, served: Served
    ) -> Iterator[tuple[float, HindcastRows]]:
        """Yield the share done and the hindcast of some places of a region."""
        begin, end = period
        rule = self.tiers.of(region, served.manifest)
        weather = source.hours(region, begin - timedelta(hours=table.LOOKBACK_H), end)
        inside = (weather.valid_at >= to_hour64(begin)) & (weather.valid_at <= to_hour64(end))
        observed = weather.observed() & inside
        ids = np.array([p.id for p in weather.locations], dtype=object)
        fields = self._fields(served, region, period)
        for part, features in table.in_parts(self.check(weather, False).usable(), CHUNK, fields):
            rows = features.rows(observed[part])
            probability = served.probabilities(rows) if len(rows) else np.empty((0, len(EVENTS)))
            place, hour = np.nonzero(observed[part])
            issued_at = weather.valid_at[hour]
            levels = rule.along(probability[:, EVENTS.index(TARGET)], place, issued_at)
            yield part.stop / len(ids), HindcastRows(ids[part][place], issued_at, probability, levels)


def _overlap(period: Period, wanted: Period) -> Period | None:
    begin, end = max(period[0], wanted[0]), min(period[1], wanted[1])
    return (begin, end) if begin <= end else None
