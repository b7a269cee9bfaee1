"""Yes/no measures from a contingency table (Wilks 2011, Statistical Methods in the Atmospheric Sciences, ch. 8).

The library `scores` has them too; here they are plain numbers because a bootstrap asks for thousands of tables, and
the tests compare both.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log


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
    def n(self) -> float:
        """All cases."""
        return self.hits + self.false_alarms + self.misses + self.correct_negatives

    @property
    def pod(self) -> float | None:
        """Probability of detection: hits / observed."""
        return _ratio(self.hits, self.hits + self.misses)

    @property
    def pofd(self) -> float | None:
        """Probability of false detection: false alarms / not observed."""
        return _ratio(self.false_alarms, self.false_alarms + self.correct_negatives)

    @property
    def far(self) -> float | None:
        """False alarm ratio: false alarms / forecast."""
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
    def hk(self) -> float | None:
        """Hanssen and Kuipers discriminant (Peirce): POD - POFD."""
        return None if self.pod is None or self.pofd is None else self.pod - self.pofd

    @property
    def hss(self) -> float | None:
        """Heidke skill score: 2 (a d - b c) / ((a + c)(c + d) + (a + b)(b + d))."""
        a, b, c, d = self.hits, self.false_alarms, self.misses, self.correct_negatives
        return _ratio(2 * (a * d - b * c), (a + c) * (c + d) + (a + b) * (b + d))

    @property
    def ets(self) -> float | None:
        """Equitable threat score (Gilbert): hits beyond chance over (hits + false alarms + misses) beyond chance."""
        a, b, c = self.hits, self.false_alarms, self.misses
        if self.n <= 0:
            return None
        chance = (a + b) * (a + c) / self.n
        return (a - chance) / (a + b + c - chance) if a + b + c > chance else None

    @property
    def sedi(self) -> float | None:
        """Symmetric extremal dependence index, which does not fade for rare events.

        With H the POD and F the POFD: (ln F - ln H - ln(1-F) + ln(1-H)) / (ln F + ln H + ln(1-F) + ln(1-H)); not
        defined where one of them is 0 or 1 (Ferro and Stephenson 2011, doi:10.1175/WAF-D-10-05030.1).
        """
        h, f = self.pod, self.pofd
        if h is None or f is None or not (0 < h < 1 and 0 < f < 1):
            return None
        below = log(f) + log(h) + log(1 - f) + log(1 - h)
        return (log(f) - log(h) - log(1 - f) + log(1 - h)) / below

    @property
    def accuracy(self) -> float | None:
        """Share of right forecasts; for a rare event "never" has nearly 1 (Finley's affair, Murphy 1996)."""
        return _ratio(self.hits + self.correct_negatives, self.n)

    @property
    def precision(self) -> float | None:
        """Success ratio: 1 - false alarm ratio."""
        return None if self.far is None else 1 - self.far

    @property
    def recall(self) -> float | None:
        """Another name of the probability of detection."""
        return self.pod

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall: 2 CSI / (1 + CSI)."""
        return None if self.csi is None else 2 * self.csi / (1 + self.csi)
