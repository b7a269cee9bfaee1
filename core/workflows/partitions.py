"""An archive in partitions: a region, a period, some places. Whoever does one reads what it needs itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.domain.weather import HourlyWeather, Region, Values
from core.features import fields as model_fields
from core.features import surroundings, table
from core.ports import FieldSource, WeatherArchive
from core.quality.checks import Checker

#: Places per partition: 10 stations x 4 years x 80 features are 110 MB.
CHUNK = 10


@dataclass(frozen=True)
class Span:
    """A region, by its position, and a period: hours are read from `begin` on and wanted from `first` to `last`."""

    region: int
    begin: datetime
    first: datetime
    last: datetime

    @property
    def hours(self) -> int:
        """Hours that are read."""
        return (self.last - self.begin) // timedelta(hours=1) + 1


@dataclass(frozen=True)
class Partition:
    """Some places of a span; None: all of them."""

    span: Span
    places: slice | None = None


@dataclass(frozen=True)
class Partitions:
    """What every partition of an archive is made of: where from, and how it is checked.

    All places of a region are read for some of them: neighbours check one another and make each other's surroundings.
    What was read last is kept, so that the partitions of a span that one process does are read once.

    Parameters
    ----------
    fields
        Where forecast fields come from; None: nobody asks for any.
    """

    source: WeatherArchive
    regions: tuple[Region, ...]
    check: Checker
    fields: FieldSource | None = None
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what was read: another process reads for itself."""
        return {**self.__dict__, "_kept": {}}

    def weather(self, span: Span) -> HourlyWeather:
        """Return the hours of all places of a span, as the archive has them.

        Raises
        ------
        SourceError, DataError
            If it cannot be read.
        """
        if self._kept.get("span") != span:
            self._kept.clear()
            weather = self.source.hours(self.regions[span.region], span.begin, span.last)
            self._kept.update(span=span, weather=weather)
        kept: HourlyWeather = self._kept["weather"]
        return kept

    def features(self, span: Span, places: slice) -> table.FeatureTable:
        """Return the features of some places at every hour of a span, each from what was known at its hour.

        Raises
        ------
        SourceError, DataError
            If archive or fields cannot be read.
        """
        weather = self.weather(span)
        if "usable" not in self._kept:
            usable = self.check(weather, False).usable()
            self._kept.update(around=surroundings.build(usable), fields=self._fields(span), usable=usable)
        kept: Mapping[str, Any] = self._kept
        around: Mapping[str, Values] = kept["around"]
        return table.of_places(kept["usable"], places, around, kept["fields"])

    def _fields(self, span: Span) -> HourlyWeather | None:
        """Return what was forecast for the hours of a span and beyond, None where nobody asks for it."""
        if self.fields is None:
            return None
        until = span.last + timedelta(hours=model_fields.REACH_H)
        return self.fields.fields(self.regions[span.region], span.begin, until)
