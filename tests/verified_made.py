"""Made-up issued forecasts with their truth, for tests: three places, a forecast every hour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.domain.forecast import DEFAULT_WINDOW, Window, events_in
from core.domain.verification import Truth, VerifiedCases
from tests.weather_made import PLACES, REGION

FIRST = np.datetime64("2026-07-01T00", "h")


def cases(
    days: int = 40, window: Window = DEFAULT_WINDOW, skill: float = 1.0, mean_mm: float = 3.0, source: str = "gauges"
) -> VerifiedCases:
    """Return forecasts of rain that falls by chance about a state of the day that the forecast partly knows.

    Parameters
    ----------
    skill
        1: the probabilities know the state of the hour; 0: they are noise of the same spread.
    mean_mm
        Typical highest rain of a window; 3 mm has some ten percent of events at 15 mm/h.
    """
    rng = np.random.default_rng(4)
    n = 24 * days
    state = np.repeat(rng.normal(size=(1, days)), 24, axis=1) + 0.7 * rng.normal(size=(len(PLACES), n))
    highest = np.exp(np.log(mean_mm) + 0.7 * state + 0.9 * rng.normal(size=state.shape))
    known = skill * state + (1 - skill) * rng.normal(size=state.shape)
    events = events_in(window)
    limits = np.array([event.threshold_mm for event in events])
    odds = (np.log(mean_mm) + 0.7 * known[..., None] - np.log(limits)) / 0.5
    probability = 1 / (1 + np.exp(-np.clip(odds, -12, 4)))
    hours = np.broadcast_to(FIRST + np.arange(n), state.shape).ravel()
    size = state.size
    return VerifiedCases(
        source=source,
        region_id=REGION.id,
        window=window,
        location_id=np.repeat(np.array([place.id for place in PLACES], object), n),
        valid_from=hours,
        issued_at=hours.astype("datetime64[s]") + np.timedelta64(300, "s"),
        probability=probability.reshape(size, len(events)),
        level=np.where(probability[..., 0].ravel() > 0.15, "orange", "green"),
        model_version=np.where(hours < FIRST + n // 2, "old_1", "new_2"),
        truth=np.full(size, Truth.KNOWN.value),
        hourly_mm=highest.ravel(),
        two_hour_mm=np.full(size, np.nan) if window.length_h < 2 else 1.4 * highest.ravel(),
    )


def untold(made: VerifiedCases, where: np.ndarray, truth: Truth) -> VerifiedCases:
    """Return the cases with another truth than KNOWN at `where`."""
    return replace(
        made,
        truth=np.where(where, truth.value, made.truth),
        hourly_mm=np.where(where, np.nan, made.hourly_mm),
        two_hour_mm=np.where(where, np.nan, made.two_hour_mm),
    )
