"""Model versions as immutable folders, opened only after signature and digests were checked, and who of them serves.

Nothing here ever unpickles: a file that is no skops archive, holds a type outside the constant list, or differs by one
bit from its signed manifest is refused before it is interpreted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from core.adapters import skops_files
from core.adapters.files import locked, read_plain, refuse_link, remove, unwritable, write_folder, write_text
from core.adapters.pointers import Pointer
from core.adapters.quarantine import FOLDER, put_aside, put_aside_versions
from core.adapters.version_files import NAME, SIZE_LIMIT_BYTES, VersionFiles, sealed
from core.domain.learning import Champion, ModelManifest, Probe, StoredVersion
from core.domain.lifecycle import Deployment
from core.errors import ConfigurationError, ModelCorrupt, ModelError, ModelNotFound

log = structlog.get_logger()
#: How long another version is waited for that is being written, seconds: a forest of 10 MB on a slow disk.
TIMEOUT_S = 60.0
#: Holds the highest generation ever given.
_COUNTER = "versions/.generation"
_FILES = "|".join(re.escape(name) for name in SIZE_LIMIT_BYTES)
#: Everything that may lie in models/ beside what was put aside; what fits none of these is foreign and named.
_OURS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"versions/{NAME.pattern}/({_FILES})",
        r"trained/[a-z0-9-]+@[a-z0-9-]+\.(json(\.bad(\.\d+)?)?|generation)",
        r"(metrics|experiments)/[\w.-]+\.json",
        r"experiment_results/[\w.-]+\.csv",
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
    key
        Key of the home (`core.adapters.keys`), with which manifests and pointers are signed. It does not lie in
        `folder`: who can write there can break a version, but make none.
    """

    def __init__(self, folder: Path, shipped: Path, seed: tuple[str, str], key: bytes) -> None:
        self._folder = folder
        self._shipped = shipped
        self._seed_version, self._seed_digest = seed
        self._key = key
        #: Whole versions, and the state of their files when they were looked at.
        self._seen: dict[str, tuple[object, StoredVersion]] = {}

    @property
    def seed(self) -> str:
        """The shipped version, empty where none is shipped."""
        return self._seed_version

    def versions(self) -> tuple[StoredVersion, ...]:
        """Return every version, newest generation first; what is refused or put aside comes with its reason."""
        names = self._names("versions")
        if self._seed_version:
            names.add(self._seed_version)
        found = [*(self._described(name) for name in sorted(names)), *put_aside_versions(self._folder)]
        return tuple(sorted(found, key=lambda stored: _generation(stored.version), reverse=True))

    def manifest(self, version: str) -> ModelManifest:
        """Return the manifest of one version, its signature checked, or its digest where it is the shipped one."""
        return self._files(version).manifest()

    def load(self, version: str) -> tuple[ModelManifest, Mapping[str, Any]]:
        """Return manifest and parts of a version, every file of it verified before the first byte is interpreted."""
        whole = self._files(version).whole()
        return whole.manifest, skops_files.opened(whole.model, version)

    def card(self, version: str) -> str:
        """Return the card of a version (Markdown), checked like its model: a card that was edited is refused."""
        return self._files(version).whole().card

    def probe(self, version: str) -> Probe:
        """Return what a version must answer to, checked like its model."""
        return self._files(version).whole().probe

    def save(self, manifest: ModelManifest, parts: Mapping[str, Any], card: str, probe: Probe) -> ModelManifest:
        """Write a new version, whole and on the disk or not at all.

        Its generation is the one after the highest ever given here, to what was put aside or removed too.

        Raises
        ------
        ConfigurationError
            If the disk is full, cannot be written, or somebody else writes a version all the time; nothing is changed.
        """
        refuse_link(self._folder / "versions")
        data = skops_files.packed(parts)
        with self._locked():
            self._remove_temporaries()
            generation = 1 + self._highest()
            version = f"{manifest.algorithm}_{manifest.created_at:%Y%m%dT%H%M%SZ}_{generation}"
            full, contents = sealed(
                replace(manifest, version=version, generation=generation),
                self._key,
                model=data,
                card=card.replace("{version}", version),
                probe=probe,
            )
            try:
                write_text(self._folder / _COUNTER, f"{generation}\n")
                write_folder(self._folder / "versions" / version, contents)
            except OSError as error:
                raise unwritable(f"model {version}", error) from None
        return full

    def sweep(self) -> None:
        """Remove what a killed process has left half written; a disk that cannot be written is no error."""
        try:
            with self._locked():
                self._remove_temporaries()
        except (ConfigurationError, ModelError) as error:
            log.warning("half-written versions could not be removed", error=error.message)

    def champion(self, source: str, region_id: str) -> Champion:
        """Return who was deployed for data of `source` in a region; the seed model where nobody was.

        Raises
        ------
        ModelCorrupt
            If the pointer is torn, a link, or not signed with the key of this home; `context["generation"]` is the
            number after which deployments go on, `before` tells whom to fall back on.
        ModelNotFound
            If nobody was deployed and no seed model is shipped.
        """
        pointer = self._pointer(source, region_id)
        standing = pointer.read()
        if standing is not None:
            made = standing.deployment
            return Champion(made.to_version, made.to_version == self._seed_version, made.generation)
        if not self._seed_version:
            raise ModelNotFound("There is no champion and no shipped model.", hint="Run: python -m core train --help")
        return Champion(self._seed_version, is_seed=True, generation=pointer.generation())

    def before(self, source: str, region_id: str) -> tuple[str, ...]:
        """Return who served before the champion and is still there, newest first; the seed model last at the latest.

        At most 20 that were deployed. Where the pointer cannot be believed, only the seed model is left.

        Raises
        ------
        ModelCorrupt
            If the pointer cannot be read at the moment: another day it may say who served.
        """
        try:
            standing = self._pointer(source, region_id).read()
        except ModelCorrupt as error:
            if error.context["curable"]:
                raise
            return (self._seed_version,) if self._seed_version else ()
        if standing is None:
            return ()
        there = {*self._names("versions"), self._seed_version}
        served = [version for version in standing.before if version in there]
        if self._seed_version and self._seed_version not in (standing.deployment.to_version, *served):
            served.append(self._seed_version)
        return tuple(served)

    def deploy(self, made: Deployment) -> None:
        """Point to another version by compare-and-set, after every file of it was verified and it was opened once.

        Raises
        ------
        DeploymentLost
            If somebody else deployed since: `made.generation` is not the one after the present one.
        ModelError
            If the version is not whole; the pointer stays.
        ConfigurationError
            If the pointer cannot be written or is held by somebody else; it stands where it stood.
        """
        pointer = self._pointer(made.source, made.region_id)
        with pointer.held():
            pointer.refuse_lost(made)
            self.load(made.to_version)
            pointer.move(made)

    def last_deployment(self, source: str, region_id: str) -> Deployment | None:
        """Return the deployment that the pointer stands on, None where it stands on none that can be believed."""
        try:
            standing = self._pointer(source, region_id).read()
        except ModelCorrupt:
            return None
        return None if standing is None else standing.deployment

    def quarantine(self, version: str, reason: str) -> None:
        """Put a version aside for good, with the reason. The shipped one stays, and so does what cannot be moved."""
        if version != self._seed_version:
            put_aside(self._folder, version, reason, self._lock)

    def foreign_files(self) -> tuple[str, ...]:
        """Return files below models/ that belong to no version and are never loaded, such as pickles."""
        found = []
        for path in sorted(self._folder.rglob("*")):
            parts = path.relative_to(self._folder).parts
            known = parts[0] == FOLDER or any(part.startswith(".") for part in parts)  # a version being written, a lock
            folder = path.is_dir() and not path.is_symlink()
            if not known and not folder and not any(ours.fullmatch("/".join(parts)) for ours in _OURS):
                found.append(_readable("/".join(parts)))
        return tuple(found)

    def _described(self, version: str) -> StoredVersion:
        """Check a version, anew where its files have changed since, and where it was refused: that may have passed."""
        shipped, name, manifest = version == self._seed_version, _readable(version), None
        try:
            files = self._files(version)
            state = files.state()
            before, known = self._seen.get(version, (None, None))
            if known is not None and before == state:
                return known
            manifest = files.manifest()
            files.whole()
        except ModelError as error:
            return StoredVersion(name, manifest, error.message, shipped)
        stored = StoredVersion(name, manifest, None, shipped)
        self._seen[version] = state, stored
        return stored

    def _files(self, version: str) -> VersionFiles:
        if self._seed_version and version == self._seed_version:
            return VersionFiles(self._shipped, version, self._key, self._seed_digest)
        return VersionFiles(self._folder, version, self._key)

    def _pointer(self, source: str, region_id: str) -> Pointer:
        return Pointer(self._folder, self._key, source, region_id)

    def _locked(self) -> AbstractContextManager[None]:
        return locked(self._lock, TIMEOUT_S, "model versions")

    @property
    def _lock(self) -> Path:
        return self._folder / ".versions.lock"

    def _highest(self) -> int:
        """Return the highest generation ever given here; a name whose folder was removed is not given again."""
        aside = [stored.version for stored in put_aside_versions(self._folder)]
        highest = max(_generation(name) for name in ("", self._seed_version, *self._names("versions"), *aside))
        with suppress(OSError, ValueError):
            highest = max(highest, int(read_plain(self._folder, _COUNTER, 7)))
        return max(highest, 0)

    def _names(self, folder: str) -> set[str]:
        """Return what a folder of models/ holds, but for what is hidden."""
        try:
            return {path.name for path in (self._folder / folder).iterdir() if not path.name.startswith(".")}
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise ConfigurationError(
                f"The folder models/{folder} cannot be read: {error.strerror}.",
                hint="Let this user read models/ of CLOUDBURST_HOME.",
            ) from None

    def _remove_temporaries(self) -> None:
        """Remove what is half written; nobody writes now, for the caller holds the lock."""
        refuse_link(self._folder / "versions")
        try:
            for left in (self._folder / "versions").glob(".*.tmp"):
                remove(left)
                log.info("a half-written version was removed", name=left.name)
        except OSError as error:
            raise unwritable("model versions", error) from None


def _generation(version: str) -> int:
    """Return the generation in the name of a version, -1 where it is none."""
    match = NAME.fullmatch(version)
    return int(match.group(1)) if match else -1


def _readable(name: str) -> str:
    """Return the name of a file as text that can be shown, whatever bytes it has."""
    return os.fsencode(name).decode("utf-8", "replace")
