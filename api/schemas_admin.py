"""What the admin routes are asked and what they answer, for the OpenAPI text."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from core import ALGORITHMS, ModelManifest

LONGEST = 500


def _said(why: str) -> str:
    if not why.strip():
        raise PydanticCustomError("no_reason", "Say why in a few words.")
    return why


#: Why something is done by hand: more than blanks.
Reason = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"\S"), AfterValidator(_said)]


class RetrainRequest(BaseModel):
    """Whom to challenge, with what; the plan of the settings where nothing is said."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model_type: Literal[tuple(ALGORITHMS)] | None = None  # type: ignore[valid-type]
    days_back: int | None = Field(None, ge=1, le=36_500)
    region: str | None = Field(None, max_length=64)
    why: str = Field("", max_length=LONGEST)


class ChangeRequest(BaseModel):
    """A change by hand, and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    why: Reason
    region: str | None = Field(None, max_length=64)


class RunAnswer(BaseModel):
    """A training, running or ended: status is running, deployed, kept, skipped, failed, cancelled or interrupted."""

    run_id: str
    status: str
    begun_at: datetime
    ended_at: datetime | None
    done: float
    text: str
    reasons: list[str]
    metrics: dict[str, Any]
    version: str | None
    champion: str | None
    region: str
    source: str
    algorithm: str
    days_back: int
    trigger: str
    who: str
    why: str
    late_s: float


class RuleAnswer(BaseModel):
    """One rule of the gate and what it found."""

    name: str
    met: bool
    text: str


class DeploymentAnswer(BaseModel):
    """One change of who serves a region; `gate` is null where nobody asked it."""

    source: str
    region_id: str
    generation: int
    at: datetime
    action: str
    who: str
    why: str
    from_version: str | None
    to_version: str
    gate: list[RuleAnswer] | None


class VersionAnswer(BaseModel):
    """One stored version with everything its manifest says, or why it is refused."""

    version: str
    refused: str | None
    quarantined: bool
    shipped: bool
    manifest: ModelManifest | None


class PastRunAnswer(BaseModel):
    """A training of the ledger."""

    run_id: str
    ended_at: datetime
    status: str
    algorithm: str
    days_back: int
    trigger: str
    who: str
    why: str
    late_s: float
    version: str | None
    reasons: list[str]


class DriftAnswer(BaseModel):
    """What was found when drift was looked for last, in sentences."""

    text: str
    alarms: list[str]


class HistoryAnswer(BaseModel):
    """The life of a region's models."""

    region: str
    source: str
    champion: str | None
    generation: int | None
    serves: str | None
    instead: str
    challengers: list[str]
    training: RunAnswer | None
    drift: DriftAnswer | None
    versions: list[VersionAnswer]
    runs: list[PastRunAnswer]
    deployments: list[DeploymentAnswer]
