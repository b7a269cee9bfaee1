"""Judging: versions forecast the same labelled cases, which none of them has learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import DEFAULT_WINDOW, EVENTS, TARGET
from core.domain.learning import ModelManifest
from core.domain.lifecycle import Comparison, Verdict
from core.domain.units import from_datetime64, to_hour64
from core.domain.weather import Region
from core.errors import LeakSuspected
from core.features import table
from core.learning.promotion import Gate
from core.learning.training import purge_h
from core.risk import Tiers
from core.verification import climatology
from core.verification.comparison import compare
from core.workflows.gathering import Gathered
from core.workflows.serving import Served

#: Bootstrap draws of days behind a verdict.
DRAWS = 500
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HeldOut:
    """Cases of one source to judge on, and what the calendar of the cases learned from says of each, shape (cases,)."""

    cases: Gathered
    usual: Floats
    source: str

    @classmethod
    def of(cls, held: Gathered, learned: Gathered, source: str) -> HeldOut:
        """Return held-out cases with the climatology of those that are learned from."""
        usual = climatology.frequencies(learned.hour, happened_in(learned))
        return cls(held, usual[climatology.cells(held.hour)], source)

    def after(self, hour: int) -> HeldOut:
        """Return the cases after an hour (since 1970)."""
        later = self.cases.hour > hour
        return HeldOut(self.cases.at(later), self.usual[later], self.source)

    def __len__(self) -> int:
        return len(self.cases.hour)


def unseen(held: HeldOut, manifest: ModelManifest) -> HeldOut:
    """Return the cases that a version has not learned from, nor from anything that its features or truths reach."""
    if not len(held) or manifest.source != held.source:
        return held
    end = int(to_hour64(manifest.trained_on.end).astype(int))
    return held.after(end + purge_h(held.cases.hour, table.LOOKBACK_H, DEFAULT_WINDOW))


@dataclass(frozen=True)
class Judging:
    """Holds versions against each other by the rules of a gate."""

    gate: Gate
    tiers: Tiers

    def judge(
        self, candidate: Served, champion: Served | None, held: HeldOut, region: Region, seed: int
    ) -> tuple[Comparison | None, Verdict]:
        """Return the comparison and the verdict on a candidate; None where its scores are too good to be compared.

        Parameters
        ----------
        champion
            None where there is none that could forecast these cases: climatology stands in its place.
        """
        alarm = self.alarm(region, champion.manifest if champion else candidate.manifest)
        try:
            comparison = compared(candidate, champion, held, gate=self.gate, alarm=alarm, seed=seed)
        except LeakSuspected as error:
            return None, self.gate.judge(None, leak=error.message)
        return comparison, self.gate.judge(comparison)

    def alarm(self, region: Region, manifest: ModelManifest) -> float:
        """Return the probability from which it is yellow there: what a warning begins with."""
        return float(self.tiers.of(region, manifest).thresholds[0])


def compared(one: Served, other: Served | None, held: HeldOut, *, gate: Gate, alarm: float, seed: int) -> Comparison:
    """Return two versions side by side on the same cases."""
    cases = held.cases
    return compare(
        said_of(one, cases),
        None if other is None else said_of(other, cases),
        happened_in(cases),
        held.usual,
        cases.hour // 24,
        event=TARGET,
        measure=gate.measure,
        confidence=gate.confidence,
        alarm=alarm,
        draws=DRAWS,
        rng=np.random.default_rng(seed),
        begin=from_datetime64(np.datetime64(int(cases.hour.min()), "h")),
        end=from_datetime64(np.datetime64(int(cases.hour.max()), "h")),
    )


def said_of(served: Served, cases: Gathered) -> Floats:
    """Return what a version says of the target event in every case, shape (cases,)."""
    return np.asarray(served.probabilities(cases.rows)[:, EVENTS.index(TARGET)])


def happened_in(cases: Gathered) -> Floats:
    """Return whether the target event happened, 1 or 0, shape (cases,)."""
    return (cases.truth(DEFAULT_WINDOW)[0] >= TARGET.threshold_mm).astype(float)
