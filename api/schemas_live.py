"""What the routes about one point, the map and the service answer, for the OpenAPI text."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import EventAnswer


class PointRequest(BaseModel):
    """A point, degrees north and east."""

    model_config = ConfigDict(extra="forbid", strict=True)

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)


class LiveAnswer(BaseModel):
    """What is said of the place that speaks for a point; null where it is not known."""

    location_id: str
    region: str
    latitude: float
    longitude: float
    probability: float | None
    exceedance: dict[str, EventAnswer]
    risk_level: str
    model_version: str | None
    issued_at: datetime
    valid_from: datetime
    window_h: int
    data_at: datetime | None
    data_age_s: float | None
    freshness: str
    source: str
    simulated: bool
    reasons: list[str]
    problems: list[str]
    notes: list[str]


class MapAnswer(BaseModel):
    """The issue of a region as GeoJSON (RFC 7946): a polygon for a cell of a grid, a point for a station."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]
    region: str
    issued_at: datetime
    valid_from: datetime
    source: str
    simulated: bool
    model_version: str | None
    freshness: str


class ReadyAnswer(BaseModel):
    """Whether forecasts can be answered now, and if not, why."""

    ready: bool
    problems: list[str]


class FreshnessAnswer(BaseModel):
    """How old the data of a region are, and from when on they count as stale and as none."""

    region: str
    freshness: str
    data_at: datetime | None
    data_age_s: float | None
    valid_from: datetime
    limits: str
    places: dict[str, int]


class ModelInfoAnswer(BaseModel):
    """The model that serves a region, with everything its manifest says but the features."""

    region: str
    version: str
    shipped: bool
    stands_in: str
    manifest: dict[str, Any]


class FeaturesAnswer(BaseModel):
    """The features that the serving model wants, in their order."""

    region: str
    version: str
    feature_version: str
    feature_names: list[str]


class CacheAnswer(BaseModel):
    """How the cache works now, and what it has done since the start."""

    mode: str
    stats: dict[str, float]
