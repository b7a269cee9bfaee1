"""Sufficient statistics of an experiment: sums by day that are added up, and from which everything else is computed.

A vector per variant and day; those of the control hold its own sums only. What is once added is frozen: an outcome is
known once, and a result that comes after its outcome is not taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Bins of the reliability diagram: fine where the probabilities of rare events lie.
EDGES = np.array([0.0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8])
#: What is summed of one variant: cases it has forecast, those with an event, losses, warnings, failures, milliseconds.
OWN = ("cases", "events", "brier", "log", "hits", "misses", "false_alarms", "failed", "timed", "ms", "ms_squared")
#: What is summed over the cases that it and the control have forecast, of it and of the control.
PAIRED = ("pairs", "pair_events", "gain", "log_gain", "control_brier", "control_log", "only_own", "only_control")
WARNED = tuple(f"{who}_{what}" for who in ("pair", "control") for what in ("hits", "misses", "false_alarms"))
BINNED = tuple(f"{what}_{i}" for what in ("n", "p", "y") for i in range(len(EDGES)))
NAMES = (*OWN, *PAIRED, *WARNED, *BINNED)
WIDTH = len(NAMES)
#: A probability of exactly 0 or 1 that fails costs this much and not infinitely: one in a hundred thousand.
LEAST = 1e-5


class Sums:
    """Sums of one variant over days, shape (days, `WIDTH`), by name."""

    def __init__(self, days: Floats) -> None:
        self.days = days

    def __getitem__(self, name: str) -> Floats:
        """Return one of `NAMES`, shape (days,)."""
        return np.asarray(self.days[:, NAMES.index(name)])

    def total(self, name: str) -> float:
        """Return one of `NAMES` over all days."""
        return float(self[name].sum())

    def bins(self) -> tuple[Floats, Floats, Floats]:
        """Return cases, sum of probabilities and events by bin, each (bins,)."""
        at, width = NAMES.index(BINNED[0]), len(EDGES)
        n, p, y = self.days.sum(axis=0)[at : at + 3 * width].reshape(3, width)
        return n, p, y


def sums(own: Floats, control: Floats, happened: Floats, ms: Floats, alarm: float) -> Floats:
    """Return the vector of one variant and one day, shape (`WIDTH`,).

    Parameters
    ----------
    own, control
        Probabilities of the variant and of the control, NaN where there is none, shape (cases,).
    happened
        1 where the event happened, else 0, shape (cases,).
    ms
        How long the variant took, NaN where that is not known, shape (cases,).
    alarm
        Probability from which on a warning is given.
    """
    said, both = np.isfinite(own), np.isfinite(own) & np.isfinite(control)
    brier, log = _losses(own, happened)
    rival, rival_log = _losses(control, happened)
    event = happened == 1
    right, rival_right = (own >= alarm) == event, (control >= alarm) == event
    timed = np.isfinite(ms)
    values = {
        "cases": said.sum(),
        "events": (said & event).sum(),
        "brier": brier[said].sum(),
        "log": log[said].sum(),
        **_warnings("", own >= alarm, event, said),
        "failed": (~said).sum(),
        "timed": timed.sum(),
        "ms": ms[timed].sum(),
        "ms_squared": (ms[timed] ** 2).sum(),
        "pairs": both.sum(),
        "pair_events": (both & event).sum(),
        "gain": (rival - brier)[both].sum(),
        "log_gain": (rival_log - log)[both].sum(),
        "control_brier": rival[both].sum(),
        "control_log": rival_log[both].sum(),
        "only_own": (both & right & ~rival_right).sum(),
        "only_control": (both & ~right & rival_right).sum(),
        **_warnings("pair_", own >= alarm, event, both),
        **_warnings("control_", control >= alarm, event, both),
    }
    bins = np.searchsorted(EDGES, own[said], side="right") - 1
    counted = [
        np.bincount(bins, weights=w, minlength=len(EDGES)) for w in (np.ones(len(bins)), own[said], happened[said])
    ]
    return np.concatenate([[float(values[name]) for name in NAMES[: -len(BINNED)]], *counted])


def _losses(p: Floats, happened: Floats) -> tuple[Floats, Floats]:
    """Return squared error and logarithmic loss (nats), NaN where there is no probability, each (cases,)."""
    safe = np.clip(p, LEAST, 1 - LEAST)
    return (p - happened) ** 2, -np.log(np.where(happened == 1, safe, 1 - safe))


def _warnings(
    prefix: str, warned: NDArray[np.bool_], event: NDArray[np.bool_], among: NDArray[np.bool_]
) -> dict[str, int]:
    return {
        f"{prefix}hits": int((among & warned & event).sum()),
        f"{prefix}misses": int((among & ~warned & event).sum()),
        f"{prefix}false_alarms": int((among & warned & ~event).sum()),
    }
