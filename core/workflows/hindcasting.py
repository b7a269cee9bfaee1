"""Hindcasting: what would have been forecast for every hour of an archive, each from what was known at its hour."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import EVENTS, TARGET, HindcastRows
from core.domain.units import to_hour64
from core.domain.weather import Region
from core.errors import InsufficientData
from core.features import table
from core.ports import ALONE, FieldSource, Progress, WeatherArchive, Workers, silent
from core.quality.checks import Checker
from core.risk import Tiers
from core.workflows.partitions import CHUNK, Partitions, Span
from core.workflows.serving import Served, Serving

Period = tuple[datetime, datetime]
#: Reading, features and forecasts take about so long per station-hour in one process, seconds.
SECONDS = 7e-6
HOUR = timedelta(hours=1)
#: Hours of a piece, about: sixteen days before it are read for it as well, and what takes more memory takes longer.
PIECE_H = 24 * 92


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
            archive = Partitions(source, regions, self.check, self._fields(served))
            spans = [list(_stretches(number, period)) for period in periods]
            parts = [span for some in spans for span in some]
            effort_s = SECONDS * sum(span.hours for span in parts) * len(region.locations)
            results = self.workers.each(scored, Scored(archive, served), parts, effort_s)
            for done, some in enumerate(spans):
                told(done / len(spans), f"{region.name}: {rows} station-hours")
                for found in _rows([next(results) for _ in some], some, region, rule):
                    rows += len(found.location_id)
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


@dataclass(frozen=True)
class Scored:
    """An archive, and who forecasts it."""

    archive: Partitions
    served: Served


@dataclass(frozen=True)
class Stretch:
    """Where something was observed, shape (places, hours), and P(event) there by place, shape (cases, events)."""

    observed: NDArray[np.bool_]
    probability: NDArray[np.float64]


def scored(shared: Scored, span: Span) -> Stretch:
    """Return the forecasts for every observed hour of a stretch, whatever was forecast before it."""
    weather = shared.archive.weather(span)
    inside = (weather.valid_at >= to_hour64(span.first)) & (weather.valid_at <= to_hour64(span.last))
    observed = weather.observed() & inside
    found = [np.empty((0, len(EVENTS)))]
    for places in table.slices(len(observed), CHUNK):
        rows = shared.archive.features(span, places).rows(observed[places])
        if len(rows):
            found.append(shared.served.probabilities(rows))
    return Stretch(observed[:, inside], np.concatenate(found))


def _stretches(region: int, period: Period) -> Iterator[Span]:
    """Yield a period in pieces that can be forecast each by itself: no feature and no check looks further back."""
    begin, end = period
    hours = (end - begin) // HOUR + 1
    count = max(1, round(hours / PIECE_H))
    edges = [begin + HOUR * (hours * i // count) for i in range(count + 1)]
    for first, after in itertools.pairwise(edges):
        back = table.LOOKBACK_H if first == begin else table.LOOKBACK_H + 24
        yield Span(region, first - HOUR * back, first, after - HOUR)


def _rows(found: list[Stretch], spans: list[Span], region: Region, rule: Tiers) -> Iterator[HindcastRows]:
    """Yield the forecasts of a period, some places after the other; a level has its forerunner as its level before."""
    ids = np.array([place.id for place in region.locations], dtype=object)
    observed = np.concatenate([stretch.observed for stretch in found], axis=1)
    hours = to_hour64(spans[0].first) + np.arange(observed.shape[1])
    for places in table.slices(len(ids), CHUNK):
        parts = []
        for stretch in found:
            before, count = (int(stretch.observed[part].sum()) for part in (slice(places.start), places))
            part = np.full((*stretch.observed[places].shape, len(EVENTS)), np.nan)
            part[stretch.observed[places]] = stretch.probability[before : before + count]
            parts.append(part)
        probability = np.concatenate(parts, axis=1)[observed[places]]
        place, hour = np.nonzero(observed[places])
        levels = rule.along(probability[:, EVENTS.index(TARGET)], place, hours[hour])
        yield HindcastRows(ids[places][place], hours[hour], probability, levels)


def _overlap(period: Period, wanted: Period) -> Period | None:
    begin, end = max(period[0], wanted[0]), min(period[1], wanted[1])
    return (begin, end) if begin <= end else None
