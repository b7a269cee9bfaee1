"""What the calendar alone says: the frequency of an event by season and solar hour, the same north and south.

Season and hour are read from the features themselves (`core.features.table`: season_sin ... solar_hour_cos), so the
frequencies of one country's gauges can be named for another: relative to the hemisphere and to the sun.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.domain.weather import Values

Floats = NDArray[np.float64]
#: Twelfths of the year by eighths of the day.
SEASONS, HOURS = 12, 8
CELLS = SEASONS * HOURS
#: The features that say season and hour, sine before cosine.
COLUMNS = ("season_sin", "season_cos", "solar_hour_sin", "solar_hour_cos")
#: So many cases of the overall frequency are added to every cell: a cell with two events is no climatology.
PRIOR_CASES = 2000


def cells(rows: Values, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the cell of every row of features, 0..95, shape (rows,).

    Parameters
    ----------
    rows
        Features, shape (rows, features).
    names
        Names of the features; those of `COLUMNS` must be among them.
    """
    season_sin, season_cos, hour_sin, hour_cos = (rows[:, names.index(name)] for name in COLUMNS)
    season = _turn(season_sin, season_cos, SEASONS)
    return np.asarray(season * HOURS + _turn(hour_sin, hour_cos, HOURS))


def _turn(sine: Values, cosine: Values, parts: int) -> NDArray[np.int64]:
    """Return which of `parts` equal parts of a turn an angle lies in."""
    share = np.arctan2(sine.astype(float), cosine.astype(float)) / (2 * np.pi) % 1.0
    # Angles come as float32: one that lies on an edge must not fall below it.
    return np.asarray(np.floor(share * parts + 1e-5).astype(np.int64) % parts)


def frequencies(cell: NDArray[np.int64], happened: NDArray[np.bool_]) -> Floats:
    """Return the frequency of an event in every cell, shape (96,), drawn towards the overall one by `PRIOR_CASES`."""
    n = np.bincount(cell, minlength=CELLS)
    events = np.bincount(cell, weights=happened.astype(float), minlength=CELLS)
    overall = (happened.sum() + 0.5) / (len(happened) + 1)
    return np.asarray((events + PRIOR_CASES * overall) / (n + PRIOR_CASES))
