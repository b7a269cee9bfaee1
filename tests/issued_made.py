"""Issues made by hand, the rain that then fell, and a house that joins the two."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from core.adapters.archive import ParquetArchive
from core.adapters.ledger import SqlLedger
from core.domain.forecast import (
    DEFAULT_WINDOW,
    WINDOWS,
    Exceedance,
    Forecast,
    Freshness,
    RegionForecast,
    RiskLevel,
    Window,
    events_in,
)
from core.domain.units import to_hour64
from core.domain.verification import VerifiedCases
from core.domain.weather import Flag
from core.quality.checks import check
from core.workflows.observing import Observing
from core.workflows.verifying import Verifying
from tests.weather_made import END, REGION, FakeSource, weather

HOURS = 24 * 12


def hours(count: float) -> datetime:
    """Return the moment so many hours after the first forecast."""
    return END + timedelta(hours=count)


def curve(window: Window, p: float) -> Exceedance:
    """Return a curve that falls by a half from event to event."""
    made = tuple(p / 2**i for i in range(len(events_in(window))))
    return Exceedance(events_in(window), made, made, made)


@dataclass
class House:
    """Verifying on a real ledger and archive, with a clock that can be moved and rain that can be chosen."""

    folder: Path
    source: FakeSource = field(default_factory=FakeSource)

    def __post_init__(self) -> None:
        self.now = END
        self.archive = ParquetArchive(self.folder / "processed")
        self.ledger = SqlLedger(f"sqlite:///{self.folder / 'ledger.sqlite'}")
        observing = Observing(self.source, self.archive, check, 384)
        self.verifying = Verifying(observing, self.ledger, lambda: self.now)
        #: Twelve days of weather, of which four lie before the first forecast; the rain is light everywhere.
        self.sky = weather(HOURS, hours(HOURS - 97), self.source.name)
        self.rain = np.minimum(self.sky.get("precipitation_mm"), 4.0)

    def falls(self, place: int, hour: float, mm: float) -> None:
        """Let it rain so much in the hour that ends `hour` hours after the first forecast."""
        self.rain[place, self.at(hour)] = mm

    def at(self, hour: float) -> int:
        return int((to_hour64(hours(hour)) - self.sky.valid_at[0]).astype(int))

    def observe(self, until: float, **changes: object) -> None:
        """Move the clock to `until` hours after the first forecast and archive what was seen by then."""
        self.now = hours(until)
        seen = self.sky.with_values({**self.sky.values, "precipitation_mm": self.rain}).as_known(self.now)
        self.archive.store(REGION.id, check(replace(seen, **changes), True))  # type: ignore[arg-type]

    def issue(
        self, after_h: float = 0.0, late_min: int = 10, p: float = 0.4, model: str | None = "m1"
    ) -> RegionForecast:
        """Record an issue valid `after_h` hours after the first; without a model nothing is known."""
        at = hours(after_h) + timedelta(minutes=late_min)
        window_curves = [curve(w, p) if model else Exceedance.unknown(events_in(w)) for w in WINDOWS]
        shown = Forecast(
            "", at, hours(after_h), 6, window_curves[-1], RiskLevel.RED if model else RiskLevel.UNKNOWN, model,
            Flag.PASS, Freshness.FRESH, hours(after_h), (), tuple(window_curves[:-1]),
        )  # fmt: skip
        made = RegionForecast(
            REGION, at, hours(after_h), tuple(replace(shown, location_id=place.id) for place in REGION.locations),
            self.source.name, model, "gauges", False, Freshness.FRESH, hours(after_h),
        )  # fmt: skip
        self.ledger.record_forecast(made)
        return made

    def join(self) -> int:
        return self.verifying.join(REGION.id)

    def cases(self, window: Window = DEFAULT_WINDOW, **asked: object) -> VerifiedCases:
        return self.verifying.issued(REGION.id, window, **asked)  # type: ignore[arg-type]
