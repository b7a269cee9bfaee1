"""Looking back: what stood on the screens in the past hours, and what the issue before said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.domain.forecast import RegionForecast, Window
from core.domain.standing import Standing
from core.domain.units import from_datetime64
from core.domain.weather import Region
from core.workflows.forecasting import Forecasting

#: Of what was read, in the cache.
CATEGORY = "historical"
#: How far back the issue before is looked for, hours.
REACH_H = 24
#: An hour may be issued again for so long; what was read of it is soon read anew, seconds.
OPEN, OPEN_S = timedelta(hours=8), 60.0


@dataclass(frozen=True)
class LookingBack:
    """Reads recorded issues of a region. A replay records nothing, and finds nothing."""

    forecasting: Forecasting

    def at(self, region: Region, window: Window, valid_from: datetime) -> Standing | None:
        """Return what was issued for an hour, None without an issue; of several the one that counts.

        Raises
        ------
        ConfigurationError
            If the ledger does not answer.
        """

        def read() -> Standing | None:
            source = self.forecasting.observing.source.name
            cases = self.forecasting.ledger.issued(source, region.id, window, (valid_from, valid_from))
            return Standing.recorded(region, cases.counting())

        ends = self.forecasting.clock() - valid_from
        return self._kept(f"at:{region.id}:{window.text}:{valid_from:%Y%m%d%H}", OPEN_S if ends < OPEN else None, read)

    def before(self, issue: RegionForecast, window: Window) -> Standing | None:
        """Return the last recorded issue before this one that said something else, None where there was none in a day.

        Raises
        ------
        ConfigurationError
            If the ledger does not answer.
        """
        return self._kept(f"before:{issue.region.id}:{issue.content}:{window.text}", None, self._read(issue, window))

    def _read(self, issue: RegionForecast, window: Window) -> Callable[[], Standing | None]:
        def read() -> Standing | None:
            now, source = Standing.of(issue, window), self.forecasting.observing.source.name
            for back in range(REACH_H + 1):
                hour = issue.valid_from - timedelta(hours=back)
                cases = self.forecasting.ledger.issued(source, issue.region.id, window, (hour, hour))
                for at in np.unique(cases.issued_at)[::-1]:
                    found = Standing.recorded(issue.region, cases.select(cases.issued_at == at))
                    if found is not None and from_datetime64(at) <= issue.issued_at and not found.says_the_same(now):
                        return found
            return None

        return read

    def _kept(self, key: str, ttl_s: float | None, read: Callable[[], Standing | None]) -> Standing | None:
        """Return what was read lately, else read it; that there is nothing is remembered too."""
        key = f"past:{self.forecasting.observing.source.name}:{key}"
        held: tuple[Standing | None] | None = self.forecasting.cache.get(key, category=CATEGORY)
        if held is None:
            held = (read(),)
            self.forecasting.cache.set(key, held, ttl_s, CATEGORY)
        return held[0]
