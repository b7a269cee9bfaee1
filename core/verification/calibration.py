"""Does it happen as often as said: recalibrated probabilities, the parts of the Brier score, and the slope."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.verification.days import Days

Floats = NDArray[np.float64]
#: Probabilities are kept this far from 0 and 1 before their log-odds are taken: "never" is infinitely sure.
SURE = 1e-6
#: Bins of the log-odds; at 200 the slope differs from that of single cases in the fourth digit.
BINS = 200
STEPS, CLOSE = 50, 1e-9
#: A slope beyond this is that of cases which the forecast separates completely: the likelihood has no maximum.
STEEPEST = 100.0


def rising_frequency(events: Floats, n: Floats) -> Floats:
    """Return the frequencies closest to events / n that never fall, by pooling adjacent violators.

    Parameters
    ----------
    events, n
        Events and cases by rising forecast, shape (groups,); every group has cases.

    References
    ----------
    Ayer et al. 1955, doi:10.1214/aoms/1177728423.
    """
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(events / n, weights=n).x)


def recalibrated(hits: Floats, false_alarms: Floats) -> tuple[Floats, Floats]:
    """Return the recalibrated probability of every group, by falling forecast, and the number of its cases.

    Parameters
    ----------
    hits, false_alarms
        Running sums of `probabilistic.Ranked`, shape (groups,).

    Returns
    -------
    probability, n
        Shape (groups,); a group without cases has NaN and 0.
    """
    events = np.diff(hits, prepend=0.0)
    n = np.diff(hits + false_alarms, prepend=0.0)
    held = n > 0
    fitted = np.full(len(n), np.nan)
    if held.any():
        fitted[held] = rising_frequency(events[held][::-1], n[held][::-1])[::-1]
    return fitted, n


def decomposition(brier: float, hits: Floats, false_alarms: Floats) -> tuple[float, float, float]:
    """Return reliability, resolution and uncertainty, with Brier score = reliability - resolution + uncertainty.

    The parts are those of CORP: the score of the forecast, of the recalibrated forecast and of the constant base rate.
    They add up exactly, need no bins, and are Murphy's (1973) parts where the frequencies rise with the forecasts.

    Parameters
    ----------
    brier
        Brier score of the cases.
    hits, false_alarms
        Running sums of `probabilistic.Ranked`, shape (groups,), with at least one case.

    References
    ----------
    Dimitriadis, Gneiting and Jordan 2021, doi:10.1073/pnas.2016191118; Murphy 1973,
    doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2.
    """
    fitted, n = recalibrated(hits, false_alarms)
    total = float(n.sum())
    base = float(hits[-1]) / total
    # Within a pooled group the mean outcome is the fitted x: the sum of (x - y)^2 is that of y less that of x^2.
    best = base - float(np.nansum(n * fitted**2)) / total
    uncertainty = base * (1 - base)
    return brier - best, uncertainty - best, uncertainty


def slopes(probability: Floats, happened: Floats, days: Days) -> list[float | None]:
    """Return the calibration slope of all cases and of every draw, 1 + draws numbers."""
    p = np.clip(probability, SURE, 1 - SURE)
    x = np.log(p / (1 - p))
    low, span = (x.min(), np.ptp(x)) if len(x) else (0.0, 0.0)
    if span == 0:
        return [None] * len(days.times)
    place = np.minimum((x - low) / span * BINS, BINS - 1).astype(np.int64)
    n, events = days.counts(place, BINS), days.counts(place, BINS, happened)
    centre = np.bincount(place, weights=x, minlength=BINS) / np.maximum(n[0], 1)
    return [slope(centre, n[i], events[i]) for i in range(len(n))]


def slope(log_odds: Floats, n: Floats, events: Floats) -> float | None:
    """Return b of logit P(event) = a + b logit(p) by maximum likelihood: 1 is calibrated, below 1 overconfident.

    None where it is not defined: one class only, one forecast only, or events separated from the rest completely.

    Parameters
    ----------
    log_odds, n, events
        Log-odds of the forecast, cases and events by bin, shape (bins,).

    References
    ----------
    Cox 1958, doi:10.1093/biomet/45.3-4.562; Miller, Hui and Tierney 1991, doi:10.1002/sim.4780100805.
    """
    total, seen = n.sum(), events.sum()
    if not 0 < seen < total or np.ptp(log_odds[n > 0]) == 0:
        return None
    centred = log_odds - (n * log_odds).sum() / total
    at = np.array([np.log(seen / (total - seen)), 0.0])
    likelihood = _likelihood(at, centred, n, events)
    for _ in range(STEPS):
        step = _newton_step(at, centred, n, events)
        new = _likelihood(at + step, centred, n, events)
        while new < likelihood and np.abs(step).max() > CLOSE:  # a full step may leap over the summit
            step = step / 2
            new = _likelihood(at + step, centred, n, events)
        at, likelihood = at + step, new
        if np.abs(step).max() <= CLOSE:
            return float(at[1])
        if abs(at[1]) > STEEPEST:
            return None
    return None


def _likelihood(at: Floats, x: Floats, n: Floats, events: Floats) -> float:
    odds = at[0] + at[1] * x
    return float((events * odds - n * np.logaddexp(0.0, odds)).sum())


def _newton_step(at: Floats, x: Floats, n: Floats, events: Floats) -> Floats:
    p = 0.5 * (1 + np.tanh(0.5 * (at[0] + at[1] * x)))
    rest, w = events - n * p, n * p * (1 - p) + 1e-300
    a, b, c = w.sum(), (w * x).sum(), (w * x * x).sum()
    g, h = rest.sum(), (rest * x).sum()
    determinant = max(a * c - b * b, 1e-300)
    return np.array([(c * g - b * h) / determinant, (a * h - b * g) / determinant])
