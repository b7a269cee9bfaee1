"""Materialised features: Parquet files data/features/<feature version>/<source>/<region>/<day>.parquet."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.adapters.files import PATIENCE_S, locked
from core.adapters.parquet import read_or_put_aside, read_where_possible, write_frame
from core.domain.features import FeatureRows
from core.domain.units import to_hour64, to_second64
from core.domain.weather import Hours
from core.errors import ConfigurationError, FeatureMismatch

KEY = ["location_id", "valid_at", "available_at"]
TABLE = "a table of features"
#: Older rows are not the state of the air any more: every limit of age lies below.
OLDEST = timedelta(days=1)


class ParquetFeatures:
    """Features below one folder, a file per feature version, source, region and day (UTC) of the hour.

    Every issue adds to a file: a day of a region is written in a moment, a month would not be. Files of whole months,
    which were written once, are read as well.

    A row is never changed: one of the same place and hour that became known later stands beside it, and whoever asks
    what was known at a moment gets the right one. Safe for several writers through a file lock; a file is replaced
    whole, and one that cannot be read is put aside.

    Parameters
    ----------
    folder
        Usually data/features.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, source: str, region_id: str, version: str, rows: FeatureRows) -> int:
        """Add rows; those whose place, hour and availability are there already are kept. Return how many are new.

        Raises
        ------
        FeatureMismatch
            If the version holds other features.
        ConfigurationError
            If the folder cannot be written.
        """
        frame = _to_frame(rows)
        days = frame["valid_at"].dt.strftime("%Y-%m-%d")
        try:
            return sum(
                self._merge(self._of(source, region_id, version) / f"{day}.parquet", part)
                for day, part in frame.groupby(days)
            )
        except OSError as error:
            raise ConfigurationError(
                f"The features cannot be written: {error.strerror}.",
                hint="Check that the folder data/features can be written and the disk is not full.",
            ) from error

    def read(self, source: str, region_id: str, version: str, begin: datetime, end: datetime) -> FeatureRows:
        """Return all rows of the hours from `begin` to `end` (both included), by place, hour and availability.

        Raises
        ------
        FeatureMismatch
            If its files hold different features.
        """
        first, last = to_hour64(begin), to_hour64(end)
        rows = _to_rows(self._frame(self._of(source, region_id, version), first, last))
        order = np.lexsort((rows.available_at, rows.valid_at, rows.location_id.astype(str)))
        inside = (rows.valid_at[order] >= first) & (rows.valid_at[order] <= last)
        return _taken(rows, order[inside])

    def as_of(self, source: str, region_id: str, version: str, issued_at: datetime) -> FeatureRows:
        """Return for every place the newest row that was known at `issued_at`, at most `OLDEST` old, by place.

        Raises
        ------
        FeatureMismatch
            If its files hold different features.
        """
        moment = np.array([to_second64(issued_at)])
        rows = self._near(self._of(source, region_id, version), moment)
        places = np.unique(rows.location_id).astype(object)
        found = _newest_known(rows, places, np.repeat(moment, len(places)))
        return _taken(rows, found[found >= 0])

    def joined(
        self, source: str, region_id: str, version: str, location_id: NDArray[np.object_], issued_at: Hours
    ) -> FeatureRows:
        """Return for every pair of place and moment the newest row that was known then (point-in-time join).

        Parameters
        ----------
        location_id, issued_at
            Pairs, both of shape (pairs,), the moments datetime64[s] (UTC), in any order.

        Returns
        -------
        One row per pair, in their order; without times and values where none at most `OLDEST` old was known.

        Raises
        ------
        FeatureMismatch
            If its files hold different features.
        """
        rows = self._near(self._of(source, region_id, version), issued_at)
        return _aligned(rows, _newest_known(rows, location_id, issued_at), location_id)

    def _of(self, source: str, region_id: str, version: str) -> Path:
        return self._folder / version / source / region_id

    def _near(self, folder: Path, issued_at: Hours) -> FeatureRows:
        """Return the rows of all files that moments may rest on."""
        if not len(issued_at):
            return _to_rows(None)
        return _to_rows(self._frame(folder, issued_at.min() - np.timedelta64(OLDEST), issued_at.max()))

    def _frame(self, folder: Path, first: np.datetime64, last: np.datetime64) -> pd.DataFrame | None:
        """Return what the files of a period hold, both ends included; None where there is none."""
        begin, end = str(first.astype("datetime64[D]")), str(last.astype("datetime64[D]"))
        paths = [path for path in sorted(folder.glob("*.parquet")) if _within(path.stem, begin, end)]
        parts = [part for path in paths if (part := read_where_possible(path, TABLE, KEY)) is not None]
        for part in parts[1:]:
            _refuse_others(parts[0], part, folder)
        return pd.concat(parts, ignore_index=True) if parts else None

    def _merge(self, path: Path, rows: pd.DataFrame) -> int:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.parent / "features.lock", PATIENCE_S, "the features"):
            old = read_or_put_aside(path, TABLE, KEY) if path.exists() else None
            if old is not None:
                _refuse_others(old, rows, path.parent)
            both = rows if old is None else pd.concat([old, rows], ignore_index=True)
            both = both.drop_duplicates(KEY, keep="first").sort_values(KEY, ignore_index=True)
            added = len(both) - (0 if old is None else len(old))
            if added:
                write_frame(path, both)
        return added


def _within(name: str, begin: str, end: str) -> bool:
    """Say whether a day, 2026-07-31, or a month, 2026-07, has days of a period.

    >>> [_within(name, "2026-07-30", "2026-08-02") for name in ("2026-07", "2026-07-29", "2026-08-02", "2026-09")]
    [True, False, True, False]
    """
    return begin[: len(name)] <= name <= end[: len(name)]


def _refuse_others(ours: pd.DataFrame, others: pd.DataFrame, folder: Path) -> None:
    """Raise FeatureMismatch where two tables do not hold the same features in the same order."""
    if list(ours.columns) != list(others.columns):
        named = sorted(set(ours.columns) ^ set(others.columns))
        raise FeatureMismatch(
            f"Other features are stored under this version: {', '.join(named[:5]) or 'in another order'}.",
            hint="Features that change need another version.",
            folder=folder,
        )


def _to_frame(rows: FeatureRows) -> pd.DataFrame:
    if np.isnat(rows.valid_at).any() or np.isnat(rows.available_at).any():
        raise ValueError("rows without times cannot be stored")
    keys = {
        "location_id": pd.Series(rows.location_id, dtype="str"),
        "valid_at": pd.DatetimeIndex(rows.valid_at.astype("datetime64[s]"), tz="UTC"),
        "available_at": pd.DatetimeIndex(rows.available_at.astype("datetime64[s]"), tz="UTC"),
    }
    values = pd.DataFrame(rows.values.astype(np.float32, copy=False), columns=pd.Index(rows.names))
    return pd.concat([pd.DataFrame(keys).astype(dict.fromkeys(KEY[1:], "datetime64[ms, UTC]")), values], axis=1)


def _to_rows(frame: pd.DataFrame | None) -> FeatureRows:
    if frame is None:
        nothing = np.empty(0, "datetime64[s]")
        return FeatureRows((), np.empty(0, object), nothing.astype("datetime64[h]"), nothing, np.empty((0, 0), "f4"))
    names = tuple(frame.columns[len(KEY) :])
    times = [frame[key].dt.tz_localize(None).to_numpy() for key in KEY[1:]]
    return FeatureRows(
        names,
        frame["location_id"].to_numpy(object),
        times[0].astype("datetime64[h]"),
        times[1].astype("datetime64[s]"),
        frame[list(names)].to_numpy(np.float32),
    )


def _newest_known(rows: FeatureRows, location_id: NDArray[np.object_], issued_at: Hours) -> NDArray[np.int64]:
    """Return for every pair the number of the newest row known then, -1 where there is none at most `OLDEST` old."""
    stored = _timed(rows.location_id, rows.available_at).assign(hour=rows.valid_at.astype(int))
    stored = stored.assign(row=np.arange(len(rows))).sort_values(["second", "hour"], kind="stable")
    # A late revision of an older hour hides nothing newer: only what was the newest hour when it came can be joined.
    stored = stored[stored["hour"] == stored.groupby("place")["hour"].cummax()]
    wanted = _timed(location_id, issued_at).assign(pair=np.arange(len(location_id)))
    matched = pd.merge_asof(wanted.sort_values("second", kind="stable"), stored, on="second", by="place")
    found = np.full(len(wanted), -1)
    found[matched["pair"]] = matched["row"].fillna(-1).astype(int)
    if len(rows):
        found[(found >= 0) & (issued_at - rows.valid_at[found] > np.timedelta64(OLDEST))] = -1
    return found


def _timed(location_id: NDArray[np.object_], moments: Hours) -> pd.DataFrame:
    seconds = moments.astype("datetime64[s]").astype(np.int64)
    return pd.DataFrame({"place": pd.Series(location_id, dtype="str"), "second": seconds})


def _taken(rows: FeatureRows, number: NDArray[np.int64]) -> FeatureRows:
    return FeatureRows(
        rows.names, rows.location_id[number], rows.valid_at[number], rows.available_at[number], rows.values[number]
    )


def _aligned(rows: FeatureRows, number: NDArray[np.int64], location_id: NDArray[np.object_]) -> FeatureRows:
    """Return one row per place of `location_id`; number -1 gives one without times and values."""
    there = number >= 0
    valid_at = np.full(len(number), np.datetime64("NaT"), "datetime64[h]")
    available_at = np.full(len(number), np.datetime64("NaT"), "datetime64[s]")
    values = np.full((len(number), len(rows.names)), np.nan, np.float32)
    found = _taken(rows, number[there])
    valid_at[there], available_at[there], values[there] = found.valid_at, found.available_at, found.values
    return FeatureRows(rows.names, location_id, valid_at, available_at, values)
