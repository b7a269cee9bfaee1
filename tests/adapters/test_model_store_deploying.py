"""Who serves: pointers that are moved by one at a time, are believed only where they are signed, and never lost."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.adapters import pointers, seed
from core.adapters.files import locked
from core.adapters.model_store import FolderModelStore
from core.adapters.pointers import Standing
from core.domain.learning import StoredVersion
from core.domain.lifecycle import Rule, Verdict
from core.errors import ConfigurationError, DeploymentLost, ModelCorrupt, ModelError, ModelNotFound
from core.learning.probes import parity
from core.learning.windows import ForecastModel
from tests.adapters.version_folders import FILES, folder
from tests.models_made import KEY, deployed, deployment, model_store, stored

#: By `hmac` of the standard library: of b'pointer\\n{"before":["v0"],"deployment":{"a":"\\\\u00e4","b":1}}' and of
#: b"generation trained/gauges@gauges.json 3".
SIGNED = "c0a1ca0cc7d6c5d7d1aab95d0746a72aa0595da578a3a5efc46f733d8ea1058a"  # pragma: allowlist secret
MARKED = "b0a4319f7aebfd4d4f3fa8c1deb73ae56c0d49f97bf4ee792e2939b8ef8eb98b"  # pragma: allowlist secret


@pytest.fixture
def store(tmp_path: Path) -> FolderModelStore:
    return model_store(tmp_path / "models")


def with_seed(tmp_path: Path) -> FolderModelStore:
    """Return the store of a home with a shipped model."""
    shipped = tmp_path / "shipped"
    version = stored(model_store(shipped)).version
    path = shipped / "versions" / version
    (path / "manifest.hmac").unlink()
    digest = hashlib.sha256((path / "manifest.json").read_bytes()).hexdigest()
    return FolderModelStore(tmp_path / "models", shipped, (version, digest), KEY)


def pointer(tmp_path: Path) -> Path:
    return tmp_path / "models" / "trained" / "gauges@gauges.json"


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


@pytest.mark.parametrize(("source", "region_id"), [("../x", "gauges"), ("gauges", "a/b"), ("", "x"), ("gauges", "A.B")])
def test_a_pointer_has_a_name_of_ours(store: FolderModelStore, source: str, region_id: str) -> None:
    with pytest.raises(ModelNotFound):
        store.champion(source, region_id)


@pytest.mark.parametrize("why", ["\ud800", "x" * 300_000])
def test_what_would_not_be_read_again_is_not_written(store: FolderModelStore, tmp_path: Path, why: str) -> None:
    one, two = stored(store).version, stored(store).version
    store.deploy(deployment(one))
    with pytest.raises(ConfigurationError, match="cannot be written down"):
        store.deploy(replace(deployment(two, 2), why=why))
    assert store.champion("gauges", "gauges").version == one


def test_a_pointer_that_somebody_else_moves_is_waited_for_so_long(
    store: FolderModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = stored(store).version
    monkeypatch.setattr(pointers, "TIMEOUT_S", 0.05)
    lock = pointer(tmp_path).with_name(".gauges@gauges.json.lock")
    with locked(lock, 1, "it"), pytest.raises(ConfigurationError, match="Somebody else"):
        store.deploy(deployment(version))
    store.deploy(deployment(version))


def edited(text: str, **changes: object) -> str:
    """Return a pointer with other facts about its deployment."""
    found = json.loads(text)
    found["deployment"] |= changes
    return json.dumps(found)


BROKEN = {
    "empty": lambda _text: "",
    "torn": lambda text: text[: len(text) // 2],
    "forged": lambda text: edited(text, generation=9, why="for me"),
    "not ours": lambda _text: '{"version": "x"}',
    "list": lambda _text: "[]",
    "NaN": lambda text: text.replace('"generation": 1', '"generation": NaN'),
    "twice": lambda text: text.replace('"before": []', '"before": [], "before": []'),
    "deep": lambda _text: "[" * 100_000,
    "unsigned": lambda text: json.dumps({**json.loads(text), "hmac": ""}),
    "signed oddly": lambda text: json.dumps({**json.loads(text), "hmac": "ä"}),
    "large": lambda text: text + " " * 300_000,
}


TORN, UNSIGNED = "is torn, or none of ours", "is not signed with the key of this home"
#: What is said of each.
SAID = dict.fromkeys(BROKEN, TORN) | {
    **dict.fromkeys(("forged", "unsigned", "signed oddly", "another key"), UNSIGNED),
    "large": "is larger than any of ours",
    "another's": "is that of another one",
    "another program's": "was written by another version of this program",
    "link": "is a link",
    "folder": "is no file",
    "pipe": "is no file",
}


@pytest.mark.parametrize("name", SAID)
def test_a_pointer_that_cannot_be_believed_says_so_and_can_be_deployed_over(tmp_path: Path, name: str) -> None:
    store, path = with_seed(tmp_path), pointer(tmp_path)
    one, two = stored(store).version, stored(store).version
    store.deploy(deployment(one))
    spoil(path, name, store, tmp_path)
    with pytest.raises(ModelCorrupt) as caught:
        store.champion("gauges", "gauges")
    assert caught.value.message == f"The champion's pointer gauges@gauges.json {SAID[name]}."
    assert "seed model" in caught.value.hint
    assert store.before("gauges", "gauges") == (store.seed,)
    assert store.last_deployment("gauges", "gauges") is None
    present = 0 if name == "another key" else 1
    assert caught.value.context["generation"] == present
    if present:
        with pytest.raises(DeploymentLost, match="gone or cannot be read"):
            store.deploy(deployment(two))  # decided when nobody served: the number was given already
    store.deploy(deployment(two, present + 1))
    assert store.champion("gauges", "gauges").generation == present + 1
    assert os.path.lexists(path.with_name("gauges@gauges.json.bad"))
    assert store.foreign_files() == ()


def spoil(path: Path, name: str, store: FolderModelStore, tmp_path: Path) -> None:
    """Do to the pointer what its name says."""
    if name in BROKEN:
        path.write_text(BROKEN[name](path.read_text()))
    elif name == "another's":
        store.deploy(deployment(stored(store).version, region_id="elsewhere"))
        path.write_text(path.with_name("gauges@elsewhere.json").read_text())
    elif name == "another program's":
        found = json.loads(path.read_text())
        signed = {"deployment": {**found["deployment"], "action": None}, "before": found["before"]}
        one = pointers.Pointer(path.parent.parent, KEY, "gauges", "gauges")
        path.write_text(json.dumps({**signed, "hmac": one._signature(signed)}))
    elif name == "link":
        path.rename(tmp_path / "elsewhere.json")
        path.symlink_to(tmp_path / "elsewhere.json")
    elif name == "another key":
        other = model_store(tmp_path / "other", bytes(32))
        deployed(other, "gauges", "gauges", stored(other).version)
        for one in (path, path.with_suffix(".generation")):
            one.write_bytes((tmp_path / "other" / "trained" / one.name).read_bytes())
    else:
        path.unlink()
        path.mkdir() if name == "folder" else os.mkfifo(path)


def test_no_flipped_bit_of_a_pointer_is_believed(store: FolderModelStore, tmp_path: Path) -> None:
    made, path = deployment(stored(store).version), pointer(tmp_path)
    store.deploy(made)
    good = path.read_bytes()
    for at in np.random.default_rng(6).integers(0, len(good) * 8, 200):
        bad = bytearray(good)
        bad[at // 8] ^= 1 << (at % 8)
        path.write_bytes(bad)
        assert store.last_deployment("gauges", "gauges") in (None, made)  # a blank between two values says nothing
    path.write_bytes(good)
    assert store.last_deployment("gauges", "gauges") == made


def test_numbers_go_on_where_the_pointer_was_removed(tmp_path: Path) -> None:
    store = with_seed(tmp_path)
    one, two = stored(store).version, stored(store).version
    deployed(store, "gauges", "gauges", one)
    deployed(store, "gauges", "gauges", two)
    pointer(tmp_path).unlink()
    assert store.champion("gauges", "gauges").is_seed
    assert store.champion("gauges", "gauges").generation == 2
    assert deployed(store, "gauges", "gauges", one).generation == 3


@pytest.mark.parametrize("text", ["", "9", "9 abc", "1 é", "x" * 2000])
def test_a_forged_number_is_not_believed(tmp_path: Path, text: str) -> None:
    store = with_seed(tmp_path)
    deployed(store, "gauges", "gauges", stored(store).version)
    pointer(tmp_path).with_suffix(".generation").write_text(text)
    assert store.champion("gauges", "gauges").generation == 1
    pointer(tmp_path).unlink()
    assert store.champion("gauges", "gauges").generation == 0


def test_pointers_that_were_signed_before_are_believed(tmp_path: Path) -> None:
    """What is signed, and with what before it, is a format: homes have pointers and marks of it."""
    one = pointers.Pointer(tmp_path, KEY, "gauges", "gauges")
    assert one._signature({"deployment": {"b": 1, "a": "ä"}, "before": ["v0"]}) == SIGNED
    assert one._marked(3) == f"3 {MARKED}\n"


def test_a_pointer_may_be_as_long_as_it_may_be(store: FolderModelStore, tmp_path: Path) -> None:
    deployed(store, "gauges", "gauges", stored(store).version)
    one, path = pointers.Pointer(tmp_path / "models", KEY, "gauges", "gauges"), pointer(tmp_path)
    text = path.read_text()
    path.write_text(text + " " * (pointers.SIZE_LIMIT_BYTES - len(text)))
    assert one.read() is not None
    path.write_text(text + " " * (pointers.SIZE_LIMIT_BYTES + 1 - len(text)))
    with pytest.raises(ModelCorrupt, match="larger"):
        one.read()
