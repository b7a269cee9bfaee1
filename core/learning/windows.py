"""The model of all windows: one exceedance curve each, none likelier than that of a longer window that holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import DEFAULT_WINDOW, Window
from core.domain.weather import Values
from core.learning import calendar
from core.learning.exceedance import INTERVAL, ExceedanceModel

Floats = NDArray[np.float64]
#: Probability, lower and upper bound, each of shape (rows, events).
Bounds = tuple[Floats, Floats, Floats]


@dataclass(frozen=True)
class ForecastModel:
    """The curves of all windows that a model was trained for.

    `plain` are those of a logistic regression on the same cases, which verification holds against the model; empty
    where the model is one itself.
    """

    curves: Mapping[Window, ExceedanceModel]
    plain: Mapping[Window, ExceedanceModel] = field(default_factory=dict)

    @property
    def windows(self) -> tuple[Window, ...]:
        """Its windows, by begin and end."""
        return tuple(sorted(self.curves))

    @property
    def extrapolated(self) -> tuple[str, ...]:
        """Keys of the events that have too few cases to be trained."""
        return tuple(key for window in self.windows for key in self.curves[window].extrapolated)

    def to_parts(self) -> dict[str, Any]:
        """Return the parts as plain values and scikit-learn objects, as the model store keeps them."""
        return {
            name: [curves[window].to_parts() for window in sorted(curves)]
            for name, curves in (("windows", self.curves), ("plain", self.plain))
        }

    @classmethod
    def from_parts(cls, parts: Mapping[str, Any]) -> ForecastModel:
        """Return the model of stored parts."""
        read = [[ExceedanceModel.from_parts(part) for part in parts[name]] for name in ("windows", "plain")]
        curves, plain = ({curve.window: curve for curve in some} for some in read)
        return cls(curves, plain)

    def probabilities(self, rows: Values, window: Window = DEFAULT_WINDOW) -> Floats:
        """Return P(event) of one window for every row, shape (rows, events of the window)."""
        found = self.curves[window].probabilities(rows)
        for longer in self._around(window):
            found = _below(found, self.curves[longer].probabilities(rows))
        return found

    def with_interval(self, rows: Values) -> dict[Window, Bounds]:
        """Return probability, lower and upper bound of every window."""
        return self.nested({window: self.curves[window].with_interval(rows) for window in self.windows})

    def nested(self, found: Mapping[Window, Bounds]) -> dict[Window, Bounds]:
        """Return bounds by window, none above those of a longer window that holds it."""
        return {window: self._bounded(window, found) for window in found}

    def _bounded(self, window: Window, found: Mapping[Window, Bounds]) -> Bounds:
        centre, low, high = found[window]
        for longer in self._around(window):
            bound = found[longer]
            centre, low, high = _below(centre, bound[0]), _below(low, bound[1]), _below(high, bound[2])
        return centre, low, high

    def base_rates(self, rows: Values, names: Sequence[str]) -> dict[Window, Floats]:
        """Return what the calendar alone says of every row, by window, each of shape (rows, events)."""
        cell = calendar.cells(rows, names)
        return {window: self.curves[window].base_rates[cell] for window in self.windows}

    def _around(self, window: Window) -> list[Window]:
        """Return the longer windows that hold this one."""
        return [w for w in self.windows if w != window and w.begin_h <= window.begin_h and w.end_h >= window.end_h]


def spread_of(bounds: Bounds, rows: int) -> Bounds:
    """Return the bounds of an ensemble from those of its members.

    The probability is the mean over the members, each as likely as the others. Calibration and input err independently
    of one another, so their distances from it add up in squares: that of the bounds, mean over the members, and that of
    the 5th and the 95th percentile of what the members say.

    Parameters
    ----------
    bounds
        Each of shape (members x rows, events), all rows of the first member first.
    rows
        Number of rows.
    """
    centre, low, high = (part.reshape(-1, rows, part.shape[1]) for part in bounds)
    mean = centre.mean(axis=0)
    least, most = np.percentile(centre, INTERVAL, axis=0)
    below = np.hypot((centre - low).mean(axis=0), np.maximum(mean - least, 0))
    above = np.hypot((high - centre).mean(axis=0), np.maximum(most - mean, 0))
    return mean, np.clip(mean - below, 0, 1), np.clip(mean + above, 0, 1)


def _below(some: Floats, bound: Floats) -> Floats:
    """Return probabilities kept below those of a longer window; a shorter one may lack its last events."""
    return np.minimum(some, bound[:, : some.shape[1]])
