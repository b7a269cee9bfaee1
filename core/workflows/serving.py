"""Serving: the champion, loaded once and verified; the rule of whose data it may serve, and who stands in for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import numpy as np
import structlog
from numpy.typing import NDArray

from core.domain.forecast import DEFAULT_WINDOW, EventDefinition, Exceedance, Window, events_in
from core.domain.learning import ModelManifest
from core.domain.told import tell
from core.domain.weather import Values
from core.errors import FeatureMismatch, ModelCorrupt, ModelError, ModelNotFound, ModelUntrusted
from core.features import table
from core.learning.probes import parity
from core.learning.windows import Bounds, ForecastModel, spread_of
from core.meters import Meters
from core.ports import ModelStore

log = structlog.get_logger()
Floats = NDArray[np.float64]
#: A version must answer to its probe as it did when it was made; threads that add up trees move the last digits.
PARITY_TOLERANCE = 1e-9
#: Versions kept in memory beside those of every issue: one of an experiment or that somebody compares. A forest of a
#: region takes 16 MB.
OTHERS = 1


@dataclass(frozen=True)
class Served:
    """A model ready to serve."""

    manifest: ModelManifest
    model: ForecastModel
    is_seed: bool
    #: Why it stands in for the champion, in words; empty where it is the champion.
    instead: str = ""

    def curves(self, rows: Values, members: Values | None = None) -> dict[Window, tuple[Exceedance, ...]]:
        """Return the curve of every row of features (rows, features) by window.

        Features of forecast fields come last in a row: a version of the set without them does not see them.
        `members` (members, rows, features) are the rows as each member of an ensemble has them: what is said is then
        the mean of what is said of each, and its interval holds their spread.
        Where the version's own verification shows no skill beyond climatology, climatology is what it says: for that
        event and all rarer ones.
        """
        rows = rows[:, : len(self.manifest.feature_names)]
        usual = self.model.base_rates(rows, self.manifest.feature_names)
        told: dict[Window, Bounds] = {}
        spread = members is not None and self.manifest.feature_version == table.OBSERVED_MODEL
        found = self.model.with_interval(rows if not spread or members is None else np.concatenate(members))
        for window, bounds in found.items():
            parts = spread_of(bounds, len(rows)) if spread else bounds
            centre, low, high = (self._told(part, usual[window], window) for part in parts)
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
    """Keeps the models that serve in memory; a version is immutable, so its name is enough to know it again.

    Parameters
    ----------
    shadows
        How many versions forecast beside the champion of each region.
    """

    store: ModelStore
    meters: Meters = field(default_factory=Meters)
    shadows: int = 2
    _regions: set[tuple[str, str]] = field(default_factory=set)
    _loaded: dict[str, tuple[ModelManifest, ForecastModel]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def champion(self, source: str, region_id: str, has_fields: bool = False) -> Served:
        """Return the champion for data of `source` in a region; where it cannot serve, the one that served before it.

        A version that is not what it says is put aside, with its reason. The pointer stays: who deploys next decides.

        Raises
        ------
        ModelError
            If neither the champion nor anybody before it can serve; the error is that of the champion.
        """
        self._regions.add((source, region_id))
        line, refused = self._line(source, region_id)
        for version in line:
            try:
                served = self.version(version, source, has_fields)
            except ModelError as error:
                refused = refused or self._reason(version, error)
                self.meters.failed(type(error).__name__)
                log.error("a version cannot serve", version=version, reason=error.message)
                continue
            if refused is None:
                return served
            why = tell("{version} stands in for the champion. {why}", version=version, why=refused.told)
            return replace(served, instead=why)
        raise refused or ModelCorrupt("Nobody can serve.", hint="Train a model: python -m core train --help")

    def _reason(self, version: str, error: ModelError) -> ModelError:
        """Return why a version cannot serve: of one that was put aside, what it was put aside for."""
        if not isinstance(error, ModelNotFound):
            return error
        aside = [v.refused for v in self.store.versions() if v.version == version and v.quarantined]
        return (
            ModelCorrupt(tell("Model {version} was put aside: {why}", version=version, why=aside[0]), hint=error.hint)
            if aside
            else error
        )

    def _line(self, source: str, region_id: str) -> tuple[tuple[str, ...], ModelError | None]:
        """Return champion and those who served before it, and what is wrong with the pointer itself."""
        before: tuple[str, ...] = (self.store.seed,) if self.store.seed else ()
        try:
            before = self.store.before(source, region_id)
            return (self.store.champion(source, region_id).version, *before), None
        except ModelCorrupt as error:
            return before, error

    def challengers(self, source: str, region_id: str, most: int) -> tuple[str, ...]:
        """Return the newest versions that learned from a region's archive after its champion was made, newest first."""
        try:
            champion = self.store.champion(source, region_id)
            since = 0 if champion.is_seed else self.store.manifest(champion.version).generation
        except ModelError:
            return ()
        found = [
            stored.version
            for stored in self.store.versions()
            if stored.manifest is not None
            and stored.refused is None
            and (stored.manifest.source, stored.manifest.trained_on.region_id) == (source, region_id)
            and stored.manifest.generation > since
        ]
        return tuple(found[:most])

    def version(self, version: str, source: str, has_fields: bool = False, *, kept: bool = True) -> Served:
        """Return one version for data of `source`.

        Parameters
        ----------
        has_fields
            True where the features will be built with forecast fields.
        kept
            False for one of many that are looked at once: it pushes nobody out of memory.

        Raises
        ------
        ModelNotFound, ModelCorrupt, ModelUntrusted
            If it is not there, or not what it says: then it is put aside. Or if it was trained on simulated data and
            the data are real.
        FeatureMismatch
            If it was trained on other features than this program builds, or on forecast fields and there are none.
        """
        with self._lock:
            manifest, model = opened = self._loaded.get(version) or self._opened(version)
            if kept:
                self._loaded.pop(version, None)
                self._loaded[version] = opened  # used last stands last
                while len(self._loaded) > len(self._regions) * (1 + self.shadows) + OTHERS:
                    del self._loaded[next(iter(self._loaded))]
        if manifest.source == "simulator" and source != "simulator":
            raise ModelUntrusted(
                tell("Model {version} was trained on simulated data and may not serve real ones.", version=version),
                hint="Train on gauges, or remove the champion to be served by the seed model.",
            )
        if manifest.feature_version == table.OBSERVED_MODEL and not has_fields:
            raise FeatureMismatch(
                tell(
                    "Model {version} wants the forecast fields of a weather model, and there are none here.",
                    version=version,
                ),
                hint="Name their source in CLOUDBURST_FIELDS, or deploy a version of the feature set observed.",
            )
        return Served(manifest, model, version == self.store.seed)

    def _opened(self, version: str) -> tuple[ModelManifest, ForecastModel]:
        """Return a version that was verified and answers to its probe; one that does not is put aside."""
        try:
            manifest, parts = self.store.load(version)
            model = _model(manifest, parts)
            self._same(version, model)
        except ModelUntrusted as error:
            self.store.quarantine(version, error.message)
            raise
        except ModelCorrupt as error:
            if not error.context.get("curable"):  # a disk that does not answer says nothing of the version
                self.store.quarantine(version, error.message)
            raise
        return manifest, model

    def _same(self, version: str, model: ForecastModel) -> None:
        """Refuse a version that answers to its probe in another way than when it was made."""
        probe = self.store.probe(version)
        try:
            off = parity(model, probe)
        except Exception as error:  # parts of another program raise whatever they stumble over
            raise ModelCorrupt(
                f"Model {version} cannot answer to its probe ({type(error).__name__}).", hint="Train it again."
            ) from None
        if not off <= PARITY_TOLERANCE:  # so written, NaN is refused too
            raise ModelCorrupt(
                f"Model {version} does not answer as it did when it was made (off by {off:.2g}).",
                hint="Install the libraries named in its manifest, or train again.",
            )


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
    except Exception:  # parts of another program raise whatever they stumble over
        raise ModelUntrusted(f"Model {manifest.version} has not the parts of ours.", hint="Train it again.") from None
