"""Truth, time-blocked folds and sampling: the parts of training that need no file and no clock."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import THRESHOLDS_MM, Window
from core.domain.series import shifted
from core.domain.weather import Values
from core.errors import InsufficientData
from core.learning import estimators
from core.learning.normals import PLACE, Normals
from core.learning.scorer import Scorer

#: Fewer events than this teach nothing.
MIN_EVENTS = 20
FOLDS = 3
#: Exponent of the soft labels. In blocked cross-validation on gauges of 2020-2022 3 and 4 gave an AUC of .901 to .902
#: and a Brier skill of .042 to .043, 2 gave .898 and .040, a hard label .899 and .041.
SOFTNESS = 3.0
#: Hours between a block and what is learned from: never fewer than a day, in which weather remembers itself.
LEAST_PURGE_H = 24
#: A label nearer to 0 or 1 than this is 0 or 1.
LEAST_SHARE = 0.01


def highest_ahead(rain_mm: Values, window: Window, accumulation_h: int = 1) -> Values:
    """Return the highest rain sum of `accumulation_h` consecutive hours that lie within a window ahead.

    Parameters
    ----------
    rain_mm
        Hourly rain, shape (places, hours), of the hour that ends at its time; NaN where missing.

    Returns
    -------
    array (places, hours)
        NaN where any hour of the window is missing or lies beyond the series: missing truth is never a zero. NaN
        throughout where the window is shorter than the sum.
    """
    spans = window.length_h - accumulation_h + 1
    if spans < 1:
        return np.full_like(rain_mm, np.nan)
    ahead = np.stack([shifted(rain_mm, -hour) for hour in range(window.begin_h + 1, window.end_h + 1)])
    sums = sum(ahead[lag : lag + spans] for lag in range(accumulation_h))
    highest: Values = np.max(sums, axis=0)  # max, not nanmax: NaN must spread
    return highest


def folds(hour: NDArray[np.int64], count: int, purge_h: int) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield (train, test) masks of contiguous blocks of time; training hours within `purge_h` of the block are dropped.

    All places of one hour lie in the same fold: the weather of neighbours is the same weather.
    """
    edges = np.linspace(hour.min(), hour.max() + 1, count + 1)
    for begin, end in itertools.pairwise(edges):
        test = (hour >= begin) & (hour < end)
        yield (hour < begin - purge_h) | (hour >= end + purge_h), test


def purge_h(hour: NDArray[np.int64], reach_h: int, window: Window) -> int:
    """Return the hours to leave out beside a block, for cases at these hours.

    All that a feature looks back on (`reach_h`) and a window looks ahead, where the period is long enough; of a short
    one a sixth of a block, but never less than the window and a day: truths must not overlap, and the weather of one
    day is not twice news.
    """
    block_h = (int(hour.max()) - int(hour.min()) + 1) // FOLDS
    return int(np.clip(block_h // 6, LEAST_PURGE_H + window.end_h, reach_h + window.end_h))


def sample(event: NDArray[np.bool_], max_rows: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Values]:
    """Keep every event and draw non-events up to `max_rows`; return positions and the weights that undo the drawing."""
    events, others = np.flatnonzero(event), np.flatnonzero(~event)
    if len(events) > max_rows // 2:
        events = rng.choice(events, max_rows // 2, replace=False)
    drawn = rng.choice(others, min(len(others), max_rows - len(events)), replace=False)
    keep = np.sort(np.concatenate([events, drawn]))
    share = {True: event.sum() / max(len(events), 1), False: len(others) / max(len(drawn), 1)}
    return keep, np.where(event[keep], share[True], share[False]).astype(np.float32)


@dataclass(frozen=True)
class LearningSet:
    """Cases to learn from: features (cases, features), highest hourly rain that followed and hour number (cases,)."""

    rows: NDArray[np.float32]
    hourly_mm: NDArray[np.float32]
    hour: NDArray[np.int64]
    #: Names of the features; without them nothing is ranked among what is usual.
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """How to fit: algorithm of the registry, bound of the sampled rows, seed."""

    algorithm: str
    max_rows: int
    seed: int


def soft_labels(hourly_mm: NDArray[np.float32], threshold_mm: float) -> Values:
    """Return how much an amount of rain counts as the event, 0..1: 1 / (1 + (threshold / amount)^3), shape as given.

    A gauge of 300 cm2 meets the core of a storm by chance: the air of an hour that gave 13 mm is that of one that gave
    16, and that of 40 mm is a surer teacher than that of 15. The curve is calibrated on the event itself afterwards.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(1 / (1 + (threshold_mm / np.maximum(hourly_mm, 0)) ** SOFTNESS), np.float32)


def fit_sampled(cases: LearningSet, inside: NDArray[np.bool_], recipe: Recipe) -> Scorer:
    """Fit one classifier, and the normals of the places, on a bounded sample of the cases at `inside`.

    Raises
    ------
    InsufficientData
        If there are fewer than `MIN_EVENTS` events, or no non-event.
    """
    among = np.flatnonzero(inside)
    threshold_mm = THRESHOLDS_MM[0]
    mm = cases.hourly_mm[among]
    events = int((mm >= threshold_mm).sum())
    if events < MIN_EVENTS or events == len(mm):
        raise InsufficientData(
            f"{events} events in {len(mm)} cases.",
            have=events,
            need=MIN_EVENTS,
            hint="Train on a longer period or on more stations.",
        )
    keep, weight = sample(mm >= threshold_mm / 2, recipe.max_rows, np.random.default_rng(recipe.seed))
    label = soft_labels(mm[keep], threshold_mm)
    # A soft label is two cases, one of either kind, that share the weight.
    both = np.flatnonzero((label > LEAST_SHARE) & (label < 1 - LEAST_SHARE))
    minor = np.minimum(label, 1 - label)[both]
    event, share = label >= 0.5, np.ones_like(weight)
    share[both] -= minor
    rows = cases.rows[among[keep]]
    # Normals are fitted to the unweighted cases of all kinds: what is usual there, whatever followed.
    normals = Normals.fit(cases.rows[among], cases.names) if set(PLACE) <= set(cases.names) else None
    seen = rows if normals is None else normals.taught(rows)
    classifier = estimators.fit(
        recipe.algorithm,
        np.concatenate([seen, seen[both]]),
        np.concatenate([event, ~event[both]]),
        np.concatenate([weight * share, weight[both] * minor]),
        recipe.seed,
    )
    return Scorer(classifier, normals)


def fold_scores(
    cases: LearningSet, recipe: Recipe, purge_h: int, number: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which cases lie in a block of time (cases,), and the log-odds of a classifier that has not seen it there.

    Cases whose truth is not known are scored by the classifier of the others of their block.

    Raises
    ------
    InsufficientData
        If there are too few events outside the block.
    """
    train, test = next(itertools.islice(folds(cases.hour, FOLDS, purge_h), number, None))
    if not test.any():
        return test, np.empty(0)
    known = np.isfinite(cases.hourly_mm)
    return test, fit_sampled(cases, train & known, recipe).score(cases.rows[test])
