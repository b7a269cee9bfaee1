"""Who serves: deployments by one at a time, those before, the seed, and what cannot be deployed."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from core.adapters import seed
from core.adapters.model_store import FolderModelStore
from core.adapters.pointers import Standing
from core.domain.learning import StoredVersion
from core.domain.lifecycle import Rule, Verdict
from core.errors import DeploymentLost, ModelCorrupt, ModelError, ModelNotFound
from core.learning.probes import parity
from core.learning.windows import ForecastModel
from tests.adapters.version_folders import FILES, folder, pointer, with_seed
from tests.models_made import KEY, deployed, deployment, model_store, stored


@pytest.fixture
def store(tmp_path: Path) -> FolderModelStore:
    return model_store(tmp_path / "models")


def test_the_champion_is_what_was_deployed_for_that_provenance_and_region(store: FolderModelStore) -> None:
    with pytest.raises(ModelNotFound, match="no champion"):
        store.champion("gauges", "gauges")
    version = stored(store).version
    deployed(store, "gauges", "gauges", version)
    assert store.champion("gauges", "gauges").version == version
    with pytest.raises(ModelNotFound):
        store.champion("simulator", "gauges")


def test_a_deployment_is_kept_beside_the_pointer_with_its_verdict(store: FolderModelStore, tmp_path: Path) -> None:
    assert store.last_deployment("gauges", "gauges") is None
    verdict = Verdict((Rule("skill", True, "by 1.2 %, 0.4 … 2.0"), Rule("events", False, "12 of 50")))
    made = replace(deployment(stored(store).version), verdict=verdict, why="mehr Skill, “besser”")
    store.deploy(made)
    later = model_store(tmp_path / "models")
    assert later.last_deployment("gauges", "gauges") == made
    assert later.champion("gauges", "gauges").generation == 1


def test_those_before_come_newest_first_and_once(store: FolderModelStore) -> None:
    one, two, three = (stored(store).version for _ in range(3))
    assert store.before("gauges", "gauges") == ()
    for version in (one, two, one, three):
        deployed(store, "gauges", "gauges", version)
    assert store.before("gauges", "gauges") == (one, two)
    deployed(store, "gauges", "gauges", two)
    assert store.before("gauges", "gauges") == (three, one)
    store.quarantine(three, "it is gone")
    assert store.before("gauges", "gauges") == (one,)


def test_at_most_twenty_that_served_before_are_remembered() -> None:
    standing = Standing(deployment("v0"))
    for number in range(1, 40):
        standing = standing.next(deployment(f"v{number}"))
    assert standing.before == tuple(f"v{number}" for number in range(38, 18, -1))


def test_the_seed_serves_where_nothing_was_deployed_and_only_with_its_own_manifest(tmp_path: Path) -> None:
    store = with_seed(tmp_path)
    version = store.seed
    assert store.champion("gauges", "anywhere") == store.champion("simulator", "elsewhere")
    assert store.champion("gauges", "anywhere").is_seed
    assert store.champion("gauges", "anywhere").generation == 0
    assert store.before("gauges", "anywhere") == ()
    store.load(version)
    assert stored(store).generation == 2
    path = tmp_path / "shipped" / "versions" / version / "manifest.json"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(ModelCorrupt, match="not the one this code was released with"):
        store.load(version)
    assert [(one.version, one.shipped) for one in store.versions() if one.refused] == [(version, True)]


def test_a_seed_that_was_deployed_is_still_the_seed(tmp_path: Path) -> None:
    store = with_seed(tmp_path)
    deployed(store, "gauges", "gauges", store.seed)
    assert store.champion("gauges", "gauges").is_seed is True
    deployed(store, "gauges", "gauges", stored(store).version)
    assert store.champion("gauges", "gauges").is_seed is False


def test_an_upright_pointer_knows_its_number_without_the_file_beside_it(
    store: FolderModelStore, tmp_path: Path
) -> None:
    deployed(store, "gauges", "gauges", stored(store).version)
    pointer(tmp_path).with_suffix(".generation").unlink()
    assert store._pointer("gauges", "gauges").generation() == 1


def test_the_shipped_model_is_whole_and_answers_as_it_did(tmp_path: Path) -> None:
    shipped = Path(__file__).resolve().parents[2] / "models"
    store = FolderModelStore(tmp_path / "models", shipped, (seed.SEED_VERSION, seed.SEED_MANIFEST_SHA256), KEY)
    found, parts = store.load(seed.SEED_VERSION)
    assert store.versions() == (StoredVersion(seed.SEED_VERSION, found, shipped=True),)
    asked = store.probe(seed.SEED_VERSION)
    assert asked.rows.shape == (64, len(found.feature_names))
    assert parity(ForecastModel.from_parts(parts), asked) < 1e-9
    store.quarantine(seed.SEED_VERSION, "the shipped one stays")
    assert not store.versions()[0].quarantined


@pytest.mark.parametrize("name", [*FILES[:4], "manifest.hmac", "extra.txt"])
def test_a_shipped_version_holds_four_files_as_they_were(tmp_path: Path, name: str) -> None:
    store = with_seed(tmp_path)
    (tmp_path / "shipped" / "versions" / store.seed / name).write_bytes(b"other")
    with pytest.raises(ModelError):
        store.load(store.seed)
    assert store.versions()[0].refused


def test_the_seed_is_the_last_to_fall_back_on_unless_it_was_deployed_since(tmp_path: Path) -> None:
    store = with_seed(tmp_path)
    one, two = stored(store).version, stored(store).version
    deployed(store, "gauges", "gauges", one)
    assert store.before("gauges", "gauges") == (store.seed,)
    deployed(store, "gauges", "gauges", two)
    assert store.before("gauges", "gauges") == (one, store.seed)
    deployed(store, "gauges", "gauges", store.seed)  # two was bad
    assert store.before("gauges", "gauges") == (two, one)
    deployed(store, "gauges", "gauges", stored(store).version)
    assert store.before("gauges", "gauges")[0] == store.seed


@pytest.mark.parametrize("generation", [-1, 0, 1, 3])
def test_a_deployment_that_was_decided_on_another_champion_is_lost(store: FolderModelStore, generation: int) -> None:
    one, two = stored(store).version, stored(store).version
    store.deploy(deployment(one))
    with pytest.raises(DeploymentLost, match=rf"tests deployed {one} .* at 2026-01-02 00:00:00 UTC") as caught:
        store.deploy(deployment(two, generation))
    assert caught.value.generation == 1
    assert store.champion("gauges", "gauges").version == one


def test_of_twenty_that_deploy_at_once_one_wins_round_after_round(store: FolderModelStore, tmp_path: Path) -> None:
    versions = [stored(store).version for _ in range(4)]
    for generation in range(1, 6):
        barrier, won, lost = threading.Barrier(20), [], []

        def deploy(number: int, made: int, barrier: threading.Barrier, won: list[int], lost: list[int]) -> None:
            mine = model_store(tmp_path / "models")
            barrier.wait()
            try:
                mine.deploy(replace(deployment(versions[number % 4], made), who=f"thread {number}"))
            except DeploymentLost as error:
                lost.append(error.generation)
            else:
                won.append(number)

        threads = [threading.Thread(target=deploy, args=(n, generation, barrier, won, lost)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(won), lost) == (1, [generation] * 19)
        made = store.last_deployment("gauges", "gauges")
        assert made is not None
        assert (made.who, made.generation) == (f"thread {won[0]}", generation)


@pytest.mark.parametrize("name", FILES)
def test_a_corrupt_version_cannot_be_deployed_and_the_old_pointer_stays(
    store: FolderModelStore, tmp_path: Path, name: str
) -> None:
    good, bad = stored(store).version, stored(store).version
    store.deploy(deployment(good))
    text = pointer(tmp_path).read_bytes()
    (folder(bad, tmp_path) / name).write_bytes(b"torn")
    with pytest.raises(ModelError):
        store.deploy(deployment(bad, 2))
    assert pointer(tmp_path).read_bytes() == text
