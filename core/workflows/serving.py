"""Serving: the champion, loaded once and verified, and the rule of whose data it may serve."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from core.domain.learning import ModelManifest
from core.errors import FeatureMismatch, ModelUntrusted
from core.features import table
from core.learning.exceedance import ExceedanceModel
from core.ports import ModelStore


@dataclass(frozen=True)
class Served:
    """A model ready to serve."""

    manifest: ModelManifest
    model: ExceedanceModel
    is_seed: bool


@dataclass
class Serving:
    """Keeps the models that serve in memory; a version is immutable, so its name is enough to know it again."""

    store: ModelStore
    _loaded: dict[str, tuple[ModelManifest, ExceedanceModel]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def champion(self, source: str, region_id: str) -> Served:
        """Return the champion for data of `source` in a region.

        Raises
        ------
        ModelError
            If there is none, it is not what its manifest says, or it may not serve these data.
        """
        champion = self.store.champion(source, region_id)
        return self.version(champion.version, source, champion.is_seed)

    def version(self, version: str, source: str, is_seed: bool = False) -> Served:
        """Return one version for data of `source`.

        Raises
        ------
        ModelUntrusted
            If it was trained on simulated data and the data are real.
        FeatureMismatch
            If it was trained on other features than this program builds.
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
        return Served(manifest, model, is_seed)


def _model(manifest: ModelManifest, parts: object) -> ExceedanceModel:
    if (manifest.feature_version, manifest.feature_names) != (table.FEATURE_VERSION, table.feature_names()):
        raise FeatureMismatch(
            f"Model {manifest.version} wants features {manifest.feature_version}, this program builds"
            f" {table.FEATURE_VERSION}.",
            hint="Train it again with this program.",
        )
    try:
        return ExceedanceModel.from_parts(parts)  # type: ignore[arg-type]
    except (TypeError, KeyError):
        raise ModelUntrusted(f"Model {manifest.version} has not the parts of ours.", hint="Train it again.") from None
