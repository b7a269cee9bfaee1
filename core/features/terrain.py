"""Terrain: how steep the ground is, and the air that wind drives up it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.domain.units import EARTH_RADIUS_KM
from core.domain.weather import Location, Values

Floats = NDArray[np.float64]


def slopes(height_m: Floats, latitude_deg: Floats, step_deg: float) -> tuple[Floats, Floats]:
    """Return the rise of the ground to the east and to the north, m per m, by central differences.

    dh/dx = (h_east - h_west) / (2 R cos(latitude) step), dh/dy = (h_north - h_south) / (2 R step), step in radians;
    one-sided at the edges of the grid.

    Parameters
    ----------
    height_m
        Heights on a regular grid of longitude and latitude, shape (rows, columns), at least 2 by 2, row 0 in the north,
        column 0 in the west.
    latitude_deg
        Latitude of every row, shape (rows,).
    step_deg
        Distance of neighbouring points, degrees.

    Returns
    -------
    Two arrays of shape (rows, columns); NaN beside a missing height.
    """
    step_m = np.deg2rad(step_deg) * EARTH_RADIUS_KM * 1000
    to_south, to_east = np.gradient(height_m)
    return to_east / (step_m * np.cos(np.deg2rad(latitude_deg)))[:, None], -to_south / step_m


def orographic_lift_ms(locations: Sequence[Location], wind_east_ms: Values, wind_north_ms: Values) -> Values:
    """Return the speed at which the wind drives air up the ground, m/s, negative down it; shape (places, hours).

    w = V . grad h, the upslope model's condition at the ground (Lin et al. 2001, eq. 3,
    doi:10.1175/1520-0434(2001)016<0633:SCIFHO>2.0.CO;2; Roe 2005, doi:10.1146/annurev.earth.33.092203.122541). NaN
    where wind or slope are not known.
    """
    east, north = (np.array([[slope] for slope in side], np.float32) for side in _slopes_of(locations))
    lift: Values = wind_east_ms * east + wind_north_ms * north
    return lift


def _slopes_of(locations: Sequence[Location]) -> tuple[list[float], list[float]]:
    return [place.slope_east for place in locations], [place.slope_north for place in locations]
