"""Recalling: how often it happened when a probability like this one was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.domain.forecast import EventDefinition
from core.domain.verification import VerifiedCases
from core.verification.diagrams import Meant, meant
from core.workflows.scoring import DRAWS, FEW_DAYS, SEED, scorable

#: With fewer cases of a like probability nothing is said of them.
FEW_SAID = 20


class Recall(StrEnum):
    """Whether there is something to recall."""

    KNOWN = "known"
    #: No case can be scored yet, of whatever probability.
    NOTHING = "nothing"
    NEVER = "never said"
    FEW = "too few"


@dataclass(frozen=True)
class Recalled:
    """What became of the forecasts from `low` to below `high`: how many, on how many days, and how often it happened.

    `frequency` and its 90 % interval are None where there is no case.
    """

    low: float
    high: float
    n: int
    events: int
    days: int
    frequency: float | None
    interval: tuple[float, float] | None

    @property
    def state(self) -> Recall:
        """Whether it may be told: with too few cases, or of too few days, it would be chance."""
        if not self.n:
            return Recall.NEVER
        return Recall.FEW if self.n < FEW_SAID or self.days < FEW_DAYS else Recall.KNOWN


def recalled(cases: VerifiedCases, event: EventDefinition) -> tuple[Recalled, ...]:
    """Return what became of the issued forecasts of an event, by what was said; empty where none can be scored."""
    known = scorable(cases, event)
    if not len(known):
        return ()
    p, day = known.probability_of(event), known.valid_from.astype("datetime64[D]").astype(np.int64)
    bins = meant(p, known.happened(event), day, draws=DRAWS, rng=np.random.default_rng(SEED))
    return tuple(_recalled(found, len(np.unique(day[_said(found, p)]))) for found in bins)


def said_like(told: Sequence[Recalled], probability: float) -> Recalled | None:
    """Return what became of forecasts like `probability`, None where none can be scored or it is not known."""
    return next((found for found in told if found.low <= probability and _below(probability, found.high)), None)


def _recalled(found: Meant, days: int) -> Recalled:
    return Recalled(found.low, found.high, found.n, found.events, days, found.frequency, found.interval)


def _said(found: Meant, probability: np.ndarray) -> np.ndarray:
    last = found.high >= 1
    return np.asarray((probability >= found.low) & ((probability < found.high) | last))


def _below(probability: float, high: float) -> bool:
    return probability < high or high >= 1
