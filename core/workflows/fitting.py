"""Fitting one window: cross-validated scores, a curve calibrated on them, and the scorecards of what was not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import DEFAULT_WINDOW, Window, hourly_events
from core.domain.learning import Scorecard, TrainingRequest
from core.domain.units import from_datetime64
from core.features import table
from core.learning import calendar, training
from core.learning.exceedance import Cases, ExceedanceModel, fit_curve
from core.learning.scorer import Scorer
from core.ports import Progress
from core.verification import climatology, scorecard
from core.workflows.gathering import Gathered

#: Bootstrap draws: of the curve's parameters, kept with the model, and of the scorecard's measures.
CURVE_DRAWS, SCORE_DRAWS = 60, 100


@dataclass(frozen=True)
class CrossScored:
    """Cases with the scores of classifiers that have not seen their block of time, and their hours since 1970."""

    cases: Cases
    hour: NDArray[np.int64]


def fit_window(
    gathered: Gathered, window: Window, recipe: training.Recipe, calibration: str, told: Progress
) -> tuple[ExceedanceModel, CrossScored]:
    """Return the calibrated curve of one window, and the cross-validated scores that it was calibrated on.

    Raises
    ------
    InsufficientData
        If there are too few events to learn from.
    """
    hourly, two_hour = gathered.truth(window)
    known = np.isfinite(hourly)
    learning = training.LearningSet(gathered.rows, hourly, gathered.hour, gathered.feature_names)
    score = training.cross_scores(
        learning,
        recipe,
        table.LOOKBACK_H + window.end_h,
        lambda fold: told(0.2 * fold, f"{window.text}: cross-validation, block {fold + 1} of {training.FOLDS}"),
    )
    told(0.6, f"{window.text}: fitting on everything")
    scorer = training.fit_sampled(learning, known, recipe)
    told(0.8, f"{window.text}: calibrating")
    day = gathered.hour // 24 - gathered.hour.min() // 24
    cell = calendar.cells(gathered.rows, gathered.feature_names)
    scored = Cases(score, hourly, two_hour, day, cell, window).at(known)
    rng = np.random.default_rng(recipe.seed)
    return fit_curve(scorer, scored, calibration, CURVE_DRAWS, rng), CrossScored(scored, gathered.hour[known])


def judge(scored: CrossScored, request: TrainingRequest) -> tuple[Scorecard, ...]:
    """Return scorecards of the trained thresholds: calibration and climatology saw only other blocks of time."""
    cases, hour = scored.cases, scored.hour
    rng = np.random.default_rng(request.seed)
    events = hourly_events(cases.window)[:2]
    probability = np.full((len(hour), len(events)), np.nan)
    reference = np.full((len(hour), len(events)), np.nan)
    for _, test in training.folds(hour, training.FOLDS, 0):
        others = cases.at(~test)
        fitted = fit_curve(Scorer(None), others, request.calibration, 0, rng)
        probability[test] = fitted.calibrated(cases.score[test])[:, : len(events)]
        for i, event in enumerate(events):
            usual = climatology.frequencies(hour[~test], others.happened(event).astype(float))
            reference[test, i] = usual[climatology.cells(hour[test])]
    period = f"blocked cross-validation {_year(hour.min())}-{_year(hour.max())}"
    draws = SCORE_DRAWS if cases.window == DEFAULT_WINDOW else SCORE_DRAWS // 2
    return tuple(
        scorecard.score(
            event,
            scorecard.Judged(probability[:, i], cases.happened(event).astype(float), reference[:, i], cases.day),
            period,
            draws,
            rng,
        )
        for i, event in enumerate(events)
    )


def _year(hour: np.int64) -> int:
    return from_datetime64(np.datetime64(int(hour), "h")).year
