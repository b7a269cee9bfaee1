"""Sharing: several programs make the same issue, from the weather that one of them has fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from core.domain.forecast import RiskLevel
from core.domain.weather import HourlyWeather, ModelRun, Region
from core.ports import Cache

#: Of shared weather in the cache.
CATEGORY = "weather_data"
#: More than this is not shared, bytes: a reader waits for the second level for a moment only.
MOST_BYTES = 4_000_000
#: How the keys begin.
SHARED = "shared"
#: What of `Shared` is weather.
PARTS = ("weather", "fields", "members")


@dataclass(frozen=True)
class Shared:
    """What an issue was made from: the weather as it came, the levels before it, forecast fields and their members."""

    issued_at: datetime
    weather: HourlyWeather
    before: Mapping[str, RiskLevel]
    fields: HourlyWeather | None = None
    members: HourlyWeather | None = None


@dataclass(frozen=True)
class Sharing:
    """Weather by region in the second level of the cache, where there is one that answers.

    Parameters
    ----------
    among
        What the programs that share have in common: ledger, source and grid. Others may use the same Redis.
    """

    cache: Cache
    among: str = ""

    def give(self, region: Region, shared: Shared, lasts_s: float) -> bool:
        """Let the other programs make the same issue for so many seconds; say whether they can."""
        parts = {name: getattr(shared, name) for name in PARTS}
        size = sum(array.nbytes for part in parts.values() if part is not None for array in part.values.values())
        if not self.cache.shares or size > MOST_BYTES:
            return False
        packed = {
            "issued_at": shared.issued_at,
            "before": {place: level.value for place, level in shared.before.items()},
            **{name: None if part is None else _packed(part) for name, part in parts.items()},
        }
        return self.cache.set(self._key(region), packed, lasts_s, CATEGORY, shared.issued_at.timestamp())

    def taken(self, region: Region) -> Shared | None:
        """Return what the newest issue of whichever program was made from; None where there is none."""
        packed = self.cache.get(self._key(region), category=CATEGORY) if self.cache.shares else None
        if packed is None:
            return None
        if packed["weather"]["places"] != [place.id for place in region.locations]:  # of another grid, or other gauges
            return None
        weather, *others = (None if packed[name] is None else _unpacked(packed[name], region) for name in PARTS)
        before = {place: RiskLevel(level) for place, level in packed["before"].items()}
        return None if weather is None else Shared(packed["issued_at"], weather, before, *others)

    def _key(self, region: Region) -> str:
        return f"{SHARED}:{self.among}:{region.id}"


def _packed(weather: HourlyWeather) -> dict[str, Any]:
    """Return weather as plain values; missing stays NaN."""
    run, places = weather.run, list(dict.fromkeys(place.id for place in weather.locations))
    return {
        "places": places,
        "members": len(weather.locations) // max(len(places), 1),
        "first": str(weather.valid_at[0]) if len(weather.valid_at) else None,
        "hours": len(weather.valid_at),
        "source": weather.source,
        "values": {name: np.ascontiguousarray(array, "<f4").tobytes() for name, array in weather.values.items()},
        "available_at": None if weather.available_at is None else weather.available_at.astype("<i8").tobytes(),
        "doubled": None if weather.doubled is None else weather.doubled.tobytes(),
        "season_day": weather.season_day,
        "run": None if run is None else [run.model, run.begun_at, run.out_at],
    }


def _unpacked(packed: Mapping[str, Any], region: Region) -> HourlyWeather:
    """Return the weather of plain values; members of an ensemble are of the same places again and again."""
    locations = region.locations * packed["members"]
    shape = len(locations), int(packed["hours"])
    first = np.datetime64(packed["first"] or "1970-01-01T00", "h")
    weather = HourlyWeather(
        locations=locations,
        valid_at=first + np.arange(shape[1]),
        values={name: np.frombuffer(data, "<f4").reshape(shape) for name, data in packed["values"].items()},
        source=packed["source"],
        season_day=packed["season_day"],
        run=None if packed["run"] is None else ModelRun(*packed["run"]),
    )
    seconds, doubled = packed["available_at"], packed["doubled"]
    return replace(
        weather,
        available_at=None if seconds is None else np.frombuffer(seconds, "<i8").astype("datetime64[s]").reshape(shape),
        doubled=None if doubled is None else np.frombuffer(doubled, bool).reshape(shape),
    )
