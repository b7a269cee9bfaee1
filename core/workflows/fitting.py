"""Fitting one window: cross-validated scores, a curve calibrated on them, and the scorecards of what was not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import DEFAULT_WINDOW, Window, hourly_events
from core.domain.learning import Scorecard, TrainingRequest
from core.domain.units import from_datetime64
from core.features import table
from core.learning import calendar, training
from core.learning.exceedance import Cases, ExceedanceModel, fit_curve
from core.learning.scorer import Scorer
from core.verification import climatology, scorecard
from core.verification.persistence import Persistence
from core.workflows.gathering import Gathered

Floats = NDArray[np.float64]
#: Bootstrap draws: of the curve's parameters, kept with the model, and of the scorecard's measures.
CURVE_DRAWS, SCORE_DRAWS = 60, 60
#: What the forecast and its references are called.
OWN, CLIMATOLOGY, PERSISTENCE, PLAIN = "this forecast", "climatology", "persistence", "logistic regression"
#: The feature that persistence goes by.
PAST_RAIN = "rain_max_6h_mm"


@dataclass(frozen=True)
class CrossScored:
    """Cases with the scores of classifiers that have not seen their block of time, each (cases,).

    `hour` since 1970; `past_mm` is the highest hourly rain of the six hours before.
    """

    cases: Cases
    hour: NDArray[np.int64]
    past_mm: Floats


@dataclass(frozen=True)
class Fit:
    """One of the independent fits of a training: a window, an algorithm, and a block left out; None: on everything."""

    window: Window
    recipe: training.Recipe
    block: int | None = None

    @property
    def text(self) -> str:
        """What is being done, in words."""
        if self.block is None:
            return f"{self.window.text}: fitting on everything"
        return f"{self.window.text}: cross-validation, block {self.block + 1} of {training.FOLDS}"


#: What a fit gives: the scores of its block (cases of the block,), or what scores the cases that are served.
Fitted = Floats | Scorer


def fits(window: Window, recipe: training.Recipe) -> list[Fit]:
    """Return the fits of one window by one algorithm: every block, then everything."""
    return [*(Fit(window, recipe, block) for block in range(training.FOLDS)), Fit(window, recipe)]


def fitted(gathered: Gathered, fit: Fit) -> Fitted:
    """Return what a fit gives.

    Raises
    ------
    InsufficientData
        If there are too few events to learn from.
    """
    hourly, _ = gathered.truth(fit.window)
    learning = training.LearningSet(gathered.rows, hourly, gathered.hour, gathered.feature_names)
    if fit.block is None:
        return training.fit_sampled(learning, np.isfinite(hourly), fit.recipe)
    purge_h = training.purge_h(gathered.hour, table.LOOKBACK_H, fit.window)
    return training.fold_scores(learning, fit.recipe, purge_h, fit.block)[1]


def cross_scored(gathered: Gathered, window: Window, blocks: Sequence[Fitted]) -> CrossScored:
    """Return the cases whose truth is known with the scores of all blocks put together."""
    hourly, two_hour = gathered.truth(window)
    known = np.isfinite(hourly)
    score = np.full(len(known), np.nan)
    for (_, test), scored in zip(training.folds(gathered.hour, training.FOLDS, 0), blocks, strict=True):
        score[test] = scored
    day = gathered.hour // 24 - gathered.hour.min() // 24
    cell = calendar.cells(gathered.rows, gathered.feature_names)
    past_mm = gathered.rows[:, gathered.feature_names.index(PAST_RAIN)].astype(float)
    cases = Cases(score, hourly, two_hour, day, cell, window).at(known)
    return CrossScored(cases, gathered.hour[known], past_mm[known])


def curve_of(scorer: Scorer, scored: CrossScored, recipe: training.Recipe, request: TrainingRequest) -> ExceedanceModel:
    """Return the curve of one window, calibrated on scores of classifiers that had not seen their cases."""
    rng = np.random.default_rng(recipe.seed)
    return fit_curve(scorer, scored.cases, request.calibration, CURVE_DRAWS, rng)


def judge(scored: CrossScored, plain: CrossScored | None, request: TrainingRequest) -> tuple[Scorecard, ...]:
    """Return scorecards of the trained thresholds: whatever is fitted saw only other blocks of time.

    Parameters
    ----------
    plain
        The same cases scored by a logistic regression, a reference beside climatology and persistence.
    """
    cases, hour = scored.cases, scored.hour
    rng = np.random.default_rng(request.seed)
    events = hourly_events(cases.window)[:2]
    shape = (len(hour), len(events))
    names = (OWN, CLIMATOLOGY, PERSISTENCE, *((PLAIN,) if plain else ()))
    said = {name: np.full(shape, np.nan) for name in names}
    for _, test in training.folds(hour, training.FOLDS, 0):
        others = cases.at(~test)
        for name, some in ((OWN, scored), (PLAIN, plain)):
            if some is not None:
                fitted = fit_curve(Scorer(None), some.cases.at(~test), request.calibration, 0, rng)
                said[name][test] = fitted.calibrated(some.cases.score[test])[:, : len(events)]
        for i, event in enumerate(events):
            happened = others.happened(event).astype(float)
            usual = climatology.frequencies(hour[~test], happened)
            said[CLIMATOLOGY][test, i] = usual[climatology.cells(hour[test])]
            lasting = Persistence.fit(scored.past_mm[~test], happened)
            said[PERSISTENCE][test, i] = lasting.probability(scored.past_mm[test])
    period = f"blocked cross-validation {_year(hour.min())}-{_year(hour.max())}"
    draws = SCORE_DRAWS if cases.window == DEFAULT_WINDOW else SCORE_DRAWS // 2

    def carded(name: str, i: int, count: int) -> Scorecard:
        happened = cases.happened(events[i]).astype(float)
        judged = scorecard.Judged(said[name][:, i], happened, said[CLIMATOLOGY][:, i], cases.day)
        return scorecard.score(events[i], judged, period, count, rng)

    return tuple(
        replace(carded(OWN, i, draws), references={name: carded(name, i, 0).measures for name in names if name != OWN})
        for i in range(len(events))
    )


def _year(hour: np.int64) -> int:
    return from_datetime64(np.datetime64(int(hour), "h")).year
