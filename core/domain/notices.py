"""What is told to people outside when an alert begins, changes or ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

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

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON, the time as ISO 8601."""
        said = {"kind": self.kind.value, "at": self.at.isoformat(), "level": self.level.value}
        return {**asdict(self), **said, "places": list(self.places)}


def notice_of(said: Mapping[str, Any]) -> Notice:
    """Return the notice of the plain values of `Notice.as_dict`.

    Raises
    ------
    ValueError, TypeError, KeyError
        If they are those of no notice.
    """
    notice = Notice(
        id=said["id"],
        kind=NoticeKind(said["kind"]),
        region_id=said["region_id"],
        at=datetime.fromisoformat(said["at"]),
        level=RiskLevel(said["level"]),
        headline=said["headline"],
        text=said["text"],
        source_text=said["source_text"],
        simulated=said["simulated"],
        model_version=said["model_version"],
        places=tuple(said["places"]),
    )
    texts = (notice.id, notice.region_id, notice.headline, notice.text, notice.source_text, *notice.places)
    if not all(isinstance(text, str) for text in texts) or notice.at.tzinfo is None:
        raise TypeError("a notice has no such values")
    return notice
