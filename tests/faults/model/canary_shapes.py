"""Malicious files and links in models/, each made so that whoever opens or follows it touches a canary."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle  # noqa: TID251 - these are the pickles that must not be loaded
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.adapters.version_files import MANIFEST, MODEL, SIGNATURE
from tests.adapters.version_folders import FILES, sign
from tests.faults.model.homes import Home, packed

ANOTHER_KEY = b"another key of thirty-two bytes."
#: A version outside, as seen from models/versions.
OUTSIDE = "../../../outside/version"
LOADERS = (
    "ObjectNode", "FunctionNode", "TypeNode", "MethodNode", "PartialNode", "OperatorFuncNode",
    "TreeNode", "RandomStateNode", "CachedNode", "JsonNode", "NoSuchNode", "LossNode",
    "ConstructorFromReduceNode")  # fmt: skip


@dataclass(frozen=True)
class Trap:
    """A home in which something was planted: the canary, the version that suffers, and a folder outside models/."""

    home: Home
    canary: Path
    victim: str
    outside: Path

    @property
    def folder(self) -> Path:
        return self.home.models / "versions" / self.victim

    @property
    def pickle(self) -> bytes:
        """A pickle that touches the canary when it is loaded."""
        return pickle.dumps(Canary(self.canary))


class Touching:
    """Opened by skops as a type that it trusts, it touches a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getstate__(self) -> dict[str, str]:
        return {"path": str(self.path)}

    def __setstate__(self, state: dict[str, str]) -> None:
        Path(state["path"]).mkdir()


class Canary:
    """Pickled, it touches a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self.path), 0o700)


Shape = Callable[[Trap], object]
#: Beginnings of the shapes that careless hands need not fall for: a pipe is waited for, and most nodes call nothing.
TAME = ("pipe in", "skops node")


def shapes() -> dict[str, Shape]:
    """Return every shape by name."""
    return {
        **{f"pickle as {name}": _file(name) for name in FILES},
        **{f"link in the place of {name}": _link(name) for name in FILES},
        **{f"pipe in the place of {name}": _pipe(name) for name in (MODEL, MANIFEST)},
        **{f"skops node {loader}": _node(loader) for loader in LOADERS},
        **{f"extra {name}": _extra(name) for name in _EXTRA},
        **{f"pickle as {name}": _below(name) for name in _BELOW},
        **{f"version named {name!r}": _named(name) for name in _NAMES},
        "pickle signed": lambda trap: _forge(trap, trap.pickle),
        "pickle signed with another key": lambda trap: _forge(trap, trap.pickle, ANOTHER_KEY),
        "pickle with its digest in an unsigned manifest": lambda trap: _forge(trap, trap.pickle, None),
        "compressed joblib signed": lambda trap: _forge(trap, zlib.compress(trap.pickle)),
        "skops of a foreign type signed": _foreign_type,
        "pickled array in a skops archive": _pickled_array,
        "zip-slip": _member("../../../../canary"),
        "zip with an absolute name": _member("{canary}"),
        "zip of a pickle": _member("model.pkl"),
        "version folder is a link": lambda trap: _moved(trap, trap.folder),
        "models/versions is a link": lambda trap: _moved(trap, trap.folder.parent),
        "models/trained is a link": lambda trap: _moved(trap, trap.home.pointer.parent),
        "pointer is a link": lambda trap: _moved(trap, trap.home.pointer),
        "quarantine is a link": lambda trap: (trap.home.models / "quarantine").symlink_to(trap.outside),
        "hard link to a pickle": _hard_link,
        "pointer to a version outside": lambda trap: _point(trap, OUTSIDE),
        "pointer to a version outside, signed for another home": lambda trap: _point(trap, OUTSIDE, ANOTHER_KEY.hex()),
        "manifest that names a version outside": _names_outside,
        "signature of another version": _signature_of_another,
    }


_EXTRA = ("model.pkl", "model.joblib", ".hidden.pkl", "__init__.py", "sitecustomize.py", "reason.txt", "a\nb")
_BELOW = (
    "models/evil.joblib", "models/trained/model.pkl", "models/metrics/model.pkl", "models/versions/.generation",
    "models/trained/gauges@gauges.json", "models/trained/gauges@gauges.generation",
    "models/versions/logistic_regression_20270101T000000Z_77",
    "models/quarantine/logistic_regression_20270101T000000Z_78",
    "data/retraining/now.json")  # fmt: skip
_NAMES = ("..evil", "a\nb", "%2e%2e", "logistic_regression_20270101T000000Z_79 ", "é" * 100, "CON", "\udcff")


def _file(name: str) -> Shape:
    return lambda trap: (trap.folder / name).write_bytes(trap.pickle)


def _link(name: str) -> Shape:
    return lambda trap: _moved(trap, trap.folder / name)


def _pipe(name: str) -> Shape:
    def plant(trap: Trap) -> None:
        (trap.folder / name).unlink()
        os.mkfifo(trap.folder / name)

    return plant


def _extra(name: str) -> Shape:
    return lambda trap: (trap.folder / name).write_bytes(trap.pickle)


def _below(name: str) -> Shape:
    def plant(trap: Trap) -> None:
        path = trap.home.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(trap.pickle)

    return plant


def _named(name: str) -> Shape:
    def plant(trap: Trap) -> None:
        path = trap.folder.with_name(name)
        path.mkdir()
        (path / MODEL).write_bytes(trap.pickle)
        (path / MANIFEST).write_bytes((trap.folder / MANIFEST).read_bytes())

    return plant


def _moved(trap: Trap, path: Path) -> None:
    """Move something out of models/ and leave a link to it."""
    if path.is_dir():
        (path / ".theirs.tmp").write_bytes(b"not ours to remove")
    path.rename(trap.outside / path.name)
    path.symlink_to(trap.outside / path.name)


def _forge(trap: Trap, data: bytes, key: bytes | None = b"") -> None:
    """Put `data` in the place of the model, with the right digest; signed with the home's key, another or none."""
    (trap.folder / MODEL).write_bytes(data)
    text = json.loads((trap.folder / MANIFEST).read_text("utf-8"))
    _write_manifest(trap, {**text, "sha256": hashlib.sha256(data).hexdigest()}, key)


def _write_manifest(trap: Trap, manifest: dict[str, Any], key: bytes | None = b"") -> None:
    text = json.dumps(manifest).encode()
    if key is None:
        (trap.folder / MANIFEST).write_bytes(text)
    else:
        sign(trap.folder, text, *([key] if key else []))


def _archive(change: Callable[[dict[str, bytes]], object]) -> bytes:
    """Return the archive of the small model with its members changed."""
    with zipfile.ZipFile(io.BytesIO(packed())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _node(loader: str) -> Shape:
    """Let the first object of the archive name os.mkdir in a node of any kind (CVE-2025-54412, -54413 hid it so).

    Two call what they name (LossNode, ConstructorFromReduceNode); most of the others are malformed for their kind:
    whichever fault is seen first, the file must be refused.
    """

    def plant(trap: Trap) -> None:
        def change(members: dict[str, bytes]) -> None:
            schema = json.loads(members["schema.json"])
            argument = {
                "__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "is_json": True, "__id__": 1,
                "content": json.dumps(str(trap.canary))}  # fmt: skip
            several = {
                "__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "__id__": 2,
                "content": [argument]}  # fmt: skip
            evil = {
                "__class__": "mkdir", "__module__": "os", "__loader__": loader, "__id__": 3, "args": several,
                "attrs": several, "__reduce__": {"args": several}, "func": "mkdir", "obj": argument,
                "content": {**several, "func": "mkdir", "obj": several, "attrs": several, "args": several}}  # fmt: skip
            schema["content"][min(schema["content"])] = evil
            members["schema.json"] = json.dumps(schema).encode()

        _forge(trap, _archive(change))

    return plant


def _foreign_type(trap: Trap) -> None:
    from skops import io as skops

    _forge(trap, skops.dumps({"classifier": Touching(trap.canary)}))


def _pickled_array(trap: Trap) -> None:
    array = io.BytesIO()
    np.save(array, np.array([Canary(trap.canary)], object), allow_pickle=True)

    def change(members: dict[str, bytes]) -> None:
        members.update({name: array.getvalue() for name in members if name.endswith(".npy")})

    _forge(trap, _archive(change))


def _member(name: str) -> Shape:
    def plant(trap: Trap) -> None:
        member = name.format(canary=trap.canary)
        _forge(trap, _archive(lambda members: members.update({member: trap.pickle})))

    return plant


def _hard_link(trap: Trap) -> None:
    (trap.outside / "model.pkl").write_bytes(trap.pickle)
    (trap.folder / MODEL).unlink()
    (trap.folder / MODEL).hardlink_to(trap.outside / "model.pkl")


def _point(trap: Trap, version: str, signature: str = "") -> None:
    text = json.loads(trap.home.pointer.read_text("utf-8"))
    text["deployment"]["to_version"] = version
    text["before"] = [version]
    trap.home.pointer.write_text(json.dumps({**text, "hmac": signature or text["hmac"]}), "utf-8")


def _names_outside(trap: Trap) -> None:
    text = json.loads((trap.folder / MANIFEST).read_text("utf-8"))
    _write_manifest(trap, {**text, "version": OUTSIDE})


def _signature_of_another(trap: Trap) -> None:
    other = next(path for path in sorted(trap.folder.parent.iterdir()) if path.name not in (trap.victim, ".generation"))
    (trap.folder / MODEL).write_bytes(trap.pickle)
    (trap.folder / SIGNATURE).write_bytes((other / SIGNATURE).read_bytes())
