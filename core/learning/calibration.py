"""Calibration: from a classifier's raw score to a probability, with what the number of events lets us know of it.

The scores are binned once (`Binned`); every curve and every bootstrap draw is then fitted to some hundred bins instead
of millions of rows, with the same result to the width of a bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Probabilities beyond this are a classifier's overconfidence, not knowledge.
SCORE_LIMIT = 1e-6
BINS = 300
NEWTON_STEPS, CLOSE = 50, 1e-8
#: Variance of the prior on both parameters.
PRIOR_VARIANCE = 100.0


def logit(probability: Floats) -> Floats:
    """Return log(p / (1 - p)) with p kept away from 0 and 1."""
    p = np.clip(probability, SCORE_LIMIT, 1 - SCORE_LIMIT)
    return np.asarray(np.log(p / (1 - p)))


def sigmoid(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)), shape as `x`."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


@dataclass(frozen=True)
class Binned:
    """Cases and events by day and score bin: `n` and `events` of shape (days, bins), `score` of shape (bins,)."""

    score: Floats
    n: Floats
    events: Floats

    def drawn(self, days: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return cases and events per bin of a bootstrap draw of days."""
        times = np.bincount(days, minlength=self.n.shape[0]).astype(float)
        return times @ self.n, times @ self.events


def bin_scores(score: Floats, event: NDArray[np.bool_], day: NDArray[np.int64], where: NDArray[np.bool_]) -> Binned:
    """Bin the cases at `where` by score quantile and day; `day` numbers the blocks 0..days-1."""
    edges = np.unique(np.quantile(score[where], np.linspace(0, 1, BINS + 1)[1:-1]))
    bins, days = len(edges) + 1, int(day.max()) + 1
    index = np.searchsorted(edges, score[where])
    cell = day[where] * bins + index
    n = np.bincount(cell, minlength=days * bins).reshape(days, bins).astype(float)
    events = np.bincount(cell, weights=event[where].astype(float), minlength=days * bins).reshape(days, bins)
    centre = np.bincount(index, weights=score[where], minlength=bins) / np.maximum(n.sum(axis=0), 1)
    return Binned(centre, n, np.asarray(events, float))


def fit_sigmoid(score: Floats, n: Floats, events: Floats) -> tuple[float, float]:
    """Return intercept and slope of P(event) = sigmoid(a + b score), by maximum likelihood (Platt 1999).

    Newton's method on the binomial likelihood of binned cases; a prior of variance 100 on both keeps the solution
    finite where the events are separated.
    """
    x = np.stack([np.ones_like(score), score], axis=1)
    beta = np.array([logit(np.array((events.sum() + 0.5) / (n.sum() + 1)))[()], 0.0])
    likely = _log_likelihood(x, beta, n, events)
    for _ in range(NEWTON_STEPS):
        p = sigmoid(x @ beta)
        gradient = x.T @ (events - n * p) - beta / PRIOR_VARIANCE
        hessian = (x * (n * p * (1 - p))[:, None]).T @ x + np.eye(2) / PRIOR_VARIANCE
        move = np.linalg.solve(hessian, gradient)
        # Far from the solution a whole step of Newton's method jumps over it, and may jump to and fro for ever.
        while (found := _log_likelihood(x, beta + move, n, events)) < likely and np.abs(move).max() > CLOSE:
            move = move / 2
        beta, likely = beta + move, found
        if np.abs(move).max() < CLOSE:
            break
    return float(beta[0]), float(beta[1])


def _log_likelihood(x: Floats, beta: Floats, n: Floats, events: Floats) -> float:
    """Return the log-likelihood of binned cases and the prior, but for a constant."""
    odds = x @ beta
    return float((events * odds - n * np.logaddexp(0, odds)).sum() - (beta**2).sum() / (2 * PRIOR_VARIANCE))


def fit_isotonic(binned: Binned) -> tuple[Floats, Floats]:
    """Return the steps (score, probability) of the isotonic curve (Zadrozny & Elkan 2002)."""
    from sklearn.isotonic import isotonic_regression

    n, events = binned.n.sum(axis=0), binned.events.sum(axis=0)
    some = n > 0  # tied scores leave bins empty
    curve = isotonic_regression(events[some] / n[some], sample_weight=n[some], y_min=0, y_max=1, increasing=True)
    return binned.score[some], np.asarray(curve, float)
