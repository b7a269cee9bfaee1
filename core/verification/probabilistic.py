"""Measures of probability forecasts. Weights count how often a case stands in a bootstrap draw.

The library `scores` has these measures for one set of cases (the tests compare them); a bootstrap over millions of
cases needs them from running sums over cases that were sorted once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def brier(probability: Floats, happened: Floats, weight: Floats | None = None) -> float:
    """Return the mean of (p - y)^2 (Brier 1950).

    >>> brier(np.array([0.8, 0.1]), np.array([1.0, 0.0])).__round__(3)
    0.025
    """
    return float(np.average((probability - happened) ** 2, weights=weight))


@dataclass(frozen=True)
class Ranked:
    """Cases sorted by falling probability once, so that every bootstrap draw costs only running sums.

    `order` (cases,) sorts the cases. `last` (groups,) is the last position of every group of equal probabilities;
    groups without an event that follow each other are one, which changes no measure, whatever the weights: between
    them the ROC curve is straight, and neither the CSI nor the precision gains.
    """

    order: NDArray[np.int64]
    last: NDArray[np.int64]
    happened: Floats
    probability: Floats

    @classmethod
    def of(cls, probability: Floats, happened: Floats) -> Ranked:
        """Sort the cases."""
        order = np.argsort(-probability, kind="stable")
        sorted_p, sorted_y = probability[order], happened[order]
        ends = np.append(np.flatnonzero(np.diff(sorted_p) != 0), len(sorted_p) - 1)
        eventful = np.diff(np.cumsum(sorted_y)[ends], prepend=0.0) > 0 if len(order) else np.zeros(0, bool)
        kept = eventful | np.append(eventful[1:], True) if len(order) else eventful
        return cls(order, ends[: len(kept)][kept], sorted_y, sorted_p)

    def running(self, weight: Floats | None = None) -> tuple[Floats, Floats]:
        """Return hits and false alarms when the alarm is given down to the end of each group, shape (groups,)."""
        w = np.ones(len(self.order)) if weight is None else weight[self.order]
        hits = np.cumsum(w * self.happened)[self.last]
        return hits, np.cumsum(w)[self.last] - hits

    @property
    def lowest(self) -> Floats:
        """The lowest probability of every group, shape (groups,): an alarm at it takes the group in."""
        return self.probability[self.last]

    def best_alarm(self) -> float | None:
        """Return the alarm probability with the best CSI; None without events."""
        hits, false_alarms = self.running()
        return float(self.lowest[int(np.argmax(_csi(hits, false_alarms)))]) if len(hits) and hits[-1] > 0 else None


def roc_area(hits: Floats, false_alarms: Floats) -> float | None:
    """Return the area under the ROC curve by trapezes (Mason 1982); None where one class is missing."""
    if not len(hits) or hits[-1] <= 0 or false_alarms[-1] <= 0:
        return None
    y = np.concatenate([[0.0], hits / hits[-1]])
    x = np.concatenate([[0.0], false_alarms / false_alarms[-1]])
    return float(np.trapezoid(y, x))


def average_precision(hits: Floats, false_alarms: Floats) -> float | None:
    """Return the sum of precision x gain in recall over falling thresholds; None without events."""
    if not len(hits) or hits[-1] <= 0:
        return None
    precision = hits / np.maximum(hits + false_alarms, 1e-300)
    return float((precision * np.diff(hits, prepend=0.0)).sum() / hits[-1])


def best_csi(hits: Floats, false_alarms: Floats) -> float | None:
    """Return the highest critical success index of all alarm probabilities; None without events."""
    return float(_csi(hits, false_alarms).max()) if len(hits) and hits[-1] > 0 else None


def _csi(hits: Floats, false_alarms: Floats) -> Floats:
    return np.asarray(hits / np.maximum(hits[-1] + false_alarms, 1e-300))
