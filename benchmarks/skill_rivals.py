"""Whom our forecast is measured against: the reference, and the recipe that public cloudburst projects share."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors

from core.domain.forecast import THRESHOLDS_MM
from core.domain.weather import HourlyWeather, Values

Floats = NDArray[np.float64]
#: What such projects look at: the weather of the hour.
NAIVE_INPUTS = (
    "temperature_c",
    "dew_point_c",
    "relative_humidity_pct",
    "surface_pressure_hpa",
    "wind_speed_ms",
    "precipitation_mm",
)
#: Years whose files the reference opens by name; those that it shall not learn from are laid there empty.
REFERENCE_YEARS = (2020, 2021, 2022)
#: Cases that the naive recipe learns from, and non-events per event before oversampling.
NAIVE_CASES, NAIVE_NEIGHBOURS = 150_000, 5


def reference(
    script: Path, gauges: Path, years: tuple[Sequence[int], int], places: Sequence[str], weather: HourlyWeather
) -> Floats:
    """Run the reference as it stands on the files of some stations; return (places, hours, 2), NaN where it is silent.

    Parameters
    ----------
    years
        Those that it learns from, and the one that it forecasts.
    places
        Ids of the stations that it may learn from. It forecasts for all.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for year in sorted({*REFERENCE_YEARS, *years[0]}):
            frame = pd.read_parquet(gauges / f"hourly_{year}.parquet")
            taken = frame["station_id"].isin(places) & (year in years[0])
            frame[taken].to_parquet(folder / f"hourly_{year}.parquet")
        (folder / "stations.csv").write_bytes((gauges / "stations.csv").read_bytes())
        out = folder / "out.parquet"
        test = gauges / f"hourly_{years[1]}.parquet"
        command = [sys.executable, str(script), str(folder), str(test), str(gauges / "stations.csv"), str(out)]
        subprocess.run(command, check=True)  # noqa: S603 - the script that the user names
        return on_grid(pd.read_parquet(out), weather)


def on_grid(frame: pd.DataFrame, weather: HourlyWeather) -> Floats:
    """Return p_15 and p_30 of a table of forecasts on the places and hours of `weather`, NaN where there are none."""
    place = pd.Index([p.id for p in weather.locations]).get_indexer(frame["location_id"].astype(str))
    moment = pd.DatetimeIndex(pd.to_datetime(frame["issued_at"], utc=True)).tz_convert(None)
    hour = moment.to_numpy().astype("datetime64[h]").astype(np.int64) - weather.valid_at[0].astype(np.int64)
    inside = (place >= 0) & (hour >= 0) & (hour < len(weather.valid_at))
    grid = np.full((*weather.observed().shape, 2), np.nan)
    grid[place[inside], hour[inside]] = frame[["p_15", "p_30"]].to_numpy(float)[inside]
    return grid


@dataclass(frozen=True)
class Naive:
    """A forest on oversampled cases, and the F1 that its authors would print."""

    forest: RandomForestClassifier
    claimed_f1: float

    @classmethod
    def fit(cls, weather: HourlyWeather, ahead_mm: Values, rng: np.random.Generator) -> Naive:
        """Oversample the events until they are half of the cases, split at random, fit, and score on the other part.

        Parameters
        ----------
        ahead_mm
            Highest hourly rain of the next hours, shape (places, hours), NaN where not known.
        """
        rows = np.stack([weather.get(name) for name in NAIVE_INPUTS], axis=-1)
        where = np.isfinite(ahead_mm) & np.isfinite(rows).all(axis=-1)
        rows, event = rows[where], ahead_mm[where] >= THRESHOLDS_MM[0]
        some = rng.choice(len(rows), min(NAIVE_CASES, len(rows)), replace=False)
        rows, event = rows[some], event[some]
        made = _between_neighbours(rows[event], int((~event).sum() - event.sum()), rng)
        rows, event = np.concatenate([rows, made]), np.concatenate([event, np.ones(len(made), bool)])
        seen, kept, seen_event, kept_event = train_test_split(rows, event, test_size=0.2, random_state=1)
        forest = RandomForestClassifier(100, n_jobs=2, random_state=1).fit(seen, seen_event)
        return cls(forest, float(f1_score(kept_event, forest.predict(kept))))

    def probability(self, weather: HourlyWeather) -> Floats:
        """Return its probability of the event, shape (places, hours), NaN where an input is missing."""
        rows = np.stack([weather.get(name) for name in NAIVE_INPUTS], axis=-1)
        known = np.isfinite(rows).all(axis=-1)
        out = np.full(known.shape, np.nan)
        out[known] = self.forest.predict_proba(rows[known])[:, 1]
        return out


def _between_neighbours(events: Values, count: int, rng: np.random.Generator) -> Values:
    """Return made-up events between an event and one of its nearest others (Chawla et al. 2002)."""
    scale = events.std(axis=0)
    near = NearestNeighbors(n_neighbors=NAIVE_NEIGHBOURS + 1).fit(events / scale)
    _, others = near.kneighbors(events / scale)
    one = rng.integers(0, len(events), count)
    other = others[one, rng.integers(1, NAIVE_NEIGHBOURS + 1, count)]
    return events[one] + rng.random((count, 1)).astype(np.float32) * (events[other] - events[one])
