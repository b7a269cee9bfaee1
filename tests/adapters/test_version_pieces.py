"""The pieces of a version one by one: what each refusal says and holds, what is sealed, by what a change is seen."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.adapters import manifests, skops_files, version_files
from core.adapters.model_store import FolderModelStore
from core.adapters.version_files import CARD, MANIFEST, MODEL, PROBE, SIGNATURE, SIZE_LIMIT_BYTES, VersionFiles, sealed
from core.domain.learning import Probe
from core.errors import ConfigurationError, ModelCorrupt, ModelError, ModelNotFound, ModelUntrusted
from tests.adapters.version_folders import FILES, folder
from tests.models_made import KEY, manifest, model_store, probe, stored

VERSION = "logistic_regression_20260101T000000Z_1"


@pytest.fixture
def store(tmp_path: Path) -> FolderModelStore:
    return model_store(tmp_path / "models")


def failing(monkeypatch: pytest.MonkeyPatch, name: str, code: int) -> None:
    """Let the reading of one file fail, or the listing of its folder where the name is empty."""
    error = OSError(code, os.strerror(code))
    read, names = version_files.read_plain, version_files.names_in

    def reading(root: Path, path: str, limit: int) -> bytes:
        if path.endswith(f"/{name}"):
            raise error
        return read(root, path, limit)

    def naming(root: Path, path: str) -> set[str]:
        if not name:
            raise error
        return names(root, path)

    monkeypatch.setattr(version_files, "read_plain", reading)
    monkeypatch.setattr(version_files, "names_in", naming)


@pytest.mark.parametrize("name", [MODEL, MANIFEST, CARD, PROBE, SIGNATURE])
@pytest.mark.parametrize(
    ("code", "told"),
    [
        (errno.ELOOP, (ModelUntrusted, "is a link.")),
        (errno.EFBIG, (ModelUntrusted, "is larger than any of ours.")),
        (errno.EINVAL, (ModelUntrusted, "is no file.")),
        (errno.ENOENT, (ModelCorrupt, "is missing.")),
        (errno.EACCES, (ModelCorrupt, "cannot be read: Permission denied.")),
    ],
)
def test_a_file_that_cannot_be_had_is_named_with_its_version(
    store: FolderModelStore, monkeypatch: pytest.MonkeyPatch, name: str, code: int, told: tuple[type[ModelError], str]
) -> None:
    version, (kind, said) = stored(store).version, told
    failing(monkeypatch, name, code)
    with pytest.raises(ModelError) as raised:
        store.load(version)
    if (name, code) == (SIGNATURE, errno.ENOENT):  # whoever has none has not signed
        assert "is not signed with the key" in raised.value.message
        assert type(raised.value) is ModelUntrusted
    else:
        assert raised.value.message == f"{name} of model {version} {said}"
        assert type(raised.value) is kind
    assert raised.value.context["version"] == version
    assert raised.value.context.get("curable", False) is (code == errno.EACCES)


@pytest.mark.parametrize("code", [errno.ENOENT, errno.ENOTDIR, errno.EACCES])
def test_a_folder_that_is_not_there_is_no_version_and_one_that_cannot_be_read_is(
    store: FolderModelStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    version = stored(store).version
    failing(monkeypatch, "", code)
    with pytest.raises(ModelCorrupt if code == errno.EACCES else ModelNotFound) as raised:
        store.manifest(version)
    assert raised.value.context["version"] == version
    assert raised.value.context.get("curable", False) is (code == errno.EACCES)


def test_a_stranger_is_named_and_so_is_the_version(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    for name in ("z.pkl", "a.pkl"):
        (folder(version, tmp_path) / name).write_text("")
    with pytest.raises(ModelUntrusted, match=r"not ours: 'a\.pkl'") as raised:
        store.manifest(version)
    assert raised.value.context["version"] == version


@pytest.mark.parametrize(("name", "what"), [(MODEL, "file"), (CARD, "card"), (PROBE, "probe")])
def test_what_differs_from_the_manifest_is_named(store: FolderModelStore, tmp_path: Path, name: str, what: str) -> None:
    version = stored(store).version
    (folder(version, tmp_path) / name).write_bytes(b"other")
    with pytest.raises(ModelCorrupt, match=f"^The {what} of model {version} is not") as raised:
        store.load(version)
    assert raised.value.context["version"] == version


def test_a_change_is_seen_by_size_and_times_of_every_file(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    files = VersionFiles(tmp_path / "models", version, KEY)
    before = files.state()
    assert [name for name, *_ in before] == sorted(FILES)
    for name, size, content, entry in before:
        found = (folder(version, tmp_path) / name).stat()
        assert (size, content, entry) == (found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    card = folder(version, tmp_path) / CARD
    os.utime(card, ns=(1, card.stat().st_mtime_ns))  # nothing but the entry has changed
    assert files.state() != before
    with pytest.raises(ModelCorrupt, match=f"The folder of model {VERSION}"):
        VersionFiles(tmp_path, VERSION, KEY).state()


def test_a_link_in_a_folder_has_a_state_of_its_own(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    (tmp_path / "elsewhere").write_text("longer than a link")
    (folder(version, tmp_path) / "link").symlink_to(tmp_path / "elsewhere")
    found = {name: size for name, size, *_ in VersionFiles(tmp_path / "models", version, KEY).state()}
    assert found["link"] == len(str(tmp_path / "elsewhere"))


def made(**changes: Any) -> tuple[Any, dict[str, bytes]]:
    given = {"model": b"model", "card": "card ä", "probe": probe(), **changes}
    return sealed(replace(manifest(), version=given.pop("version", VERSION)), KEY, **given)


def test_what_is_sealed_holds_the_digest_of_everything() -> None:
    full, contents = made()
    assert set(contents) == set(FILES)
    assert contents[MODEL] == b"model"
    assert contents[CARD] == "card ä".encode()
    assert contents[PROBE] == manifests.dump_probe(probe()).encode()
    assert contents[MANIFEST] == manifests.dump(full).encode()
    assert contents[SIGNATURE] == version_files.signature(KEY, contents[MANIFEST]).encode() + b"\n"
    digests = {"sha256": MODEL, "card_sha256": CARD, "probe_sha256": PROBE}
    for name, file in digests.items():
        assert getattr(full, name) == hashlib.sha256(contents[file]).hexdigest()
        assert json.loads(contents[MANIFEST])[name] == getattr(full, name)


@pytest.mark.parametrize("beyond", [0, 1])
@pytest.mark.parametrize(("name", "field"), [(MODEL, "model"), (CARD, "card")])
def test_nothing_larger_than_what_is_read_again_is_sealed(name: str, field: str, beyond: int) -> None:
    size = SIZE_LIMIT_BYTES[name] + beyond
    given = {field: b"x" * size if field == "model" else "x" * size}
    if beyond:
        with pytest.raises(ConfigurationError, match=f"{VERSION} cannot be stored: {name} is too large"):
            made(**given)
    else:
        assert len(made(**given)[1][name]) == size


def test_only_a_version_name_and_a_probe_of_numbers_are_sealed() -> None:
    with pytest.raises(ConfigurationError, match=r"\.\./x cannot be stored: that is no version name"):
        made(version="../x")
    odd = Probe(np.full((1, 2), np.inf, np.float32), np.array([[0.5]]))
    with pytest.raises(ConfigurationError, match=f"{VERSION} cannot be written"):
        made(probe=odd)


def test_limits_of_the_files_are_what_a_forest_needs_and_no_more() -> None:
    assert SIZE_LIMIT_BYTES == {MODEL: 2**25, MANIFEST: 2**20, CARD: 2**20, PROBE: 2**20, SIGNATURE: 100}


# Parts


def archive(parts: Mapping[str, Any]) -> bytes:
    skops_files.opened.cache_clear()
    return skops_files.packed(parts)


def test_parts_come_back_and_are_opened_once() -> None:
    data = archive({"a": np.arange(3.0), "b": "text"})
    parts = skops_files.opened(data, VERSION)
    assert sorted(parts) == ["a", "b"]
    assert parts["a"].tolist() == [0, 1, 2]
    assert skops_files.opened(data, VERSION) is parts
    assert zipfile.ZipFile(BytesIO(data)).infolist()[0].compress_type == zipfile.ZIP_DEFLATED


def test_what_inflates_to_the_limit_is_opened_and_not_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive({"a": np.zeros(1000)})
    with zipfile.ZipFile(BytesIO(data)) as found:
        total = sum(member.file_size for member in found.infolist())
    monkeypatch.setattr(skops_files, "INFLATED_LIMIT_BYTES", total)
    assert len(skops_files.opened(data, VERSION)["a"]) == 1000
    skops_files.opened.cache_clear()
    monkeypatch.setattr(skops_files, "INFLATED_LIMIT_BYTES", total - 1)
    with pytest.raises(ModelUntrusted, match=f"Model {VERSION} would inflate"):
        skops_files.opened(data, VERSION)


def test_what_is_no_parts_of_ours_is_refused() -> None:
    from skops import io

    skops_files.opened.cache_clear()
    with pytest.raises(ModelUntrusted, match=f"Model {VERSION} holds no parts"):
        skops_files.opened(bytes(io.dumps([1, 2])), VERSION)
    with pytest.raises(ModelUntrusted, match=f"The file of model {VERSION} is no skops archive"):
        skops_files.opened(b"PK", VERSION)


class Foreign:
    """Nothing that anybody trusts."""


def test_foreign_types_are_named_and_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive({"a": Foreign()})
    name = f"{Foreign.__module__}.Foreign"
    with pytest.raises(ModelUntrusted, match=rf"not on the list: \['{name}'\]\. It"):
        skops_files.opened(data, VERSION)
    monkeypatch.setattr(skops_files, "MOST_TOLD", 9)
    with pytest.raises(ModelUntrusted, match=r"not on the list: \['tests\.a\. It"):
        skops_files.opened(data, VERSION)


# The store


def test_versions_come_newest_first_and_count_on_after_what_is_gone(store: FolderModelStore, tmp_path: Path) -> None:
    names = [stored(store).version for _ in range(11)]
    assert [one.version for one in store.versions()] == names[::-1]  # 11 before 2: by number, not by name
    assert (tmp_path / "models" / "versions" / ".generation").read_text() == "11\n"
    for name in names[5:]:
        for path in sorted(folder(name, tmp_path).iterdir()):
            path.unlink()
        folder(name, tmp_path).rmdir()
    assert stored(store).generation == 12
    (tmp_path / "models" / "versions" / ".generation").write_text("torn")
    assert stored(store).generation == 13
    (tmp_path / "models" / "versions" / ".generation").unlink()
    store.quarantine(store.versions()[0].version, "because")
    assert stored(store).generation == 14


def test_a_card_is_told_its_version(store: FolderModelStore) -> None:
    version = stored(store).version
    assert store.card(version) == f"# {version}\n\na card\n"


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        (f"versions/{VERSION}/model.skops", True),
        (f"versions/{VERSION}/modelxskops", False),
        (f"versions/{VERSION}/model.skops.bak", False),
        ("versions/other/model.skops", False),
        ("trained/a@b.json", True),
        ("trained/a@b.json.bad", True),
        ("trained/a@b.json.bad.12", True),
        ("trained/a@b.generation", True),
        ("trained/a@b.jsonl", False),
        ("trained/ab.json", False),
        ("metrics/some_run-1.json", True),
        ("experiments/e.json", True),
        ("experiments/e.pkl", False),
        ("experiment_results/e.csv", True),
        ("experiment_results/e.json", False),
        ("quarantine/anything/at.all", True),
        (".hidden/x", True),
        ("versions/.new.tmp/x", True),
        ("x.pkl", False),
    ],
)
def test_a_file_in_models_is_ours_by_its_place_and_name(
    store: FolderModelStore, tmp_path: Path, name: str, ours: bool
) -> None:
    path = tmp_path / "models" / name
    path.parent.mkdir(parents=True)
    path.write_text("")
    assert store.foreign_files() == (() if ours else (name,))


def test_foreign_files_are_named_as_text_and_links_are_files(store: FolderModelStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "models" / os.fsdecode(b"caf\xe9")).write_text("")
    assert store.foreign_files() == ("caf�", "link")
