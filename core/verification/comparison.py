"""Two forecasts of the same cases: the difference of their scores, drawn together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.domain.learning import Measure
from core.verification.days import Days, measured
from core.verification.probabilistic import Ranked, average_precision, best_csi, roc_area

Floats = NDArray[np.float64]
#: What is compared, from running sums; the Brier skill comes from sums by day.
_RANKING = {"auc": roc_area, "average_precision": average_precision, "best_csi": best_csi}


def skill_difference(
    a: Floats,
    b: Floats,
    happened: Floats,
    reference: Floats,
    day: NDArray[np.int64],
    *,
    draws: int,
    rng: np.random.Generator,
) -> dict[str, Measure]:
    """Return brier_skill, auc, average_precision and best_csi of `a` less those of `b`, with 90 % intervals over days.

    Both are judged on the same days in every draw, so that what is hard for both does not blur which is better.

    Parameters
    ----------
    a, b
        Probabilities of two forecasts, shape (cases,).
    happened, reference, day
        Outcome (0 or 1), reference probability of the Brier skill and number of the day, shape (cases,).
    """
    if not len(happened):
        return {name: Measure(None) for name in ("brier_skill", *_RANKING)}
    days = Days.of(day, draws, rng)
    own_a, own_b, of_reference = (days.totals((p - happened) ** 2) for p in (a, b, reference))
    skill = [
        float((other - own) / ref) if ref > 0 else None
        for own, other, ref in zip(own_a, own_b, of_reference, strict=True)
    ]
    ranked = Ranked.of(a, happened), Ranked.of(b, happened)
    rows = [_ranking_difference(*ranked, days.weight(i)) for i in range(len(skill))]
    return {"brier_skill": measured(skill), **{name: measured([row[name] for row in rows]) for name in _RANKING}}


def _ranking_difference(a: Ranked, b: Ranked, weight: Floats) -> dict[str, float | None]:
    sums = a.running(weight), b.running(weight)
    pairs = {name: (measure(*sums[0]), measure(*sums[1])) for name, measure in _RANKING.items()}
    return {name: None if x is None or y is None else x - y for name, (x, y) in pairs.items()}
