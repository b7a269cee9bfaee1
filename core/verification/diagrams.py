"""What verification draws: reliability with its band, and what a warning at every probability would have got.

Every diagram is a value of arrays with at most some 200 points, NaN where there is nothing to draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.verification.calibration import recalibrated
from core.verification.days import INTERVAL, Days
from core.verification.probabilistic import Ranked, average_precision, roc_area

Floats = NDArray[np.float64]
#: Bounds of the bins of a reliability diagram on a scale for rare events.
RARE_EDGES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.60, 1.0)
#: Bounds of the bins of "what the numbers meant".
SAID_EDGES = (0.0, 0.01, 0.02, 0.05, 0.10, 0.20, 0.40, 1.0)
#: Points of a curve: a screen shows no more.
POINTS = 200
#: Standard normal quantile of a two-sided 90 % interval.
Z_90 = 1.6449


@dataclass(frozen=True)
class Reliability:
    """What was said and how often it happened, by bin of probability; the numbers of cases are its sharpness.

    Attributes
    ----------
    begin, end
        Bounds of the bins, shape (bins,): from `begin` to below `end`, the last one to 1 inclusive.
    n, events
        Cases and events, shape (bins,).
    forecast, frequency
        Mean probability and observed frequency, shape (bins,), NaN in a bin without cases.
    low, high
        90 % interval of the frequency, shape (bins,), NaN in a bin without cases.
    curve_forecast, curve_frequency
        The same without bins: isotonic regression (CORP; Dimitriadis et al. 2021, doi:10.1073/pnas.2016191118), by
        rising forecast, shape (points,).
    """

    begin: Floats
    end: Floats
    n: NDArray[np.int64]
    events: NDArray[np.int64]
    forecast: Floats
    frequency: Floats
    low: Floats
    high: Floats
    curve_forecast: Floats
    curve_frequency: Floats


@dataclass(frozen=True)
class Meant:
    """How often it happened when a probability from `low` to below `high` was said; None where it never was."""

    low: float
    high: float
    n: int
    events: int
    frequency: float | None
    interval: tuple[float, float] | None

    @property
    def text(self) -> str:
        """In words: "Said 10 to 20 %: it happened in 12 of 85 (14.1 %, 90 % interval 8.2 to 21.5 %)."."""
        said = f"Said {100 * self.low:g} to {100 * self.high:g} %"
        if self.frequency is None or self.interval is None:
            return f"{said}: never."
        low, high = (f"{100 * x:.3g}" for x in self.interval)
        seen = f"{100 * self.frequency:.3g} %, 90 % interval {low} to {high} %"
        return f"{said}: it happened in {self.events:,} of {self.n:,} ({seen})."


def meant(
    probability: Floats, happened: Floats, day: NDArray[np.int64], *, draws: int, rng: np.random.Generator
) -> tuple[Meant, ...]:
    """Return what the numbers meant: the bins `SAID_EDGES` of a reliability diagram as a table."""
    found = reliability(probability, happened, day, draws=draws, rng=rng, edges=SAID_EDGES)
    rows = zip(*(x.tolist() for x in (found.n, found.events, found.frequency, found.low, found.high)), strict=True)
    return tuple(
        Meant(low, high, n, events, seen if n else None, (least, most) if n else None)
        for (low, high), (n, events, seen, least, most) in zip(pairwise(SAID_EDGES), rows, strict=True)
    )


def reliability(
    probability: Floats,
    happened: Floats,
    day: NDArray[np.int64],
    *,
    draws: int,
    rng: np.random.Generator,
    edges: tuple[float, ...] = RARE_EDGES,
) -> Reliability:
    """Return the reliability diagram of cases: probability, outcome (0 or 1), number of the day, each (cases,).

    The interval of a frequency is that of a bootstrap of whole days, but never narrower than that of as many
    independent cases (Wilson 1927, doi:10.1080/01621459.1927.10502953): in a bin without events every draw has none,
    and that is no knowledge.
    """
    days, bins = Days.of(day, draws, rng), len(edges) - 1
    place = np.digitize(probability, edges[1:-1]).astype(np.int64)
    n, events = days.counts(place, bins), days.counts(place, bins, happened)
    said = np.bincount(place, weights=probability, minlength=bins).astype(float)
    low, high = _band(n, events)
    curve = _corp_curve(Ranked.of(probability, happened))
    return Reliability(
        begin=np.array(edges[:-1]),
        end=np.array(edges[1:]),
        n=n[0].astype(np.int64),
        events=events[0].astype(np.int64),
        forecast=_quotient(said, n[0]),
        frequency=_quotient(events[0], n[0]),
        low=low,
        high=high,
        curve_forecast=curve[0],
        curve_frequency=curve[1],
    )


def _quotient(above: Floats, below: Floats) -> Floats:
    """Return above / below, NaN where nothing is below."""
    return np.asarray(np.divide(above, below, out=np.full(np.shape(below), np.nan), where=np.asarray(below) > 0))


def wilson(events: Floats, n: Floats, z: float = Z_90) -> tuple[Floats, Floats]:
    """Return the interval of the frequency of independent cases (Wilson 1927), NaN where n is 0.

    Parameters
    ----------
    events, n
        Events and cases, shape (bins,).
    z
        Standard normal quantile of the interval; that of 90 % by default.
    """
    f = _quotient(events, n)
    m = np.where(n > 0, n, np.nan)
    centre, below = f + z**2 / (2 * m), 1 + z**2 / m
    half = z * np.sqrt(f * (1 - f) / m + z**2 / (4 * m**2))
    return np.clip((centre - half) / below, 0, 1), np.clip((centre + half) / below, 0, 1)


def _band(n: Floats, events: Floats) -> tuple[Floats, Floats]:
    """Return the interval of events / n by bin; row 0 are the cases, the others the draws."""
    least, most = wilson(events[0], n[0])
    for i in range(n.shape[1]):
        drawn = n[1:, i] > 0
        if drawn.any():
            low, high = np.percentile(events[1:, i][drawn] / n[1:, i][drawn], INTERVAL)
            least[i], most[i] = min(least[i], low), max(most[i], high)
    return least, most


def _corp_curve(ranked: Ranked) -> tuple[Floats, Floats]:
    """Return both ends of every step of the recalibration, by rising forecast."""
    if not len(ranked.order):
        return np.empty(0), np.empty(0)
    fitted, _ = recalibrated(*ranked.running())
    ends = np.append(np.flatnonzero(np.diff(fitted) != 0), len(fitted) - 1)
    begins = np.concatenate([[0], ranked.last[ends[:-1]] + 1])
    x = np.column_stack([ranked.probability[begins], ranked.lowest[ends]]).ravel()[::-1]
    y = np.repeat(fitted[ends], 2)[::-1]
    few = np.unique(np.linspace(0, len(x) - 1, min(POINTS, len(x))).round().astype(int))
    return x[few], y[few]


@dataclass(frozen=True)
class WarningCurve:
    """What warnings from every alarm probability on would have got, by falling probability, each (points,).

    ROC: `pod` against `pofd`. Precision-recall: `success_ratio` (precision) against `pod` (recall). Performance diagram
    (Roebber 2009, doi:10.1175/2008WAF2222159.1): `pod` against `success_ratio`, with `csi` and `frequency_bias`.
    """

    alarm: Floats
    pod: Floats
    pofd: Floats
    success_ratio: Floats
    csi: Floats
    frequency_bias: Floats
    auc: float | None
    average_precision: float | None
    #: Position of the alarm probability with the best CSI, None without events.
    best: int | None


def warning_curve(probability: Floats, happened: Floats, points: int = POINTS) -> WarningCurve:
    """Return what warnings would have got: probability and outcome (0 or 1), each (cases,).

    Of all alarm probabilities those are kept that lie evenly along the ROC curve, and the one with the best CSI.
    Without events POD, bias and CSI are NaN.
    """
    ranked = Ranked.of(probability, happened)
    hits, false_alarms = ranked.running()
    if not len(hits):
        nothing = np.empty(0)
        return WarningCurve(nothing, nothing, nothing, nothing, nothing, nothing, None, None, None)
    events, others = hits[-1:], false_alarms[-1:]
    way = hits / max(events[0], 1) + false_alarms / max(others[0], 1)
    csi = _quotient(hits, np.where(events > 0, events + false_alarms, 0.0))
    best = int(np.nanargmax(csi)) if events[0] > 0 else None
    even = np.searchsorted(way, np.linspace(way[0], way[-1], points - 1) - 1e-12)
    kept = np.unique(np.append(even, [] if best is None else [best]).astype(int))
    h, f = hits[kept], false_alarms[kept]
    return WarningCurve(
        alarm=ranked.lowest[kept],
        pod=_quotient(h, np.broadcast_to(events, h.shape)),
        pofd=_quotient(f, np.broadcast_to(others, f.shape)),
        success_ratio=_quotient(h, h + f),
        csi=csi[kept],
        frequency_bias=_quotient(h + f, np.broadcast_to(events, h.shape)),
        auc=roc_area(hits, false_alarms),
        average_precision=average_precision(hits, false_alarms),
        best=None if best is None else int(np.searchsorted(kept, best)),
    )
