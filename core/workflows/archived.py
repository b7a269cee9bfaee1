"""The archive of one region as a past to learn from: what its source delivered, and no more than was known by then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from core.domain.weather import HourlyWeather, Region
from core.ports import Archive


@dataclass(frozen=True)
class ArchivedRegion:
    """Port `WeatherArchive` over the stored hours of a region from one source, as known at `now`."""

    archive: Archive
    source: str
    region: Region
    now: datetime

    @property
    def name(self) -> str:
        """Provenance."""
        return self.source

    def regions(self) -> tuple[Region, ...]:
        """Return the one region."""
        return (self.region,)

    def periods(self) -> tuple[tuple[datetime, datetime], ...]:
        """Return one period from the first stored month to now, empty where nothing is stored before now."""
        first = min((_begin(part) for part in self.archive.extent() if self._mine(part)), default=self.now)
        return ((first, self.now),) if first < self.now else ()

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the stored hours, NaN where there are none and where they were not known at `now`."""
        return self.archive.read(region, start, end, self.source).as_known(self.now)

    def _mine(self, part: Mapping[str, Any]) -> bool:
        return (part["source"], part["region"]) == (self.source, self.region.id) and bool(part["rows"])


def _begin(part: Mapping[str, Any]) -> datetime:
    """Return the first hour of a stored month."""
    return datetime.strptime(str(part["month"]), "%Y-%m").replace(tzinfo=UTC) + timedelta(hours=1)
