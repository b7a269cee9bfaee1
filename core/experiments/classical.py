"""Classical tests between two variants, from counts and sums; all return two-sided p-values.

They guard an experiment (is the split what it should be, does a variant fail more often, take longer); the decision
itself is the paired comparison of `core.experiments.inference`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def sample_ratio(units: Sequence[int], shares: Sequence[float]) -> float | None:
    """Return the p-value of Pearson's chi-square that units were split as the shares say; None where nothing is split.

    A split that is not what it should be says that something is lost or assigned twice (Fabijan et al. 2019,
    Diagnosing Sample Ratio Mismatch in Online Controlled Experiments, KDD).
    """
    from scipy.stats import chisquare

    observed = np.array([n for n, share in zip(units, shares, strict=True) if share > 0], float)
    expected = np.array([share for share in shares if share > 0])
    if len(observed) < 2 or not observed.sum():
        return None
    return float(chisquare(observed, expected / expected.sum() * observed.sum()).pvalue)


def two_proportions(successes: tuple[int, int], trials: tuple[int, int]) -> float | None:
    """Return the p-value of the pooled z-test of two shares (Fleiss et al. 2003, ch. 3), None without spread."""
    from scipy.stats import norm

    if min(trials) < 1:
        return None
    pooled = sum(successes) / sum(trials)
    spread = pooled * (1 - pooled) * (1 / trials[0] + 1 / trials[1])
    if spread <= 0:
        return None
    z = (successes[0] / trials[0] - successes[1] / trials[1]) / math.sqrt(spread)
    return float(2 * norm.sf(abs(z)))


def welch(mean: tuple[float, float], variance: tuple[float, float], n: tuple[int, int]) -> float | None:
    """Return the p-value of Welch's t-test from moments (1947, doi:10.1093/biomet/34.1-2.28), None without spread.

    Parameters
    ----------
    variance
        Of the samples, with n - 1.
    """
    from scipy.stats import ttest_ind_from_stats

    if min(n) < 2 or max(variance) <= 0:
        return None
    first, second = (math.sqrt(v) for v in variance)
    return float(ttest_ind_from_stats(mean[0], first, n[0], mean[1], second, n[1], equal_var=False).pvalue)


def mcnemar(only_first: int, only_second: int) -> float | None:
    """Return McNemar's exact p-value of who was right on the same cases, None where the two never differ.

    Parameters
    ----------
    only_first, only_second
        Cases in which one of them alone was right (McNemar 1947, doi:10.1007/BF02295996).
    """
    from scipy.stats import binomtest

    if only_first + only_second == 0:
        return None
    return float(binomtest(only_first, only_first + only_second, 0.5).pvalue)


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return p-values adjusted for being several by Holm's step-down procedure (1979, Scand. J. Statist. 6, 65-70)."""
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, i) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        adjusted[i] = highest
    return tuple(adjusted)
