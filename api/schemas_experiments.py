"""What the routes of experiments are asked and what they answer, for the OpenAPI text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas_admin import LONGEST, Reason, RuleAnswer
from core import TrafficSplitStrategy, UnitKey

NAME = r"^[A-Za-z0-9][\w.-]{0,63}$"


class VariantRequest(BaseModel):
    """One side of an experiment: a stored version, and the share of the units that are shown it."""

    model_config = ConfigDict(extra="forbid")

    variant_id: str = Field(pattern=NAME)
    version: str = Field(max_length=96)
    traffic_percentage: float = Field(0.0, ge=0, le=100)


class ExperimentRequest(BaseModel):
    """An experiment on the forecasts of a region: the first variant is the control."""

    model_config = ConfigDict(extra="forbid")

    experiment_id: str = Field(pattern=NAME)
    variants: list[VariantRequest] = Field(min_length=2, max_length=8)
    strategy: TrafficSplitStrategy = TrafficSplitStrategy.PERCENTAGE
    unit: UnitKey = UnitKey.STATION_DAY
    alarm: float = Field(0.05, gt=0, lt=1)
    region: str | None = Field(None, max_length=64)
    why: str = Field("", max_length=LONGEST)
    draft: bool = False


class DecisionRequest(BaseModel):
    """The end of an experiment: who won (null: nobody), and why."""

    model_config = ConfigDict(extra="forbid")

    winner: str | None = Field(None, max_length=64)
    why: Reason


class ReasonRequest(BaseModel):
    """Why a step is taken."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field("", max_length=LONGEST)


class ExperimentLine(BaseModel):
    """One experiment of the list."""

    experiment_id: str
    stage: str
    strategy: str
    variants: list[str]
    created_at: datetime


class StepAnswer(BaseModel):
    """One step in the life of an experiment."""

    experiment_id: str
    at: datetime
    action: str
    stage: str
    who: str
    why: str
    detail: dict[str, Any]


class WinnerAnswer(BaseModel):
    """Who won (null: nobody), the rule that decided, and the evidence."""

    winner_variant: str | None
    rule: str
    evidence: dict[str, Any]


class AnalysisAnswer(BaseModel):
    """What an experiment comes to now, and the steps that it took."""

    experiment_id: str
    stage: str
    status: str
    text: str
    winner: WinnerAnswer
    variants: list[dict[str, Any]]
    contrasts: list[dict[str, Any]]
    codes: list[str]
    sample_ratio_p: float | None
    coverage: float | None
    steps: list[StepAnswer]


class PromotionAnswer(BaseModel):
    """Whether the winner serves now, and what the gate said of it."""

    deployed: bool
    gate: list[RuleAnswer]
