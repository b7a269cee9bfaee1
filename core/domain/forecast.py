"""What is forecast: events, exceedance curves, risk levels and their freshness."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.overrides import Override
from core.domain.told import Told, tell, tell_day
from core.domain.weather import Flag, ModelRun, Region


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
class Window:
    """The hours of a forecast: from `begin_h` to `end_h` hours after it is valid, `end_h` included."""

    begin_h: int
    end_h: int

    @property
    def length_h(self) -> int:
        """Number of its hours."""
        return self.end_h - self.begin_h

    @property
    def text(self) -> str:
        """In words, such as "0 to 6 h"."""
        return f"{self.begin_h} to {self.end_h} h"

    @property
    def within(self) -> str:
        """In a sentence, such as "within 6 h" or "in 6 to 12 h"."""
        return f"in {self.text}" if self.begin_h else f"within {self.end_h} h"


@dataclass(frozen=True, order=True)
class EventDefinition:
    """Rain of at least `threshold_mm` in `accumulation_h` hours, somewhere in `window_h` hours from `begin_h` on."""

    threshold_mm: float
    accumulation_h: int = 1
    window_h: int = 6
    begin_h: int = 0

    @property
    def window(self) -> Window:
        """The hours in which it may happen."""
        return Window(self.begin_h, self.begin_h + self.window_h)

    @property
    def key(self) -> str:
        """Column name: p_15 for the hourly event, p_50_2h for 50 mm in two hours, p_15_0to3h in another window."""
        amount = f"p_{self.threshold_mm:g}" + ("" if self.accumulation_h == 1 else f"_{self.accumulation_h}h")
        window = self.window
        return amount if window == DEFAULT_WINDOW else f"{amount}_{window.begin_h}to{window.end_h}h"

    @property
    def text(self) -> str:
        """Unit and threshold in words, such as "≥ 15 mm/h" or "≥ 50 mm in 2 h"."""
        unit = "mm/h" if self.accumulation_h == 1 else f"mm in {self.accumulation_h} h"
        return f"≥ {self.threshold_mm:g} {unit}"


#: The window of the levels, of the maps and of p_15 in a hindcast.
DEFAULT_WINDOW = Window(0, 6)
#: Windows that observations say something about, the shortest first; and those that need a weather model's fields.
WINDOWS = (Window(0, 1), Window(0, 3), DEFAULT_WINDOW)
FIELD_WINDOWS = (Window(6, 12), Window(12, 24))
#: Hourly thresholds, mm; 100 mm is the cloudburst of the India Meteorological Department.
THRESHOLDS_MM = (15.0, 30.0, 50.0, 100.0)
#: The mini-cloudburst of Deshpande et al. (2018): 50 mm in two consecutive hours.
MINI_CLOUDBURST_MM, MINI_CLOUDBURST_H = 50.0, 2


def hourly_events(window: Window) -> tuple[EventDefinition, ...]:
    """Return the hourly events of a window, by rising threshold."""
    return tuple(EventDefinition(mm, 1, window.length_h, window.begin_h) for mm in THRESHOLDS_MM)


def events_in(window: Window) -> tuple[EventDefinition, ...]:
    """Return the events of a window; one that is shorter than a mini-cloudburst has none of those.

    >>> [event.key for event in events_in(Window(0, 1))]
    ['p_15_0to1h', 'p_30_0to1h', 'p_50_0to1h', 'p_100_0to1h']
    """
    mini = EventDefinition(MINI_CLOUDBURST_MM, MINI_CLOUDBURST_H, window.length_h, window.begin_h)
    return hourly_events(window) + ((mini,) if window.length_h >= MINI_CLOUDBURST_H else ())


EVENTS = events_in(DEFAULT_WINDOW)
HOURLY_EVENTS = hourly_events(DEFAULT_WINDOW)
MINI_CLOUDBURST = EVENTS[-1]
TARGET = HOURLY_EVENTS[0]
#: Provenance of stored weather that is shown as known then; followed by a colon and what stored it, where known.
REPLAY = "replay"


@dataclass(frozen=True)
class Exceedance:
    """Probability per event with its interval, and what the calendar alone says (`base_rate`, empty if not known).

    Events named in `extrapolated` had too few cases to be trained; for those in `unskilled` verification found no skill
    beyond climatology, and their probability is that of the climatology.
    """

    events: tuple[EventDefinition, ...]
    probability: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    extrapolated: frozenset[EventDefinition] = frozenset()
    base_rate: tuple[float, ...] = ()
    unskilled: frozenset[EventDefinition] = frozenset()

    def of(self, event: EventDefinition) -> float:
        """Return the probability of one event, NaN where it is not known."""
        return self.probability[self.events.index(event)]

    @property
    def window(self) -> Window:
        """The hours that the curve is of."""
        return self.events[0].window

    @classmethod
    def unknown(cls, events: Sequence[EventDefinition] = EVENTS) -> Exceedance:
        """Return the curve of which nothing is known: NaN everywhere."""
        nothing = (math.nan,) * len(events)
        return cls(tuple(events), nothing, nothing, nothing)


@dataclass(frozen=True)
class Forecast:
    """One issued forecast for one place: `exceedance` is that of the default window, `others` those of the others."""

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
    others: tuple[Exceedance, ...] = ()
    #: Experiment and variant that it is of, "name/variant"; empty where no experiment shows it.
    variant: str = ""
    #: What a person set the level to, None where it is the model's own.
    override: Override | None = None

    @property
    def curves(self) -> tuple[Exceedance, ...]:
        """The curves of all windows, by begin and end."""
        return tuple(sorted((self.exceedance, *self.others), key=lambda curve: curve.window))

    def as_dict(self) -> dict[str, Any]:
        """Return the forecast as plain values for JSON: unknown numbers are None."""
        return {
            "location_id": self.location_id,
            "model_version": self.model_version,
            "variant": self.variant or None,
            "level": self.level.value,
            "override": self.override and self.override.as_dict(),
            "freshness": self.freshness.value,
            "data_at": None if self.data_at is None else self.data_at.isoformat(),
            "worst_flag": self.worst_flag.name,
            "exceedance": {
                event.key: {
                    "event": event.text,
                    "window": event.window.text,
                    "probability": known_or_none(curve.probability[i]),
                    "low": known_or_none(curve.low[i]),
                    "high": known_or_none(curve.high[i]),
                    "extrapolated": event in curve.extrapolated,
                    "no_skill_beyond_climatology": event in curve.unskilled,
                    "base_rate": known_or_none(curve.base_rate[i]) if curve.base_rate else None,
                }
                for curve in (self.exceedance, *self.others)
                for i, event in enumerate(curve.events)
            },
            "reasons": list(self.reasons),
        }


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
    model_is_seed: bool
    freshness: Freshness
    data_at: datetime | None
    #: In words: what is wrong with the data or the model behind this issue. Empty when nothing is.
    problems: tuple[str, ...] = ()
    #: In words: what a reader must know and nobody must mend, such as an experiment that shows other forecasts.
    notes: tuple[str, ...] = ()
    #: Day of the year that the simulator plays in every season, None for real data.
    season_day: int | None = None
    #: The weather model's run behind the data, None for observations.
    run: ModelRun | None = None

    @property
    def simulated(self) -> bool:
        """True where the weather behind the numbers is simulated, now or when it was stored."""
        return self.source in ("simulator", f"{REPLAY}:simulator")

    @property
    def replayed(self) -> bool:
        """True where the weather behind the numbers is stored weather of another time."""
        return self.source.partition(":")[0] == REPLAY

    @property
    def source_text(self) -> str:
        """Provenance in words, such as "Simulated: 29 July"."""
        if self.season_day is None:
            return source_text(self.source)
        return tell("{source}: {day}", source=source_text(self.source), day=tell_day(self.season_day))

    @property
    def data_name(self) -> str:
        """What `data_at` is the moment of, in words."""
        if self.run is None:
            return "newest observation"
        return "newest hour of an unknown model run" if self.run.out_at is None else "model run came out"

    @cached_property
    def content(self) -> str:
        """Digest of what is forecast and of the age of the data behind it: the same numbers have the same digest."""
        said = [
            (f.location_id, [c.probability for c in f.curves], f.level, f.freshness, f.data_at) for f in self.forecasts
        ]
        text = repr((self.region.id, self.valid_from, self.model_version, said))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def version(self) -> str:
        """Digest of everything a page shows: pages redraw when it changes."""
        state = repr((self.freshness, self.data_at, self.problems, self.notes, [f.override for f in self.forecasts]))
        return f"{self.content}-{hashlib.sha256(state.encode()).hexdigest()[:8]}"

    def age_s(self, now: datetime) -> float:
        """Age of the newest data at `now` in seconds, NaN where there are none."""
        return math.nan if self.data_at is None else (now - self.data_at).total_seconds()

    def probabilities(self, event: EventDefinition) -> np.ndarray:
        """Return the probability of `event` for every place, shape (places,), float64, NaN where unknown."""
        return np.array([f.exceedance.of(event) for f in self.forecasts], float)

    def about(self, now: datetime) -> dict[str, Any]:
        """Return what every export says of the issue, without its forecasts: plain values, times ISO 8601 in UTC."""
        return {
            "region": self.region.id,
            "issued_at": self.issued_at.isoformat(),
            "valid_from": self.valid_from.isoformat(),
            "window_h": TARGET.window_h,
            "source": self.source,
            "simulated": self.simulated,
            "source_text": self.source_text,
            "model_version": self.model_version,
            "model_source": self.model_source,
            "model_is_seed": self.model_is_seed,
            "freshness": self.freshness.value,
            "data_at": None if self.data_at is None else self.data_at.isoformat(),
            "data_age_s": known_or_none(self.age_s(now)),
            "data_is": self.data_name,
            "problems": list(self.problems),
            "notes": list(self.notes),
        }

    def as_dict(self, now: datetime) -> dict[str, Any]:
        """Return the issue as plain values for JSON: unknown numbers are None."""
        return {**self.about(now), "forecasts": [forecast.as_dict() for forecast in self.forecasts]}

    def ranked(self) -> list[Forecast]:
        """Return the forecasts by falling probability of the target event, unknown ones last."""

        def rank(forecast: Forecast) -> float:
            p = forecast.exceedance.of(TARGET)
            return 1.0 if math.isnan(p) else -p

        return sorted(self.forecasts, key=rank)

    def of(self, location_id: str) -> Forecast | None:
        """Return the forecast of one place, None where it is not in this region."""
        return next((f for f in self.forecasts if f.location_id == location_id), None)

    def counts(self) -> dict[RiskLevel, int]:
        """Return the number of places by level, every level named."""
        return {level: sum(f.level is level for f in self.forecasts) for level in RiskLevel}


def source_text(source: str) -> Told:
    """Return a provenance in words: simulated and replayed data say so wherever they are named.

    >>> source_text("replay:simulator")
    'Replay of stored weather (Simulated)'
    """
    kind, _, origin = source.partition(":")
    if kind == REPLAY:
        what = tell("Replay of stored weather")
        return tell("{what} ({of})", what=what, of=source_text(origin)) if origin else what
    return tell("Simulated" if source == "simulator" else source)


@dataclass(frozen=True)
class HindcastRows:
    """Hindcast of some places: ids and hours (rows,), probabilities (rows, events) in the order of `EVENTS`."""

    location_id: NDArray[np.object_]
    issued_at: NDArray[np.datetime64]
    probability: NDArray[np.float64]
    level: tuple[RiskLevel, ...]


def known_or_none(value: float) -> float | None:
    """Return None for what is not known: neither JSON nor SQL has NaN."""
    return None if math.isnan(value) else value
