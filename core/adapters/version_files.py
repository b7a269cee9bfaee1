"""The files of one version: reached through no link, believed only where key and digests say so.

A version is a folder of five files. `manifest.json` holds the SHA-256 of model, card and probe; `manifest.hmac` is the
HMAC-SHA256 of the manifest with the key of the home, which does not lie in models/. Whoever can write models/ but has
not the key can therefore break a version, and never make one. The shipped version has no signature: the digest of its
manifest is a constant of the code. A hard link is harmless, for what counts is what a file holds.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.adapters import manifests
from core.adapters.files import names_in, read_plain
from core.domain.learning import ModelManifest, Probe
from core.errors import ConfigurationError, ModelCorrupt, ModelError, ModelNotFound, ModelUntrusted

MODEL, MANIFEST, CARD, PROBE, SIGNATURE = "model.skops", "manifest.json", "card.md", "probe.json", "manifest.hmac"
#: Larger files are not ours.
SIZE_LIMIT_BYTES = {
    MODEL: 32 * 1024 * 1024,
    MANIFEST: 1024 * 1024,
    CARD: 1024 * 1024,
    PROBE: 1024 * 1024,
    SIGNATURE: 100,
}
#: What the manifest says of which file.
_DIGESTS = {MODEL: "sha256", CARD: "card_sha256", PROBE: "probe_sha256"}
NAME = re.compile(r"[a-z][a-z_]{1,40}_\d{8}T\d{6}Z_(\d{1,6})")
LIST = "`python -m core models` lists the versions."


@dataclass(frozen=True)
class Whole:
    """A version of which every file is what it was: manifest, model (a skops archive), card and probe."""

    manifest: ModelManifest
    model: bytes
    card: str
    probe: Probe


@dataclass(frozen=True)
class VersionFiles:
    """The files of one version.

    Parameters
    ----------
    root
        Folder models/, which may be reached through a link; nothing below it may.
    version
        Its name, from which alone the path is made.
    key
        Key of the home.
    shipped
        Digest of the manifest where this is the shipped version, else empty.
    """

    root: Path
    version: str
    key: bytes = field(repr=False)
    shipped: str = ""

    @property
    def folder(self) -> str:
        """Its folder below the root.

        Raises
        ------
        ModelNotFound
            If the name is no version name.
        """
        if not NAME.fullmatch(self.version):
            raise ModelNotFound(f"{self.version!r} is no version name.", hint=LIST)
        return f"versions/{self.version}"

    def manifest(self) -> ModelManifest:
        """Return the manifest, its origin checked before the first byte is interpreted.

        Raises
        ------
        ModelNotFound, ModelCorrupt, ModelUntrusted
            If it is not there; cannot be read or is not that of this version; was not made with this key, or the folder
            holds links or files that are not ours.
        """
        self._refuse_strangers()
        text = self._read(MANIFEST)
        if not self.shipped:
            self._refuse_unsigned(text)
        elif not hmac.compare_digest(_sha256(text), self.shipped):
            raise ModelCorrupt(
                "The shipped model's manifest is not the one this code was released with.",
                hint="Check the project out again; nothing of it was loaded.",
            )
        return manifests.parse(text, self.version)

    def whole(self) -> Whole:
        """Return everything, each file checked against the manifest.

        Raises
        ------
        ModelNotFound, ModelCorrupt, ModelUntrusted
            As `manifest`, and if a file is not what the manifest says.
        """
        manifest = self.manifest()
        model, card, probe = (self._checked(name, manifest) for name in (MODEL, CARD, PROBE))
        return Whole(manifest, model, card.decode("utf-8", "replace"), manifests.parse_probe(probe, self.version))

    def state(self) -> tuple[tuple[str, int, int, int], ...]:
        """Return by what it is seen that files have changed: name, size, and times of change of content and of entry.

        Raises
        ------
        ModelCorrupt
            If the folder cannot be read.
        """
        try:
            found = [(path.name, path.lstat()) for path in sorted((self.root / self.folder).iterdir())]
        except OSError as error:
            raise self._refused("The folder", error) from None
        return tuple((name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in found)

    def _checked(self, name: str, manifest: ModelManifest) -> bytes:
        data = self._read(name)
        if _sha256(data) != getattr(manifest, _DIGESTS[name]):
            what = "file" if name == MODEL else name.partition(".")[0]
            raise ModelCorrupt(
                f"The {what} of model {self.version} is not what its manifest says.",
                hint=manifests.RESTORE,
                version=self.version,
            )
        return data

    def _refuse_strangers(self) -> None:
        ours = set(SIZE_LIMIT_BYTES) - ({SIGNATURE} if self.shipped else set())
        try:
            strange = sorted(names_in(self.root, self.folder) - ours)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                raise ModelNotFound(f"There is no model {self.version}.", hint=LIST, version=self.version) from None
            raise self._refused("The folder", error) from None
        if strange:
            raise ModelUntrusted(
                f"The folder of model {self.version} holds a file that is not ours: {strange[0]!a}.",
                hint="It was not loaded. Find out who put it there, and remove it.",
                version=self.version,
            )

    def _refuse_unsigned(self, text: bytes) -> None:
        try:
            given = read_plain(self.root, f"{self.folder}/{SIGNATURE}", SIZE_LIMIT_BYTES[SIGNATURE])
        except FileNotFoundError:
            given = b""
        except OSError as error:
            raise self._refused(SIGNATURE, error) from None
        if not hmac.compare_digest(_signed(self.key, text), given):
            raise ModelUntrusted(
                f"Model {self.version} is not signed with the key of this home.",
                hint="It was not loaded. Restore data/model.key if it was replaced, or train again.",
                version=self.version,
            )

    def _read(self, name: str) -> bytes:
        try:
            return read_plain(self.root, f"{self.folder}/{name}", SIZE_LIMIT_BYTES[name])
        except OSError as error:
            raise self._refused(name, error) from None

    def _refused(self, name: str, error: OSError) -> ModelError:
        """Return the error of a file that cannot be had; `curable` marks what may well be read another day."""
        what = f"{name} of model {self.version}"
        if error.errno == errno.ELOOP:
            return ModelUntrusted(f"{what} is a link.", hint="Links in models/ are refused.", version=self.version)
        if error.errno == errno.EFBIG:
            return ModelUntrusted(f"{what} is larger than any of ours.", version=self.version)
        if error.errno == errno.EINVAL:
            return ModelUntrusted(f"{what} is no file.", hint="It was not loaded.", version=self.version)
        if error.errno == errno.ENOENT:
            return ModelCorrupt(f"{what} is missing.", hint=manifests.RESTORE, version=self.version)
        return ModelCorrupt(
            f"{what} cannot be read: {error.strerror}.",
            hint="Give this user the right to read models/.",
            version=self.version,
            curable=True,
        )


def sealed(
    manifest: ModelManifest, key: bytes, *, model: bytes, card: str, probe: Probe
) -> tuple[ModelManifest, dict[str, bytes]]:
    """Return the manifest with its digests, and the contents of the files of its version.

    Raises
    ------
    ConfigurationError
        If the name is no version name, a file is larger than what would be read again, or the probe no JSON.
    """
    try:
        parts = {MODEL: model, CARD: card.encode(), PROBE: manifests.dump_probe(probe).encode()}
        digests: dict[str, Any] = {_DIGESTS[name]: _sha256(data) for name, data in parts.items()}
        full = replace(manifest, **digests)
        text = manifests.dump(full).encode()
    except ValueError as error:
        raise ConfigurationError(f"Model {manifest.version} cannot be written: {error}.", hint=_BOUNDS) from None
    contents = {**parts, MANIFEST: text, SIGNATURE: _signed(key, text)}
    large = [name for name, data in contents.items() if len(data) > SIZE_LIMIT_BYTES[name]]
    if large or not NAME.fullmatch(full.version):
        what = f"{large[0]} is too large" if large else "that is no version name"
        raise ConfigurationError(f"Model {full.version} cannot be stored: {what}.", hint=_BOUNDS)
    return full, contents


def signature(key: bytes, text: bytes) -> str:
    """Return the HMAC-SHA256 of a text (RFC 2104), hexadecimal."""
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def _signed(key: bytes, text: bytes) -> bytes:
    """Return what the file of the signature holds."""
    return f"{signature(key, text)}\n".encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_BOUNDS = "It would not be read again. Train a smaller one; remove folders in models/versions that nobody made here."
