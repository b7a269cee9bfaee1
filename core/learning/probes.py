"""Probes: what a model answered when it was made, by which it is known again wherever it is opened."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.domain.learning import Probe
from core.domain.weather import Values
from core.errors import InsufficientData
from core.learning.windows import ForecastModel

#: Rows of a probe: enough that every curve and many leaves take part, few enough to be answered in milliseconds.
ROWS = 64


def probe_of(model: ForecastModel, rows: Values) -> Probe:
    """Return the probe of a model: some of the rows it was made from, and what it says of them.

    Parameters
    ----------
    rows
        Features, shape (rows, features), NaN where missing. At most 64 are taken, spread evenly over them, the same at
        every call; a row that holds an infinite value is left out.

    Raises
    ------
    InsufficientData
        If there is no row to take.
    """
    at = np.unique(np.linspace(0, max(len(rows) - 1, 0), min(ROWS, len(rows))).round().astype(int))
    chosen = np.asarray(rows[at], np.float32)
    chosen = chosen[~np.isinf(chosen).any(axis=1)]
    if not len(chosen):
        raise InsufficientData("There is no row to make a probe of.", have=0, need=1)
    return Probe(chosen, model.probabilities(chosen))


def parity(model: ForecastModel, probe: Probe) -> float:
    """Return how far a model's answers are from those of its probe: the largest absolute difference.

    Returns
    -------
    float
        0 where they are the same; infinite where only one of both knows an answer, or the events are not as many.
    """
    said: NDArray[np.float64] = model.probabilities(probe.rows)
    unknown = np.isnan(probe.probability)
    if said.shape != probe.probability.shape or (np.isnan(said) != unknown).any():
        return math.inf
    return float(np.abs(said - probe.probability)[~unknown].max(initial=0.0))
