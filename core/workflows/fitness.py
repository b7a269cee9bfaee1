"""Fitness: whether an archive is worth learning from, and if not, why, with counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.domain.forecast import DEFAULT_WINDOW, TARGET
from core.domain.quality import FlaggedWeather
from core.domain.weather import Values
from core.workflows.gathering import Gathered

#: What every model looks at, hour by hour; the rest may be absent.
INPUTS = (
    "temperature_c",
    "dew_point_c",
    "relative_humidity_pct",
    "surface_pressure_hpa",
    "wind_speed_ms",
    "wind_direction_deg",
    "wind_gust_ms",
    "precipitation_mm",
)


@dataclass(frozen=True)
class Fitness:
    """What was found: reasons not to learn (empty where there are none), and the counts behind them."""

    reasons: tuple[str, ...]
    counts: Mapping[str, int | float]


#: Nothing was ever observed.
EMPTY = Fitness(("empty: there is no observation in this period.",), {"station_hours": 0})


@dataclass(frozen=True)
class Needs:
    """What an archive needs to be learned from.

    Parameters
    ----------
    events
        Fewest events of the target among the cases.
    quality
        Least share of good values among those that an archive without gaps would hold.
    optional
        Variables that may be missing throughout or constant.
    """

    events: int = 50
    quality: float = 0.5
    optional: frozenset[str] = frozenset()

    def of_weather(self, checked: FlaggedWeather) -> Fitness:
        """Return what the stored hours are worth, before anything is computed from them."""
        usable = checked.usable()
        observed = checked.weather.observed()
        if not observed.any():
            return EMPTY
        counts: dict[str, int | float] = {"station_hours": int(observed.sum())}
        begun = int(np.flatnonzero(observed.any(axis=0))[0])
        reasons, good, expected = [], 0, 0
        for name in INPUTS:
            values = usable.get(name)[:, begun:]
            known = int(np.isfinite(values).sum())
            worst = _worst(values, known)
            if worst and name not in self.optional:
                reasons.append(f"{worst}: {name} ({known:,} values in {values.size:,} station-hours).")
            if known or name not in self.optional:
                good, expected = good + known, expected + values.size
        counts["quality"] = round(good / expected, 4)
        if good < self.quality * expected:
            reasons.append(
                f"quality: {good / expected:.1%} of the values are there and good, {self.quality:.0%} are asked for."
            )
        return Fitness(tuple(reasons), counts)

    def of_cases(self, cases: Gathered, name: str = "cases") -> Fitness:
        """Return what the labelled cases are worth."""
        happened = cases.truth(DEFAULT_WINDOW)[0] >= TARGET.threshold_mm
        n, events = len(happened), int(happened.sum())
        counts: dict[str, int | float] = {name: n, f"{name}_events": events}
        if not n:
            return Fitness((f"empty: there are no {name}.",), counts)
        if events in (0, n):
            return Fitness((f"one class: {events:,} events in {n:,} {name}.",), counts)
        if events < self.events:
            few = f"too few events: {events:,} in {n:,} {name}, {self.events:,} are asked for."
            return Fitness((few,), counts)
        return Fitness((), counts)


def _worst(values: Values, known: int) -> str:
    """Return what is wrong with one variable, in two words, empty where nothing is."""
    if not known:
        return "all missing"
    return "constant" if float(np.nanmax(values)) == float(np.nanmin(values)) else ""
