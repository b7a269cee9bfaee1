"""The forecast that knows only the rain that fell: what was, will be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.verification.calibration import rising_frequency

Floats = NDArray[np.float64]
#: Lower bounds of the classes of the highest hourly rain before the issue, mm; below the first it was dry.
CLASSES_MM = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0)


def highest_before(rain_mm: Floats, window_h: int) -> Floats:
    """Return the highest hourly rain of the `window_h` hours up to each hour, the hour itself included.

    Parameters
    ----------
    rain_mm
        Rain of the preceding hour, mm, shape (places, hours). Missing hours are passed over; NaN where all are missing.
    """
    out = np.array(rain_mm, float)
    for back in range(1, min(window_h, out.shape[1])):
        out[:, back:] = np.fmax(out[:, back:], rain_mm[:, :-back])
    return out


@dataclass(frozen=True)
class Persistence:
    """Frequency of the event by class of past rain, never falling with it, shape (classes,); and without any class."""

    frequency: Floats
    overall: float

    @classmethod
    def fit(cls, past_mm: Floats, happened: Floats) -> Persistence:
        """Count training cases: highest past rain (mm, NaN unknown) and outcome (0 or 1), each (cases,).

        A class without cases has the frequency of the class below it; frequencies that would fall are pooled.
        """
        known, classes = np.isfinite(past_mm), len(CLASSES_MM) + 1
        place = np.digitize(past_mm[known], CLASSES_MM)
        n = np.bincount(place, minlength=classes).astype(float)
        events = np.bincount(place, weights=happened[known], minlength=classes).astype(float)
        overall = float(happened.mean()) if len(happened) else np.nan
        held = np.flatnonzero(n > 0)
        if not len(held):
            return cls(np.full(classes, overall), overall)
        rising = rising_frequency(events[held], n[held])
        below = np.searchsorted(held, np.arange(classes), side="right") - 1
        return cls(rising[np.maximum(below, 0)], overall)

    def probability(self, past_mm: Floats) -> Floats:
        """Return the frequency of each case's class, shape as `past_mm`; where that is unknown the overall one."""
        place = np.digitize(past_mm, CLASSES_MM)
        return np.where(np.isfinite(past_mm), self.frequency[place], self.overall)
