"""What the API answers, for its OpenAPI text."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class EventAnswer(BaseModel):
    """Probability of one event with its interval; null where it is not known."""

    event: str
    probability: float | None
    low: float | None
    high: float | None
    extrapolated: bool


class ForecastAnswer(BaseModel):
    """Forecast of one place."""

    location_id: str
    level: str
    freshness: str
    data_at: datetime | None
    worst_flag: str
    exceedance: dict[str, EventAnswer]
    reasons: list[str]


class IssueAnswer(BaseModel):
    """All forecasts of one issue of a region, with age, source and model of the numbers."""

    region: str
    issued_at: datetime
    valid_from: datetime
    window_h: int
    source: str
    simulated: bool
    source_text: str
    model_version: str | None
    model_source: str | None
    model_is_seed: bool
    freshness: str
    data_at: datetime | None
    data_age_s: float | None
    problems: list[str]
    forecasts: list[ForecastAnswer]


class ModelAnswer(BaseModel):
    """One stored version."""

    version: str
    champion: bool
    shipped: bool
    refused: str | None
    algorithm: str | None
    trained_on: str | None
    created_at: datetime | None
