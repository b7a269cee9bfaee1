"""Axes of a chart: which values they reach, where their ticks stand, and where a value stands on the paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.domain.document import Chart

#: Ticks that are wanted on an axis at most.
MOST_TICKS = 7
#: Most decades of a logarithmic axis, most and least of what is drawn (nothing measured is beyond), and how many axes
#: away a value may stand.
MOST_DECADES, MOST, LEAST, FAR = 12, 1e15, 1e-15, 50.0


@dataclass(frozen=True)
class Axis:
    """One axis from `low` to `high`, drawn from `start` to `end` (points); logarithmic where `decades`."""

    low: float
    high: float
    start: float
    end: float
    decades: bool = False

    def place(self, value: float) -> float:
        """Return where a value stands, NaN where it has no place; what lies beyond the axis is cut off by its frame."""
        if not math.isfinite(value) or (self.decades and value <= 0):
            return math.nan
        measure = math.log10 if self.decades else float
        low, high, at = measure(self.low), measure(self.high), measure(value)
        share = min(max((at - low) / (high - low), -FAR), FAR)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return round values: 1, 2 or 5 times a power of ten apart, or the powers themselves."""
        if self.decades:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            every = max(1, math.ceil((last - first) / MOST_TICKS))
            return [10.0**power for power in range(first, last + 1, every)]
        step = _round_step((self.high - self.low) / MOST_TICKS)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


def horizontal(chart: Chart, start: float, end: float) -> Axis:
    """Return the x axis; bars stand half a place inside of it."""
    known = [x for series in chart.series for x in series.x] + [x for x, _ in chart.x_labels]
    low, high = _span(chart.y_range if chart.diagonal and chart.y_range else known)
    if any(series.kind == "bars" for series in chart.series):
        half = bar_place(chart) / 2
        low, high = low - half, high + half
    return Axis(low, high, start, end)


def vertical(chart: Chart, start: float, end: float) -> Axis:
    """Return the y axis; bars begin at zero, and a logarithmic axis ends at whole decades."""
    values = [v for series in chart.series for row in (series.y, series.low, series.high) for v in row]
    if chart.y_logarithmic:
        above = [v for v in (chart.y_range or values) if math.isfinite(v) and v > 0] or [0.1, 1.0]
        highest = min(max(math.ceil(math.log10(max(above))), -14), 15)
        lowest = max(math.floor(math.log10(min(above))), highest - MOST_DECADES)
        return Axis(10.0 ** min(lowest, highest - 1), 10.0**highest, start, end, decades=True)
    if chart.y_range is not None:
        return Axis(*_span(chart.y_range), start, end)
    low, high = _span([*values, 0.0] if any(series.kind == "bars" for series in chart.series) else values)
    step = _round_step((high - low) / MOST_TICKS)
    return Axis(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, start, end)


def bar_place(chart: Chart) -> float:
    """Return the room of one group of bars on the x axis: the least distance between two."""
    places = sorted({x for s in chart.series if s.kind == "bars" for x in s.x if math.isfinite(x)})
    return min((b - a for a, b in pairwise(places) if b > a), default=1.0)


def decimals(ticks: Sequence[float]) -> int:
    """Return the decimals that tell ticks apart."""
    steps = [abs(b - a) for a, b in pairwise(ticks) if b != a]
    least = min(steps, default=abs(ticks[0]) if ticks else 1.0) or 1.0
    return min(max(0, math.ceil(-math.log10(least) - 1e-9)), 8)


def _span(values: Iterable[float]) -> tuple[float, float]:
    known = [v for v in values if abs(v) < MOST]  # NaN is not
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    if high - low > max(1e-9 * max(abs(low), abs(high)), LEAST):
        return low, high
    apart = abs(low) * 0.1 or 1.0
    return low - apart, high + apart


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
