"""Materialising: features are kept as they were served, and training learns from what was served."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from core.domain.features import FeatureRows
from core.domain.units import to_hour64
from core.domain.weather import Hours, Values
from core.features import table
from core.ports import FeatureStore
from core.workflows.situation import Situation

#: The issue of an hour is the last one made within this time after it, as in verification.
ISSUED_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Materialising:
    """Keeps the features of issues, and gives them back as they were known then."""

    store: FeatureStore

    def keep(self, situation: Situation) -> int:
        """Keep the features that an issue was made from; return the number of new rows.

        Raises
        ------
        ConfigurationError
            If they cannot be written.
        """
        weather = situation.usable
        hour = int(np.searchsorted(weather.valid_at, to_hour64(situation.valid_from)))
        version = table.OBSERVED if situation.fields is None else table.OBSERVED_MODEL
        rows = FeatureRows.of(
            weather,
            table.feature_names(version),
            situation.rows[:, None],
            slice(hour, hour + 1),
            table.LOOKBACK_H,
        )
        return self.store.store(weather.source, situation.region.id, version, rows)

    def joined(
        self, source: str, region_id: str, location_id: NDArray[np.object_], hour: Hours
    ) -> Iterator[FeatureRows]:
        """Yield by feature set, for every place and hour (cases,), the row that its issue rests on; NaT without one.

        A point-in-time join: of several rows of one hour that counts which was known when its forecast was issued,
        not a later one that knows more. A house with forecast fields keeps the set with them, another the set without;
        the features of observations come first in both.
        """
        moment: Hours = (hour.astype("datetime64[h]") + np.timedelta64(ISSUED_WITHIN)).astype("datetime64[s]")
        for version in table.FEATURE_SETS.values():
            found = self.store.joined(source, region_id, version, location_id, moment)
            older = found.valid_at != hour.astype("datetime64[h]")
            valid_at, known_at = found.valid_at.copy(), found.available_at.copy()
            valid_at[older], known_at[older] = np.datetime64("NaT"), np.datetime64("NaT")
            yield replace(found, valid_at=valid_at, available_at=known_at)

    def as_served(
        self, archive: tuple[str, str], location_id: NDArray[np.object_], hour: Hours, rows: Values
    ) -> Values:
        """Return rows of features (cases, features) with those in their place that were served at their hour.

        What was never served stays as it was built.

        Parameters
        ----------
        archive
            Source and region.
        location_id, hour
            Place and hour of every case, shape (cases,).
        """
        out = rows
        for found in self.joined(*archive, location_id, hour):
            there = ~np.isnat(found.valid_at)
            if there.any() and len(found.names) >= rows.shape[1]:
                out = out.copy() if out is rows else out
                out[there] = found.values[there, : rows.shape[1]]
        return out
