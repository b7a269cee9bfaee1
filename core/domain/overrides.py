"""A level that a person sets instead of the model's: for one place or district, with a reason and an end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.domain.forecast import RiskLevel


class Scope(StrEnum):
    """What an override is of."""

    PLACE = "place"
    DISTRICT = "district"


@dataclass(frozen=True)
class Override:
    """One person's word on a level: from `at` on, until `until` or until it is withdrawn.

    `target` is the id of a place or the name of a district. `model_level` is what the model itself says of a place; it
    is known only of an override that stands in a forecast.
    """

    id: str
    source: str
    region_id: str
    scope: Scope
    target: str
    level: RiskLevel
    who: str
    why: str
    at: datetime
    until: datetime
    withdrawn_at: datetime | None = None
    model_level: RiskLevel | None = None

    @property
    def ends_at(self) -> datetime:
        """When it ends, or ended."""
        return self.until if self.withdrawn_at is None else min(self.until, self.withdrawn_at)

    def holds(self, moment: datetime) -> bool:
        """Say whether it stands at a moment."""
        return self.at <= moment < self.ends_at

    @property
    def said(self) -> str:
        """Who set it and why, in words that follow a level."""
        return f"set by {self.who}: {self.why}"

    def as_dict(self) -> dict[str, str | None]:
        """Return it as plain values for JSON, times ISO 8601 in UTC."""
        return {
            "who": self.who,
            "why": self.why,
            "at": self.at.isoformat(),
            "until": self.until.isoformat(),
            "model_level": None if self.model_level is None else self.model_level.value,
        }
