"""What is written down of rules, alerts and levels that people set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from core.domain.alerts import Acknowledgement, Alert, AlertOutcome, AlertRule, State
from core.domain.forecast import RiskLevel
from core.domain.notices import NoticeKind
from core.domain.overrides import Override


class AlertRecords(Protocol):
    """Records of alerts. Of several processes that write the same at once one is told that it was new."""

    def rules(self, region_id: str) -> Mapping[str, AlertRule | None]:
        """Return every rule that was ever kept of a region by its id, None for one that was removed."""

    def keep_rule(self, rule: AlertRule, who: str, at: datetime, *, removed: bool = False) -> None:
        """Keep a rule in the place of the one of its id, or as removed."""

    def watch(self, source: str, region_id: str, hour: datetime) -> None:
        """Keep that issues meet the rules of a region from an hour on, unless they did before."""

    def watched_since(self, source: str, region_id: str) -> datetime | None:
        """Return the hour from which on issues met the rules of a region, None where none ever did."""

    def states(self, source: str, region_id: str, rule_id: str) -> Mapping[str, State]:
        """Return the states of a rule by district."""

    def keep_states(self, source: str, region_id: str, rule_id: str, states: Mapping[str, State]) -> None:
        """Keep states in the place of those before."""

    def raised(self, alert: Alert) -> bool:
        """Keep a new alert; False where it, or another of its rule and district, stands already."""

    def risen(self, alert_id: str, level: RiskLevel, probability: float, places: tuple[str, ...], at: datetime) -> bool:
        """Keep a higher peak and more places of a standing alert; say whether its level is graver than before."""

    def ended(self, alert_id: str, hour: datetime, at: datetime) -> bool:
        """Keep that an alert ended; say whether it stood."""

    def untold(self, source: str, region_id: str) -> tuple[tuple[Alert, NoticeKind], ...]:
        """Return the alerts of which something is to be told yet, the oldest first, and what."""

    def told(self, alert_id: str, kind: NoticeKind) -> None:
        """Keep that this was told of an alert, unless it is another thing by now."""

    def judged(self, alert_id: str, outcome: AlertOutcome) -> None:
        """Keep what became of an alert."""

    def acknowledge(self, made: Acknowledgement) -> None:
        """Keep that somebody has seen an alert."""

    def alerts(self, source: str, region_id: str, since: datetime | None = None) -> tuple[Alert, ...]:
        """Return the alerts of a region that stand, or were changed since a moment, the newest first."""

    def override(self, made: Override) -> None:
        """Keep a level that a person set."""

    def withdraw(self, override_id: str, at: datetime) -> bool:
        """Keep that an override was withdrawn; say whether it had not been before."""

    def overrides(self, source: str, region_id: str, since: datetime) -> tuple[Override, ...]:
        """Return the overrides of a region that end after a moment, the oldest first."""
