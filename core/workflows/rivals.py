"""Rivals: what plainer forecasts would have said of the very features that the issued ones rest on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.features import FeatureRows
from core.domain.forecast import EventDefinition
from core.domain.verification import VerifiedCases
from core.domain.weather import Values
from core.errors import ModelError
from core.learning.windows import ForecastModel
from core.workflows.materialising import Materialising
from core.workflows.serving import Serving

LOGISTIC, RAW_MODEL = "logistic regression", "raw weather model"
#: Features of so many days are held at once: those of a month of a region, read and joined, take 200 MB.
DAYS = 4
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rivals:
    """Forecasts to hold against those that were issued, from the features as they were served.

    The logistic regression is the one that the issuing version carries, learned from the same cases; the raw weather
    model is its own rain, taken at its word: the event happens where its rain reaches the threshold, else it does not.
    """

    served: Materialising
    serving: Serving

    def of(self, cases: VerifiedCases, event: EventDefinition) -> dict[str, Floats]:
        """Return the probability of `event` by name of the rival, each (cases,), NaN where it would have been silent.

        A rival that is silent throughout is left out.
        """
        said = {name: np.full(len(cases), np.nan) for name in (LOGISTIC, RAW_MODEL)}
        for version in cases.model_versions:
            try:
                served = self.serving.version(version, cases.source, has_fields=True, kept=False)
            except ModelError:  # a version that is gone or refused says nothing any more
                continue
            names = served.manifest.feature_names
            for here, rows in self._served(cases, np.flatnonzero(cases.model_version == version)):
                there = ~np.isnat(rows.valid_at)
                if there.any() and rows.names[: len(names)] == names:
                    values = rows.values[there, : len(names)]
                    said[LOGISTIC][here[there]] = _logistic(served.model, values, event)
                    said[RAW_MODEL][here[there]] = _raw_model(rows, event)[there]
        return {name: p for name, p in said.items() if np.isfinite(p).any()}

    def _served(
        self, cases: VerifiedCases, number: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], FeatureRows]]:
        """Yield some days after the other which of these cases lie in them, and their features by feature set."""
        part = cases.valid_from[number].astype("datetime64[D]").astype(np.int64) // DAYS
        for one in np.unique(part):
            here = number[part == one]
            of = cases.source, cases.region_id, cases.location_id[here], cases.valid_from[here]
            yield from ((here, rows) for rows in self.served.joined(*of))


def _logistic(model: ForecastModel, rows: Values, event: EventDefinition) -> Floats:
    curve = model.plain.get(event.window)
    if curve is None:
        return np.full(len(rows), np.nan)
    return np.asarray(curve.probabilities(rows)[:, curve.events.index(event)])


def _raw_model(rows: FeatureRows, event: EventDefinition) -> Floats:
    name = f"model_rain_max_{event.window.begin_h}to{event.window.end_h}h_mm"
    if name not in rows.names or event.accumulation_h > 1:
        return np.full(len(rows), np.nan)
    rain_mm = rows.values[:, rows.names.index(name)].astype(float)
    return np.where(np.isfinite(rain_mm), rain_mm >= event.threshold_mm, np.nan)
