"""The model store: what it keeps, and everything it refuses to open."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.adapters.model_store import TRUSTED_TYPES, FolderModelStore
from core.errors import ModelCorrupt, ModelError, ModelNotFound, ModelUntrusted
from core.learning.estimators import ALGORITHMS
from core.learning.exceedance import ExceedanceModel
from tests.models_made import exceedance_model, manifest, stored

NO_SEED = ("", "")


@pytest.fixture
def store(tmp_path: Path) -> FolderModelStore:
    return FolderModelStore(tmp_path / "models", tmp_path / "models", NO_SEED)


def folder(store: FolderModelStore, version: str, tmp_path: Path) -> Path:
    return tmp_path / "models" / "versions" / version


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_every_algorithm_comes_back_with_the_same_numbers(store: FolderModelStore, algorithm: str) -> None:
    model = exceedance_model(algorithm)
    written = store.save(manifest(algorithm=algorithm), model.to_parts(), "card")
    read, parts = store.load(written.version)
    rows = np.random.default_rng(3).normal(size=(50, len(written.feature_names))).astype(np.float32)
    assert read == written
    # Threads add up the trees of a forest in any order: the last digit is not theirs to keep.
    same = ExceedanceModel.from_parts(parts).probabilities(rows)
    np.testing.assert_allclose(same, model.probabilities(rows), rtol=1e-12)


def test_versions_are_numbered_and_named_after_algorithm_and_time(store: FolderModelStore) -> None:
    first, second = stored(store), stored(store)
    assert first.version == "logistic_regression_20260101T000000Z_1"
    assert [v.version for v in store.versions()] == [second.version, first.version]
    assert store.card(first.version).startswith(f"# {first.version}")


def test_every_single_flipped_bit_is_refused(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    path = folder(store, version, tmp_path) / "model.skops"
    good = path.read_bytes()
    for at in np.random.default_rng(5).integers(0, len(good) * 8, 60):
        bad = bytearray(good)
        bad[at // 8] ^= 1 << (at % 8)
        path.write_bytes(bad)
        with pytest.raises(ModelCorrupt, match="not what its manifest says"):
            store.load(version)
    path.write_bytes(good)
    store.load(version)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_torn_file_is_refused(store: FolderModelStore, tmp_path: Path, share: float) -> None:
    version = stored(store).version
    path = folder(store, version, tmp_path) / "model.skops"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ModelCorrupt):
        store.load(version)


class Canary:
    """Pickled, it touches a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self.path), 0o700)


def forge(store: FolderModelStore, tmp_path: Path, data: bytes) -> str:
    """Put `data` in the place of a model, with a manifest that has the right digest."""
    version = stored(store).version
    path = folder(store, version, tmp_path)
    (path / "model.skops").write_bytes(data)
    text = json.loads((path / "manifest.json").read_text())
    text["sha256"] = hashlib.sha256(data).hexdigest()
    (path / "manifest.json").write_text(json.dumps(text))
    return version


def test_a_pickle_with_a_forged_manifest_is_never_loaded(store: FolderModelStore, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    version = forge(store, tmp_path, pickle.dumps(Canary(canary)))
    with pytest.raises(ModelUntrusted, match="no skops archive"):
        store.load(version)
    assert not canary.exists()
    pickle.loads(pickle.dumps(Canary(canary)))  # the positive control: loading it would have touched the canary
    assert canary.exists()


def test_a_skops_file_with_a_foreign_type_is_never_loaded(store: FolderModelStore, tmp_path: Path) -> None:
    from skops import io

    version = forge(store, tmp_path, io.dumps({"classifier": Canary(tmp_path / "canary")}))
    with pytest.raises(ModelUntrusted, match="not on the list"):
        store.load(version)
    assert not (tmp_path / "canary").exists()


def test_a_zip_that_is_no_model_is_refused(store: FolderModelStore, tmp_path: Path) -> None:
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", "[1, 2")
    with pytest.raises(ModelUntrusted):
        store.load(forge(store, tmp_path, path.read_bytes()))


def test_the_list_of_trusted_types_is_a_constant_of_three() -> None:
    assert TRUSTED_TYPES == (
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
    )


@pytest.mark.parametrize(
    "name", ["../outside", "a/b", "", "..", "model.pkl", "logistic_regression_20260101T000000Z_99"]
)
def test_a_name_that_is_no_version_is_not_found(store: FolderModelStore, name: str) -> None:
    with pytest.raises(ModelNotFound):
        store.load(name)


def test_links_are_refused(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    path = folder(store, version, tmp_path)
    (path / "model.skops").rename(tmp_path / "elsewhere.skops")
    (path / "model.skops").symlink_to(tmp_path / "elsewhere.skops")
    with pytest.raises(ModelUntrusted, match="link"):
        store.load(version)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelUntrusted, match="link"):
        store.load(version)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', "null", '{"version": NaN}', "[" * 100_000])
def test_a_broken_manifest_makes_a_refused_version_and_no_exception(
    store: FolderModelStore, tmp_path: Path, text: str
) -> None:
    good, bad = stored(store).version, stored(store).version
    (folder(store, bad, tmp_path) / "manifest.json").write_text(text)
    found = {v.version: v for v in store.versions()}
    assert found[good].refused is None
    assert found[bad].manifest is None
    assert found[bad].refused
    with pytest.raises(ModelError):
        store.load(bad)


def test_a_manifest_of_another_version_is_refused(store: FolderModelStore, tmp_path: Path) -> None:
    one, two = stored(store).version, stored(store).version
    text = (folder(store, one, tmp_path) / "manifest.json").read_text()
    (folder(store, two, tmp_path) / "manifest.json").write_text(text)
    with pytest.raises(ModelCorrupt, match="belongs to"):
        store.manifest(two)


def test_foreign_files_are_named_and_ours_are_not(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    store.deploy("gauges", "gauges", version)
    assert store.foreign_files() == ()
    (tmp_path / "models" / "trained" / "model.pkl").write_bytes(b"x")
    (tmp_path / "models" / "evil.joblib").write_bytes(b"x")
    (folder(store, version, tmp_path) / "extra.py").write_text("x")
    (tmp_path / "models" / "versions" / "mine").mkdir()
    (tmp_path / "models" / "versions" / "mine" / "model.skops").write_bytes(b"x")
    (tmp_path / "models" / "trained" / "champion.bin").write_bytes(b"x")
    (tmp_path / "models" / "versions" / ".x_1.tmp").mkdir()
    (tmp_path / "models" / "versions" / ".x_1.tmp" / "model.skops").write_bytes(b"being written")
    found = store.foreign_files()
    assert found == (
        "evil.joblib",
        "trained/champion.bin",
        "trained/model.pkl",
        f"versions/{version}/extra.py",
        "versions/mine/model.skops",
    )


def test_the_champion_is_what_was_deployed_for_that_provenance_and_region(store: FolderModelStore) -> None:
    with pytest.raises(ModelNotFound, match="no champion"):
        store.champion("gauges", "gauges")
    version = stored(store).version
    store.deploy("gauges", "gauges", version)
    assert store.champion("gauges", "gauges").version == version
    with pytest.raises(ModelNotFound):
        store.champion("simulator", "gauges")


def test_a_corrupt_version_cannot_be_deployed_and_the_old_pointer_stays(
    store: FolderModelStore, tmp_path: Path
) -> None:
    good, bad = stored(store).version, stored(store).version
    store.deploy("gauges", "gauges", good)
    (folder(store, bad, tmp_path) / "model.skops").write_bytes(b"torn")
    with pytest.raises(ModelCorrupt):
        store.deploy("gauges", "gauges", bad)
    assert store.champion("gauges", "gauges").version == good


def test_an_unreadable_pointer_says_what_to_do(store: FolderModelStore, tmp_path: Path) -> None:
    path = tmp_path / "models" / "trained" / "gauges@gauges.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(ModelCorrupt) as caught:
        store.champion("gauges", "gauges")
    assert "seed model" in caught.value.hint


def test_the_seed_serves_where_nothing_was_deployed_and_only_with_its_own_manifest(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    version = stored(FolderModelStore(shipped, shipped, NO_SEED)).version
    path = shipped / "versions" / version / "manifest.json"
    seed = (version, hashlib.sha256(path.read_bytes()).hexdigest())
    store = FolderModelStore(tmp_path / "home", shipped, seed)
    assert store.champion("gauges", "anywhere") == store.champion("simulator", "elsewhere")
    assert store.champion("gauges", "anywhere").is_seed
    store.load(version)
    assert stored(store).generation == 2
    path.write_text(path.read_text() + "\n")
    with pytest.raises(ModelCorrupt, match="not the one this code was released with"):
        store.load(version)


def test_a_flipped_bit_shows_in_the_list_before_anybody_loads_the_version(
    store: FolderModelStore, tmp_path: Path
) -> None:
    version = stored(store).version
    assert store.versions()[0].refused is None
    path = folder(store, version, tmp_path) / "model.skops"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert "not what its manifest says" in (store.versions()[0].refused or "")


def test_an_edited_card_is_refused(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    (folder(store, version, tmp_path) / "card.md").write_text("verified everywhere")
    with pytest.raises(ModelCorrupt, match="card"):
        store.card(version)


def test_a_file_that_would_inflate_beyond_measure_is_refused(store: FolderModelStore, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("schema.json", "w") as member:
        for _ in range(401):
            member.write(b" " * 1024 * 1024)
    with pytest.raises(ModelUntrusted, match="inflate"):
        store.load(forge(store, tmp_path, path.read_bytes()))


def test_a_model_of_another_library_version_is_refused(
    store: FolderModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sklearn.base

    version = stored(store).version
    monkeypatch.setattr(sklearn.base, "__version__", "0.1")
    with pytest.raises(ModelUntrusted, match="another scikit-learn"):
        store.load(version)
