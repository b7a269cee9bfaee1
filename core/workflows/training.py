"""Training: from an archive to a calibrated, scored and stored version."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata

import numpy as np

from core.domain.forecast import DEFAULT_WINDOW, FIELD_WINDOWS, TARGET, WINDOWS, Window
from core.domain.learning import ModelManifest, Scorecard, TrainingData, TrainingRequest
from core.domain.units import from_datetime64
from core.errors import ConfigurationError
from core.features import table
from core.learning import estimators
from core.learning.probes import probe_of
from core.ports import ALONE, Clock, FieldSource, Ledger, ModelStore, Progress, WeatherArchive, Workers, silent
from core.quality.checks import Checker
from core.workflows.cards import card
from core.workflows.gathering import Gathered, gather
from core.workflows.learned import learned
from core.workflows.materialising import Materialising

#: Share of the work that reading and building features is; the rest is fitting and judging the windows.
READING = 0.2
CALIBRATIONS = ("sigmoid", "isotonic")
#: What a manifest says of every version with forecast fields.
FIELDS_LIMIT = "Forecast fields: tested on simulated data only."
LIBRARIES = ("scikit-learn", "numpy", "scipy", "skops")


@dataclass(frozen=True)
class Training:
    """Trains versions and stores them; deploying is another decision."""

    store: ModelStore
    ledger: Ledger
    check: Checker
    clock: Clock
    #: Features as they were served, None where none are kept.
    served: Materialising | None = None
    #: Who builds features and fits.
    workers: Workers = ALONE

    def train(
        self,
        source: WeatherArchive,
        request: TrainingRequest,
        told: Progress = silent,
        fields: FieldSource | None = None,
    ) -> ModelManifest:
        """Train, calibrate, score and store one version; return its manifest.

        The scores are those of blocked cross-validation: no case is judged by a classifier that has seen its block of
        time or its neighbourhood, nor by a calibration or climatology fitted to the truths of its block.

        Parameters
        ----------
        fields
            Where forecast fields come from; looked at only where the request is for the set with them. Such a version
            has windows beyond 6 h too.

        Raises
        ------
        ConfigurationError
            If algorithm, calibration or feature set are unknown, or fields are wanted and there are none.
        SourceError, DataError
            If the archive or the fields cannot be read.
        InsufficientData
            If there are too few cases or events to learn from. Nothing is stored.
        """
        fields = asked_fields(request, fields)
        told(0.0, "reading")
        period, windows = (request.begin, request.until), windows_of(fields)
        reading = within(told, 0.0, READING)
        cases = gather(
            source, period, windows, self.check, reading, fields=fields, served=self.served, workers=self.workers
        )
        return self.learn(cases, source.name, request, within(told, READING, 1 - READING))

    def learn(self, cases: Gathered, source: str, request: TrainingRequest, told: Progress = silent) -> ModelManifest:
        """Fit, calibrate, score and store one version from labelled cases; return its manifest.

        Raises
        ------
        InsufficientData
            If there are too few events to learn from. Nothing is stored.
        """
        model, cards = learned(cases, request, within(told, 0.0, 0.98), self.workers)
        manifest = self._manifest(source, cases, cards, request)
        probe = probe_of(model, cases.rows)
        stored = self.store.save(manifest, model.to_parts(), card(manifest, model.extrapolated), probe)
        self.ledger.record_run("train", "stored", {"version": stored.version}, self.clock())
        told(1.0, f"stored {stored.version}")
        return stored

    def _manifest(
        self, source: str, cases: Gathered, cards: tuple[Scorecard, ...], request: TrainingRequest
    ) -> ModelManifest:
        """Return the manifest but for what the store fills in: version, generation and sha256."""
        hour = cases.hour
        return ModelManifest(
            version="",
            generation=0,
            created_at=self.clock().replace(microsecond=0),
            algorithm=request.algorithm,
            event=TARGET,
            trained_on=TrainingData(
                source=source,
                begin=_moment(hour.min()),
                end=_moment(hour.max()),
                stations=len(cases.place_ids),
                rows=len(hour),
                sampled_rows=min(len(hour), estimators.algorithm(request.algorithm).max_rows),
                events=int((cases.truth(DEFAULT_WINDOW)[0] >= TARGET.threshold_mm).sum()),
                area=request.area,
                region_id=request.region_id,
            ),
            feature_version=table.FEATURE_SETS[request.feature_set],
            feature_names=cases.feature_names,
            scorecards=cards,
            seed=request.seed,
            calibration=request.calibration,
            libraries={"python": platform.python_version(), **{name: metadata.version(name) for name in LIBRARIES}},
            sha256="",
            card_sha256="",
            limits=request.limits + ((FIELDS_LIMIT,) if len(cases.windows) > len(WINDOWS) else ()),
        )


def asked_fields(request: TrainingRequest, fields: FieldSource | None) -> FieldSource | None:
    """Return the source of the fields that a request is for, None where it is for none.

    Raises
    ------
    ConfigurationError
        If algorithm, calibration or feature set are unknown, or fields are wanted and there are none.
    """
    estimators.algorithm(request.algorithm)
    for what, value, known in (
        ("calibration", request.calibration, CALIBRATIONS),
        ("feature set", request.feature_set, tuple(table.FEATURE_SETS)),
    ):
        if value not in known:
            raise ConfigurationError(f"Unknown {what} {value!r}.", hint=f"Known are {', '.join(known)}.")
    if table.FEATURE_SETS[request.feature_set] == table.OBSERVED:
        return None
    if fields is None:
        raise ConfigurationError(
            f"The feature set {request.feature_set} wants forecast fields, and there are none here.",
            hint="Name their source in CLOUDBURST_FIELDS.",
        )
    return fields


def windows_of(fields: FieldSource | None) -> tuple[Window, ...]:
    """Return the windows to learn: those beyond 6 h where there are forecast fields."""
    return WINDOWS + (FIELD_WINDOWS if fields else ())


def within(told: Progress, begun: float, share: float) -> Progress:
    """Return the progress of a part that is `share` of the whole."""
    return lambda done, text: told(begun + share * done, text)


def _moment(hour: np.int64) -> datetime:
    return from_datetime64(np.datetime64(int(hour), "h"))
