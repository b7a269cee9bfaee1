"""The files of a version: whatever is torn, flipped, linked, missing, forged or too many is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters import manifests
from core.adapters.model_store import FolderModelStore
from core.adapters.version_files import MANIFEST, PROBE, SIZE_LIMIT_BYTES
from core.errors import ModelCorrupt, ModelError, ModelUntrusted
from tests.adapters.version_folders import FILES, folder, sign
from tests.models_made import manifest, model_store, stored


@pytest.fixture
def store(tmp_path: Path) -> FolderModelStore:
    return model_store(tmp_path / "models")


def test_there_is_no_nan_in_a_version(store: FolderModelStore, tmp_path: Path) -> None:
    path = folder(stored(store).version, tmp_path)
    for name in (MANIFEST, PROBE):
        json.loads((path / name).read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize("name", FILES)
def test_every_single_flipped_bit_is_refused(store: FolderModelStore, tmp_path: Path, name: str) -> None:
    version = stored(store).version
    path = folder(version, tmp_path) / name
    good = path.read_bytes()
    for at in np.random.default_rng(5).integers(0, len(good) * 8, 60):
        bad = bytearray(good)
        bad[at // 8] ^= 1 << (at % 8)
        path.write_bytes(bad)
        with pytest.raises((ModelCorrupt, ModelUntrusted), match=r"not what its manifest says|not signed"):
            store.load(version)
    path.write_bytes(good)
    store.load(version)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_torn_file_is_refused(store: FolderModelStore, tmp_path: Path, name: str, share: float) -> None:
    version = stored(store).version
    path = folder(version, tmp_path) / name
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises((ModelCorrupt, ModelUntrusted)):
        store.load(version)


@pytest.mark.parametrize("name", FILES)
def test_a_version_lacks_no_file(store: FolderModelStore, tmp_path: Path, name: str) -> None:
    version = stored(store).version
    (folder(version, tmp_path) / name).unlink()
    with pytest.raises((ModelCorrupt, ModelUntrusted), match=r"missing|not signed"):
        store.load(version)


@pytest.mark.parametrize("name", ["", *(f"{{version}}/{name}" for name in FILES), "{version}"])
def test_links_are_refused_wherever_they_are(store: FolderModelStore, tmp_path: Path, name: str) -> None:
    version = stored(store).version
    path = tmp_path / "models" / "versions" / name.format(version=version)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelUntrusted, match="link"):
        store.load(version)
    path.unlink()
    (tmp_path / "elsewhere").rename(path)
    store.load(version)


def test_a_home_may_be_reached_through_a_link(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    (tmp_path / "linked").symlink_to(tmp_path / "models")
    model_store(tmp_path / "linked").load(version)


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_file_or_too_large_is_refused(store: FolderModelStore, tmp_path: Path, name: str) -> None:
    version = stored(store).version
    path = folder(version, tmp_path) / name
    with path.open("r+b") as file:
        file.truncate(SIZE_LIMIT_BYTES[name] + 1)
    with pytest.raises(ModelUntrusted, match="larger than any"):
        store.load(version)
    path.unlink()
    os.mkfifo(path)  # whoever just opens it waits for ever
    with pytest.raises(ModelUntrusted, match="no file"):
        store.load(version)


@pytest.mark.parametrize("name", ["extra.py", ".hidden", "model.pkl", "reason.txt"])
def test_a_file_too_many_is_refused(store: FolderModelStore, tmp_path: Path, name: str) -> None:
    version = stored(store).version
    (folder(version, tmp_path) / name).write_text("x")
    with pytest.raises(ModelUntrusted, match="not ours"):
        store.load(version)
    assert "not ours" in (store.versions()[0].refused or "")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', "null", '{"version": NaN}', "[" * 100_000])
def test_a_broken_manifest_makes_a_refused_version_and_no_exception(
    store: FolderModelStore, tmp_path: Path, text: str
) -> None:
    good, bad = stored(store).version, stored(store).version
    sign(folder(bad, tmp_path), text.encode())
    found = {v.version: v for v in store.versions()}
    assert found[good].refused is None
    assert found[bad].manifest is None
    assert found[bad].refused
    with pytest.raises(ModelError):
        store.load(bad)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"seed": 1', '"seed": NaN'),
        ('"seed": 1', '"seed": "one"'),
        ('"seed": 1', '"seed": 1e999'),
        ('"seed": 1', '"seed": 1, "seed": 2'),
        ('"algorithm": "logistic_regression"', '"algorithm": ["logistic_regression"]'),
        ('"generation": 1', '"generation": 1.5'),
    ],
)
def test_a_manifest_is_read_strictly(store: FolderModelStore, tmp_path: Path, right: str, wrong: str) -> None:
    version = stored(store).version
    path = folder(version, tmp_path)
    text = (path / MANIFEST).read_text()
    assert text.count(right) == 1
    sign(path, text.replace(right, wrong).encode())
    with pytest.raises(ModelCorrupt, match="cannot be read"):
        store.manifest(version)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> tuple[FolderModelStore, Path, bytes, str]:
    """Return a store of two versions, the folder of the one that is to suffer, its manifest, and the other."""
    root = tmp_path_factory.mktemp("models")
    store = model_store(root)
    good, bad = stored(store).version, stored(store).version
    path = root / "versions" / bad
    return store, path, (path / MANIFEST).read_bytes(), good


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(0, 3000),
    length=st.integers(0, 40),
    data=st.one_of(
        st.binary(max_size=20),
        st.sampled_from([b"NaN", b"1e999", b'"', b"{", b"\xff", b"null", b'"version": 1, ', b"\\ud800"]),
    ),
    signed=st.booleans(),
)
def test_no_manifest_breaks_the_list_of_the_others(
    crowded: tuple[FolderModelStore, Path, bytes, str], at: int, length: int, data: bytes, signed: bool
) -> None:
    store, path, text, good = crowded
    bad = text[:at] + data + text[at + length :]
    if signed:
        sign(path, bad)
    else:
        (path / MANIFEST).write_bytes(bad)
    found = {v.version: v for v in store.versions()}
    assert set(found) == {good, path.name}
    assert found[good].refused is None
    if not signed and bad != text:
        assert found[path.name].refused


def test_a_manifest_of_another_version_is_refused(store: FolderModelStore, tmp_path: Path) -> None:
    one, two = (folder(stored(store).version, tmp_path) for _ in range(2))
    for name in FILES:
        (two / name).write_bytes((one / name).read_bytes())
    with pytest.raises(ModelCorrupt, match="belongs to"):
        store.manifest(two.name)


def test_a_flipped_bit_shows_in_the_list_before_anybody_loads_the_version(
    store: FolderModelStore, tmp_path: Path
) -> None:
    version = stored(store).version
    assert store.versions()[0].refused is None
    path = folder(version, tmp_path) / "model.skops"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert "not what its manifest says" in (store.versions()[0].refused or "")


def test_an_edited_card_is_refused(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    (folder(version, tmp_path) / "card.md").write_text("verified everywhere")
    with pytest.raises(ModelCorrupt, match="card"):
        store.card(version)


def test_times_of_a_manifest_say_their_zone() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
    sound = manifest()
    assert manifests.parse(manifests.dump(sound).encode(), sound.version) == sound
    for changes in (
        {"created_at": naive},
        {"trained_on": replace(sound.trained_on, begin=naive)},
        {"trained_on": replace(sound.trained_on, end=naive)},
    ):
        with pytest.raises(ModelCorrupt, match="without its zone"):
            manifests.parse(manifests.dump(replace(sound, **changes)).encode(), sound.version)


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (manifests.parse, b"{", "The manifest of v1 cannot be read (no JSON)."),
        (manifests.parse_probe, b"[NaN]", "The probe of v1 cannot be read (no JSON)."),
        (manifests.parse_probe, b'{"rows": [[1, "\xc3\xa4"]], "probability": []}', "cannot be read (at rows.0.1)."),
        (
            manifests.parse_probe,
            b'{"rows": [], "probability": []}',
            "The probe of v1 is no table of features and answers.",
        ),
        (
            manifests.parse_probe,
            b'{"rows": [[1]], "probability": [[2]]}',
            "has a number beyond all features or answers.",
        ),
    ],
)
def test_what_cannot_be_read_is_named_with_its_version_and_place(
    read: Callable[[bytes, str], object], text: bytes, said: str
) -> None:
    with pytest.raises(ModelCorrupt) as raised:
        read(text, "v1")
    assert raised.value.message.endswith(said)
    assert raised.value.message.startswith("The ")
    assert "of v1" in raised.value.message


@pytest.mark.parametrize("number", ["1e400", "1" + 400 * "0", "-1" + 400 * "0", "1" + 5000 * "0", "NaN"])
def test_a_number_of_a_manifest_is_one_that_a_float_holds(number: str) -> None:
    text = manifests.dump(manifest(seed=12345)).replace("12345", number)
    with pytest.raises(ModelCorrupt, match="cannot be read"):
        manifests.parse(text.encode(), "")


@pytest.mark.parametrize(
    ("rows", "probability"),
    [
        ("[[1e39, null]]", "[[0.5]]"), ("[[-1e300, 1]]", "[[0.5]]"), ("[[1, 2]]", "[[1.5]]"), ("[[1, 2]]", "[[-0.1]]"),
        ("[[1, 2]]", "[[0.5], [0.5]]"), ("[]", "[]"), ("[[]]", "[[0.5]]"), ("[[1, 2]]", "[[]]"),
        ("[[1, 2], [1]]", "[[0.5], [0.5]]"), ("[[1, 2], [1, 2]]", "[[0.5], [0.5, 0.5]]"),
    ],
)  # fmt: skip
def test_a_probe_holds_features_and_probabilities_and_nothing_else(rows: str, probability: str) -> None:
    with pytest.raises(ModelCorrupt):
        manifests.parse_probe(f'{{"rows": {rows}, "probability": {probability}}}'.encode(), "a")


def test_a_probe_may_lack_features_and_answers_and_reach_their_bounds() -> None:
    probe = manifests.parse_probe(b'{"rows": [[3.4028234663852886e38, null]], "probability": [[0, 1, null]]}', "a")
    np.testing.assert_array_equal(probe.rows, np.array([[np.finfo(np.float32).max, np.nan]], np.float32))
    np.testing.assert_array_equal(probe.probability, [[0, 1, np.nan]])
