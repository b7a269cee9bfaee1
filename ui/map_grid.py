"""The grid of a region as arrays: what is drawn once per cell, and the spots that carry signs, texts and clicks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core import Region, Standing

#: Cells of a station network have no size; they are drawn this large, degrees.
STATION_CELL_DEG = 0.25
#: With more places than this a spot stands for a block of them: a browser draws no more markers within a second.
MOST_SPOTS = 1200

Cells = NDArray[np.int64]


class Grid:
    """The regular grid of a region's places."""

    def __init__(self, region: Region) -> None:
        self.step = region.spacing_deg or STATION_CELL_DEG
        self.longitude = np.array([p.longitude for p in region.locations])
        self.latitude = np.array([p.latitude for p in region.locations])
        self.column = np.round((self.longitude - self.longitude.min()) / self.step).astype(int)
        self.row = np.round((self.latitude - self.latitude.min()) / self.step).astype(int)
        self.x = self.longitude.min() + self.step * np.arange(self.column.max() + 1)
        self.y = self.latitude.min() + self.step * np.arange(self.row.max() + 1)

    @property
    def fine(self) -> bool:
        """True where there are too many places for markers of their own."""
        return len(self.row) > MOST_SPOTS

    @property
    def block(self) -> int:
        """Cells along each side of the block that a spot stands for."""
        return int(np.ceil(np.sqrt(len(self.row) / MOST_SPOTS))) if self.fine else 1

    def raster(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the values of the places as (rows, columns), NaN outside the region."""
        out = np.full((len(self.y), len(self.x)), np.nan, np.float32)
        np.fmax.at(out, (self.row, self.column), values.astype(np.float32))  # of two stations in one cell the higher
        return out

    def codes(self, codes: NDArray[np.uint8], outside: int) -> NDArray[np.uint8]:
        """Return small numbers of the places as (rows, columns): a byte each, `outside` where no place is."""
        filled = self.raster(codes.astype(np.float32))
        return np.where(np.isnan(filled), outside, filled).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Spots:
    """Places that carry markers: all of them, or the gravest of every block.

    Parameters
    ----------
    place
        Position of each in the region.
    of
        Number of places that each stands for.
    """

    place: Cells
    of: Cells

    @classmethod
    def on(cls, grid: Grid, standing: Standing) -> Spots:
        """Choose them."""
        count = len(grid.row)
        if not grid.fine:
            return cls(np.arange(count), np.ones(count, np.int64))
        wide = int(grid.column.max()) // grid.block + 1
        block = grid.row // grid.block * wide + grid.column // grid.block
        chance = np.nan_to_num(standing.probability[:, 0], nan=-1.0)
        order = np.lexsort((-chance, -standing.step, block))
        _, first, of = np.unique(block[order], return_index=True, return_counts=True)
        return cls(order[first], of)


@lru_cache(maxsize=8)
def grid_of(region: Region) -> Grid:
    """Return the grid of a region."""
    return Grid(region)
