"""What a forecast is worth to somebody who can protect at a cost C what would otherwise be lost, L."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.verification.days import INTERVAL, Days
from core.verification.probabilistic import Ranked

Floats = NDArray[np.float64]
#: Cost-loss ratios of the curve, close together where rare events have their value.
COST_LOSS = np.concatenate([np.arange(1, 10) / 1000, np.arange(2, 40) / 200, np.arange(8, 39) / 40])


@dataclass(frozen=True)
class EconomicValue:
    """Value by cost-loss ratio: 1 is a perfect forecast, 0 is worth no more than knowing the base rate.

    Attributes
    ----------
    cost_loss
        Cost-loss ratios C/L, shape (ratios,).
    value, low, high
        Value when one protects from probability C/L on, as one should if it is calibrated, with its 90 % interval over
        days, shape (ratios,). NaN where there is no event, and in the interval where there are no draws.
    envelope, best_alarm
        Highest value of all alarm probabilities, never protecting included, and that alarm probability (NaN: never),
        shape (ratios,).
    """

    cost_loss: Floats
    value: Floats
    low: Floats
    high: Floats
    envelope: Floats
    best_alarm: Floats


def economic_value(
    probability: Floats,
    happened: Floats,
    day: NDArray[np.int64],
    *,
    draws: int,
    rng: np.random.Generator,
    cost_loss: Floats = COST_LOSS,
) -> EconomicValue:
    """Return the value of cases: probability, outcome (0 or 1) and number of the day, each (cases,).

    With base rate o, ratio a = C/L and expense E = a x (share of warnings) + (share of misses), in units of L::

        V = (E_climate - E_forecast) / (E_climate - E_perfect),  E_climate = min(a, o),  E_perfect = a o

    References
    ----------
    Richardson 2000, doi:10.1002/qj.49712656313.
    """
    ratios = len(cost_loss)
    days = Days.of(day, draws, rng)
    place = np.searchsorted(cost_loss, probability, side="right").astype(np.int64)  # ratios not above the probability
    n, events = days.counts(place, ratios + 1), days.counts(place, ratios + 1, happened)
    warned, hits = (np.cumsum(x[:, ::-1], axis=1)[:, ::-1][:, 1:] for x in (n, events))
    value = _value(cost_loss, warned, hits, events.sum(axis=1, keepdims=True), n.sum(axis=1, keepdims=True))
    low, high = np.full(ratios, np.nan), np.full(ratios, np.nan)
    drawn = value[1:][np.isfinite(value[1:]).all(axis=1)]
    if len(drawn):
        low, high = np.percentile(drawn, INTERVAL, axis=0)
    envelope, best_alarm = _envelope(cost_loss, Ranked.of(probability, happened))
    return EconomicValue(cost_loss, value[0], low, high, envelope, best_alarm)


def _value(a: Floats, warned: Floats, hits: Floats, events: Floats, n: Floats) -> Floats:
    """Return the value of numbers of warnings, hits, events and cases; NaN where it is not defined."""
    expense = a * warned + events - hits
    climate = np.minimum(a * n, events)
    gain = np.asarray(climate - a * events)
    return np.asarray(np.divide(climate - expense, gain, out=np.full(expense.shape, np.nan), where=gain > 0))


def _envelope(a: Floats, ranked: Ranked) -> tuple[Floats, Floats]:
    """Return the highest value of all alarm probabilities, and which one it is."""
    hits, false_alarms = (np.concatenate([[0.0], x]) for x in ranked.running())  # the first: never
    alarm = np.concatenate([[np.nan], ranked.lowest])
    best = np.array([int(np.argmin(x * (hits + false_alarms) - hits)) for x in a])
    warned, n = (hits + false_alarms)[best], np.array(hits[-1] + false_alarms[-1])
    return _value(a, warned, hits[best], np.array(hits[-1]), n), alarm[best]
