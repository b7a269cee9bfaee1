"""Model versions as immutable folders of skops files, opened only after their digest was checked.

Nothing here ever unpickles: a file that is no skops archive, holds a type outside the constant list, or differs by one
bit from its manifest is refused before it is interpreted.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from filelock import FileLock

from core.adapters import manifests
from core.adapters.files import sync, write_text
from core.domain.learning import Champion, ModelManifest, StoredVersion
from core.errors import ModelCorrupt, ModelError, ModelNotFound, ModelUntrusted

MODEL, MANIFEST, CARD = "model.skops", "manifest.json", "card.md"
#: Types beyond skops' own list that our estimators need. A constant: a model file never says what to trust.
TRUSTED_TYPES = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
#: Larger files are not ours: the forest is bounded below 10 MB, and deflates to a tenth at the most.
SIZE_LIMIT_BYTES = {MODEL: 32 * 1024 * 1024, MANIFEST: 1024 * 1024, CARD: 1024 * 1024}
INFLATED_LIMIT_BYTES = 400 * 1024 * 1024
_NAME = re.compile(r"[a-z][a-z_]{1,40}_\d{8}T\d{6}Z_\d{1,6}")
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
#: Everything that may lie in models/; what fits none of these is foreign and named.
_OURS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"versions/{_NAME.pattern}/(model\.skops|manifest\.json|card\.md)",
        r"trained/[a-z0-9-]+@[a-z0-9-]+\.json",
        r"(metrics|experiments)/[\w.-]+\.json",
        r"experiment_results/[\w.-]+\.jsonl?",
    )
)


class FolderModelStore:
    """Versions below `folder`/versions, pointers in `folder`/trained; the seed model stands in `shipped`.

    Parameters
    ----------
    folder
        models/ of the home.
    shipped
        models/ of the project, which may be the same folder.
    seed
        Version and manifest digest of the shipped seed model; empty strings where none is shipped.
    """

    def __init__(self, folder: Path, shipped: Path, seed: tuple[str, str]) -> None:
        self._folder = folder
        self._shipped = shipped
        self._seed_version, self._seed_digest = seed
        self._seen: dict[str, tuple[int, int, str]] = {}

    def versions(self) -> tuple[StoredVersion, ...]:
        """Return every version, newest generation first; a folder that is no version comes with its reason."""
        root = self._folder / "versions"
        names = {p.name for p in root.iterdir() if not p.name.startswith(".")} if root.is_dir() else set()
        if self._seed_version:
            names.add(self._seed_version)
        found = [self._described(name) for name in sorted(names)]
        return tuple(sorted(found, key=lambda v: v.manifest.generation if v.manifest else -1, reverse=True))

    def manifest(self, version: str) -> ModelManifest:
        """Return the manifest of one version, its digest checked where it is the shipped one."""
        path = self._path(version) / MANIFEST
        text = _read(path, version)
        if version == self._seed_version and hashlib.sha256(text).hexdigest() != self._seed_digest:
            raise ModelCorrupt("The shipped model's manifest is not the one this code was released with.", hint=_AGAIN)
        return manifests.parse(text, version)

    def load(self, version: str) -> tuple[ModelManifest, Mapping[str, Any]]:
        """Return manifest and parts of a version, verified before the first byte is interpreted."""
        manifest = self.manifest(version)
        return manifest, _open(self._bytes(manifest), version)

    def _verified(self, manifest: ModelManifest) -> None:
        """Check the digest of a version's model, anew only where the file has changed since."""
        path = self._path(manifest.version) / MODEL
        state = (path.stat().st_size, path.stat().st_mtime_ns, manifest.sha256) if path.is_file() else None
        if state is None or self._seen.get(manifest.version) != state:
            self._bytes(manifest)
            if state is not None:
                self._seen[manifest.version] = state

    def _bytes(self, manifest: ModelManifest) -> bytes:
        """Return the bytes of a version's model, which are those of its manifest."""
        data = _read(self._path(manifest.version) / MODEL, manifest.version)
        if hashlib.sha256(data).hexdigest() != manifest.sha256:
            raise ModelCorrupt(
                f"The file of model {manifest.version} is not what its manifest says.",
                hint=manifests.RESTORE,
                version=manifest.version,
            )
        return data

    def save(self, manifest: ModelManifest, parts: Mapping[str, Any], card: str) -> ModelManifest:
        """Write a new version: temporary folder, fsync, rename, fsync of the parent."""
        from skops import io

        data = io.dumps(dict(parts), compression=zipfile.ZIP_DEFLATED, compresslevel=9)
        root = self._folder / "versions"
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder / ".versions.lock"):
            generation = 1 + max((v.manifest.generation for v in self.versions() if v.manifest), default=0)
            version = f"{manifest.algorithm}_{manifest.created_at:%Y%m%dT%H%M%SZ}_{generation}"
            text = card.replace("{version}", version).encode()
            full = replace(
                manifest,
                version=version,
                generation=generation,
                sha256=hashlib.sha256(data).hexdigest(),
                card_sha256=hashlib.sha256(text).hexdigest(),
            )
            temporary = root / f".{version}.tmp"
            temporary.mkdir(exist_ok=True)
            (temporary / MODEL).write_bytes(data)
            (temporary / MANIFEST).write_text(manifests.dump(full), "utf-8")
            (temporary / CARD).write_bytes(text)
            for name in (MODEL, MANIFEST, CARD):
                sync(temporary / name)
            sync(temporary)
            temporary.rename(root / version)
            sync(root)
        return full

    def card(self, version: str) -> str:
        """Return the card of a version (Markdown), checked like its model: a card that was edited is refused."""
        text = _read(self._path(version) / CARD, version)
        if hashlib.sha256(text).hexdigest() != self.manifest(version).card_sha256:
            raise ModelCorrupt(f"The card of model {version} is not what its manifest says.", hint=manifests.RESTORE)
        return text.decode("utf-8")

    def champion(self, source: str, region_id: str) -> Champion:
        """Return who serves data of `source` in a region; the seed model where nobody was deployed."""
        pointer = self._pointer(source, region_id)
        if pointer.is_file():
            try:
                version = str(json.loads(pointer.read_text("utf-8"))["version"])
            except (ValueError, KeyError, TypeError):
                raise ModelCorrupt(f"The champion pointer {pointer.name} cannot be read.", hint=_POINTER) from None
            return Champion(version, is_seed=version == self._seed_version)
        if not self._seed_version:
            raise ModelNotFound("There is no champion and no shipped model.", hint="Run: python -m core train --help")
        return Champion(self._seed_version, is_seed=True)

    def deploy(self, source: str, region_id: str, version: str) -> None:
        """Point to another version, atomically, after it was loaded once."""
        self.load(version)
        write_text(self._pointer(source, region_id), json.dumps({"version": version}) + "\n")

    def foreign_files(self) -> tuple[str, ...]:
        """Return files below models/ that belong to no version and are never loaded, such as pickles."""
        found = []
        for path in sorted(self._folder.rglob("*")):
            parts = path.relative_to(self._folder).parts
            name = "/".join(parts)
            hidden = any(part.startswith(".") for part in parts)  # a version being written, a lock
            if not hidden and not path.is_dir() and not any(ours.fullmatch(name) for ours in _OURS):
                found.append(name)
        return tuple(found)

    def _described(self, version: str) -> StoredVersion:
        shipped = version == self._seed_version
        try:
            manifest = self.manifest(version)
            try:
                self._verified(manifest)
            except ModelError as error:
                return StoredVersion(version, manifest, error.message, shipped)
            return StoredVersion(version, manifest, None, shipped)
        except ModelError as error:
            return StoredVersion(version, None, error.message, shipped)

    def _path(self, version: str) -> Path:
        if not _NAME.fullmatch(version):
            raise ModelNotFound(f"{version!r} is no version name.", hint=_LIST)
        root = self._shipped if version == self._seed_version else self._folder
        path = root / "versions" / version
        if path.is_symlink():
            raise ModelUntrusted(f"The folder of model {version} is a link.", hint="Links in models/ are refused.")
        if not path.is_dir():
            raise ModelNotFound(f"There is no model {version}.", hint=_LIST, version=version)
        return path

    def _pointer(self, source: str, region_id: str) -> Path:
        for key in (source, region_id):
            if not _KEY.fullmatch(key):
                raise ModelNotFound(f"{key!r} is no source or region id.")
        return self._folder / "trained" / f"{source}@{region_id}.json"


def _read(path: Path, version: str) -> bytes:
    """Return the bytes of a file of a version; no links, no giants."""
    if path.is_symlink():
        raise ModelUntrusted(f"{path.name} of model {version} is a link.", hint="Links in models/ are refused.")
    if not path.is_file():
        raise ModelCorrupt(f"{path.name} of model {version} is missing.", hint=manifests.RESTORE, version=version)
    try:
        if path.stat().st_size > SIZE_LIMIT_BYTES[path.name]:
            raise ModelUntrusted(f"{path.name} of model {version} is larger than any of ours.", version=version)
        return path.read_bytes()
    except OSError as error:
        hint = "Give this user the right to read models/."
        raise ModelCorrupt(f"{path.name} of model {version} cannot be read: {error.strerror}.", hint=hint) from None


@lru_cache(maxsize=2)
def _open(data: bytes, version: str) -> Mapping[str, Any]:
    """Return the parts in a verified skops archive; opened once in a process, for it takes a second."""
    from sklearn.exceptions import InconsistentVersionWarning
    from skops import io

    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > INFLATED_LIMIT_BYTES:
                raise ModelUntrusted(f"Model {version} would inflate beyond any of ours.", hint=_NEVER)
        foreign = sorted(set(io.get_untrusted_types(data=data)) - set(TRUSTED_TYPES))
        if foreign:
            raise ModelUntrusted(f"Model {version} holds types that are not on the list: {foreign[:3]}.", hint=_NEVER)
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            parts = io.loads(data, trusted=list(TRUSTED_TYPES))
    except InconsistentVersionWarning:
        raise ModelUntrusted(
            f"Model {version} was made with another scikit-learn.", hint="Install the pinned one, or train again."
        ) from None
    except ModelError:
        raise
    except Exception:  # skops raises whatever its parser meets in a foreign file; the file is refused all the same
        raise ModelUntrusted(f"The file of model {version} is no skops archive.", hint=_NEVER) from None
    if not isinstance(parts, dict):
        raise ModelUntrusted(f"Model {version} holds no parts of ours.", hint=_NEVER)
    return parts


_AGAIN = "Check the project out again; nothing of it was loaded."
_LIST = "`python -m core models` lists the versions."
_POINTER = "Remove it to be served by the seed model, or deploy a version again."
_NEVER = "It was not loaded. Models are written by `python -m core train` only."
