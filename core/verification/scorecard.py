"""The scorecard: all measures of one event on one set of cases, each with its interval over days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import EventDefinition
from core.domain.learning import Scorecard
from core.errors import DataError, LeakSuspected
from core.verification.calibration import decomposition, slopes
from core.verification.categorical import Contingency
from core.verification.days import Days, measured
from core.verification.probabilistic import Ranked, average_precision, best_csi, roc_area

Floats = NDArray[np.float64]
#: A higher ROC area or F1 on this task is a leak until proven otherwise: labels made from the inputs reach 1.
LEAK_AUC, LEAK_F1 = 0.97, 0.6
#: Below this number of events a high score may be luck.
LEAK_EVENTS = 20

#: Measures in the order in which they are shown, with their names for people. Those of warnings hold for warnings at
#: the scorecard's alarm probability.
MEASURES: Mapping[str, str] = {
    "auc": "ROC area",
    "average_precision": "average precision",
    "brier": "Brier score",
    "reliability": "reliability (part of the Brier score)",
    "resolution": "resolution (part of the Brier score)",
    "uncertainty": "uncertainty (part of the Brier score)",
    "brier_skill": "Brier skill",
    "calibration_slope": "calibration slope",
    "best_csi": "best CSI",
    "csi": "CSI at the alarm",
    "pod": "POD at the alarm",
    "far": "FAR at the alarm",
    "frequency_bias": "frequency bias at the alarm",
    "hss": "Heidke skill score at the alarm",
    "ets": "equitable threat score at the alarm",
    "sedi": "SEDI at the alarm",
    "accuracy": "accuracy at the alarm",
    "precision": "precision at the alarm (1 - FAR)",
    "recall": "recall at the alarm (POD)",
    "f1": "F1 at the alarm",
}
_OF_WARNINGS = tuple(MEASURES)[tuple(MEASURES).index("csi") :]
_SQUARED = ("reliability", "resolution")


@dataclass(frozen=True)
class Judged:
    """Cases to judge: probability, outcome (0 or 1), reference probability and number of the day, each (cases,).

    The reference may be NaN where it is not known: then there is no skill against it.

    Raises
    ------
    DataError
        If a probability is not in [0, 1] or an outcome neither 0 nor 1: what is not known cannot be judged.
    """

    probability: Floats
    happened: Floats
    reference: Floats
    day: NDArray[np.int64]

    def __post_init__(self) -> None:
        if not ((self.probability >= 0) & (self.probability <= 1)).all():
            raise DataError(
                "A forecast without a probability in [0, 1] cannot be judged.",
                hint="Leave such cases out, and say how many there are.",
            )
        if not ((self.happened == 0) | (self.happened == 1)).all():
            raise DataError("A case whose outcome is not known cannot be judged.", hint="Leave such cases out.")

    def at(self, where: NDArray[np.bool_]) -> Judged:
        """Return some of the cases."""
        return Judged(self.probability[where], self.happened[where], self.reference[where], self.day[where])


def score(
    event: EventDefinition,
    judged: Judged,
    cases: str,
    draws: int,
    rng: np.random.Generator,
    *,
    alarm: float | None = None,
) -> Scorecard:
    """Return the scorecard, with 90 % intervals by a bootstrap of whole days.

    Parameters
    ----------
    cases
        In words, what the cases are.
    draws
        Bootstrap draws; 0 leaves the intervals out.
    alarm
        Probability from which on a warning is given. By default the one with the best CSI of these very cases, so that
        the measures of its warnings are the best that could have been had, not what was had.

    Raises
    ------
    LeakSuspected
        If the scores are too good to be true (`leak_alarm`).
    """
    return _believed(_card(event, judged, cases, Days.of(judged.day, draws, rng), alarm))


def by(
    event: EventDefinition,
    judged: Judged,
    label: NDArray[np.object_] | NDArray[np.str_],
    cases: str,
    *,
    draws: int,
    rng: np.random.Generator,
    alarm: float | None = None,
) -> dict[str, Scorecard]:
    """Return a scorecard for every label (cases,): months, groups of stations; by rising label.

    All strata share one alarm probability: the one given, else the one with the best CSI of all cases. Thresholds and
    windows are events of their own: score each with its own probabilities.

    Raises
    ------
    LeakSuspected
        If the scores of all cases together are too good to be true. A stratum is not suspected by itself: among many
        small ones the best is high by luck.
    """
    whole = _believed(_card(event, judged, cases, Days.of(judged.day, 0, rng), alarm))
    names, place = np.unique(label, return_inverse=True)
    cards = {}
    for i, name in enumerate(names):
        part = judged.at(place == i)
        cards[str(name)] = _card(event, part, f"{cases}, {name}", Days.of(part.day, draws, rng), whole.alarm)
    return cards


def leak_alarm(card: Scorecard) -> str | None:
    """Return why scores are too good to be true, None where they are not.

    The F1 is the best one of all alarm probabilities, 2 CSI / (1 + CSI). Where events are so common that a warning at
    every hour would already exceed the limit, it says nothing.
    """
    if card.events < LEAK_EVENTS or card.base_rate is None:
        return None
    auc, csi = card.measures["auc"].value, card.measures["best_csi"].value
    if auc is not None and auc > LEAK_AUC:
        return f"A ROC area of {auc:.3f} is too good to be true on this task (limit {LEAK_AUC})."
    f1 = 0.0 if csi is None else 2 * csi / (1 + csi)
    always = 2 * card.base_rate / (1 + card.base_rate)
    if f1 > LEAK_F1 >= always:
        return f"An F1 of {f1:.2f} is too good to be true on this task (limit {LEAK_F1})."
    return None


def _believed(card: Scorecard) -> Scorecard:
    suspicion = leak_alarm(card)
    if suspicion is None:
        return card
    raise LeakSuspected(
        suspicion,
        hint="Look for an input that knows the truth: a label made from the inputs, a value from after the issue, the"
        " same weather in training and in test.",
        n=card.n,
        events=card.events,
    )


def _card(event: EventDefinition, judged: Judged, cases: str, days: Days, alarm: float | None) -> Scorecard:
    n = len(judged.happened)
    ranked = Ranked.of(judged.probability, judged.happened)
    alarm = ranked.best_alarm() if alarm is None else alarm
    values = _values(judged, ranked, days, alarm) if n else {}
    return Scorecard(
        event=event,
        n=n,
        events=int(judged.happened.sum()),
        base_rate=float(judged.happened.mean()) if n else None,
        measures={name: measured(values.get(name, [None]), squared=name in _SQUARED) for name in MEASURES},
        cases=cases,
        alarm=alarm,
    )


def _values(judged: Judged, ranked: Ranked, days: Days, alarm: float | None) -> dict[str, list[float | None]]:
    """Return every measure of the cases as they are and of every draw."""
    p, y = judged.probability, judged.happened
    n = days.totals(np.ones(len(y)))
    own, reference = days.totals((p - y) ** 2) / n, days.totals((judged.reference - y) ** 2) / n
    rows = [_row(ranked, days.weight(i), float(own[i]), float(reference[i])) for i in range(len(n))]
    values = {name: [row[name] for row in rows] for name in rows[0]}
    values["calibration_slope"] = slopes(p, y, days)
    if alarm is not None:
        cells = days.counts(2 * (p >= alarm).astype(np.int64) + y.astype(np.int64), 4)
        tables = [Contingency(row[3], row[2], row[1], row[0]) for row in cells.tolist()]
        values |= {name: [getattr(table, name) for table in tables] for name in _OF_WARNINGS}
    return values


def _row(ranked: Ranked, weight: Floats, brier: float, reference: float) -> dict[str, float | None]:
    hits, false_alarms = ranked.running(weight)
    reliability, resolution, uncertainty = decomposition(brier, hits, false_alarms)
    return {
        "auc": roc_area(hits, false_alarms),
        "average_precision": average_precision(hits, false_alarms),
        "brier": brier,
        "reliability": reliability,
        "resolution": resolution,
        "uncertainty": uncertainty,
        "brier_skill": 1 - brier / reference if reference > 0 else None,
        "best_csi": best_csi(hits, false_alarms),
    }
