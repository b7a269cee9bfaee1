"""Homes with small real models, the steps that change them, and what must hold wherever a step was broken off."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.adapters import skops_files
from core.adapters.metric_files import JsonMetrics
from core.adapters.model_store import FolderModelStore
from core.adapters.run_files import RunFiles
from core.adapters.version_files import MANIFEST, SIGNATURE
from core.domain.lifecycle import RetrainingRequest, RunState, RunStatus, Trigger
from core.errors import ModelCorrupt
from core.features import table
from core.learning import estimators
from core.workflows.serving import Served, Serving
from tests.models_made import KEY, deployment, forecast_model, manifest, model_store, probe, stored

POINTER = ("gauges", "gauges")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
RUN = RunState(
    "0123456789ab",
    RetrainingRequest(*POINTER, "logistic_regression", 30, MOMENT, Trigger.SCHEDULE, "faults"),
    2**22 + 1,  # above the largest process number of Linux: this one is gone
    MOMENT,
    RunStatus.KEPT,
    1.0,
    "it ended",
    MOMENT,
)


@dataclass(frozen=True)
class Home:
    """The home below `root`, and the seed model that is shipped in another folder."""

    root: Path
    shipped: Path
    seed: tuple[str, str]

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def runs(self) -> Path:
        return self.root / "data" / "retraining"

    @property
    def secret(self) -> Path:
        return self.root / "data" / "model.key"

    @property
    def pointer(self) -> Path:
        return self.models / "trained" / "{}@{}.json".format(*POINTER)

    def store(self) -> FolderModelStore:
        """Return a store that has seen nothing yet."""
        return FolderModelStore(self.models, self.shipped, self.seed, KEY)

    def served(self) -> Served:
        """Return who serves, loaded, verified and asked for its probe anew."""
        return Serving(self.store()).champion(*POINTER)

    def names(self) -> list[str]:
        """Return the names of the versions, oldest first."""
        return sorted(
            (path.name for path in (self.models / "versions").iterdir() if not path.name.startswith(".")),
            key=lambda name: int(name.rpartition("_")[2]),
        )

    def copied(self, to: Path) -> Home:
        """Return a copy of this home; one that stood there before is gone."""
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.root, to, symlinks=True)
        return replace(self, root=to)

    def contents(self) -> dict[str, bytes]:
        """Return every file but what is hidden: locks, what is half written, and the count of generations."""
        paths = [(path, path.relative_to(self.root)) for path in sorted(self.root.rglob("*"))]
        return {
            str(name): path.read_bytes()
            for path, name in paths
            if path.is_file() and not any(part.startswith(".") for part in name.parts)
        }


@lru_cache
def packed() -> bytes:
    """Return the archive of the small model."""
    return skops_files.packed(forecast_model().to_parts())


def made_home(folder: Path) -> Home:
    """Return a home of three versions: the second serves, the first served before it, the third was never deployed."""
    shipped = model_store(folder / "shipped")
    seed = stored(shipped, created_at=datetime(2025, 12, 31, tzinfo=UTC)).version
    path = folder / "shipped" / "versions" / seed
    (path / SIGNATURE).unlink()
    home = Home(folder / "home", folder / "shipped", (seed, hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()))
    for _ in range(3):
        version = save(home)
        JsonMetrics(home.models / "metrics").store(version, {"version": version})
    RunFiles(home.runs).write(RUN)
    for generation, version in enumerate(home.names()[:2], 1):
        home.store().deploy(deployment(version, generation))
    return home


def save(home: Home) -> str:
    """Save one more version and return its name."""
    return home.store().save(manifest(), forecast_model().to_parts(), "# {version}\n\na card\n", probe()).version


def train(home: Home) -> str:
    """Fit a classifier, save a version, and write down what was measured and that the training has ended."""
    runs = RunFiles(home.runs)
    runs.write(replace(RUN, status=RunStatus.RUNNING, text="fitting"))
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(300, len(table.feature_names()))).astype(np.float32)
    estimators.fit("logistic_regression", rows, rows[:, 0] > 0, np.ones(300), seed=1)
    version = save(home)
    JsonMetrics(home.models / "metrics").store(version, {"version": version})
    runs.write(RUN)
    return version


def deploy(home: Home, version: str) -> int:
    """Let a version serve, and return the number of the deployment."""
    store = home.store()
    made = deployment(version, _present(store) + 1)
    store.deploy(made)
    return made.generation


def roll_back(home: Home) -> int:
    """Let the version serve that served before, and return the number of the deployment."""
    return deploy(home, home.store().before(*POINTER)[0])


def _present(store: FolderModelStore) -> int:
    try:
        return store.champion(*POINTER).generation
    except ModelCorrupt as error:
        return int(error.context["generation"])


def unhealthy(home: Home) -> str:
    """Say what is wrong with a home as its next process finds it, in a few words; empty where nothing is."""
    try:
        home.served()
        refused = [one.version for one in home.store().versions() if one.refused and not one.quarantined]
    except Exception as error:  # an error of the house too: somebody must serve
        return f"nobody serves: {type(error).__name__}: {error}"
    if refused:
        return f"{refused[0]} is listed and refused"
    for path in (home.models / "metrics").glob("*.json"):
        if path.name[0] != "." and _version_in(path) != path.stem:
            return f"the metrics {path.name} are torn, or those of another version"
    if RunFiles(home.runs).read() is None:
        return "the state of the last training is torn"
    return ""


def stuck(home: Home) -> str:
    """Say why a home cannot go on, in a few words; empty where it can: swept, a version saved, deployed and served."""
    try:
        home.store().sweep()
        version = save(home)
        deploy(home, version)
        served = home.served()
    except Exception as error:
        return f"it cannot go on: {type(error).__name__}: {error}"
    left = [*(home.models / "versions").glob(".*.tmp"), *home.pointer.parent.glob(f".{home.pointer.stem}.*.tmp")]
    if left:
        return f"{left[0].name} is left"
    return "" if (served.manifest.version, served.instead) == (version, "") else "the next deployment does not serve"


def _version_in(path: Path) -> object:
    try:
        return json.loads(path.read_text("utf-8"))["version"]
    except (ValueError, KeyError, TypeError):
        return None
