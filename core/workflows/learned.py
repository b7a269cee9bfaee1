"""What is learned from cases: the model of all windows and its scorecards, out of fits that know nothing of each other.

The fits (windows x algorithms x blocks and everything) are one list of parts, and so are the windows afterwards:
calibrated and judged each by itself. Every part has the seed of the request and draws from nobody else's chance, so it
does not matter who does which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.domain.forecast import DEFAULT_WINDOW, Window
from core.domain.learning import Scorecard, TrainingRequest
from core.errors import InsufficientData
from core.learning import estimators, training
from core.learning.exceedance import ExceedanceModel
from core.learning.scorer import Scorer
from core.learning.windows import ForecastModel
from core.ports import Progress, Workers
from core.workflows.fitting import Fit, Fitted, cross_scored, curve_of, fits, fitted, judge
from core.workflows.gathering import Gathered

#: What every model is held against, beside climatology and persistence.
REFERENCE = "logistic_regression"
#: A fit on so many cases, and calibrating and judging a window of them, take about so long in one process, seconds.
FIT_S, JUDGE_S = 5e-6, 5e-6
#: Share of the work that the fits are.
FITS = 0.85


@dataclass(frozen=True)
class Attempt:
    """What became of a fit: what it gives, or why there is too little to learn from."""

    fitted: Fitted | None = None
    refused: InsufficientData | None = None


@dataclass(frozen=True)
class Conclusion:
    """A window whose fits are done: by every algorithm the scores of all blocks, the one asked for first."""

    window: Window
    recipes: tuple[training.Recipe, ...]
    blocks: tuple[Sequence[Fitted], ...]
    request: TrainingRequest


@dataclass(frozen=True)
class Concluded:
    """The curves of a window, by algorithm and yet without what scores, and its scorecards."""

    curves: tuple[ExceedanceModel, ...]
    cards: tuple[Scorecard, ...]


def learned(
    cases: Gathered, request: TrainingRequest, told: Progress, workers: Workers
) -> tuple[ForecastModel, tuple[Scorecard, ...]]:
    """Return the model of all windows, with a logistic regression to hold against it, and its scorecards.

    Raises
    ------
    InsufficientData
        If there are too few events to learn from in the default window; any other one is left out.
    """
    recipes = _recipes(request)
    parts = [fit for window in cases.windows for recipe in recipes for fit in fits(window, recipe)]
    done: dict[tuple[Window, training.Recipe], list[Fitted]] = {}
    refused: set[Window] = set()
    attempts = workers.each(attempted, cases, parts, FIT_S * len(cases.hour) * len(parts))
    for number, fit in enumerate(parts):
        told(FITS * number / len(parts), fit.text)
        attempt = next(attempts)
        if attempt.fitted is None:
            if fit.window == DEFAULT_WINDOW and attempt.refused is not None:
                raise attempt.refused
            refused.add(fit.window)  # a version without one of the other windows serves without it
        else:
            done.setdefault((fit.window, fit.recipe), []).append(attempt.fitted)
    windows = [window for window in cases.windows if window not in refused]
    kept = {window: [done[window, recipe] for recipe in recipes] for window in windows}
    return _calibrated(cases, kept, request, lambda share, text: told(FITS + (1 - FITS) * share, text), workers)


def attempted(cases: Gathered, fit: Fit) -> Attempt:
    """Do one fit: too few events are no error of the work, another window may have enough."""
    try:
        return Attempt(fitted(cases, fit))
    except InsufficientData as error:
        return Attempt(refused=error)


def concluded(cases: Gathered, part: Conclusion) -> Concluded:
    """Calibrate the curves of one window on the scores of their blocks, and judge the one that was asked for."""
    scored = [cross_scored(cases, part.window, blocks) for blocks in part.blocks]
    curves = tuple(
        curve_of(Scorer(None), some, recipe, part.request) for some, recipe in zip(scored, part.recipes, strict=True)
    )
    rival = scored[1] if len(scored) > 1 else None
    return Concluded(curves, judge(scored[0], rival, part.request))


def _calibrated(
    cases: Gathered,
    done: dict[Window, list[list[Fitted]]],
    request: TrainingRequest,
    told: Progress,
    workers: Workers,
) -> tuple[ForecastModel, tuple[Scorecard, ...]]:
    """Return the model and its scorecards of windows whose fits, by algorithm, are done."""
    recipes = _recipes(request)
    parts = [Conclusion(window, recipes, tuple(f[:-1] for f in some), request) for window, some in done.items()]
    curves: dict[Window, ExceedanceModel] = {}
    plain: dict[Window, ExceedanceModel] = {}
    cards: list[Scorecard] = []
    results = workers.each(concluded, cases, parts, JUDGE_S * len(cases.hour) * len(parts))
    for number, part in enumerate(parts):
        told(number / len(parts), f"{part.window.text}: calibrating")
        result = next(results)
        for kept, curve, some in zip((curves, plain), result.curves, done[part.window], strict=False):
            scorer = some[-1]
            assert isinstance(scorer, Scorer)  # noqa: S101 - the last fit is on everything
            kept[part.window] = replace(curve, scorer=scorer)
        cards += result.cards
    return ForecastModel(curves, plain), tuple(cards)


def _recipes(request: TrainingRequest) -> tuple[training.Recipe, ...]:
    """Return how the model is fitted, and how what it is held against."""
    names = dict.fromkeys((request.algorithm, REFERENCE))
    return tuple(training.Recipe(name, estimators.algorithm(name).max_rows, request.seed) for name in names)
