"""Experiments between versions as values: who takes part, who is shown, what was recorded, and what it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.domain.forecast import TARGET, EventDefinition
from core.domain.units import as_utc


class TrafficSplitStrategy(StrEnum):
    """How it is decided which variant is shown; every variant forecasts every case all the same."""

    #: Equal shares, whatever the percentages.
    RANDOM = "random"
    #: Shares as the percentages say.
    PERCENTAGE = "percentage"
    #: As percentages say, and a user, station or region keeps its variant for good.
    USER_HASH = "user_hash"
    #: One challenger is shown to more and more, step by step.
    GRADUAL_ROLLOUT = "gradual_rollout"


class UnitKey(StrEnum):
    """What is assigned to a variant as a whole."""

    STATION_DAY = "station and day"
    STATION = "station"
    REGION = "region"
    USER = "user"


class Stage(StrEnum):
    """Where an experiment stands in its life."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DECIDED = "decided"


class Status(StrEnum):
    """What an experiment comes to, in the words of the page."""

    NOT_STARTED = "Not started"
    COLLECTING = "Collecting"
    UNHEALTHY = "Unhealthy"
    SHIP_NOW = "Ship now"
    ROLL_BACK = "Roll back"
    NO_DIFFERENCE = "No practical difference"


class Code(StrEnum):
    """Why nothing can be said, where a number would mislead."""

    TOO_FEW_EVENTS = "TOO_FEW_EVENTS"
    ZERO_VARIANCE = "ZERO_VARIANCE"
    SAMPLE_RATIO_MISMATCH = "SAMPLE_RATIO_MISMATCH"
    UNEQUAL_COVERAGE = "UNEQUAL_COVERAGE"
    MODEL_NOT_LOADED = "MODEL_NOT_LOADED"


#: From which stages an action leads where. A running experiment's definition cannot change: there is no way back.
TRANSITIONS: Mapping[str, tuple[frozenset[Stage], Stage]] = {
    "create": (frozenset(), Stage.DRAFT),
    "start": (frozenset({Stage.DRAFT, Stage.PAUSED}), Stage.RUNNING),
    "pause": (frozenset({Stage.RUNNING}), Stage.PAUSED),
    "grow": (frozenset({Stage.RUNNING}), Stage.RUNNING),
    "stop": (frozenset({Stage.DRAFT, Stage.RUNNING, Stage.PAUSED}), Stage.STOPPED),
    "decide": (frozenset({Stage.RUNNING, Stage.PAUSED, Stage.STOPPED}), Stage.DECIDED),
}


@dataclass(frozen=True)
class ModelVariant:
    """One side of an experiment; the first of an experiment is the control.

    Parameters
    ----------
    model_path
        Folder of the version below models/versions; it only names the version, which is loaded by the model store.
    version
        Name of the version; empty: the last part of `model_path`.
    traffic_percentage
        Share of the units that are shown it, percent, to a hundredth.
    """

    variant_id: str
    model_path: str = ""
    version: str = ""
    traffic_percentage: float = 0.0

    @property
    def model(self) -> str:
        """Name of the version that forecasts."""
        return self.version or self.model_path.replace("\\", "/").rstrip("/").rpartition("/")[2]


@dataclass(frozen=True)
class Rollout:
    """How the share of a challenger grows: by time, or where `by_evidence`, only while it is not seen to be worse."""

    percent: tuple[float, ...] = (10.0, 30.0, 50.0, 100.0)
    step_days: float = 7.0
    by_evidence: bool = False


@dataclass(frozen=True)
class Rules:
    """When something is said of an experiment, and what must not get worse.

    Parameters
    ----------
    confidence
        Of all intervals, percent; shared among several challengers.
    min_events, min_days
        Fewer matured events, or days with cases, decide nothing.
    practical_percent
        A difference of the Brier score below so many percent of the control's makes no difference in practice.
    max_days
        After so many days without a decision there is none.
    pod_points, slope, latency_ratio, error_points
        Guardrails: by how many points the POD may fall, limits of the calibration slope, how many times as long a
        forecast may take, and how many points more of them may fail.
    coverage
        Least share of the cases that all variants must have forecast.
    expire_h
        A result whose outcome is not known so many hours after the begin of its window is given up.
    """

    confidence: float = 95.0
    min_events: int = 50
    min_days: int = 14
    practical_percent: float = 1.0
    max_days: int = 365
    pod_points: float = 5.0
    slope: tuple[float, float] = (0.7, 1.4)
    latency_ratio: float = 3.0
    error_points: float = 1.0
    coverage: float = 0.98
    expire_h: float = 72.0


@dataclass(frozen=True)
class Experiment:
    """The definition of an experiment: it never changes once it is running.

    Parameters
    ----------
    source, region_id
        Whose forecasts they are; empty where results are recorded by hand.
    event
        What is forecast.
    alarm
        Probability from which on a warning is given.
    unit
        What is shown one variant as a whole.
    """

    id: str
    variants: tuple[ModelVariant, ...]
    strategy: TrafficSplitStrategy
    created_at: datetime
    created_by: str = ""
    why: str = ""
    source: str = ""
    region_id: str = ""
    event: EventDefinition = TARGET
    alarm: float = 0.05
    unit: UnitKey = UnitKey.STATION_DAY
    rollout: Rollout = field(default_factory=Rollout)
    rules: Rules = field(default_factory=Rules)

    @property
    def control(self) -> ModelVariant:
        """What the others are held against."""
        return self.variants[0]

    @property
    def challengers(self) -> tuple[ModelVariant, ...]:
        """The others."""
        return self.variants[1:]


@dataclass(frozen=True)
class Step:
    """One step in the life of an experiment: an entry of the ledger."""

    experiment_id: str
    at: datetime
    action: str
    stage: Stage
    who: str
    why: str = ""
    #: Plain values: `percent` of a rollout, `winner` of a decision, and the evidence.
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExperimentResult:
    """What one variant said of one case.

    A case is a place, an hour and the experiment's event; of several results of a variant for a case the first counts.

    Parameters
    ----------
    prediction
        Probability of the event, None where the variant failed.
    valid_at
        Begin of the window that is forecast, UTC.
    issued_at
        When it was said; `valid_at` where that is not known.
    unit
        What was assigned as a whole; empty: place and day.
    shown
        Whether this is the variant that people saw.
    actual
        What happened, where it is known already.
    """

    experiment_id: str
    variant_id: str
    prediction: float | None
    location_id: str
    valid_at: datetime
    issued_at: datetime | None = None
    unit: str = ""
    shown: bool = False
    latency_ms: float | None = None
    actual: bool | None = None

    @property
    def unit_or_day(self) -> str:
        """The unit, by default place and day in UTC."""
        return self.unit or f"{self.location_id}/{as_utc(self.valid_at):%Y-%m-%d}"


@dataclass(frozen=True)
class CaseOutcome:
    """What happened in one case."""

    location_id: str
    valid_at: datetime
    happened: bool


@dataclass(frozen=True)
class Matured:
    """A recorded result whose outcome is known."""

    variant_id: str
    location_id: str
    valid_at: datetime
    probability: float | None
    latency_ms: float | None
    happened: bool


@dataclass(frozen=True)
class Counts:
    """Results of one variant by what became of them, and units that were shown it since the share last changed."""

    matured: int = 0
    pending: int = 0
    expired: int = 0
    units: int = 0
