"""Deploying: the one way in which a pointer to a champion moves, and is written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog

from core.domain.learning import Champion
from core.domain.lifecycle import Deployment, Verdict
from core.errors import ConfigurationError, ModelCorrupt
from core.ports import Ledger, ModelStore

log = structlog.get_logger()


@dataclass(frozen=True)
class Deploying:
    """Moves pointers; what the ledger could not take down is read from the pointer later (`reconcile`)."""

    store: ModelStore
    ledger: Ledger

    def champion(self, pointer: tuple[str, str]) -> Champion:
        """Return who was deployed; where the pointer is not believed nobody, with the number to count on from.

        Raises
        ------
        ModelNotFound
            If nobody was deployed and no seed model is shipped.
        """
        try:
            return self.store.champion(*pointer)
        except ModelCorrupt as error:
            return Champion("", is_seed=False, generation=error.context["generation"])

    def point(
        self,
        pointer: tuple[str, str],
        champion: Champion,
        version: str,
        *,
        action: str,
        who: str,
        why: str,
        at: datetime,
        verdict: Verdict | None = None,
    ) -> Deployment:
        """Let a version serve a region in the place of the champion that was decided against.

        Parameters
        ----------
        pointer
            Source and region.

        Raises
        ------
        DeploymentLost
            If somebody else has deployed since `champion` was read.
        ModelError
            If the version is not whole; the pointer stays.
        ConfigurationError
            If nothing can be written; the pointer stays.
        """
        source, region_id = pointer
        made = Deployment(
            source=source,
            region_id=region_id,
            generation=champion.generation + 1,
            at=at,
            action=action,
            who=who,
            why=why,
            from_version=champion.version or None,
            to_version=version,
            verdict=verdict,
        )
        self.store.deploy(made)
        try:
            self.ledger.record_deployment(made)
        except ConfigurationError as error:  # it serves; the pointer itself remembers until the ledger answers
            log.error("a deployment is not in the ledger yet", version=version, reason=error.message)
        return made

    def reconcile(self, pointer: tuple[str, str]) -> None:
        """Write down the deployment that the pointer stands on where the ledger lacks it.

        Raises
        ------
        ConfigurationError
            If the ledger does not answer.
        """
        made = self.store.last_deployment(*pointer)
        if made is not None:
            self.ledger.record_deployment(made)
