"""Who serves: one signed file for every provenance and region, changed by compare-and-set and kept through a power cut.

`trained/<source>@<region>.json` holds the deployment that the pointer stands on, who served before, and an HMAC of both
with the key of the home. Beside it, `<source>@<region>.generation` holds the number of the newest deployment, signed
too, and is written before the pointer: where the pointer is torn, forged or gone, numbers go on from there, so that
nobody who decided on an earlier champion can win and no number is given twice. Where both are gone it is a new pointer.
"""

from __future__ import annotations

import errno
import hmac
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from pydantic import TypeAdapter

from core.adapters.files import free_name, locked, read_plain, refuse_link, remove, unwritable, write_text, write_whole
from core.adapters.version_files import NAME, signature
from core.domain.lifecycle import Deployment
from core.errors import ConfigurationError, DeploymentLost, ModelCorrupt, ModelNotFound
from core.strict_json import parse_json

log = structlog.get_logger()
#: How many versions that served before are remembered.
BEFORE = 20
#: How long another deployment is waited for, seconds.
TIMEOUT_S = 10.0
SIZE_LIMIT_BYTES = 256 * 1024
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_DEPLOYMENT: TypeAdapter[Deployment] = TypeAdapter(Deployment)
_BEFORE: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])


@dataclass(frozen=True)
class Standing:
    """What a pointer stands on: the last deployment, and the versions that served before it, newest first."""

    deployment: Deployment
    before: tuple[str, ...] = ()

    def next(self, made: Deployment) -> Standing:
        """Return the standing after another deployment."""
        served = dict.fromkeys((self.deployment.to_version, *self.before))
        return Standing(made, tuple(version for version in served if version != made.to_version)[:BEFORE])


@dataclass(frozen=True)
class Pointer:
    """The pointer of one provenance and region.

    Parameters
    ----------
    root
        Folder models/.
    """

    root: Path
    key: bytes = field(repr=False)
    source: str
    region_id: str

    @property
    def name(self) -> str:
        """Its file below the root.

        Raises
        ------
        ModelNotFound
            If source or region are no ids.
        """
        for one in (self.source, self.region_id):
            if not _KEY.fullmatch(one):
                raise ModelNotFound(f"{one!r} is no source or region id.")
        return f"trained/{self.source}@{self.region_id}.json"

    @property
    def path(self) -> Path:
        """Its file."""
        return self.root / self.name

    def read(self) -> Standing | None:
        """Return what it stands on, None where nobody was deployed.

        Raises
        ------
        ModelCorrupt
            If it is torn, not signed with the key of this home, that of another region, or a link. The generation up to
            which deployments are known stands in the error's context.
        """
        try:
            text = read_plain(self.root, self.name, SIZE_LIMIT_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            what = {errno.ELOOP: "is a link", errno.EFBIG: "is larger than any of ours", errno.EINVAL: "is no file"}
            known = what.get(error.errno or 0)
            raise self._corrupt(known or f"cannot be read: {error.strerror}", curable=known is None) from None
        try:
            found = parse_json(text)
            signed = {"deployment": found["deployment"], "before": found["before"]}
            given = str(found["hmac"]).encode("ascii", "replace")
        except (ValueError, KeyError, TypeError):
            raise self._corrupt("is torn, or none of ours") from None
        if not hmac.compare_digest(self._signature(signed).encode(), given):
            raise self._corrupt("is not signed with the key of this home")
        try:
            standing = Standing(
                _DEPLOYMENT.validate_json(json.dumps(signed["deployment"])),
                _BEFORE.validate_json(json.dumps(signed["before"])),
            )
        except ValueError:
            raise self._corrupt("was written by another version of this program") from None
        made = standing.deployment
        if (made.source, made.region_id) != (self.source, self.region_id) or not NAME.fullmatch(made.to_version):
            raise self._corrupt("is that of another one")
        return standing

    def generation(self) -> int:
        """Return the number of the newest deployment, 0 before the first; never raises for what is corrupt."""
        try:
            standing = self.read()
        except ModelCorrupt:
            standing = None
        return self._highest() if standing is None else standing.deployment.generation

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nobody else move it meanwhile.

        Raises
        ------
        ConfigurationError
            If somebody holds it too long, it cannot be locked, or the folder of the pointers is a link.
        """
        refuse_link(self.path.parent)
        with locked(self.path.with_name(f".{self.path.name}.lock"), TIMEOUT_S, "the champion's pointer"):
            try:
                for left in self.path.parent.glob(f".{self.path.stem}.*.tmp"):
                    remove(left)
            except OSError as error:
                raise unwritable("the champion's pointer", error) from None
            yield

    def refuse_lost(self, made: Deployment) -> None:
        """Refuse a deployment that was decided on another standing than the present one.

        Raises
        ------
        DeploymentLost
            If its number is not the one after the present one.
        """
        present = self.generation()
        if made.generation == present + 1:
            return
        last = None
        with suppress(ModelCorrupt):
            last = self.read()
        who = "Nobody has deployed here yet"
        if last is not None:
            one = last.deployment
            who = f"{one.who} deployed {one.to_version} ({one.action}) at {one.at:%Y-%m-%d %H:%M:%S} UTC"
        elif present:
            who = "The pointer is gone or cannot be read"
        raise DeploymentLost(
            f"{who}: {self.source}@{self.region_id} stands at deployment {present}, this one is number"
            f" {made.generation}. Nothing was changed.",
            generation=present,
            hint="Look at who serves now, and decide again.",
        )

    def move(self, made: Deployment) -> None:
        """Point to what was deployed; the caller holds the lock. A pointer that cannot be believed is kept as `.bad`.

        Raises
        ------
        ConfigurationError
            If it cannot be written, or not be read for another reason than what it holds; it stands where it stood.
        """
        standing, aside = self._known()
        text = self._text(made, standing)
        was: list[tuple[Path, bytes | Path | None]] = []
        try:
            was = [(self._mark, _bytes(self._mark)), (self.path, aside or _bytes(self.path))]
            write_text(self._mark, self._marked(made.generation))
            if aside is not None:
                self.path.rename(aside)
            write_text(self.path, text)
        except OSError as error:
            for path, before in was:
                _restore(path, before)
            raise unwritable("the champion's pointer", error) from None

    def _known(self) -> tuple[Standing | None, Path | None]:
        """Return what it stands on, and where it is put aside to if it cannot be believed."""
        try:
            return self.read(), None
        except ModelCorrupt as error:
            if error.context["curable"]:
                raise ConfigurationError(f"{error.message} Nothing was changed.", hint=_RIGHTS) from None
            return None, free_name(self.path.with_name(f"{self.path.name}.bad"))

    def _text(self, made: Deployment, standing: Standing | None) -> str:
        """Return what is written, after making sure that it will be read again."""
        new = Standing(made) if standing is None else standing.next(made)
        again = None
        with suppress(ValueError):
            signed: dict[str, Any] = {
                "deployment": _DEPLOYMENT.dump_python(made, mode="json"),
                "before": list(new.before),
            }
            again = _DEPLOYMENT.validate_json(json.dumps(signed["deployment"], allow_nan=False))
        text = "" if again != made else json.dumps({**signed, "hmac": self._signature(signed)}, indent=1) + "\n"
        if not 0 < len(text) <= SIZE_LIMIT_BYTES:
            hint = "Give times in UTC, and a reason of a few words in plain text."
            raise ConfigurationError("This deployment cannot be written down.", hint=hint)
        return text

    @property
    def _mark(self) -> Path:
        return self.path.with_suffix(".generation")

    def _marked(self, generation: int) -> str:
        return f"{generation} {signature(self.key, f'generation {self.name} {generation}'.encode())}\n"

    def _highest(self) -> int:
        """Return the number in the file beside the pointer, 0 where there is none that can be believed."""
        try:
            text = read_plain(self.root, f"trained/{self._mark.name}", 1000)
            generation = int(text.split()[0])
        except (OSError, ValueError, IndexError):
            return 0
        return generation if hmac.compare_digest(self._marked(generation).encode(), text) else 0

    def _signature(self, signed: dict[str, Any]) -> str:
        plain = json.dumps(signed, sort_keys=True, separators=(",", ":"))
        return signature(self.key, b"pointer\n" + plain.encode())

    def _corrupt(self, what: str, curable: bool = False) -> ModelCorrupt:
        return ModelCorrupt(
            f"The champion's pointer {self.path.name} {what}.",
            hint=_RIGHTS if curable else "Deploy a version again, or remove it to be served by the seed model.",
            generation=self._highest(),
            curable=curable,
        )


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _restore(path: Path, before: bytes | Path | None) -> None:
    """Put a file back as it was, as far as the disk lets us: the last step may have failed after the rename.

    Parameters
    ----------
    before
        What it held, where it was put aside to, or None where there was none.
    """
    try:
        if isinstance(before, Path):
            if os.path.lexists(before):
                before.replace(path)
        elif before is None:
            path.unlink(missing_ok=True)
        elif _bytes(path) != before:
            write_whole(path, lambda temporary: temporary.write_bytes(before))
    except OSError as error:
        log.error("a pointer could not be put back", name=path.name, error=error.strerror)


_RIGHTS = "Give this user the right to read models/trained, and look at its disk."
