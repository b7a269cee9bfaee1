"""Hindcasting: what would have been forecast for every hour of an archive, each from what was known at its hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.domain.forecast import EVENTS, TARGET, HindcastRows
from core.domain.units import to_hour64
from core.errors import InsufficientData
from core.features import table
from core.ports import ALONE, FieldSource, Progress, WeatherArchive, Workers, silent
from core.quality.checks import Checker
from core.risk import Tiers
from core.workflows.partitions import CHUNK, Partition, Partitions, Span
from core.workflows.serving import Served, Serving

Period = tuple[datetime, datetime]
#: Features and forecasts take about so long per station-hour in one process, seconds.
SECONDS = 1.5e-5


@dataclass(frozen=True)
class Hindcasting:
    """Scores archives with a model.

    Parameters
    ----------
    fields
        Where forecast fields come from, for versions that want them; None: this house has none.
    workers
        Who does the partitions.
    """

    serving: Serving
    check: Checker
    tiers: Tiers
    fields: FieldSource | None = None
    workers: Workers = ALONE

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
        regions = tuple(source.regions())
        periods = [p for p in (_overlap(period, wanted) for period in source.periods()) if p]
        rows = 0
        for number, region in enumerate(regions):
            served = self._served(source.name, region.id, version)
            rule = self.tiers.of(region, served.manifest)
            archive = Hindcast(source, regions, self.check, self._fields(served), served=served, rule=rule)
            spans = [Span(number, begin - timedelta(hours=table.LOOKBACK_H), begin, end) for begin, end in periods]
            places = list(table.slices(len(region.locations), CHUNK))
            parts = [Partition(span, some) for span in spans for some in places]
            effort_s = SECONDS * sum(span.hours for span in spans) * len(region.locations)
            for i, found in enumerate(self.workers.each(hindcast_of, archive, parts, effort_s)):
                rows += len(found.location_id)
                told((i + 1) / len(parts), f"{region.name}: {rows} station-hours")
                yield found
        told(1.0, f"{rows} station-hours")
        if not rows:
            raise InsufficientData("No observation in this period.", have=0, need=1, hint="Check --from and --to.")

    def _served(self, source: str, region_id: str, version: str | None) -> Served:
        if version is None:
            return self.serving.champion(source, region_id, self.fields is not None)
        return self.serving.version(version, source, has_fields=self.fields is not None)

    def _fields(self, served: Served) -> FieldSource | None:
        """Return where forecast fields come from, None where the version does not look at any."""
        return self.fields if served.manifest.feature_version == table.OBSERVED_MODEL else None


@dataclass(frozen=True, kw_only=True)
class Hindcast(Partitions):
    """An archive in partitions that a version forecasts, with the rule of its levels."""

    served: Served
    rule: Tiers


def hindcast_of(archive: Hindcast, part: Partition) -> HindcastRows:
    """Return the forecasts for every observed hour of some places of a span."""
    span, places = part.span, part.places
    assert places is not None  # noqa: S101 - a hindcast goes by places
    weather = archive.weather(span)
    inside = (weather.valid_at >= to_hour64(span.first)) & (weather.valid_at <= to_hour64(span.last))
    observed = weather.observed()[places] & inside
    rows = archive.features(span, places).rows(observed)
    probability = archive.served.probabilities(rows) if len(rows) else np.empty((0, len(EVENTS)))
    place, hour = np.nonzero(observed)
    issued_at = weather.valid_at[hour]
    ids = np.array([p.id for p in weather.locations[places]], dtype=object)
    levels = archive.rule.along(probability[:, EVENTS.index(TARGET)], place, issued_at)
    return HindcastRows(ids[place], issued_at, probability, levels)


def _overlap(period: Period, wanted: Period) -> Period | None:
    begin, end = max(period[0], wanted[0]), min(period[1], wanted[1])
    return (begin, end) if begin <= end else None
