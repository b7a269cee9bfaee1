"""Pointers to who serves: what is said of one that is not believed, what is signed, and numbers that never go back."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.adapters import pointers
from core.adapters.files import locked
from core.adapters.model_store import FolderModelStore
from core.errors import ConfigurationError, DeploymentLost, ModelCorrupt, ModelNotFound
from tests.adapters.version_folders import pointer, with_seed
from tests.models_made import KEY, deployed, deployment, model_store, stored

#: By `hmac` of the standard library: of b'pointer\\n{"before":["v0"],"deployment":{"a":"\\\\u00e4","b":1}}' and of
#: b"generation trained/gauges@gauges.json 3".
SIGNED = "c0a1ca0cc7d6c5d7d1aab95d0746a72aa0595da578a3a5efc46f733d8ea1058a"  # pragma: allowlist secret
MARKED = "b0a4319f7aebfd4d4f3fa8c1deb73ae56c0d49f97bf4ee792e2939b8ef8eb98b"  # pragma: allowlist secret


@pytest.fixture
def store(tmp_path: Path) -> FolderModelStore:
    return model_store(tmp_path / "models")


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
