"""Truth, time-blocked folds and sampling: the parts of training that need no file and no clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.weather import Values
from core.errors import InsufficientData
from core.learning import estimators
from core.learning.calibration import logit

#: Fewer events than this teach nothing.
MIN_EVENTS = 20
FOLDS = 3


def highest_ahead(rain_mm: Values, window_h: int, accumulation_h: int = 1) -> Values:
    """Return the highest rain sum of `accumulation_h` consecutive hours that lie within the next `window_h` hours.

    Parameters
    ----------
    rain_mm
        Hourly rain, shape (places, hours), of the hour that ends at its time; NaN where missing.

    Returns
    -------
    array (places, hours)
        NaN where any hour of the window is missing or lies beyond the series: missing truth is never a zero.
    """
    ahead = np.full((window_h, *rain_mm.shape), np.nan, np.float32)
    for hour in range(1, min(window_h, rain_mm.shape[1] - 1) + 1):
        ahead[hour - 1, :, :-hour] = rain_mm[:, hour:]
    spans = window_h - accumulation_h + 1
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
    """Cases to learn from: features (cases, features), whether the event followed (cases,), hour number (cases,)."""

    rows: NDArray[np.float32]
    event: NDArray[np.bool_]
    hour: NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """How to fit: algorithm of the registry, bound of the sampled rows, seed."""

    algorithm: str
    max_rows: int
    seed: int


def fit_sampled(cases: LearningSet, inside: NDArray[np.bool_], recipe: Recipe) -> Any:
    """Fit one classifier on a bounded sample of the cases at `inside`.

    Raises
    ------
    InsufficientData
        If there are fewer than `MIN_EVENTS` events, or no non-event.
    """
    among = np.flatnonzero(inside)
    event = cases.event[among]
    events = int(event.sum())
    if events < MIN_EVENTS or events == len(event):
        raise InsufficientData(
            f"{events} events in {len(event)} cases.",
            have=events,
            need=MIN_EVENTS,
            hint="Train on a longer period or on more stations.",
        )
    keep, weight = sample(event, recipe.max_rows, np.random.default_rng(recipe.seed))
    return estimators.fit(recipe.algorithm, cases.rows[among[keep]], event[keep], weight, recipe.seed)


def cross_scores(cases: LearningSet, recipe: Recipe, purge_h: int, told: Callable[[int], None]) -> NDArray[np.float64]:
    """Return for every case the log-odds of a classifier that has not seen its time block, shape (cases,)."""
    score = np.full(len(cases.event), np.nan)
    for number, (train, test) in enumerate(folds(cases.hour, FOLDS, purge_h)):
        told(number)
        if test.any():
            fitted = fit_sampled(cases, train, recipe)
            score[test] = logit(fitted.predict_proba(cases.rows[test])[:, 1].astype(float))
    return score
