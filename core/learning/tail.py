"""The far tail: where observed rain is too rare, a generalized Pareto law continues it, called extrapolated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Shape of the law. Rain has no known upper bound below 100 mm/h, so it is not negative; above .5 a few records of one
#: sample decide everything (Papalexiou & Koutsoyiannis 2013, doi:10.1029/2012WR012557, find .114 on 15,000 gauges).
SHAPE_RANGE = (0.0, 0.5)


def fit_pareto(excess: Floats, weight: Floats | None = None) -> tuple[float, float]:
    """Return scale (mm) and shape of the generalized Pareto law of `excess` (mm above a threshold).

    Probability-weighted moments (Hosking & Wallis 1987, doi:10.2307/1269343): with b0 the mean and b1 the mean of
    x (1 - F(x)), shape = 2 - b0 / (b0 - 2 b1) and scale = 2 b0 b1 / (b0 - 2 b1); the shape is kept in `SHAPE_RANGE`
    and the scale then set so that the mean stays.

    Parameters
    ----------
    excess
        Shape (n,), positive, mm.
    weight
        How often each value counts (a bootstrap draw), shape (n,).
    """
    w = np.ones_like(excess) if weight is None else weight
    order = np.argsort(excess)
    x, w = excess[order], w[order]
    below = np.cumsum(w) - 0.5 * w
    b0 = float((w * x).sum() / w.sum())
    b1 = float((w * x * (1 - below / w.sum())).sum() / w.sum())
    shape = float(np.clip(2 - b0 / max(b0 - 2 * b1, 1e-9), *SHAPE_RANGE))
    return b0 * (1 - shape), shape


def survival(excess: float, scale: float, shape: float) -> float:
    """Return P(X > excess) of the generalized Pareto law: (1 + shape excess / scale)^(-1 / shape)."""
    if shape < 1e-9:
        return float(np.exp(-excess / scale))
    return float((1 + shape * excess / scale) ** (-1 / shape))
