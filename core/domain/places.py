"""Finding a place: by coordinates, by name or a part of one, and what lies around it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

import numpy as np

from core.domain.gazetteer import GAZETTEER
from core.domain.geometry import from_point
from core.domain.weather import Location, Region

#: Places that a search names at the most, and neighbours of a place.
MOST, AROUND = 12, 8
#: Share of equal letters from which a name counts as a misspelt one.
ALIKE = 0.8
#: Rank of a name that does not fit.
NOT_AT_ALL = 9
#: Winds of the compass, clockwise from north.
COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")

_NUMBER = r"(?P<{0}deg>[+-]?\d{{1,3}}(?:\.\d+)?)\s*°?(?:\s*(?P<{0}min>\d{{1,2}}(?:\.\d+)?)\s*['’′])?"
_HALF = rf"(?P<{{0}}before>[NSEW])?\s*{_NUMBER}\s*(?P<{{0}}after>[NSEW])?"
_PAIR = re.compile(rf"{_HALF.format('a')}(?:\s*[,;/]\s*|\s+){_HALF.format('b')}", re.IGNORECASE)


@dataclass(frozen=True)
class Match:
    """A place that answers a search: `name` is what was found, such as a town, `place` what speaks for it."""

    region: Region
    place: Location
    name: str


@dataclass(frozen=True)
class Found:
    """What a search found: one match, several to choose from, or none.

    `outside` is the latitude and longitude of a point that no region serves, `name` what it is called; other places of
    a like name may still match.
    """

    asked: str
    matches: tuple[Match, ...] = ()
    outside: tuple[float, float] | None = None
    name: str = ""


@dataclass(frozen=True)
class Neighbour:
    """Another place, how far it lies and in which direction (degrees east of north, NaN at the very place)."""

    place: Location
    distance_km: float
    bearing_deg: float

    @property
    def compass(self) -> str:
        """The nearest of the eight winds, empty at the very place."""
        return compass(self.bearing_deg)


def compass(bearing_deg: float) -> str:
    """Return the nearest of the eight winds, empty where the direction is not known.

    >>> compass(0.0), compass(50.0), compass(350.0), compass(float("nan"))
    ('N', 'NE', 'N', '')
    """
    return COMPASS[round(bearing_deg / 45) % 8] if np.isfinite(bearing_deg) else ""


def coordinates(text: str) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees; None where the text is no point of the globe.

    >>> coordinates("30.73, 79.07"), coordinates("79.07E 30.73N"), coordinates("30°44'N 79°04'E")
    ((30.73, 79.07), (30.73, 79.07), (30.733333, 79.066667))
    >>> coordinates("-22.9; -43.2"), coordinates("S22.9 W43.2")
    ((-22.9, -43.2), (-22.9, -43.2))
    >>> coordinates("Kedarnath"), coordinates("130 79"), coordinates("30.73N 79.07S")
    (None, None, None)
    """
    found = _PAIR.fullmatch(text.strip().replace("\N{MINUS SIGN}", "-"))
    if found is None:
        return None
    halves = [_degrees(found, "a"), _degrees(found, "b")]
    axes = [letter for _, letter in halves]
    if axes in (["E", ""], ["", "N"]):  # one letter says which is which
        axes = ["E", "N"]
    if axes == ["E", "N"]:
        halves.reverse()
    elif axes not in (["", ""], ["N", "E"], ["N", ""], ["", "E"]):
        return None
    (latitude, _), (longitude, _) = halves
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _degrees(found: re.Match[str], half: str) -> tuple[float, str]:
    """Return one number of a pair in degrees, and N or E for its axis, empty where it does not say."""
    letters = {(found[f"{half}{side}"] or "").upper() for side in ("before", "after")} - {""}
    degrees = float(found[f"{half}deg"])
    minutes = float(found[f"{half}min"] or 0) / 60
    value = round(degrees - minutes if found[f"{half}deg"].startswith("-") else degrees + minutes, 6)
    if not letters:
        return value, ""
    if len(letters) > 1 or value < 0:  # two letters, or a sign and a letter: nobody knows what is meant
        return value, "?"
    letter = letters.pop()
    return (-value if letter in "SW" else value), ("N" if letter in "NS" else "E")


def search(asked: str, regions: Sequence[Region]) -> Found:
    """Return what is meant by a point or a name, the best matches first.

    A whole name wins over all that merely begin with it or hold it; misspelt names count where nothing else does.
    """
    point = coordinates(asked)
    if point is not None:
        matches = tuple(Match(r, p, p.name) for r in regions if (p := r.place_at(*point)) is not None)
        return Found(asked, matches, None if matches else point)
    wanted = _folded(asked)
    if not wanted:
        return Found(asked)
    ranked = _ranked(wanted, regions, _rank) or _ranked(wanted, regions, _misspelt)
    best = min((rank for rank, _ in ranked), default=NOT_AT_ALL)
    ranked = [(rank, match) for rank, match in ranked if best > 0 or rank == 0]
    ranked.sort(key=lambda entry: (entry[0], entry[1].name))
    matches = _once([match for _, match in ranked])[:MOST]
    for name, latitude, longitude in GAZETTEER if best > 0 else ():
        if _folded(name) == wanted:
            return Found(asked, matches, (latitude, longitude), name)
    return Found(asked, matches)


def around(region: Region, location_id: str, most: int = AROUND) -> tuple[Neighbour, ...]:
    """Return the places around one: of a grid the cells that touch its own, of stations the nearest; nearest first."""
    here = next(p for p in region.locations if p.id == location_id)
    distance_km, bearing_deg = from_point(here.latitude, here.longitude, region.locations)
    reach = np.inf if region.spacing_deg is None else 1.5 * region.spacing_deg
    touching = [
        place.id != location_id
        and abs(place.latitude - here.latitude) < reach
        and abs((place.longitude - here.longitude + 180) % 360 - 180) < reach
        for place in region.locations
    ]
    order = [int(i) for i in np.argsort(distance_km, kind="stable") if touching[int(i)]][:most]
    return tuple(Neighbour(region.locations[i], float(distance_km[i]), float(bearing_deg[i])) for i in order)


def _ranked(wanted: str, regions: Sequence[Region], rank: Callable[[str, str], int]) -> list[tuple[int, Match]]:
    """Return every place and every town within a region whose name fits, with how well."""
    found = []
    for region in regions:
        for place in region.locations:
            fits = rank(wanted, _folded(place.name))
            if fits < NOT_AT_ALL:
                found.append((fits, Match(region, place, place.name)))
        for name, latitude, longitude in GAZETTEER:
            fits = rank(wanted, _folded(name))
            speaks = region.place_at(latitude, longitude) if fits < NOT_AT_ALL else None
            if speaks is not None:
                found.append((fits, Match(region, speaks, name)))
    return found


def _once(matches: Sequence[Match]) -> tuple[Match, ...]:
    """Return the matches without those of a place that another one names."""
    first: dict[tuple[str, str], Match] = {}
    for match in matches:
        first.setdefault((match.region.id, match.place.id), match)
    return tuple(first.values())


def _rank(wanted: str, name: str) -> int:
    """Return how well a name fits: 0 whole, 1 its beginning, 2 a part, else `NOT_AT_ALL`."""
    if name == wanted:
        return 0
    if name.startswith(wanted):
        return 1
    return 2 if wanted in name else NOT_AT_ALL


def _misspelt(wanted: str, name: str) -> int:
    """Return 3 where a name, without the coordinates of its cell, is nearly what was wanted."""
    bare = re.sub(r"( \d+[nsew]?)+$", "", name)
    return 3 if SequenceMatcher(None, wanted, bare).ratio() >= ALIKE else NOT_AT_ALL


@lru_cache(maxsize=50_000)
def _folded(name: str) -> str:
    """Return a name without case, accents and punctuation: "Lāhul & Spiti" is "lahul spiti"."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[\W_]+", " ", bare.casefold()).split())
