"""Archives that teach nothing: none may be learned from, and nobody may be deployed after it.

Each is a small archive of gauges of which one thing is spoiled. Whoever could be compared is promoted here, so that
what stands between such an archive and a deployment is what `core.workflows.fitness` finds, alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from core import Core
from core.domain.lifecycle import RunStatus
from core.errors import InsufficientData, SchemaMismatch
from core.workflows.fitness import INPUTS, Fitness, Needs
from tests.conftest import NOW
from tests.learnable_made import learnable_folder, lenient, opened, run

Spoiling = Callable[[pd.DataFrame], pd.DataFrame]
#: A value of each variable that could be one.
PLAUSIBLE = dict(zip(INPUTS, (21.0, 14.0, 65.0, 934.0, 2.0, 90.0, 4.0, 0.4), strict=True))
#: What stands for nothing.
NOTHING = {"missing": np.nan, "infinite": np.inf, "a mark for missing": -9999.0}
RAIN = "precipitation_mm"


def _put(**values: float) -> Spoiling:
    return lambda frame: frame.assign(**values)


def _capped(most_mm: float) -> Spoiling:
    return lambda frame: frame.assign(**{RAIN: np.minimum(frame[RAIN], most_mm)})


def _kept(chosen: Callable[[pd.DataFrame], pd.Series]) -> Spoiling:
    return lambda frame: frame[chosen(frame)]


def _days(begin: float, end: float) -> Spoiling:
    """Keep the hours from so many days ago to so many days ago."""
    first, last = NOW - timedelta(days=begin), NOW - timedelta(days=end)
    return _kept(lambda frame: (frame["valid_at"] > first) & (frame["valid_at"] <= last))


#: Forty by name: what is empty, what never or always happened, what is not known, what never changes, too little.
SPOILED: Mapping[str, Spoiling] = {
    "no row": _kept(lambda frame: frame["station_id"] == "nobody"),
    "nothing of the period": _days(76, 71),
    "all values missing": _put(**dict.fromkeys(INPUTS, np.nan)),
    **{f"rain up to {mm:g} mm": _capped(mm) for mm in (0.2, 1, 5, 9, 14, 14.9)},
    "heavy rain in every hour": lambda frame: frame.assign(**{RAIN: frame[RAIN] + 15.0}),
    **{
        f"{what}: {name}": _put(**{name: value})
        for name in INPUTS
        if name not in ("dew_point_c", "relative_humidity_pct")  # each is found from the other
        for what, value in NOTHING.items()
        if what == "missing" or name in (RAIN, "temperature_c")
    },
    **{f"{what}: humidity": _put(dew_point_c=value, relative_humidity_pct=value) for what, value in NOTHING.items()},
    **{f"always {value:g}: {name}": _put(**{name: value}) for name, value in PLAUSIBLE.items()},
    **{f"every {n}th hour": _kept(lambda frame, n=n: frame["valid_at"].dt.hour % n == 0) for n in (4, 5, 6, 8)},
    **{f"the last {days} days": _days(days, 0) for days in (1, 2, 3)},
    "one station": _kept(lambda frame: frame["station_id"] == "S0"),
    "one storm": lambda frame: frame.assign(
        **{RAIN: np.where(frame["valid_at"].dt.floor("h") == NOW.replace(minute=0) - timedelta(days=20), 30.0, 0.1)}
    ),
}
#: Of these, what a training ends well with that does not look.
UNNOTICED = ("always 90: wind_direction_deg", "one station")


@dataclass(frozen=True)
class Tried:
    """What came of archives: what is wrong, how many were refused at the door, and how many ended in a deployment."""

    wrong: tuple[str, ...]
    refused: int
    deployed: int


class Careless(Needs):
    """Takes everything."""

    def of_weather(self, *_: object) -> Fitness:
        """Find nothing wrong."""
        return Fitness((), {})

    def of_cases(self, *_: object) -> Fitness:
        """Find nothing wrong."""
        return Fitness((), {})


def trained(folder: Path, names: Iterable[str], careless: bool = False) -> Tried:
    """Train on each of these archives in a home of its own, below an empty folder."""
    good = learnable_folder(folder / "good", NOW)
    wrong, refused, deployed = [], 0, 0
    for i, name in enumerate(names):
        archive = folder / f"archive {i}"
        archive.mkdir()
        spoiled = SPOILED[name](pd.read_parquet(good / "hours.parquet"))
        spoiled.to_parquet(archive / "hours.parquet", index=False)
        (archive / "stations.csv").write_bytes((good / "stations.csv").read_bytes())
        house = opened(folder / f"home {i}", archive)
        try:
            house.ingest(archive, None)
        except (SchemaMismatch, InsufficientData):
            refused += 1
            continue
        found = _trained(house, careless)
        deployed += found.startswith(RunStatus.DEPLOYED)
        if found:
            wrong.append(f"{name}: {found}")
    return Tried(tuple(wrong), refused, deployed)


def _trained(house: Core, careless: bool) -> str:
    """Return what is wrong with what a training came to, empty where nothing is."""
    before = house.store.champion("gauges", house.default_region)
    retraining = house.lifecycle.retraining
    needs = {"collecting": replace(retraining.collecting, needs=Careless())} if careless else {}
    ended = run(house, **lenient(house), **needs)
    if ended.status is not RunStatus.SKIPPED:
        return f"{ended.status} {ended.version}"
    if not ended.reasons:
        return "skipped without a reason"
    if house.store.champion("gauges", house.default_region) != before:
        return "skipped, and somebody else serves"
    return "stored a version" if any(not version.shipped for version in house.versions()) else ""
