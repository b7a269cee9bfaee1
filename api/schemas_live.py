"""What the routes about one point, the map and the service answer, for the OpenAPI text."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator
from pydantic_core import PydanticCustomError

from api.schemas import CheckAnswer, EventAnswer

#: Hours of one place that a forecast can be made of: ten days, more than one looks back on.
MOST_HOURS = 240


class PointRequest(BaseModel):
    """A point, degrees north and east."""

    model_config = ConfigDict(extra="forbid", strict=True)

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)


class PredictRequest(PointRequest):
    """A point, and what is known there: features by name, or hourly observations of the last days.

    Features are those of `GET /model/features`; null or absent where not known. Each observation has `valid_at`,
    the end of its hour; their position is that of the request. One of the two must be given.
    """

    features: dict[str, FiniteFloat | None] | None = Field(None, min_length=1, max_length=500)
    observations: list[dict[str, Any]] | None = Field(None, min_length=1, max_length=MOST_HOURS)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.features is None) == (self.observations is None):
            raise PydanticCustomError("one_of_both", "Give either features or observations.")
        return self


class StoredAnswer(BaseModel):
    """What became of posted observations: records of the archive by region, their places, and what the checks say."""

    stored: dict[str, int]
    places: list[str]
    quality: CheckAnswer


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
    #: Experiment and variant that answers, "name/variant"; null where there is none.
    variant: str | None
    issued_at: datetime
    valid_from: datetime
    window_h: int
    data_at: datetime | None
    data_age_s: float | None
    freshness: str
    worst_flag: str
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
    data_at: datetime | None
    data_age_s: float | None
    problems: list[str]
    notes: list[str]


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
