"""Model versions, and the process that trains them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from core.domain.learning import Champion, ModelManifest, Probe, StoredVersion
from core.domain.lifecycle import Deployment, RetrainingRequest, RunState
from core.ports.vocabulary import Progress, silent


class ModelStore(Protocol):
    """Immutable model versions and the pointers to the champions."""

    @property
    def seed(self) -> str:
        """The shipped version, empty where none is shipped."""

    def versions(self) -> tuple[StoredVersion, ...]:
        """Return every version, newest generation first; what is refused or put aside comes with its reason."""

    def manifest(self, version: str) -> ModelManifest:
        """Return the manifest of one version.

        Raises
        ------
        ModelNotFound, ModelCorrupt, ModelUntrusted
            If there is none, it cannot be read, or it was not made in this home.
        """

    def load(self, version: str) -> tuple[ModelManifest, Mapping[str, Any]]:
        """Return manifest and parts of a version, verified before the first byte is interpreted.

        Raises
        ------
        ModelNotFound, ModelCorrupt, ModelUntrusted
            If it is not there, not what the manifest says, was not made in this home, or holds a type that is not on
            the list. `context["curable"]` is true where it may well be read another day: a disk that does not
            answer.
        """

    def save(self, manifest: ModelManifest, parts: Mapping[str, Any], card: str, probe: Probe) -> ModelManifest:
        """Write a new version and return its manifest with generation, version name and digests filled in.

        Raises
        ------
        ConfigurationError
            If it cannot be written; nothing is changed.
        """

    def card(self, version: str) -> str:
        """Return the card of a version (Markdown), verified like its model."""

    def probe(self, version: str) -> Probe:
        """Return what a version must answer to, verified like its model."""

    def sweep(self) -> None:
        """Remove what a killed process has left half written; a disk that cannot be written is no error."""

    def champion(self, source: str, region_id: str) -> Champion:
        """Return who was deployed for data of `source` in a region; the seed model where nobody was.

        Raises
        ------
        ModelNotFound, ModelCorrupt
            If there is nobody, or the pointer is not one of ours; `context["generation"]` of the latter is the number
            after which deployments go on.
        """

    def before(self, source: str, region_id: str) -> tuple[str, ...]:
        """Return who served a region before its champion and is still there: whom to fall back on, and roll back to.

        Newest first, the seed model last unless it was deployed since; it alone where the pointer is not one of ours.
        """

    def deploy(self, made: Deployment) -> None:
        """Point to another version, atomically and for good, and keep the deployment beside the pointer.

        Raises
        ------
        DeploymentLost
            If the pointer has moved since: `made.generation` is not the one after the present one.
        ModelError
            If the version is not whole; the pointer stays.
        ConfigurationError
            If it cannot be written; the pointer stays.
        """

    def last_deployment(self, source: str, region_id: str) -> Deployment | None:
        """Return the deployment that the pointer stands on: the ledger may lack it.

        None before the first, and where the pointer is not one of ours.
        """

    def quarantine(self, version: str, reason: str) -> None:
        """Put a version aside for good, with the reason; a full or read-only disk is no error, it is refused then."""

    def foreign_files(self) -> tuple[str, ...]:
        """Return files below models/ that belong to no version and are never loaded, such as pickles."""


class Trainings(Protocol):
    """Trainings in a process of their own, one at a time in a home, whoever asks and from whichever process."""

    def start(self, request: RetrainingRequest, check: Callable[[RunState | None], None]) -> RunState:
        """Begin a training and return at once.

        Parameters
        ----------
        check
            Called with the last training that ended, None where there was none, when no other can begin any more; what
            it raises is passed on, and nothing begins.

        Raises
        ------
        TrainingInProgress
            If one is running; the message says since when, and for whom.
        ConfigurationError
            If no process can be started.
        """

    def state(self) -> RunState | None:
        """Return the training that runs, else the last one that ended, None where there was none."""

    def settle(self, told: Callable[[RunState | None], None]) -> None:
        """Tell the last training that ended while no other can begin; nothing is told while one runs."""

    def cancel(self, run_id: str) -> bool:
        """End a training; say whether it was running."""

    def wait(self, run_id: str, told: Progress = silent) -> RunState:
        """Return how a training ended, telling its progress meanwhile."""


class MetricFiles(Protocol):
    """What was measured of every version, a file each, beside the ledger."""

    def store(self, version: str, numbers: Mapping[str, Any]) -> None:
        """Write the numbers of one version, whole or not at all.

        Raises
        ------
        ConfigurationError
            If the folder cannot be written.
        """
