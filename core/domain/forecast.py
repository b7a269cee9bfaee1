"""What is forecast: events, exceedance curves, risk levels and their freshness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np

from core.domain.weather import Flag, Region


class RiskLevel(StrEnum):
    """Warning level. UNKNOWN is a level of its own: white and hatched, never green."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    UNKNOWN = "unknown"


class Freshness(StrEnum):
    """State of the data behind a number, by the age of their valid time."""

    FRESH = "fresh"
    STALE = "stale"
    NO_DATA = "no data"


@dataclass(frozen=True, order=True)
class EventDefinition:
    """Rain of at least `threshold_mm` in `accumulation_h` hours, somewhere in the next `window_h` hours."""

    threshold_mm: float
    accumulation_h: int = 1
    window_h: int = 6

    @property
    def key(self) -> str:
        """Column name: p_15 for the hourly event, p_50_2h for 50 mm in two hours."""
        return f"p_{self.threshold_mm:g}" + ("" if self.accumulation_h == 1 else f"_{self.accumulation_h}h")

    @property
    def text(self) -> str:
        """Unit and threshold in words, such as "≥ 15 mm/h" or "≥ 50 mm in 2 h"."""
        unit = "mm/h" if self.accumulation_h == 1 else f"mm in {self.accumulation_h} h"
        return f"≥ {self.threshold_mm:g} {unit}"


#: Hourly events, by rising threshold; 100 mm is the cloudburst of the India Meteorological Department.
HOURLY_EVENTS = tuple(EventDefinition(mm) for mm in (15.0, 30.0, 50.0, 100.0))
#: The mini-cloudburst of Deshpande et al. (2018): 50 mm in two consecutive hours.
MINI_CLOUDBURST = EventDefinition(50.0, accumulation_h=2)
EVENTS = (*HOURLY_EVENTS, MINI_CLOUDBURST)
TARGET = HOURLY_EVENTS[0]


@dataclass(frozen=True)
class Exceedance:
    """Probability per event with its interval; events named in `extrapolated` had too few cases to be trained."""

    events: tuple[EventDefinition, ...]
    probability: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    extrapolated: frozenset[EventDefinition] = frozenset()

    def of(self, event: EventDefinition) -> float:
        """Return the probability of one event, NaN where it is not known."""
        return self.probability[self.events.index(event)]

    @classmethod
    def unknown(cls, events: Sequence[EventDefinition] = EVENTS) -> Exceedance:
        """Return the curve of which nothing is known: NaN everywhere."""
        nothing = (math.nan,) * len(events)
        return cls(tuple(events), nothing, nothing, nothing)


@dataclass(frozen=True)
class Forecast:
    """One issued forecast for one place."""

    location_id: str
    issued_at: datetime
    valid_from: datetime
    window_h: int
    exceedance: Exceedance
    level: RiskLevel
    model_version: str | None
    worst_flag: Flag
    freshness: Freshness
    data_at: datetime | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegionForecast:
    """All forecasts of one issue for one region, with what every number on a page must say of itself."""

    region: Region = field(repr=False)
    issued_at: datetime
    valid_from: datetime
    forecasts: tuple[Forecast, ...] = field(repr=False)
    source: str
    model_version: str | None
    model_source: str | None
    freshness: Freshness
    data_at: datetime | None
    #: In words: what is wrong with the data or the model behind this issue. Empty when nothing is.
    problems: tuple[str, ...] = ()
    #: The season the simulator plays ("29 July"), None for real data.
    season_text: str | None = None

    @property
    def simulated(self) -> bool:
        """True where the weather behind the numbers is simulated."""
        return self.source == "simulator"

    @property
    def version(self) -> str:
        """Short name of the state of the data: pages redraw when it changes."""
        return (
            f"{self.region.id}/{self.valid_from:%Y%m%dT%H}/{self.model_version}/{self.freshness}/{len(self.problems)}"
        )

    def age_s(self, now: datetime) -> float:
        """Age of the newest data at `now` in seconds, NaN where there are none."""
        return math.nan if self.data_at is None else (now - self.data_at).total_seconds()

    def probabilities(self, event: EventDefinition) -> np.ndarray:
        """Return the probability of `event` for every place, shape (places,), float64, NaN where unknown."""
        return np.array([f.exceedance.of(event) for f in self.forecasts], float)

    def of(self, location_id: str) -> Forecast | None:
        """Return the forecast of one place, None where it is not in this region."""
        return next((f for f in self.forecasts if f.location_id == location_id), None)
