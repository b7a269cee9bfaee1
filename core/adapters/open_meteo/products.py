"""The service's pasts by name: what a backfill asks for, and under which name it is archived."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from core.adapters.open_meteo.contract import Endpoint
from core.adapters.open_meteo.source import OpenMeteo
from core.domain.weather import HourlyWeather, Region
from core.errors import ConfigurationError
from core.ports import Progress

#: Asks each day where the live source would: what it then archives is the live source's own past.
BY_DATE = "by-date"
PREVIOUS_RUNS = "previous-runs"
PRODUCTS: Mapping[str, Endpoint | None] = {
    BY_DATE: None,
    "archive": Endpoint.ARCHIVE,
    "historical-forecast": Endpoint.HISTORICAL_FORECAST,
    PREVIOUS_RUNS: Endpoint.PREVIOUS_RUNS,
}
#: A long wait is told anew so often, seconds.
TELL_S = 10.0


@dataclass(frozen=True)
class PastProduct:
    """Port `BackfillSource` over one product of the service, with a provenance of its own.

    Reanalysis, stitched forecasts and forecasts of days before are not the same weather: each has its own folder in
    the archive, and none is mixed into the live source's.
    """

    source: OpenMeteo
    product: str = BY_DATE
    days_before: int | None = None

    def __post_init__(self) -> None:
        """Refuse a lead where the product has none, and none where it has one.

        Raises
        ------
        ConfigurationError
            If `days_before` does not fit the product.
        """
        if (self.product == PREVIOUS_RUNS) != (self.days_before is not None):
            raise ConfigurationError(
                f"The product {self.product} does not go with days before = {self.days_before}.",
                hint=f"Say how many days before (1 to 7) with {PREVIOUS_RUNS}, and with nothing else.",
            )

    @property
    def name(self) -> str:
        """Provenance, and folder in the archive."""
        if self.product == BY_DATE:
            return self.source.name
        return f"{self.source.name}-{self.product}" + (f"-day{self.days_before}" if self.days_before else "")

    def regions(self) -> tuple[Region, ...]:
        """Return the regions it serves."""
        return self.source.regions()

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the hours of one call of `backfill` put in one; see there."""
        return self._named(self.source.past(region, start, end, PRODUCTS[self.product], self.days_before))

    def backfill(
        self, region: Region, start: datetime, end: datetime, wait: Callable[[float], None] | None = None
    ) -> Iterator[HourlyWeather]:
        """Yield the hours from `start` to `end` month by month, as `OpenMeteo.backfill`.

        Raises
        ------
        SourceUnavailable, SourceRateLimited, SourceResponseInvalid
            As there.
        """
        only, lead = PRODUCTS[self.product], self.days_before
        for weather in self.source.backfill(region, start, end, wait, endpoint=only, days_before=lead):
            yield self._named(weather)

    def _named(self, weather: HourlyWeather) -> HourlyWeather:
        return replace(weather, source=self.name)


class Patience:
    """Progress that says so while the budget or the service makes the work wait.

    Parameters
    ----------
    told
        Who watches.
    sleep
        Waits so many seconds.
    """

    def __init__(self, told: Progress, sleep: Callable[[float], None] = time.sleep) -> None:
        self._told = told
        self._sleep = sleep
        self._last = (0.0, "")

    def told(self, done: float, text: str) -> None:
        """Take one report."""
        self._last = (done, text)
        self._told(done, text)

    def wait(self, seconds: float) -> None:
        """Wait, telling how long it still takes."""
        done, text = self._last
        while seconds > 0:
            self._told(done, f"{text}: waiting {seconds:.0f} s for Open-Meteo's limits")
            self._sleep(min(seconds, TELL_S))
            seconds -= TELL_S
        self._told(done, text)
