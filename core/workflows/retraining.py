"""Retraining: from an archive to a calibrated, scored and stored version."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import EVENTS, HOURLY_EVENTS, TARGET
from core.domain.learning import ModelManifest, Scorecard, TrainingData, TrainingRequest
from core.domain.units import from_datetime64, to_hour64
from core.domain.weather import Hours, Values
from core.errors import ConfigurationError, InsufficientData
from core.features import table
from core.learning import estimators, training
from core.learning.exceedance import Cases, ExceedanceModel, fit_curve
from core.ports import Clock, Ledger, ModelStore, Progress, WeatherArchive, silent
from core.quality.checks import Checker
from core.verification import climatology, scorecard
from core.workflows.cards import card
from core.workflows.hindcasting import CHUNK

#: Bootstrap draws: of the curve's parameters, kept with the model, and of the scorecard's measures.
CURVE_DRAWS, SCORE_DRAWS = 60, 100
CALIBRATIONS = ("sigmoid", "isotonic")
LIBRARIES = ("scikit-learn", "numpy", "scipy", "skops")


@dataclass(frozen=True)
class Gathered:
    """Everything known of the cases of an archive, all of shape (cases,) but the features (cases, features)."""

    learning: training.LearningSet
    hourly_mm: NDArray[np.float32]
    two_hour_mm: NDArray[np.float32]
    feature_names: tuple[str, ...]
    stations: int


@dataclass(frozen=True)
class Retraining:
    """Trains versions and stores them; deploying is another decision."""

    store: ModelStore
    ledger: Ledger
    check: Checker
    clock: Clock

    def train(self, source: WeatherArchive, request: TrainingRequest, told: Progress = silent) -> ModelManifest:
        """Train, calibrate, score and store one version; return its manifest.

        The scores are those of blocked cross-validation: no case is judged by a classifier that has seen its block of
        time or its neighbourhood, nor by a calibration or climatology fitted to the truths of its block.

        Raises
        ------
        ConfigurationError
            If algorithm or calibration are unknown.
        InsufficientData
            If there are too few cases or events to learn from. Nothing is stored.
        """
        limit = estimators.algorithm(request.algorithm).max_rows
        if request.calibration not in CALIBRATIONS:
            raise ConfigurationError(
                f"Unknown calibration {request.calibration!r}.", hint=f"Known are {', '.join(CALIBRATIONS)}."
            )
        told(0.0, "reading")
        cases = self._gather(source, request, lambda done, text: told(0.35 * done, text))
        recipe = training.Recipe(request.algorithm, limit, request.seed)
        purge_h = table.LOOKBACK_H + TARGET.window_h
        score = training.cross_scores(
            cases.learning,
            recipe,
            purge_h,
            lambda fold: told(0.35 + 0.15 * fold, f"cross-validation, block {fold + 1} of {training.FOLDS}"),
        )
        told(0.80, "fitting on everything")
        classifier = training.fit_sampled(cases.learning, np.ones(len(score), bool), recipe)
        told(0.90, "calibrating and scoring")
        model, cards = self._calibrate(classifier, cases, score, request)
        manifest = self._manifest(source, cases, cards, request)
        stored = self.store.save(manifest, model.to_parts(), card(manifest, model.extrapolated))
        self.ledger.record_run("train", "stored", {"version": stored.version}, self.clock())
        told(1.0, f"stored {stored.version}")
        return stored

    def _gather(self, source: WeatherArchive, request: TrainingRequest, told: Progress) -> Gathered:
        """Return the labelled cases of all periods and places, a case being an hour with its own rain known."""
        parts: list[tuple[NDArray[Any], ...]] = []
        names: tuple[str, ...] = ()
        stations = 0
        for region in source.regions():
            stations += len(region.locations)
            for begin, end in source.periods():
                first = max(begin, request.begin) if request.begin else begin
                last = min(end, request.until) if request.until else end
                if first > last:
                    continue
                weather = source.hours(region, begin, last)
                truth = self.check(weather, True).usable().get("precipitation_mm")  # knows in hindsight what was stuck
                for part, features in table.in_parts(self.check(weather, False).usable(), CHUNK):
                    told(part.start / len(region.locations), f"features: {part.start} of {len(truth)} places")
                    names = features.names
                    parts.append(_labelled(features, truth[part], weather.valid_at, first))
        if not parts or not sum(len(p[0]) for p in parts):
            raise InsufficientData("No labelled case in this period.", have=0, need=1, hint="Check the period.")
        rows, hourly, two_hour, hour = (_joined([p[i] for p in parts]) for i in range(4))
        event = hourly >= TARGET.threshold_mm
        return Gathered(training.LearningSet(rows, event, hour), hourly, two_hour, names, stations)

    def _calibrate(
        self, classifier: Any, cases: Gathered, score: NDArray[np.float64], request: TrainingRequest
    ) -> tuple[ExceedanceModel, tuple[Scorecard, ...]]:
        """Return the model calibrated on all scores, and scorecards from calibrations that saw only other blocks."""
        day = cases.learning.hour // 24 - cases.learning.hour.min() // 24
        rng = np.random.default_rng(request.seed)
        known = Cases(score, cases.hourly_mm, cases.two_hour_mm, day)
        model = fit_curve(classifier, known, request.calibration, CURVE_DRAWS, rng)
        probability = np.full((len(score), len(EVENTS)), np.nan)
        reference = np.full((len(score), 2), np.nan)
        for _, test in training.folds(cases.learning.hour, training.FOLDS, 0):
            others = Cases(score[~test], cases.hourly_mm[~test], cases.two_hour_mm[~test], day[~test])
            probability[test] = fit_curve(classifier, others, request.calibration, 0, rng).calibrated(score[test])
            cells = climatology.cells(cases.learning.hour[test])
            for i, event in enumerate(HOURLY_EVENTS[:2]):
                happened = others.happened(event).astype(float)
                reference[test, i] = climatology.frequencies(cases.learning.hour[~test], happened)[cells]
        period = f"blocked cross-validation {_year(cases.learning.hour.min())}-{_year(cases.learning.hour.max())}"
        cards = tuple(
            scorecard.score(
                event,
                scorecard.Judged(
                    probability[:, EVENTS.index(event)], known.happened(event).astype(float), reference[:, i], day
                ),
                period,
                SCORE_DRAWS,
                rng,
            )
            for i, event in enumerate(HOURLY_EVENTS[:2])
        )
        return model, cards

    def _manifest(
        self, source: WeatherArchive, cases: Gathered, cards: tuple[Scorecard, ...], request: TrainingRequest
    ) -> ModelManifest:
        """Return the manifest but for what the store fills in: version, generation and sha256."""
        hour = cases.learning.hour
        return ModelManifest(
            version="",
            generation=0,
            created_at=self.clock().replace(microsecond=0),
            algorithm=request.algorithm,
            event=TARGET,
            trained_on=TrainingData(
                source=source.name,
                begin=_moment(hour.min()),
                end=_moment(hour.max()),
                stations=cases.stations,
                rows=len(hour),
                sampled_rows=min(len(hour), estimators.algorithm(request.algorithm).max_rows),
                events=int(cases.learning.event.sum()),
                area=request.area,
            ),
            feature_version=table.FEATURE_VERSION,
            feature_names=cases.feature_names,
            scorecards=cards,
            seed=request.seed,
            calibration=request.calibration,
            libraries={"python": platform.python_version(), **{name: metadata.version(name) for name in LIBRARIES}},
            sha256="",
            card_sha256="",
            limits=request.limits,
        )


def _labelled(
    features: table.FeatureTable, rain_mm: Values, valid_at: Hours, first: datetime
) -> tuple[NDArray[Any], ...]:
    """Return features, highest hourly and two-hourly rain of the window, and hour of every case with a truth."""
    hourly = training.highest_ahead(rain_mm, TARGET.window_h)
    two_hour = training.highest_ahead(rain_mm, TARGET.window_h, accumulation_h=2)
    where = np.isfinite(hourly) & np.isfinite(rain_mm) & (valid_at >= to_hour64(first))
    hours = np.broadcast_to(valid_at.astype(np.int64), where.shape)[where]
    return features.rows(where), hourly[where], two_hour[where], hours


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Join arrays and let go of each as it is copied, so that memory holds them once."""
    out = np.empty((sum(len(p) for p in parts), *parts[0].shape[1:]), parts[0].dtype)
    at = 0
    for i, part in enumerate(parts):
        out[at : at + len(part)] = part
        at += len(part)
        parts[i] = part[:0]
    return out


def _moment(hour: np.int64) -> datetime:
    return from_datetime64(np.datetime64(int(hour), "h"))


def _year(hour: np.int64) -> int:
    return _moment(hour).year
