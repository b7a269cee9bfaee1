"""Yes/no measures from a contingency table (Wilks 2011, Statistical Methods in the Atmospheric Sciences, ch. 8)."""

from __future__ import annotations

from dataclasses import dataclass


def _ratio(above: float, below: float) -> float | None:
    """Return a quotient, None where it is not defined."""
    return above / below if below > 0 else None


@dataclass(frozen=True)
class Contingency:
    """Hits, false alarms, misses and correct negatives: counts, or sums of weights."""

    hits: float
    false_alarms: float
    misses: float
    correct_negatives: float

    @property
    def pod(self) -> float | None:
        """Probability of detection (recall): hits / observed."""
        return _ratio(self.hits, self.hits + self.misses)

    @property
    def far(self) -> float | None:
        """False alarm ratio (1 - precision): false alarms / forecast."""
        return _ratio(self.false_alarms, self.hits + self.false_alarms)

    @property
    def csi(self) -> float | None:
        """Critical success index: hits / (hits + false alarms + misses)."""
        return _ratio(self.hits, self.hits + self.false_alarms + self.misses)

    @property
    def frequency_bias(self) -> float | None:
        """Forecast events over observed events."""
        return _ratio(self.hits + self.false_alarms, self.hits + self.misses)

    @property
    def hss(self) -> float | None:
        """Heidke skill score: 2 (a d - b c) / ((a + c)(c + d) + (a + b)(b + d))."""
        a, b, c, d = self.hits, self.false_alarms, self.misses, self.correct_negatives
        return _ratio(2 * (a * d - b * c), (a + c) * (c + d) + (a + b) * (b + d))

    @property
    def ets(self) -> float | None:
        """Equitable threat score (Gilbert): hits beyond chance over (hits + false alarms + misses) beyond chance."""
        a, b, c, d = self.hits, self.false_alarms, self.misses, self.correct_negatives
        total = a + b + c + d
        if total <= 0:
            return None
        chance = (a + b) * (a + c) / total
        return (a - chance) / (a + b + c - chance) if a + b + c > chance else None
