"""The simulator's past monsoons as an archive to learn from."""

from __future__ import annotations

from datetime import datetime

from core.adapters.simulator.source import Simulator, monsoon_window
from core.domain.weather import HourlyWeather, Region


class PastMonsoons:
    """Port `WeatherArchive` over the last three monsoons of a simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    @property
    def name(self) -> str:
        """Provenance: a model that learned here never serves real data."""
        return self._simulator.name

    def regions(self) -> tuple[Region, ...]:
        """Return the regions of the simulator."""
        return self._simulator.regions()

    def periods(self) -> tuple[tuple[datetime, datetime], ...]:
        """Return first and last hour of every past monsoon."""
        return tuple(monsoon_window(year) for year in self._simulator.past_monsoons)

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the hours from `start` to `end` as far as they lie in the monsoon of the year of `end`."""
        return self._simulator.monsoon(region, end.year).window(start, end)
