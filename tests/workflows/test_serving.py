"""Who serves: the champion, verified and probed; else the one before it, and everybody is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.adapters.model_store import FolderModelStore
from core.domain.learning import TrainingData
from core.errors import FeatureMismatch, ModelCorrupt, ModelError, ModelUntrusted
from core.workflows.serving import Serving
from tests.models_made import deployed, forecast_model, manifest, model_store, probe, stored

REGION = "there"


@pytest.fixture
def store(tmp_path: Path) -> FolderModelStore:
    return model_store(tmp_path / "models")


def two(store: FolderModelStore) -> tuple[str, str]:
    """Let two versions serve one after the other; return the first and the champion."""
    one, other = (stored(store).version for _ in range(2))
    for version in (one, other):
        deployed(store, "gauges", REGION, version)
    return one, other


def flip(tmp_path: Path, version: str) -> None:
    path = tmp_path / "models" / "versions" / version / "model.skops"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_the_champion_serves_and_nobody_stands_in(store: FolderModelStore) -> None:
    _, champion = two(store)
    served = Serving(store).champion("gauges", REGION)
    assert (served.manifest.version, served.instead) == (champion, "")


def test_a_torn_champion_is_put_aside_and_the_one_before_stands_in(store: FolderModelStore, tmp_path: Path) -> None:
    before, champion = two(store)
    flip(tmp_path, champion)
    serving = Serving(store)
    served = serving.champion("gauges", REGION)
    assert served.manifest.version == before
    assert serving.meters.faults() == {"ModelCorrupt": 1}
    assert before in served.instead
    assert "not what its manifest says" in served.instead
    aside = next(v for v in store.versions() if v.version == champion)
    assert aside.quarantined
    assert "not what its manifest says" in (aside.refused or "")
    # The pointer stays: it says who was chosen, until somebody deploys.
    assert store.champion("gauges", REGION).version == champion
    again = Serving(store).champion("gauges", REGION)
    assert again.manifest.version == before
    assert "put aside" in again.instead
    assert "not what its manifest says" in again.instead


def test_a_version_that_answers_otherwise_than_when_it_was_made_is_put_aside(store: FolderModelStore) -> None:
    before = stored(store).version
    made = probe()
    other = replace(made, probability=made.probability * np.float64(1 + 1e-6))
    wrong = store.save(manifest(), forecast_model().to_parts(), "# {version}", other).version
    for version in (before, wrong):
        deployed(store, "gauges", REGION, version)
    served = Serving(store).champion("gauges", REGION)
    assert served.manifest.version == before
    assert "does not answer as it did when it was made" in served.instead


def test_a_disk_that_does_not_answer_puts_nobody_aside(
    store: FolderModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, champion = two(store)
    load = FolderModelStore.load

    def failing(self: FolderModelStore, version: str) -> object:
        if version == champion:
            raise ModelCorrupt("model.skops cannot be read: Input/output error.", curable=True)
        return load(self, version)

    monkeypatch.setattr(FolderModelStore, "load", failing)
    serving = Serving(store)
    assert serving.champion("gauges", REGION).manifest.version == before
    monkeypatch.undo()
    assert serving.champion("gauges", REGION).manifest.version == champion


def test_where_nobody_can_serve_the_champions_own_error_is_told(store: FolderModelStore, tmp_path: Path) -> None:
    for version in two(store):
        flip(tmp_path, version)
    champion = store.champion("gauges", REGION).version
    with pytest.raises(ModelError, match=champion):
        Serving(store).champion("gauges", REGION)


def test_data_and_features_decide_too_but_put_nobody_aside(store: FolderModelStore) -> None:
    simulated, old = stored(store, "simulator").version, stored(store, feature_version="observed-0").version
    serving = Serving(store)
    with pytest.raises(ModelUntrusted, match="simulated"):
        serving.version(simulated, "gauges")
    with pytest.raises(FeatureMismatch):
        serving.version(old, "gauges")
    assert not any(version.quarantined for version in store.versions())
    assert serving.version(simulated, "simulator").manifest.version == simulated


def test_challengers_are_the_newer_versions_of_the_same_archive(store: FolderModelStore) -> None:
    def learned(source: str = "gauges", region: str = REGION) -> str:
        plain = manifest().trained_on
        data = TrainingData(source, plain.begin, plain.end, 2, 4000, 4000, 900, region_id=region)
        return stored(store, trained_on=data).version

    older, champion = learned(), learned()
    deployed(store, "gauges", REGION, champion)
    elsewhere, simulated, first, second = learned(region="elsewhere"), learned("simulator"), learned(), learned()
    serving = Serving(store)
    assert serving.challengers("gauges", REGION, 5) == (second, first)
    assert serving.challengers("gauges", REGION, 1) == (second,)
    assert serving.challengers("gauges", REGION, 0) == ()
    assert not {older, elsewhere, simulated} & set(serving.challengers("gauges", REGION, 5))


def test_of_versions_the_last_used_stay_in_memory(store: FolderModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.workflows.serving.OTHERS", 2)
    serving, (one, two, three) = Serving(store, shadows=0), (stored(store).version for _ in range(3))
    opened: list[str] = []
    load = store.load
    monkeypatch.setattr(type(store), "load", lambda _self, version: (opened.append(version), load(version))[1])
    for version in (one, two, one, three, one, two):
        serving.version(version, "gauges")
    assert opened == [one, two, three, two], "one was used between the others, and two had to be read again"
    for _ in range(2):
        serving.version(three, "gauges", kept=False)
        serving.version(two, "gauges")
    assert opened[4:] == [three, three], "whoever is looked at once is read each time, and pushes nobody out"
    deployed(store, "gauges", REGION, three)
    assert serving.champion("gauges", REGION).manifest.version == three
    opened.clear()
    for version in (one, two, three, one):
        serving.version(version, "gauges")
    assert opened == [], "one more fits, since a region has its champion"
