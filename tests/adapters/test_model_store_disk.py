"""What a full, read-only or dying disk does to the model store: what was there stays, and somebody is told."""

from __future__ import annotations

import errno
import re
from dataclasses import replace
from pathlib import Path

import pytest

from core.adapters import model_store as module
from core.adapters.files import locked
from core.adapters.model_store import FolderModelStore
from core.domain.learning import StoredVersion
from core.errors import ConfigurationError, ModelError, ModelNotFound
from tests.adapters.failing_disk import Disk
from tests.adapters.version_folders import folder
from tests.models_made import deployed, deployment, forecast_model, manifest, model_store, probe, stored

CODES = [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT]


@pytest.fixture
def store(tmp_path: Path) -> FolderModelStore:
    return model_store(tmp_path / "models")


def contents(tmp_path: Path) -> dict[str, bytes]:
    """Return every file of the home but locks and the count of generations."""
    root = tmp_path / "models"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix != ".lock" and path.name != ".generation"
    }


@pytest.mark.parametrize("code", CODES[:2])
def test_a_version_that_cannot_be_written_leaves_nothing(store: FolderModelStore, tmp_path: Path, code: int) -> None:
    stored(store)
    deployed(store, "gauges", "gauges", store.versions()[0].version)
    before, step = contents(tmp_path), 0
    while True:
        step += 1
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, step, code)
            if not _refused(lambda: stored(store)):
                break
        assert disk.failed
        assert contents(tmp_path) == before
    assert step > 15  # files, folders and renames were all tried
    assert len(store.versions()) == 2


@pytest.mark.parametrize("code", CODES)
def test_a_pointer_that_cannot_be_written_stands_where_it_stood(
    store: FolderModelStore, tmp_path: Path, code: int
) -> None:
    one, two = stored(store).version, stored(store).version
    for made in (deployment(one), deployment(two, 2)):  # the first, and one after another
        before, served, step = contents(tmp_path), _served(store), 0
        while True:
            step += 1
            with pytest.MonkeyPatch.context() as patch:
                disk = Disk(patch, step, code)
                if not _refused(lambda made=made: store.deploy(made)):
                    break
            assert disk.failed
            assert (contents(tmp_path), _served(store)) == (before, served)
        assert step > 8
        assert store.last_deployment("gauges", "gauges") == made


def test_a_pointer_on_a_disk_that_dies_is_the_old_or_the_new_one(store: FolderModelStore) -> None:
    one, two = stored(store).version, stored(store).version
    found, step = [], 0
    while not found or found[-1]:
        step += 1
        before = _served(store)
        made = deployment((one, two)[step % 2], 1 + (before[1] if before else 0))
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, step, errno.EROFS, for_good=True)
            refused = _refused(lambda made=made: store.deploy(made))
        assert _served(store) in (before, (made.to_version, made.generation))
        found.append(refused)
    assert len(found) > 8


def _served(store: FolderModelStore) -> tuple[str, int] | None:
    try:
        champion = store.champion("gauges", "gauges")
    except ModelNotFound:
        return None
    return champion.version, champion.generation


def _refused(act: object) -> bool:
    """Say whether the disk was to blame; the error tells what to do."""
    try:
        act()  # type: ignore[operator]
    except ConfigurationError as error:
        assert re.search("disk", error.hint)
        assert "Nothing was changed" in error.message
        return True
    return False


def test_an_upright_pointer_is_not_put_aside_because_it_cannot_be_read_just_now(
    store: FolderModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = stored(store).version, stored(store).version
    store.deploy(deployment(one))
    before = contents(tmp_path)

    def refuse(*_args: object) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("core.adapters.pointers.read_plain", refuse)
        with pytest.raises((ConfigurationError, ModelError)):
            store.deploy(deployment(two, 2))
        with pytest.raises((ConfigurationError, ModelError)):
            store.deploy(deployment(two, 1))
    assert contents(tmp_path) == before


def test_what_a_killed_process_left_is_swept(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    deployed(store, "gauges", "gauges", version)
    versions, trained = tmp_path / "models" / "versions", tmp_path / "models" / "trained"
    left = versions / f".{version}.123.abc.tmp"
    for sweep in (store.sweep, lambda: stored(store)):
        left.mkdir()
        (left / "model.skops").write_bytes(b"half of")
        (versions / "..generation.1.2.tmp").write_text("1")
        sweep()
        assert [path.name for path in versions.glob(".*.tmp")] == []
    (trained / ".gauges@gauges.json.1.2.tmp").write_text("{")
    deployed(store, "gauges", "gauges", version)
    assert [path.name for path in trained.glob(".*.tmp")] == []
    store.load(version)


def test_a_sweep_leaves_what_is_being_written(
    store: FolderModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(store)
    monkeypatch.setattr(module, "TIMEOUT_S", 0.05)
    left = tmp_path / "models" / "versions" / ".a.1.b.tmp"
    left.mkdir()
    with locked(tmp_path / "models" / ".versions.lock", 1, "it"):
        store.sweep()
        with pytest.raises(ConfigurationError, match="Somebody else"):
            stored(store)
    assert left.is_dir()


def test_a_version_put_aside_is_listed_with_its_reason_and_never_opened(
    store: FolderModelStore, tmp_path: Path
) -> None:
    one, two = stored(store).version, stored(store).version
    store.quarantine(two, "Its file is torn.\n")
    assert store.versions()[0] == StoredVersion(two, None, "Its file is torn.", quarantined=True)
    assert store.versions()[1].version == one
    with pytest.raises(ModelNotFound):
        store.load(two)
    with pytest.raises(ModelNotFound):
        store.deploy(deployment(two))
    store.quarantine(two, "again")  # another process was first
    (tmp_path / "models" / "quarantine" / two / "reason.txt").unlink()
    assert store.versions()[0].refused == "It was put aside; the reason is not known."


def test_no_more_of_a_reason_is_kept_than_can_be_read_again(store: FolderModelStore) -> None:
    version = stored(store).version
    store.quarantine(version, "€" * 5000)  # four bytes at the most for each
    assert store.versions()[0].refused == "€" * 1000


def test_a_name_is_never_given_twice(store: FolderModelStore, tmp_path: Path) -> None:
    one, two, three = (stored(store) for _ in range(3))
    store.quarantine(three.version, "aside")
    assert stored(store).generation == 4
    for version in store.versions():
        if not version.quarantined:
            for path in folder(version.version, tmp_path).iterdir():
                path.unlink()
            folder(version.version, tmp_path).rmdir()
    assert stored(store).generation == 5
    (tmp_path / "models" / "versions" / ".generation").write_text("nonsense")
    assert stored(store).generation == 6
    assert (one.generation, two.generation) == (1, 2)


def test_a_name_that_somebody_made_again_is_put_aside_beside_the_first(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    store.quarantine(version, "first")
    folder(version, tmp_path).mkdir()
    store.quarantine(version, "second")
    found = [(v.version, v.refused) for v in store.versions()]
    assert found == [(version, "first"), (version, "second")]


def test_a_link_is_put_aside_without_writing_where_it_leads(store: FolderModelStore, tmp_path: Path) -> None:
    version = stored(store).version
    folder(version, tmp_path).rename(tmp_path / "elsewhere")
    folder(version, tmp_path).symlink_to(tmp_path / "elsewhere")
    store.quarantine(version, "a link")
    assert not folder(version, tmp_path).is_symlink()
    assert not (tmp_path / "elsewhere" / "reason.txt").exists()
    assert store.versions()[0].quarantined


@pytest.mark.parametrize("name", ["versions", "quarantine"])
def test_nothing_is_put_aside_where_a_link_leads(store: FolderModelStore, tmp_path: Path, name: str) -> None:
    first, second = stored(store).version, stored(store).version
    store.quarantine(first, "to have a folder")
    (tmp_path / "models" / name).rename(tmp_path / "elsewhere")
    (tmp_path / "models" / name).symlink_to(tmp_path / "elsewhere")
    before = contents(tmp_path / "elsewhere")
    store.quarantine(second, "because")
    assert contents(tmp_path / "elsewhere") == before


@pytest.mark.parametrize("code", CODES)
def test_a_version_that_cannot_be_put_aside_stays_and_nobody_falls(
    store: FolderModelStore, tmp_path: Path, code: int
) -> None:
    version, step = stored(store).version, 0
    while True:
        step += 1
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, step, code)
            store.quarantine(version, "because")
        assert len(store.versions()) == 1
        if not disk.failed:
            break
        if store.versions()[0].quarantined:
            (tmp_path / "models" / "quarantine" / version / "reason.txt").unlink(missing_ok=True)
            (tmp_path / "models" / "quarantine" / version).rename(folder(version, tmp_path))
        store.load(version)
    assert step > 4


@pytest.mark.parametrize("version", ["../x", "gauges", "", "logistic_regression_20260101T000000Z_99"])
def test_what_is_no_version_is_not_put_aside(store: FolderModelStore, tmp_path: Path, version: str) -> None:
    stored(store)
    before = contents(tmp_path)
    store.quarantine(version, "because")
    assert contents(tmp_path) == before


def test_a_version_that_would_not_be_read_again_is_not_stored(store: FolderModelStore, tmp_path: Path) -> None:
    parts, infinite = forecast_model().to_parts(), probe().rows.copy()
    infinite[0, 0] = float("inf")
    for card, asked, what in (
        ("x" * 2_000_000, probe(), "too large"),
        ("card", replace(probe(), rows=infinite), "JSON compliant"),
    ):
        with pytest.raises(ConfigurationError, match=what):
            store.save(manifest(), parts, card, asked)
    with pytest.raises(ConfigurationError, match="no version name"):
        store.save(manifest(algorithm="../../x"), parts, "card", probe())
    assert store.versions() == ()


def test_a_folder_that_cannot_be_read_is_a_matter_of_the_home(store: FolderModelStore, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "versions").write_text("a file")
    with pytest.raises(ConfigurationError, match="models/versions cannot be read"):
        store.versions()


@pytest.mark.parametrize("name", ["versions", "trained"])
def test_nothing_is_written_where_a_link_leads(store: FolderModelStore, tmp_path: Path, name: str) -> None:
    version = stored(store).version
    deployed(store, "gauges", "gauges", version)
    (tmp_path / "models" / name).rename(tmp_path / "elsewhere")
    (tmp_path / "models" / name).symlink_to(tmp_path / "elsewhere")
    before = {path: path.read_bytes() for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()}
    with pytest.raises((ConfigurationError, ModelError), match="link"):
        stored(store) if name == "versions" else store.deploy(deployment(version, 2))
    assert {path: path.read_bytes() for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()} == before
