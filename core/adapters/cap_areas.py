"""The areas of a CAP message: cells of one level as few polygons, each with the districts that it touches.

No `geocode` is written, though districts have codes: CAP 1.2 takes an area as the union of all that is in it, and the
code of a district says the whole of it, where only some of its cells are meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.dissolving import Cell, Corner, dissolved
from core.domain.districts import districts_of
from core.domain.maps import cell
from core.domain.weather import STATION_REACH_KM, Location, Region

Ring = list[tuple[float, float]]
#: Cells farther off the lattice than this, degrees, are none of it; coordinates have six decimals.
OFF_DEG = 1e-6


@dataclass(frozen=True)
class Area:
    """One area: its names, and its polygons and circles as CAP writes them, "latitude,longitude ..."."""

    names: tuple[str, ...]
    polygons: tuple[str, ...] = ()
    circles: tuple[str, ...] = ()


def areas(region: Region, places: Sequence[Location]) -> list[Area]:
    """Return the areas of some places of a region: polygons of cells, or a circle for each station.

    Polygons of the same districts are one area.
    """
    if region.spacing_deg is None:
        return [Area((p.name or p.id,), circles=(_circle(p),)) for p in places]
    district = dict(zip((p.id for p in region.locations), districts_of(region), strict=True))
    together: dict[tuple[str, ...], list[str]] = {}
    for members, ring in shapes(region, places):
        names = {district[p.id] or p.name or p.id for p in members}
        together.setdefault(tuple(sorted(names)), []).append(_polygon(ring))
    return [Area(names, polygons=tuple(polygons)) for names, polygons in together.items()]


def shapes(region: Region, places: Sequence[Location]) -> list[tuple[list[Location], Ring]]:
    """Return the shapes of cells that melt into one another: the places of each, and its ring, (latitude, longitude).

    A cell that is off the lattice of the others stays by itself.
    """
    step = region.spacing_deg or 1.0
    west, south = min(p.longitude for p in region.locations), min(p.latitude for p in region.locations)
    on: dict[Cell, Location] = {}
    alone = []
    for place in places:
        column, row = round((place.longitude - west) / step), round((place.latitude - south) / step)
        off = max(abs(west + column * step - place.longitude), abs(south + row * step - place.latitude))
        if off > OFF_DEG or (column, row) in on:
            alone.append(([place], _turned(cell(region, place))))
        else:
            on[column, row] = place
    known = _corners(region, on)
    melted = [([on[one] for one in sorted(shape)], [known[c] for c in ring]) for shape, ring in dissolved(on)]
    return melted + alone


def _corners(region: Region, on: dict[Cell, Location]) -> dict[Corner, tuple[float, float]]:
    """Return where the corners of cells are, as the map has them."""
    known: dict[Corner, tuple[float, float]] = {}
    for (column, row), place in on.items():
        numbers = ((column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1))
        for number, corner in zip(numbers, _turned(cell(region, place))[:-1], strict=True):
            known.setdefault(number, corner)
    return known


def _turned(ring: list[list[float]]) -> Ring:
    """Return a ring of (longitude, latitude) as one of (latitude, longitude)."""
    return [(latitude, longitude) for longitude, latitude in ring]


def _polygon(ring: Ring) -> str:
    return " ".join(f"{latitude:.6f},{longitude:.6f}" for latitude, longitude in ring)


def _circle(place: Location) -> str:
    return f"{place.latitude:.6f},{place.longitude:.6f} {STATION_REACH_KM:g}"
