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

from core.adapters.model_store import FolderModelStore
from core.adapters.skops_files import TRUSTED_TYPES
from core.adapters.version_files import CARD, MANIFEST, MODEL, SIGNATURE, VersionFiles
from core.errors import ModelCorrupt, ModelNotFound, ModelUntrusted
from core.learning.estimators import ALGORITHMS
from core.learning.exceedance import ExceedanceModel
from tests.adapters.version_folders import FILES, folder, sign
from tests.models_made import KEY, deployed, exceedance_model, manifest, model_store, probe, stored


@pytest.fixture
def store(tmp_path: Path) -> FolderModelStore:
    return model_store(tmp_path / "models")


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_every_algorithm_comes_back_with_the_same_numbers(store: FolderModelStore, algorithm: str) -> None:
    model = exceedance_model(algorithm)
    written = store.save(manifest(algorithm=algorithm), model.to_parts(), "card", probe())
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


def test_a_version_is_looked_at_again_only_where_its_files_changed(
    store: FolderModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, opened = stored(store).version, []
    whole = VersionFiles.whole
    monkeypatch.setattr(VersionFiles, "whole", lambda files: opened.append(files.version) or whole(files))
    first = store.versions()
    assert store.versions() == first
    assert opened == [name]
    card = folder(name, tmp_path) / CARD
    card.write_text(card.read_text("utf-8") + "more", "utf-8")
    assert store.versions()[0].refused
    assert opened == [name, name]


def test_a_version_that_could_not_be_read_for_a_moment_is_well_again(
    store: FolderModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(store)

    def failing(_files: VersionFiles) -> None:
        raise ModelCorrupt("The disk does not answer.", hint="Wait.")

    with monkeypatch.context() as only:
        only.setattr(VersionFiles, "whole", failing)
        assert store.versions()[0].refused
    assert store.versions()[0].refused is None


def test_the_probe_comes_back_to_the_last_bit(store: FolderModelStore) -> None:
    read = store.probe(stored(store).version)
    assert (read.rows.dtype, read.probability.dtype) == (np.float32, np.float64)
    assert np.isnan(read.rows[3, 5])
    np.testing.assert_array_equal(read.rows, probe().rows)
    np.testing.assert_array_equal(read.probability, probe().probability)


class Canary:
    """Pickled, it touches a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self.path), 0o700)


def forge(store: FolderModelStore, tmp_path: Path, data: bytes, key: bytes = KEY) -> str:
    """Put `data` in the place of a model, with a manifest that has the right digest, signed with `key`."""
    version = stored(store).version
    path = folder(version, tmp_path)
    (path / MODEL).write_bytes(data)
    text = json.loads((path / MANIFEST).read_text())
    text["sha256"] = hashlib.sha256(data).hexdigest()
    sign(path, json.dumps(text).encode(), key)
    return version


def test_a_pickle_is_never_loaded_even_where_it_is_signed(store: FolderModelStore, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    version = forge(store, tmp_path, pickle.dumps(Canary(canary)))
    with pytest.raises(ModelUntrusted, match="no skops archive"):
        store.load(version)
    assert not canary.exists()
    pickle.loads(pickle.dumps(Canary(canary)))  # the positive control: loading it would have touched the canary
    assert canary.exists()


@pytest.mark.parametrize("name", FILES)
def test_a_pickle_in_the_place_of_any_file_is_never_loaded(store: FolderModelStore, tmp_path: Path, name: str) -> None:
    version = stored(store).version
    (folder(version, tmp_path) / name).write_bytes(pickle.dumps(Canary(tmp_path / "canary")))
    for use in (store.load, store.manifest, store.probe, store.card):
        if name in (MANIFEST, SIGNATURE) or use != store.manifest:
            with pytest.raises((ModelCorrupt, ModelUntrusted)):
                use(version)
    assert store.versions()[0].refused
    assert not (tmp_path / "canary").exists()


def test_who_forges_model_and_manifest_without_the_key_is_refused(
    store: FolderModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = (folder(stored(store).version, tmp_path) / MODEL).read_bytes()
    monkeypatch.setattr("core.adapters.manifests.parse", pytest.fail)  # the signature comes before the first byte
    version = forge(store, tmp_path, good, key=b"another key of thirty-two bytes.")
    with pytest.raises(ModelUntrusted, match="not signed with the key of this home"):
        store.load(version)


def test_homes_with_other_keys_refuse_each_others_versions(tmp_path: Path) -> None:
    one, other = model_store(tmp_path / "models"), model_store(tmp_path / "models", bytes(32))
    ours, theirs = stored(one).version, stored(other).version
    for store, version in ((one, theirs), (other, ours)):
        with pytest.raises(ModelUntrusted, match="not signed with the key of this home"):
            store.load(version)
    assert {v.version: v.refused is None for v in one.versions()} == {ours: True, theirs: False}


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


def test_foreign_files_are_named_and_ours_are_not(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    deployed(store, "gauges", "gauges", version)
    store.quarantine(stored(store).version, "for the test")
    assert store.foreign_files() == ()
    (tmp_path / "models" / "trained" / "model.pkl").write_bytes(b"x")
    (tmp_path / "models" / "evil.joblib").write_bytes(b"x")
    (folder(version, tmp_path) / "extra.py").write_text("x")
    (tmp_path / "models" / "versions" / "mine").mkdir()
    (tmp_path / "models" / "versions" / "mine" / "model.skops").write_bytes(b"x")
    (tmp_path / "models" / "trained" / "champion.bin").write_bytes(b"x")
    (tmp_path / "models" / "versions" / "linked").symlink_to(tmp_path)
    (tmp_path / "models" / "versions" / ".x_1.tmp").mkdir()
    (tmp_path / "models" / "versions" / ".x_1.tmp" / "model.skops").write_bytes(b"being written")
    found = store.foreign_files()
    assert found == (
        "evil.joblib",
        "trained/champion.bin",
        "trained/model.pkl",
        "versions/linked",
        f"versions/{version}/extra.py",
        "versions/mine/model.skops",
    )


def test_a_file_that_would_inflate_beyond_measure_is_refused(store: FolderModelStore, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("schema.json", "w") as member:
        for _ in range(401):
            member.write(b" " * 1024 * 1024)
    with pytest.raises(ModelUntrusted, match="inflate"):
        store.load(forge(store, tmp_path, path.read_bytes()))


def test_a_model_of_an_older_scikit_learn_is_refused(store: FolderModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as then:
        then.setattr("sklearn.base.__version__", "1.5.0")
        version = stored(store).version
    with pytest.raises(ModelUntrusted, match="another scikit-learn"):
        store.load(version)
