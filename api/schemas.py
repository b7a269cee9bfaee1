"""What the API answers, for its OpenAPI text."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class EventAnswer(BaseModel):
    """Probability of one event with its interval; null where it is not known."""

    event: str
    window: str
    probability: float | None
    low: float | None
    high: float | None
    extrapolated: bool
    no_skill_beyond_climatology: bool
    base_rate: float | None


class OverrideAnswer(BaseModel):
    """A level that a person set, with the model's own beside it."""

    who: str
    why: str
    at: datetime
    until: datetime
    model_level: str | None


class ForecastAnswer(BaseModel):
    """Forecast of one place."""

    location_id: str
    model_version: str | None
    #: Experiment and variant that it is of, "name/variant"; null where no experiment shows it.
    variant: str | None
    level: str
    #: Null where the level is the model's own.
    override: OverrideAnswer | None
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
    data_is: str
    problems: list[str]
    notes: list[str]
    forecasts: list[ForecastAnswer]


class DriverAnswer(BaseModel):
    """What a group of kindred features does to the odds of the target event: an association, not a cause."""

    group: str
    text: str
    odds_factor: float


class PointAnswer(IssueAnswer):
    """The forecast of one place, with what raised and lowered it, the strongest first."""

    drivers: list[DriverAnswer]


class ModelAnswer(BaseModel):
    """One stored version."""

    version: str
    champion: bool
    shipped: bool
    refused: str | None
    algorithm: str | None
    trained_on: str | None
    created_at: datetime | None


class QualityAnswer(BaseModel):
    """Quality of a region, or of one place of it, in a period: shares in [0, 1], null where not known."""

    location_id: str | None
    begin: datetime
    end: datetime
    completeness: float | None
    validity: float | None
    consistency: float | None
    timeliness: float | None
    delay_min: float | None
    anomaly_rate: float | None
    overall: float | None


class FindingAnswer(BaseModel):
    """What one check found of one variable, and how many values it hit."""

    test: str
    variable: str
    flag: str
    reason: str
    values: int


class DriftAnswer(BaseModel):
    """A sensor that wanders away from its neighbours."""

    location_id: str
    variable: str
    shift: float | None
    reason: str


class QualityReportAnswer(BaseModel):
    """Quality of the observations of a region in a period, with the source they are of."""

    region: str
    begin: datetime
    end: datetime
    source: str
    simulated: bool
    source_text: str
    metrics: QualityAnswer
    places: list[QualityAnswer]
    history: list[QualityAnswer]
    findings: list[FindingAnswer]
    alerts: list[str]
    drifts: list[DriftAnswer]


class CheckMetrics(BaseModel):
    """Quality of posted records: shares in [0, 1], null where there is nothing to measure."""

    overall_quality: float | None
    completeness: float | None
    validity: float | None
    consistency: float | None
    anomaly_rate: float | None
    extra_fields: int


class CheckAnomalies(BaseModel):
    """Values flagged suspect or failed, in words, and by test."""

    count: int
    descriptions: list[str]
    total: int
    by_test: dict[str, int]


class RecordFlags(BaseModel):
    """Flag number of every variable of one record, and the reasons."""

    flags: dict[str, int]
    reasons: list[str]


class CheckAnswer(BaseModel):
    """What the checks say of posted records."""

    passed: bool
    records: int
    failed_records: int
    quality_metrics: CheckMetrics
    anomalies: CheckAnomalies
    not_evaluated: list[str]
    flags: list[RecordFlags]
