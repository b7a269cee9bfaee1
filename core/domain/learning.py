"""Models as values: what a version was trained on, and how well it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import EventDefinition


@dataclass(frozen=True)
class Measure:
    """One verification measure with its interval. An unavailable number is None, never a harmless-looking 0 or 1."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Scorecard:
    """How forecasts did against what happened: cases, events, base rate and measures with their intervals."""

    event: EventDefinition
    n: int
    events: int
    base_rate: float | None
    measures: Mapping[str, Measure]
    #: What the cases were: "blocked cross-validation 2020-2022", say.
    cases: str
    reference: str = "month x 3-hour climatology"
    #: Probability from which on a warning was given, for the measures of warnings; None where there was no event.
    alarm: float | None = None
    #: Measures of what the forecast is compared with, on the same cases, by name.
    references: Mapping[str, Mapping[str, Measure]] = field(default_factory=dict)

    @property
    def has_skill(self) -> bool:
        """True where the forecast is better than climatology beyond doubt: the lower bound of its skill is above 0."""
        low = self.measures["brier_skill"].low if "brier_skill" in self.measures else None
        return low is not None and low > 0


@dataclass(frozen=True)
class TrainingData:
    """What a model learned from."""

    source: str
    begin: datetime
    end: datetime
    stations: int
    rows: int
    sampled_rows: int
    events: int
    #: Where the stations stand, in words.
    area: str = ""
    #: The region whose archive it was, empty where it was a folder of gauges.
    region_id: str = ""


@dataclass(frozen=True)
class ModelManifest:
    """Everything that must be known of a version before its file is opened."""

    version: str
    generation: int
    created_at: datetime
    algorithm: str
    event: EventDefinition
    trained_on: TrainingData
    feature_version: str
    feature_names: tuple[str, ...]
    scorecards: tuple[Scorecard, ...]
    seed: int
    calibration: str
    libraries: Mapping[str, str]
    sha256: str
    card_sha256: str
    probe_sha256: str = ""
    limits: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Provenance of the training data: simulator, gauges or open-meteo."""
        return self.trained_on.source

    def card_of(self, event: EventDefinition) -> Scorecard | None:
        """Return the scorecard of one event, None where it was not verified."""
        return next((card for card in self.scorecards if card.event == event), None)


@dataclass(frozen=True, eq=False)
class Probe:
    """What a version answered when it was made; it must answer the same wherever it is opened.

    Parameters
    ----------
    rows
        Features, shape (rows, features), NaN where missing.
    probability
        Of the events of the default window, shape (rows, events).
    """

    rows: NDArray[np.float32]
    probability: NDArray[np.float64]


@dataclass(frozen=True)
class StoredVersion:
    """One folder below models/versions: its manifest, or the reason why it is refused."""

    version: str
    manifest: ModelManifest | None
    refused: str | None = None
    shipped: bool = False
    #: Put aside for good: it is not in models/versions any more.
    quarantined: bool = False


@dataclass(frozen=True)
class Champion:
    """The version that serves, and whether it is the shipped seed model because nothing else was deployed.

    `generation` counts the deployments at this pointer, 0 before the first.
    """

    version: str
    is_seed: bool
    generation: int = 0


@dataclass(frozen=True)
class TrainingRequest:
    """What to train: algorithm, sources of randomness and bounds."""

    algorithm: str
    until: datetime | None = None
    begin: datetime | None = None
    calibration: str = "sigmoid"
    seed: int = 7
    area: str = ""
    #: The region whose archive is learned from, empty for a folder of gauges.
    region_id: str = ""
    limits: tuple[str, ...] = ()
    #: Which features: "observed", or "observed+model" with the forecast fields of a weather model.
    feature_set: str = "observed"
