"""The scorecard: all measures of one event on one set of cases, each with its interval over days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import EventDefinition
from core.domain.learning import Measure, Scorecard
from core.verification.categorical import Contingency
from core.verification.probabilistic import Ranked, average_precision, brier, roc_area

Floats = NDArray[np.float64]
#: Bounds of the printed interval, in percent.
INTERVAL = (5.0, 95.0)


@dataclass(frozen=True)
class Judged:
    """Cases to judge: probability, outcome (0 or 1), reference probability and number of the day, each (cases,)."""

    probability: Floats
    happened: Floats
    reference: Floats
    day: NDArray[np.int64]


def score(event: EventDefinition, judged: Judged, cases: str, draws: int, rng: np.random.Generator) -> Scorecard:
    """Return the scorecard, with 90 % intervals by a bootstrap of whole days.

    Parameters
    ----------
    cases
        In words, what the cases are.
    draws
        Bootstrap draws; 0 leaves the intervals out.
    """
    ranked = Ranked.of(judged.probability, judged.happened)
    central = _measures(judged, ranked, None)
    days = int(judged.day.max(initial=-1)) + 1
    drawn: list[Mapping[str, float | None]] = []
    for _ in range(draws if days else 0):
        weight = np.bincount(rng.integers(0, days, days), minlength=days).astype(float)[judged.day]
        if weight.any():  # days between two periods have no cases: a draw of such days alone says nothing
            drawn.append(_measures(judged, ranked, weight))
    return Scorecard(
        event=event,
        n=len(judged.happened),
        events=int(judged.happened.sum()),
        base_rate=float(judged.happened.mean()) if len(judged.happened) else None,
        measures={name: _with_interval(value, [d[name] for d in drawn]) for name, value in central.items()},
        cases=cases,
    )


def _measures(judged: Judged, ranked: Ranked, weight: Floats | None) -> dict[str, float | None]:
    if not len(judged.happened):
        return dict.fromkeys(MEASURES)
    hits, false_alarms = ranked.running(weight)
    own = brier(judged.probability, judged.happened, weight)
    reference = brier(judged.reference, judged.happened, weight)
    best = _best_table(hits, false_alarms) if hits[-1] > 0 else Contingency(0, 0, 0, 0)  # all measures None
    return {
        "auc": roc_area(hits, false_alarms),
        "average_precision": average_precision(hits, false_alarms),
        "brier": own,
        "brier_skill": 1 - own / reference if reference > 0 else None,
        "best_csi": best.csi,
        "pod": best.pod,
        "far": best.far,
        "frequency_bias": best.frequency_bias,
    }


def _best_table(hits: Floats, false_alarms: Floats) -> Contingency:
    """Return the contingency table at the threshold with the highest CSI."""
    csi = hits / np.maximum(hits[-1] + false_alarms, 1e-300)
    i = int(np.argmax(csi))
    return Contingency(
        float(hits[i]), float(false_alarms[i]), float(hits[-1] - hits[i]), float(false_alarms[-1] - false_alarms[i])
    )


def _with_interval(value: float | None, drawn: list[float | None]) -> Measure:
    known = [d for d in drawn if d is not None]
    if value is None or not known:
        return Measure(value)
    low, high = np.percentile(known, INTERVAL)
    return Measure(value, float(low), float(high))


#: Measures in the order in which they are shown, with their names for people.
MEASURES: Mapping[str, str] = {
    "auc": "ROC area",
    "average_precision": "average precision",
    "brier": "Brier score",
    "brier_skill": "Brier skill",
    "best_csi": "best CSI",
    "pod": "POD at best CSI",
    "far": "FAR at best CSI",
    "frequency_bias": "frequency bias at best CSI",
}
