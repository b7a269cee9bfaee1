"""Neighbours on the globe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.domain.units import EARTH_RADIUS_KM
from core.domain.weather import Location, Ring

#: Places whose distances to all others are held at once: 40,000 places take 160 MB.
BLOCK = 500


def nearest(
    locations: Sequence[Location], radius_km: float, most: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the nearest other places within a radius, by great-circle distance (haversine, Sinnott 1984).

    Returns
    -------
    index, distance_km
        Both of shape (places, most), nearest first; where there are fewer, index -1 and distance infinity.
    """
    latitude = np.radians([p.latitude for p in locations])
    longitude = np.radians([p.longitude for p in locations])
    count = len(locations)
    index = np.full((count, most), -1, np.int64)
    distance_km = np.full((count, most), np.inf)
    for begin in range(0, count, BLOCK):
        rows = np.arange(begin, min(begin + BLOCK, count))
        half = np.sin((latitude[rows, None] - latitude) / 2) ** 2
        half += np.cos(latitude[rows, None]) * np.cos(latitude) * np.sin((longitude[rows, None] - longitude) / 2) ** 2
        apart = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
        apart[np.arange(len(rows)), rows] = np.inf
        apart[apart > radius_km] = np.inf
        order = np.argsort(apart, axis=1, kind="stable")[:, :most]
        found = np.take_along_axis(apart, order, axis=1)
        width = order.shape[1]
        index[rows, :width] = np.where(np.isfinite(found), order, -1)
        distance_km[rows, :width] = found
    return index, distance_km


def from_point(
    latitude: float, longitude: float, locations: Sequence[Location]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far each place lies from one point, and in which direction.

    Returns
    -------
    distance_km, bearing_deg
        Great-circle distance (haversine, Sinnott 1984) and initial bearing, degrees east of north in [0, 360); both of
        shape (places,). The bearing of the point itself is NaN.

    Examples
    --------
    >>> [x.round(1).tolist() for x in from_point(30.0, 79.0, [Location("a", "", 30.0, 80.0)])]
    [[96.3], [89.7]]
    """
    north = np.radians([p.latitude for p in locations])
    here, east = np.radians(latitude), np.radians([p.longitude for p in locations]) - np.radians(longitude)
    half = np.sin((north - here) / 2) ** 2 + np.cos(here) * np.cos(north) * np.sin(east / 2) ** 2
    distance_km = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    across = np.sin(east) * np.cos(north)
    along = np.cos(here) * np.sin(north) - np.sin(here) * np.cos(north) * np.cos(east)
    bearing_deg = np.degrees(np.arctan2(across, along)) % 360
    return distance_km, np.where(distance_km > 0, bearing_deg, np.nan)


def bearing_rad(locations: Sequence[Location], index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the direction to each of `index` (places, most) from its place: radians east of north, NaN for -1.

    On a plane tangent to the place: good to a degree within some hundred kilometres.
    """
    latitude = np.radians([p.latitude for p in locations])
    longitude = np.radians([p.longitude for p in locations])
    east = (longitude[index] - longitude[:, None] + np.pi) % (2 * np.pi) - np.pi
    angle = np.arctan2(east * np.cos(latitude)[:, None], latitude[index] - latitude[:, None])
    return np.where(index >= 0, angle, np.nan)


def inside(longitude: NDArray[np.float64], latitude: NDArray[np.float64], rings: Sequence[Ring]) -> NDArray[np.bool_]:
    """Return which points lie inside `rings` by the even-odd rule: a ring within a ring is a hole.

    A ray to the east crosses the outline an odd number of times from a point inside (Shimrat 1962,
    doi:10.1145/368637.368653).

    Parameters
    ----------
    longitude, latitude
        Points in degrees, shape (points,).
    rings
        Rings of (longitude, latitude); the closing point may be repeated or not.

    Returns
    -------
    Booleans, shape (points,).

    Examples
    --------
    >>> inside(np.array([0.5, 2.0]), np.array([0.5, 0.5]), [((0, 0), (1, 0), (1, 1), (0, 1))])
    array([ True, False])
    """
    odd = np.zeros(len(longitude), bool)
    for ring in rings:
        x, y = np.array(ring, float).T
        x_next, y_next = np.roll(x, -1), np.roll(y, -1)
        spans = (y > latitude[:, None]) != (y_next > latitude[:, None])
        rise = np.where(y_next == y, 1.0, y_next - y)
        crossing = x + (latitude[:, None] - y) * (x_next - x) / rise
        odd ^= (np.count_nonzero(spans & (longitude[:, None] < crossing), axis=1) % 2).astype(bool)
    return odd


def is_simple(points: Sequence[tuple[float, float]]) -> bool:
    """Return whether a closed ring neither crosses nor touches itself, nor turns back on its own way.

    Degrees, to a millionth: two segments that share no end must not meet, by the signs of the areas that the ends of
    each make with the other. Its last point is its first once more.

    >>> is_simple([(0, 0), (0, 1), (1, 1), (0, 0)]), is_simple([(0, 0), (1, 1), (1, 0), (0, 1), (0, 0)])
    (True, False)
    """
    ring = np.rint(np.array(points, float) * 1e6).astype(np.int64)
    begin, end = ring[:-1], ring[1:]
    count = len(begin)
    way, on = end - begin, np.roll(end - begin, -1, axis=0)
    back = (way[:, 0] * on[:, 1] == way[:, 1] * on[:, 0]) & ((way * on).sum(axis=1) < 0)
    if len(np.unique(begin, axis=0)) < count or back.any():
        return False
    low, high = np.minimum(begin, end), np.maximum(begin, end)
    for i in range(count - 2):
        others = slice(i + 2, count - (i == 0))  # neighbours share an end, as do the last and the first
        near = ((low[i] <= high[others]) & (low[others] <= high[i])).all(axis=1)
        mine = _side(begin[i], end[i], begin[others]) * _side(begin[i], end[i], end[others])
        theirs = _side(begin[others], end[others], begin[i]) * _side(begin[others], end[others], end[i])
        if (near & (mine <= 0) & (theirs <= 0)).any():
            return False
    return True


def _side(begin: NDArray[np.int64], end: NDArray[np.int64], point: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return on which side of a segment points lie: 1 left, -1 right, 0 on its line."""
    way, off = end - begin, point - begin
    turn: NDArray[np.int64] = np.sign(way[..., 0] * off[..., 1] - way[..., 1] * off[..., 0])
    return turn
