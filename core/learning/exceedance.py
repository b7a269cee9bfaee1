"""One window, one coherent exceedance curve: P(15) >= P(30) >= P(50) >= P(100) by construction.

A classifier scores the event of the lowest threshold. Calibration turns the score into P(15); what a higher threshold
adds is a conditional probability, P(30) = P(15) P(30 | 15, score), so no curve can cross another. Beyond the highest
threshold with enough events a generalized Pareto law continues it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import (
    DEFAULT_WINDOW,
    MINI_CLOUDBURST_H,
    THRESHOLDS_MM,
    EventDefinition,
    Window,
    events_in,
)
from core.learning import calendar, calibration, tail
from core.learning.scorer import Scorer

Floats = NDArray[np.float64]
#: Columns of `draws` and of the central parameters: two sigmoids, one for the mini-cloudburst, and the tail.
PARAMETERS = ("a15", "b15", "a30", "b30", "a50_2h", "b50_2h", "scale", "shape")
#: Percentiles of the interval printed with every probability.
INTERVAL = (5.0, 95.0)
#: Fewer positive cases than this do not carry a conditional curve of their own.
MIN_CONDITIONAL_CASES = 100


@dataclass(frozen=True)
class ExceedanceModel:
    """The fitted curve of one window.

    `draws` (draws, 8) are bootstrap parameters by day blocks; they give the interval. `base_rates` (cells, events) are
    what the calendar alone says, by the cells of `core.learning.calendar`.
    """

    scorer: Scorer
    central: Floats
    draws: Floats
    isotonic_score: Floats
    isotonic_probability: Floats
    extrapolated: tuple[str, ...]
    base_rates: Floats
    window: Window = DEFAULT_WINDOW

    @property
    def events(self) -> tuple[EventDefinition, ...]:
        """The events of its columns."""
        return events_in(self.window)

    def to_parts(self) -> dict[str, Any]:
        """Return the parts as plain values and scikit-learn objects, as the model store keeps them."""
        return {
            "scorer": self.scorer.to_parts(),
            "central": self.central,
            "draws": self.draws,
            "isotonic_score": self.isotonic_score,
            "isotonic_probability": self.isotonic_probability,
            "extrapolated": list(self.extrapolated),
            "base_rates": self.base_rates,
            "window": [self.window.begin_h, self.window.end_h],
        }

    @classmethod
    def from_parts(cls, parts: Mapping[str, Any]) -> ExceedanceModel:
        """Return the model of stored parts."""
        window = Window(*(int(hour) for hour in parts["window"]))
        scorer = Scorer.from_parts(parts["scorer"])
        return cls(**{**parts, "scorer": scorer, "extrapolated": tuple(parts["extrapolated"]), "window": window})

    def score(self, rows: NDArray[np.float32]) -> Floats:
        """Return the log-odds that the classifier gives, shape (rows,)."""
        return self.scorer.score(rows)

    def probabilities(self, rows: NDArray[np.float32]) -> Floats:
        """Return P(event) for every row, shape (rows, events), events in the order of `events`."""
        return self.calibrated(self.score(rows))

    def calibrated(self, score: Floats) -> Floats:
        """Return P(event) of raw log-odds, shape (cases, events)."""
        return self._curve(score, self.central)

    def with_interval(self, rows: NDArray[np.float32]) -> tuple[Floats, Floats, Floats]:
        """Return probability, lower and upper bound, each of shape (rows, events).

        The interval is that of the calibration (day-block bootstrap), not of the weather; NaN for an isotonic curve.
        """
        return self.bounds(self.score(rows))

    def bounds(self, score: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the same of raw log-odds, shape (cases,)."""
        centre = self._curve(score, self.central)
        if not len(self.draws) or len(self.isotonic_score):  # the draws are of sigmoids, an isotonic curve has none
            return centre, np.full_like(centre, np.nan), np.full_like(centre, np.nan)
        curves = np.stack([self._curve(score, draw) for draw in self.draws])
        low, high = np.percentile(curves, INTERVAL, axis=0)
        return centre, np.minimum(low, centre), np.maximum(high, centre)

    def _curve(self, score: Floats, parameters: Floats) -> Floats:
        a15, b15, a30, b30, a50_2h, b50_2h, scale, shape = parameters
        if not len(self.isotonic_score):
            p15 = calibration.sigmoid(a15 + b15 * score)
        else:
            p15 = np.interp(score, self.isotonic_score, self.isotonic_probability)
        p30 = p15 * calibration.sigmoid(a30 + b30 * score)
        thirty = THRESHOLDS_MM[1]
        beyond = [p30 * tail.survival(mm - thirty, scale, shape) for mm in THRESHOLDS_MM[2:]]
        if self.window.length_h < MINI_CLOUDBURST_H:
            return np.stack([p15, p30, *beyond], axis=1)
        # An hour with 50 mm is a part of two hours with 50 mm; two such hours hold one with at least 25.
        mini = np.clip(p15 * calibration.sigmoid(a50_2h + b50_2h * score), beyond[0], p15)
        return np.stack([p15, p30, *beyond, mini], axis=1)


@dataclass(frozen=True)
class Cases:
    """Cases not used for fitting the classifier that scored them: all arrays of shape (cases,).

    `hourly_mm` is the highest hourly rain of the window, `two_hour_mm` the highest sum of two hours (NaN in a window
    of one hour), `day` the number of the day block, `cell` that of the calendar (`core.learning.calendar`).
    """

    score: Floats
    hourly_mm: NDArray[np.float32]
    two_hour_mm: NDArray[np.float32]
    day: NDArray[np.int64]
    cell: NDArray[np.int64]
    window: Window = DEFAULT_WINDOW

    def at(self, where: NDArray[np.bool_]) -> Cases:
        """Return the cases at `where` (cases,)."""
        return Cases(
            self.score[where],
            self.hourly_mm[where],
            self.two_hour_mm[where],
            self.day[where],
            self.cell[where],
            self.window,
        )

    def happened(self, event: EventDefinition) -> NDArray[np.bool_]:
        """Return whether `event` followed, shape (cases,)."""
        return (self.hourly_mm if event.accumulation_h == 1 else self.two_hour_mm) >= event.threshold_mm


def fit_curve(scorer: Scorer, cases: Cases, method: str, draws: int, rng: np.random.Generator) -> ExceedanceModel:
    """Fit calibration, conditional curves and tail to cases that the classifier has not seen.

    Parameters
    ----------
    scorer
        What will score the cases that are served.
    method
        "sigmoid" or "isotonic".
    draws
        Bootstrap draws of day blocks for the interval.
    """
    events = events_in(cases.window)
    fifteen_mm, thirty_mm, mini = events[0], events[1], events[-1]
    everyone = np.ones(len(cases.score), bool)
    fifteen = cases.happened(fifteen_mm)
    tables = [
        calibration.bin_scores(cases.score, fifteen, cases.day, everyone),
        calibration.bin_scores(cases.score, cases.happened(thirty_mm), cases.day, fifteen),
        calibration.bin_scores(cases.score, cases.happened(mini), cases.day, fifteen),
    ]
    excess, excess_day, scale_from = _tail_cases(cases)
    days = int(cases.day.max()) + 1

    def parameters(drawn: NDArray[np.int64]) -> Floats:
        values: list[float] = []
        for i, table in enumerate(tables):
            n, events = table.drawn(drawn)
            constant = i > 0 and table.events.sum() < MIN_CONDITIONAL_CASES
            values += _constant(n, events) if constant else calibration.fit_sigmoid(table.score, n, events)
        weight = np.bincount(drawn, minlength=days)[excess_day].astype(float)
        scale, shape = tail.fit_pareto(excess, weight if weight.sum() else None)
        # Threshold stability of the law: above a higher threshold the scale grows by shape x (difference).
        return np.array([*values, scale + shape * (THRESHOLDS_MM[1] - scale_from), shape])

    steps = calibration.fit_isotonic(tables[0]) if method == "isotonic" else (np.empty(0), np.empty(0))
    rare = [e for e in (thirty_mm, mini) if cases.happened(e).sum() < MIN_CONDITIONAL_CASES]
    beyond = [e for e in events if e.accumulation_h == 1 and e.threshold_mm > thirty_mm.threshold_mm]
    model = ExceedanceModel(
        scorer=scorer,
        central=parameters(np.arange(days)),
        draws=np.array([parameters(rng.integers(0, days, days)) for _ in range(draws)]).reshape(draws, len(PARAMETERS)),
        isotonic_score=steps[0],
        isotonic_probability=steps[1],
        extrapolated=tuple(e.key for e in events if e in rare or e in beyond),
        base_rates=np.empty(0),
        window=cases.window,
    )
    share = model.calibrated(cases.score).mean(axis=0)
    calendar_rates = calendar.frequencies(cases.cell, fifteen)
    return replace(model, base_rates=calendar_rates[:, None] * (share / share[0])[None, :])


def _constant(n: Floats, events: Floats) -> tuple[float, float]:
    """Return a flat conditional curve: the share of events, kept off zero by half a case."""
    return float(calibration.logit(np.array((events.sum() + 0.5) / (n.sum() + 1)))), 0.0


def _tail_cases(cases: Cases) -> tuple[Floats, NDArray[np.int64], float]:
    """Return excesses over 30 mm with their days where there are enough, else over 15 mm."""
    for threshold_mm in (THRESHOLDS_MM[1], THRESHOLDS_MM[0]):
        over = cases.hourly_mm >= threshold_mm
        if over.sum() >= MIN_CONDITIONAL_CASES:
            break
    excess = cases.hourly_mm[over].astype(float) - threshold_mm
    return excess + 1e-3, cases.day[over], threshold_mm
