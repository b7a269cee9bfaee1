"""Explanations: what raised and what lowered a probability, in a forecaster's words."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Driver:
    """What a group of kindred features adds to the calibrated log-odds of the target event at one place.

    Parameters
    ----------
    group
        What it is about, such as "rain around".
    text
        The values behind it, such as "Rain around: rain at 67 % of the neighbours within 150 km".
    effect
        Log-odds, above 0 where it raises the probability.
    """

    group: str
    text: str
    effect: float

    @property
    def raises(self) -> bool:
        """True where it raises the probability."""
        return self.effect > 0

    @property
    def factor(self) -> float:
        """What it multiplies the odds p / (1 - p) by."""
        return math.exp(self.effect)
