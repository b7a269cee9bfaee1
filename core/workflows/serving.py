"""Serving: the champion, loaded once and verified, and the rule of whose data it may serve."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import DEFAULT_WINDOW, EventDefinition, Exceedance, Window, events_in
from core.domain.learning import ModelManifest
from core.domain.weather import Values
from core.errors import FeatureMismatch, ModelUntrusted
from core.features import table
from core.learning.windows import Bounds, ForecastModel
from core.ports import ModelStore

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Served:
    """A model ready to serve."""

    manifest: ModelManifest
    model: ForecastModel
    is_seed: bool

    def curves(self, rows: Values) -> dict[Window, tuple[Exceedance, ...]]:
        """Return the curve of every row of features (rows, features) by window.

        Features of forecast fields come last in a row: a version of the set without them does not see them.
        Where the version's own verification shows no skill beyond climatology, climatology is what it says: for that
        event and all rarer ones.
        """
        rows = rows[:, : len(self.manifest.feature_names)]
        usual = self.model.base_rates(rows, self.manifest.feature_names)
        told: dict[Window, Bounds] = {}
        for window, bounds in self.model.with_interval(rows).items():
            centre, low, high = (self._told(part, usual[window], window) for part in bounds)
            told[window] = centre, low, high
        out: dict[Window, tuple[Exceedance, ...]] = {}
        for window, (centre, low, high) in self.model.nested(told).items():
            events = events_in(window)
            poor = self._unskilled(events)
            extrapolated = frozenset(e for e in events if e.key in self.model.extrapolated)
            out[window] = tuple(
                Exceedance(events, tuple(p), tuple(lo), tuple(hi), extrapolated, tuple(base), poor)
                for p, lo, hi, base in zip(*(a.tolist() for a in (centre, low, high, usual[window])), strict=True)
            )
        return out

    def probabilities(self, rows: Values) -> Floats:
        """Return the same for the default window without intervals, shape (rows, events)."""
        rows = rows[:, : len(self.manifest.feature_names)]
        usual = self.model.base_rates(rows, self.manifest.feature_names)[DEFAULT_WINDOW]
        return self._told(self.model.probabilities(rows), usual, DEFAULT_WINDOW)

    def _told(self, part: Floats, usual: Floats, window: Window) -> Floats:
        """Return probabilities (rows, events) with climatology for the events without skill, still coherent."""
        events = events_in(window)
        columns = [i for i, event in enumerate(events) if event in self._unskilled(events)]
        if not columns:
            return part
        out = part.copy()
        out[:, columns] = usual[:, columns] if 0 in columns else np.minimum(usual[:, columns], part[:, :1])
        return out

    def _unskilled(self, events: tuple[EventDefinition, ...]) -> frozenset[EventDefinition]:
        """Return the events from the first verified one without skill on; those without a scorecard follow it."""
        poor = [e for e in events if (card := self.manifest.card_of(e)) is not None and not card.has_skill]
        if not poor:
            return frozenset()
        least = min(e.threshold_mm for e in poor)
        return frozenset(e for e in events if e.threshold_mm >= least)


@dataclass
class Serving:
    """Keeps the models that serve in memory; a version is immutable, so its name is enough to know it again."""

    store: ModelStore
    _loaded: dict[str, tuple[ModelManifest, ForecastModel]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def champion(self, source: str, region_id: str, has_fields: bool = False) -> Served:
        """Return the champion for data of `source` in a region.

        Raises
        ------
        ModelError
            If there is none, it is not what its manifest says, or it may not serve these data.
        """
        champion = self.store.champion(source, region_id)
        return self.version(champion.version, source, champion.is_seed, has_fields)

    def version(self, version: str, source: str, is_seed: bool = False, has_fields: bool = False) -> Served:
        """Return one version for data of `source`.

        Parameters
        ----------
        has_fields
            True where the features will be built with forecast fields.

        Raises
        ------
        ModelUntrusted
            If it was trained on simulated data and the data are real.
        FeatureMismatch
            If it was trained on other features than this program builds, or on forecast fields and there are none.
        """
        with self._lock:
            if version not in self._loaded:
                manifest, parts = self.store.load(version)
                self._loaded = {**dict(list(self._loaded.items())[-3:]), version: (manifest, _model(manifest, parts))}
            manifest, model = self._loaded[version]
        if manifest.source == "simulator" and source != "simulator":
            raise ModelUntrusted(
                f"Model {version} was trained on simulated data and may not serve real ones.",
                hint="Train on gauges, or remove the champion to be served by the seed model.",
            )
        if manifest.feature_version == table.OBSERVED_MODEL and not has_fields:
            raise FeatureMismatch(
                f"Model {version} wants the forecast fields of a weather model, and there are none here.",
                hint="Name their source in CLOUDBURST_FIELDS, or deploy a version of the feature set observed.",
            )
        return Served(manifest, model, is_seed)


def _model(manifest: ModelManifest, parts: object) -> ForecastModel:
    known = manifest.feature_version in table.FEATURE_SETS.values()
    if not known or manifest.feature_names != table.feature_names(manifest.feature_version):
        raise FeatureMismatch(
            f"Model {manifest.version} wants features {manifest.feature_version}, this program builds"
            f" {' and '.join(table.FEATURE_SETS.values())}.",
            hint="Train it again with this program.",
        )
    try:
        return ForecastModel.from_parts(parts)  # type: ignore[arg-type]
    except (TypeError, KeyError):
        raise ModelUntrusted(f"Model {manifest.version} has not the parts of ours.", hint="Train it again.") from None
