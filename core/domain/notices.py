"""What is told to people outside when an alert begins, changes or ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.forecast import RiskLevel


class NoticeKind(StrEnum):
    """Why somebody is told. TRIAL is a dry run: it says so, and nothing has happened."""

    RAISED = "raised"
    CHANGED = "changed"
    ENDED = "ended"
    TRIAL = "trial"


@dataclass(frozen=True)
class Notice:
    """One message, whole in itself: it says from which data and which model it is, and that it is no official warning.

    `id` is the same however often it is sent, so that who gets it twice can tell.
    """

    id: str
    kind: NoticeKind
    region_id: str
    at: datetime
    level: RiskLevel
    headline: str
    text: str
    source_text: str
    simulated: bool
    model_version: str | None
    places: tuple[str, ...] = ()
