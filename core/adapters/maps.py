"""Region packs and maps: which grid cells make up a region, how high they lie, and the outlines to draw."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.adapters.region_packs import checked_point, read_pack, thresholds_of
from core.domain.geometry import inside
from core.domain.weather import Location, Outline, Region, Ring
from core.errors import ConfigurationError
from core.features import terrain

DISTRICTS_FILE = "himalaya_districts_0.01.geojson"
ELEVATION_FILE = "elev_5arcmin_20-37.5N_68-98E_itur.npz"
#: Edges of the elevation file: north, west, and its step of 5 arc minutes, in degrees.
ELEVATION_NORTH_DEG, ELEVATION_WEST_DEG, ELEVATION_STEP_DEG = 37.5, 68.0, 1 / 12

Floats = NDArray[np.float64]


def load_regions(folder: Path, maps: Path, spacing_deg: float) -> tuple[Region, ...]:
    """Return the regions of all packs (`*.toml`) in `folder`, by file name.

    Parameters
    ----------
    folder
        Folder of region packs.
    maps
        Folder with the district outlines and the elevation.
    spacing_deg
        Spacing of the grid in degrees, for packs that fix none.

    Raises
    ------
    ConfigurationError
        If there is no pack, one cannot be used, or two carry the same id.
    """
    packs = sorted(folder.glob("*.toml"))
    if not packs:
        raise ConfigurationError(f"No region pack in {folder}.", hint="Add one, such as uttarakhand-himachal.toml.")
    regions = tuple(load_region(pack, maps, spacing_deg) for pack in packs)
    ids = [region.id for region in regions]
    for twice in sorted({name for name in ids if ids.count(name) > 1}):
        raise ConfigurationError(f"Two region packs carry the id {twice!r}.", hint="Ids must differ.", folder=folder)
    return regions


def load_region(pack: Path, maps: Path, spacing_deg: float) -> Region:
    """Return one region: the cells of a regular grid whose centre lies inside one of its districts, or its points.

    Centres lie at (k + 1/2) x spacing in longitude and latitude, so that a cell keeps its place and its id whatever
    the region's outline.

    Parameters
    ----------
    pack
        Region pack (TOML): id, name, prefix, time_zone, languages, and either states, optionally with spacing_deg,
        which then holds instead of the argument, or a list of points with name, latitude, longitude (degrees) and
        optionally elevation_m. A region of points has no spacing and no outlines. A table `thresholds` may give the
        region tiers and ages of its own (see `region_packs.thresholds_of`).
    maps
        Folder with the district outlines and the elevation.
    spacing_deg
        Spacing of the grid in degrees.

    Raises
    ------
    ConfigurationError
        If the pack or a map is missing or invalid, a key or a state is unknown, no cell lies inside, or two points
        share a name or a position.
    """
    facts = read_pack(pack)
    if "points" in facts:
        return _region(facts, _points(facts, maps, pack), pack)
    spacing = float(facts.get("spacing_deg", spacing_deg))
    if not 0 < spacing <= 5:
        raise ConfigurationError(f"A grid spacing of {spacing:g} degrees cannot be used.", hint="Choose 0.02 to 1.")
    outlines = _districts(maps / DISTRICTS_FILE, facts["states"], pack)
    longitude, latitude, district = _cells(outlines, spacing)
    if not len(district):
        raise ConfigurationError(
            f"No cell of {spacing:g} degrees lies inside {facts['name']}.", hint="Choose a smaller spacing."
        )
    grid = elevation_grid_m(maps / ELEVATION_FILE)
    elevation = cell_elevation_m(grid, longitude, latitude, spacing)
    locations = tuple(
        Location(
            id=f"{facts['prefix']}-{lat:.3f}-{lon:.3f}",
            name=f"{outlines[where].name} {_position(lat, 'NS')} {_position(lon, 'EW')}",
            latitude=lat,
            longitude=lon,
            elevation_m=height,
            slope_east=east,
            slope_north=north,
        )
        for lon, lat, where, height, (east, north) in zip(
            longitude.tolist(),
            latitude.tolist(),
            district.tolist(),
            elevation.tolist(),
            cell_slopes(grid, longitude, latitude, spacing),
            strict=True,
        )
    )
    return _region(facts, locations, pack, outlines, spacing)


def _region(
    facts: Mapping[str, Any],
    locations: tuple[Location, ...],
    pack: Path,
    outlines: tuple[Outline, ...] = (),
    spacing: float | None = None,
) -> Region:
    return Region(
        id=facts["id"],
        name=facts["name"],
        time_zone=facts["time_zone"],
        locations=locations,
        outlines=outlines,
        spacing_deg=spacing,
        languages=tuple(facts["languages"]),
        thresholds=thresholds_of(facts.get("thresholds", {}), pack),
    )


def _points(facts: Mapping[str, Any], maps: Path, pack: Path) -> tuple[Location, ...]:
    """Return the points of a pack; their elevation is that of the map where they give none."""
    points = [checked_point(number, point, pack) for number, point in enumerate(facts["points"], 1)]
    longitude, latitude = (np.array([point[key] for point in points]) for key in ("longitude", "latitude"))
    grid = elevation_grid_m(maps / ELEVATION_FILE)
    height = cell_elevation_m(grid, longitude, latitude, ELEVATION_STEP_DEG).tolist()
    slopes = cell_slopes(grid, longitude, latitude, ELEVATION_STEP_DEG)
    ids = [f"{facts['prefix']}-{point['latitude']:.3f}-{point['longitude']:.3f}" for point in points]
    locations = tuple(
        Location(key, point["name"], point["latitude"], point["longitude"], point.get("elevation_m", mapped), *slope)
        for key, point, mapped, slope in zip(ids, points, height, slopes, strict=True)
    )
    for what, found in (("position", ids), ("name", [point["name"] for point in points])):
        for twice in sorted({one for one in found if found.count(one) > 1}):
            raise ConfigurationError(
                f"Two points of region pack {pack} share the {what} {twice}.", hint="Leave one of them out."
            )
    return locations


def _districts(path: Path, states: Sequence[str], pack: Path) -> tuple[Outline, ...]:
    """Return the outlines of all districts of `states`, by name."""
    try:
        features = json.loads(path.read_text("utf-8"))["features"]
        found = {(f["properties"]["STATE_UT"], f["properties"]["DISTRICT"]): f["geometry"] for f in features}
        rings = {key: _rings(shape) for key, shape in found.items()}
    except OSError as error:
        raise ConfigurationError(f"Map {path} cannot be read: {error.strerror}.", hint="Restore data/maps.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"Map {path} is no map of districts: {error!r}.", hint="Restore data/maps.") from None
    known = sorted({state for state, _ in found})
    for state in states:
        if state not in known:
            raise ConfigurationError(
                f"Region pack {pack} names the unknown state {state!r}.", hint=f"Known states: {', '.join(known)}."
            )
    return tuple(Outline(key[1].title(), rings[key]) for key in sorted(rings) if key[0] in states)


def _rings(shape: Mapping[str, Any]) -> tuple[Ring, ...]:
    """Return all rings of a GeoJSON Polygon or MultiPolygon (RFC 7946), outer rings and holes alike."""
    polygons = {"Polygon": [shape["coordinates"]], "MultiPolygon": shape["coordinates"]}[shape["type"]]
    return tuple(
        tuple((float(point[0]), float(point[1])) for point in ring) for polygon in polygons for ring in polygon
    )


def _cells(outlines: Sequence[Outline], spacing: float) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return longitude, latitude (degrees) and district number of all cells inside, from south-west to north-east."""
    points = np.concatenate([np.array(ring, float) for outline in outlines for ring in outline.rings])
    first = np.floor(points.min(axis=0) / spacing).astype(int)
    last = np.ceil(points.max(axis=0) / spacing).astype(int)
    columns, rows = np.arange(first[0], last[0] + 1), np.arange(first[1], last[1] + 1)
    # Rounded so that the same cell has the same centre to the last bit, however the grid was laid.
    longitude = np.round((np.tile(columns, len(rows)) + 0.5) * spacing, 6)
    latitude = np.round((np.repeat(rows, len(columns)) + 0.5) * spacing, 6)
    district = np.full(len(longitude), -1)
    for number, outline in enumerate(outlines):
        free = np.flatnonzero(district < 0)
        district[free[inside(longitude[free], latitude[free], outline.rings)]] = number
    land = district >= 0
    return longitude[land], latitude[land], district[land]


def elevation_grid_m(path: Path) -> Floats:
    """Read the elevation grid in metres, row 0 in the north."""
    try:
        with np.load(path, allow_pickle=False) as stored:  # noqa: TID251 - the one place that may: pickles are refused
            return np.asarray(stored["z"], float)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"Map {path} cannot be read: {type(error).__name__}.", hint="Restore data/maps."
        ) from None


def cell_elevation_m(grid: Floats, longitude: Floats, latitude: Floats, spacing: float) -> Floats:
    """Return the mean elevation of every cell in metres, NaN outside the grid."""
    return _cell_mean(grid, longitude, latitude, spacing).round(1)


def cell_slopes(grid: Floats, longitude: Floats, latitude: Floats, spacing: float) -> list[tuple[float, float]]:
    """Return the mean rise of every cell to the east and to the north, m per m, NaN outside the grid."""
    rows_deg = ELEVATION_NORTH_DEG - (np.arange(len(grid), dtype=float) + 0.5) * ELEVATION_STEP_DEG
    sides = terrain.slopes(grid, rows_deg, ELEVATION_STEP_DEG)
    east, north = (_cell_mean(side, longitude, latitude, spacing).tolist() for side in sides)
    return list(zip(east, north, strict=True))


def _cell_mean(grid: Floats, longitude: Floats, latitude: Floats, spacing: float) -> Floats:
    """Return the mean of `grid` over every cell, NaN outside it.

    The cell is sampled on as many points as it has values along each side.
    """
    count = max(1, round(spacing / ELEVATION_STEP_DEG))
    offsets = (np.arange(count) + 0.5) / count * spacing - spacing / 2
    row = np.floor((ELEVATION_NORTH_DEG - (latitude[:, None] + offsets)) / ELEVATION_STEP_DEG).astype(int)
    column = np.floor((longitude[:, None] + offsets - ELEVATION_WEST_DEG) / ELEVATION_STEP_DEG).astype(int)
    inner_row, inner_column = row.clip(0, grid.shape[0] - 1), column.clip(0, grid.shape[1] - 1)
    values = grid[inner_row[:, :, None], inner_column[:, None, :]]
    covered = (row == inner_row).all(axis=1) & (column == inner_column).all(axis=1)
    return np.where(covered, values.mean(axis=(1, 2)), math.nan)


def _position(degrees: float, letters: str) -> str:
    """Write one coordinate as 30.38N."""
    return f"{abs(degrees):.2f}{letters[0] if degrees >= 0 else letters[1]}"
