"""Region packs (TOML): what stands in them, and everything that may be wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.domain.weather import Thresholds
from core.errors import ConfigurationError

#: Keys of a region pack with their types. A pack has either states or points; spacing_deg goes with states.
PACK_KEYS: Mapping[str, type] = {
    "id": str,
    "name": str,
    "prefix": str,
    "time_zone": str,
    "languages": list,
    "states": list,
    "points": list,
    "spacing_deg": float,
    "thresholds": dict,
}
OPTIONAL_KEYS = frozenset({"states", "points", "spacing_deg", "thresholds"})
POINT_KEYS = frozenset({"name", "latitude", "longitude"})
#: Numbers of a point lie between these bounds: no land is lower or higher.
POINT_BOUNDS = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0), "elevation_m": (-500.0, 9_000.0)}
#: Thresholds of a pack: levels go together, and so do ages.
LEVEL_KEYS = ("level_yellow", "level_orange", "level_red")
AGE_KEYS = ("observation_amber_minutes", "observation_no_data_hours")
#: No age limit is longer: older than this is no news.
LONGEST_AGE_H = 240.0


def read_pack(pack: Path) -> dict[str, Any]:
    """Read a region pack and refuse what is missing, unknown or of the wrong kind.

    Raises
    ------
    ConfigurationError
        If it cannot be read, a key is missing or unknown, or a value is not of its kind.
    """
    try:
        facts = tomllib.loads(pack.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"Region pack {pack} cannot be read: {error.strerror}.", hint="Is it there?") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"Region pack {pack} is no valid TOML: {error}.", hint="See the line named.") from None
    known = ", ".join(PACK_KEYS)
    for key in facts.keys() - PACK_KEYS.keys():
        raise ConfigurationError(f"Region pack {pack} has an unknown key {key!r}.", hint=f"Known keys: {known}.")
    for key, kind in PACK_KEYS.items():
        if key not in facts:
            if key in OPTIONAL_KEYS:
                continue
            raise ConfigurationError(f"Region pack {pack} lacks the key {key!r}.", hint=f"It needs {known}.")
        value = float(facts[key]) if kind is float and type(facts[key]) is int else facts[key]
        texts = isinstance(value, list) and value and all(isinstance(item, str) and item for item in value)
        if not isinstance(value, kind) or not value or (kind is list and key != "points" and not texts):
            wanted = {str: "a text", list: "a list of texts", float: "a number above 0", dict: "a table"}[kind]
            raise ConfigurationError(f"{key!r} of region pack {pack} is unusable.", hint=f"It must be {wanted}.")
    if ("states" in facts) == ("points" in facts) or ("points" in facts and "spacing_deg" in facts):
        raise ConfigurationError(
            f"Region pack {pack} must have either 'states' or 'points'.", hint="spacing_deg goes with states alone."
        )
    try:
        ZoneInfo(facts["time_zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            f"Region pack {pack} names the unknown time zone {facts['time_zone']!r}.", hint="Try Asia/Kolkata."
        ) from None
    return facts


def checked_point(number: int, point: Any, pack: Path) -> dict[str, Any]:
    """Return one point with its numbers as floats.

    Raises
    ------
    ConfigurationError
        If it has other keys than a point has, no name, or a number outside `POINT_BOUNDS`.
    """
    if not isinstance(point, dict) or not POINT_KEYS <= point.keys() <= POINT_KEYS | {"elevation_m"}:
        raise ConfigurationError(
            f"Point {number} of region pack {pack} has other keys than a point has.",
            hint="It needs name, latitude and longitude, and may have elevation_m.",
        )
    if not isinstance(point["name"], str) or not point["name"].strip():
        raise ConfigurationError(f"Point {number} of region pack {pack} has no name.", hint="Name it in a text.")
    for key, (low, high) in POINT_BOUNDS.items():
        value = point.get(key, 0.0)
        if type(value) not in (int, float) or not low <= value <= high:
            raise ConfigurationError(
                f"The {key} of point {number} of region pack {pack} is unusable.",
                hint=f"It must be a number from {low:g} to {high:g}.",
            )
    return {key: value if key == "name" else float(value) for key, value in point.items()}


def thresholds_of(table: Mapping[str, Any], pack: Path) -> Thresholds:
    """Return a region's own thresholds; what the table leaves out is that of the settings.

    Parameters
    ----------
    table
        `level_yellow`, `level_orange` and `level_red` (probabilities of the target event), all or none of them, and
        `observation_amber_minutes` with `observation_no_data_hours`, both or none.
    pack
        Whose table it is, for errors.

    Raises
    ------
    ConfigurationError
        If a key is unknown, a number is none or out of bounds, a group is not whole, or its numbers do not rise.
    """
    for key in table:
        if key not in (*LEVEL_KEYS, *AGE_KEYS):
            _no_threshold(pack, f"have an unknown key {key!r}", f"Known keys: {', '.join((*LEVEL_KEYS, *AGE_KEYS))}.")
    for group in (LEVEL_KEYS, AGE_KEYS):
        if missing := [key for key in group if key not in table and table.keys() & set(group)]:
            _no_threshold(pack, f"lack {missing[0]!r}", f"Give all of {', '.join(group)}, or none.")
    most = {"observation_amber_minutes": LONGEST_AGE_H * 60, "observation_no_data_hours": LONGEST_AGE_H}
    for key, value in table.items():
        if type(value) not in (int, float) or not 0 < value < most.get(key, 1.0):
            _no_threshold(pack, f"have an unusable {key}", f"It must be a number between 0 and {most.get(key, 1.0):g}.")
    levels = tuple(float(table[key]) for key in LEVEL_KEYS if key in table)
    if any(low >= high for low, high in pairwise(levels)):
        _no_threshold(pack, "do not rise", "level_yellow < level_orange < level_red must hold.")
    if not (ages := [table[key] for key in AGE_KEYS if key in table]):
        return Thresholds(levels)
    amber, no_data = timedelta(minutes=ages[0]), timedelta(hours=ages[1])
    if amber >= no_data:
        _no_threshold(pack, "do not rise", "observation_amber_minutes must be shorter than observation_no_data_hours.")
    return Thresholds(levels, (amber, no_data))


def _no_threshold(pack: Path, what: str, hint: str) -> NoReturn:
    raise ConfigurationError(f"The thresholds of region pack {pack} {what}.", hint=hint)
