"""Small real models for tests: trained in seconds on made-up cases, stored like any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.adapters.model_store import FolderModelStore
from core.domain.forecast import TARGET, WINDOWS, events_in
from core.domain.learning import ModelManifest, Probe, TrainingData
from core.domain.lifecycle import Deployment
from core.errors import ModelNotFound
from core.features import table
from core.learning import calendar, estimators
from core.learning.exceedance import Cases, ExceedanceModel, fit_curve
from core.learning.probes import probe_of
from core.learning.scorer import Scorer
from core.learning.windows import ForecastModel
from core.ports import ModelStore
from tests.weather_made import weather

#: Key of the homes that tests make.
KEY = bytes(range(32))


@lru_cache
def exceedance_model(algorithm: str = "logistic_regression") -> ExceedanceModel:
    """Return a model fitted to cases in which the first feature decides."""
    rng = np.random.default_rng(1)
    features = len(table.build(weather(hours=2)).names)
    rows = rng.normal(size=(4000, features)).astype(np.float32)
    mm = (8 * np.exp(0.8 * rows[:, 0] + 0.5 * rng.normal(size=4000))).astype(np.float32)
    classifier = estimators.fit(algorithm, rows, mm >= TARGET.threshold_mm, np.ones(4000), seed=1)
    score = np.log(np.clip(classifier.predict_proba(rows)[:, 1], 1e-6, 1 - 1e-6))
    names = table.feature_names()
    cases = Cases(score, mm, mm * np.float32(1.3), np.arange(4000) // 40, calendar.cells(rows, names))
    return fit_curve(Scorer(classifier), cases, "sigmoid", 5, rng)


@lru_cache
def forecast_model(algorithm: str = "logistic_regression") -> ForecastModel:
    """Return a model of all windows, every shorter one with half of the odds."""
    longest = exceedance_model(algorithm)
    shift = np.array([1.0, 0, 0, 0, 0, 0, 0, 0]) * np.log(2)
    return ForecastModel(
        {
            window: replace(
                longest,
                central=longest.central - i * shift,
                draws=longest.draws - i * shift,
                base_rates=longest.base_rates[:, : len(events_in(window))] / (1 + i),
                extrapolated=tuple(e.key for e in events_in(window)[2:4]),
                window=window,
            )
            for i, window in enumerate(reversed(WINDOWS))
        },
        {longest.window: longest},
    )


def manifest(source: str = "gauges", **changes: Any) -> ModelManifest:
    """Return a manifest as training writes it, before the store fills in version and digest."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    fields: dict[str, Any] = {
        "version": "",
        "generation": 0,
        "created_at": moment,
        "algorithm": "logistic_regression",
        "event": TARGET,
        "trained_on": TrainingData(source, moment, moment, 2, 4000, 4000, 900),
        "feature_version": table.FEATURE_VERSION,
        "feature_names": table.build(weather(hours=2)).names,
        "scorecards": (),
        "seed": 1,
        "calibration": "sigmoid",
        "libraries": {},
        "sha256": "",
        "card_sha256": "",
    }
    return ModelManifest(**{**fields, **changes})


def stored(store: ModelStore, source: str = "gauges", **changes: Any) -> ModelManifest:
    """Store a small model and return its manifest."""
    return store.save(manifest(source, **changes), forecast_model().to_parts(), "# {version}\n\na card\n", probe())


@lru_cache
def probe() -> Probe:
    """Return the probe of the small model: ten rows, one of them with a value missing."""
    rows = np.random.default_rng(2).normal(size=(10, len(table.feature_names()))).astype(np.float32)
    rows[3, 5] = np.nan
    return probe_of(forecast_model(), rows)


def model_store(folder: Path, key: bytes = KEY) -> FolderModelStore:
    """Return the store of a home without a shipped model."""
    return FolderModelStore(folder, folder, ("", ""), key)


def deployment(version: str, generation: int = 1, source: str = "gauges", region_id: str = "gauges") -> Deployment:
    """Return a deployment by hand."""
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    return Deployment(source, region_id, generation, moment, "promoted", "tests", "to see", None, version)


def deployed(store: ModelStore, source: str, region_id: str, version: str) -> Deployment:
    """Let a version serve a region, whoever served before."""
    made = deployment(version, _deployments(store, source, region_id) + 1, source, region_id)
    store.deploy(made)
    return made


def _deployments(store: ModelStore, source: str, region_id: str) -> int:
    try:
        return store.champion(source, region_id).generation
    except ModelNotFound:
        return 0
