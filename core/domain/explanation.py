"""Explanations: what raised and what lowered a probability, in a forecaster's words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Driver:
    """What a group of kindred features adds to the calibrated log-odds of the target event at one place.

    Parameters
    ----------
    group
        What it is about, such as "rain around".
    facts
        The values behind it, such as "rain at 67 % of the neighbours within 150 km"; each is `Told`.
    effect
        Log-odds, above 0 where it raises the probability.
    """

    group: str
    facts: tuple[str, ...]
    effect: float

    @property
    def text(self) -> str:
        """Group and values in English, such as "Rain around: rain at 67 % of the neighbours within 150 km"."""
        return self.said(str)

    def said(self, say: Callable[[str], str]) -> str:
        """Return group and values in the language of `say`."""
        return f"{say(self.group).capitalize()}: {self.values(say)}"

    def values(self, say: Callable[[str], str]) -> str:
        """Return the values alone in the language of `say`."""
        return ", ".join(say(fact) for fact in self.facts)

    @property
    def raises(self) -> bool:
        """True where it raises the probability."""
        return self.effect > 0

    @property
    def factor(self) -> float:
        """What it multiplies the odds p / (1 - p) by."""
        return math.exp(self.effect)
