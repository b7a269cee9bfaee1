"""Cloudburst Watch: the core behind the doors.

`open_core()` returns the one `Core` of this process; everything a page, the API or the command line may use stands in
`__all__`.
"""

from core.bootstrap import VERSION, Core, close_core, open_core, opened_core, serve
from core.bootstrap.allowance import Allowance, Draw
from core.bootstrap.caches import cached, get_cache_manager
from core.bootstrap.exports import MEDIA_TYPES, document, export
from core.bootstrap.framework import ABTestingFramework, AnalysisResult, analysis_result
from core.bootstrap.pipeline import ModelRetrainingPipeline, RetrainingResult
from core.bootstrap.report_files import kept_reports, read_report
from core.caching.keys import PredictionCache, WeatherCache
from core.caching.two_level import Hit, TwoLevelCache
from core.domain.alert_scores import AlertCounts, LevelScore, Miss
from core.domain.alerts import Acknowledgement, Alert, AlertOutcome, AlertRule
from core.domain.budget import BudgetLine
from core.domain.changes import Changes, DistrictChange
from core.domain.deliveries import Delivery, DeliveryState, OutboxState
from core.domain.districts import DistrictRisk, districts_in, districts_of
from core.domain.document import Block, Chart, Document, Facts, Heading, LevelMap, Paragraph, Series, Table
from core.domain.drift import DriftReport
from core.domain.experiment import (
    TRANSITIONS,
    CaseOutcome,
    Code,
    Experiment,
    ExperimentResult,
    ModelVariant,
    Rollout,
    Rules,
    Stage,
    Status,
    Step,
    TrafficSplitStrategy,
    UnitKey,
)
from core.domain.experiment_analysis import (
    Arm,
    Contrast,
    ExperimentAnalysis,
    Guardrail,
)
from core.domain.explanation import Driver
from core.domain.forecast import (
    DEFAULT_WINDOW,
    EVENTS,
    FIELD_WINDOWS,
    HOURLY_EVENTS,
    MINI_CLOUDBURST,
    TARGET,
    WINDOWS,
    EventDefinition,
    Exceedance,
    Forecast,
    Freshness,
    RegionForecast,
    RiskLevel,
    Window,
    events_in,
    source_text,
)
from core.domain.learning import Champion, Measure, ModelManifest, Scorecard, StoredVersion
from core.domain.levels import LADDER, LEVELS, LevelStyle
from core.domain.lifecycle import Deployment, RunState, RunStatus, Trigger, Verdict
from core.domain.maps import as_geojson
from core.domain.notices import Notice, NoticeKind
from core.domain.overrides import Override, Scope
from core.domain.places import Found, Match, Neighbour, around, search
from core.domain.quality import FLAG_NAMES, SHARES, Drift, Finding, FlaggedWeather, QualityMetrics, QualityReport
from core.domain.rain import fallen_mm
from core.domain.report import FORMATS, SECTIONS, KeptReport, ReportKind, ReportRequest, Section, file_name
from core.domain.standing import Standing
from core.domain.told import MONTHS, Told
from core.domain.verification import Truth, VerifiedCases
from core.domain.weather import VARIABLES, Flag, HourlyWeather, Location, Outline, Region
from core.domain.workbook import FORMULA_SIGNS
from core.errors import (
    CloudburstError,
    ConfigurationError,
    DataError,
    ExperimentClosed,
    ExperimentError,
    ExperimentExists,
    ModelError,
    TooManyAttempts,
    TrainingInProgress,
    UnfitInput,
    UnknownExperiment,
    UnknownPlace,
)
from core.experiments.planning import USUAL_SPREAD_PERCENT, Plan, plan
from core.experiments.rollout import shares_after
from core.learning.estimators import ALGORITHMS, DEFAULT_ALGORITHM
from core.meters import Latency, Meters
from core.ports import ReplayWindow
from core.quality.schema import WeatherRecord
from core.quality.thresholds import thresholds
from core.strict_json import NotStrict, parse_json
from core.verification.diagrams import Meant
from core.verification.episodes import LeadTimes, Stability
from core.verification.scorecard import MEASURES
from core.words import DEFAULT_LANGUAGE, FONTS, LANGUAGES, Language, language
from core.workflows.comparing import PlaceDifference, SideBySide
from core.workflows.forecasting import Issue
from core.workflows.histories import SHADOW_DAYS, History, Shadow
from core.workflows.looking_back import LookingBack
from core.workflows.monitoring import Health
from core.workflows.nearby import MEASURED, Gauge, nearest_gauges
from core.workflows.posting import require_fit, weather_records
from core.workflows.recalling import Recall, Recalled, recalled, said_like
from core.workflows.reporting_measures import QUESTIONS
from core.workflows.scoring import FEW_DAYS, FEW_EVENTS, VerificationReport
from core.workflows.validating import DataQualityMiddleware, RecordValidation, TableValidation

__all__ = [
    "ALGORITHMS",
    "DEFAULT_ALGORITHM",
    "DEFAULT_LANGUAGE",
    "DEFAULT_WINDOW",
    "EVENTS",
    "FEW_DAYS",
    "FEW_EVENTS",
    "FIELD_WINDOWS",
    "FLAG_NAMES",
    "FONTS",
    "FORMATS",
    "FORMULA_SIGNS",
    "HOURLY_EVENTS",
    "LADDER",
    "LANGUAGES",
    "LEVELS",
    "MEASURED",
    "MEASURES",
    "MEDIA_TYPES",
    "MINI_CLOUDBURST",
    "MONTHS",
    "QUESTIONS",
    "SECTIONS",
    "SHADOW_DAYS",
    "SHARES",
    "TARGET",
    "TRANSITIONS",
    "USUAL_SPREAD_PERCENT",
    "VARIABLES",
    "VERSION",
    "WINDOWS",
    "ABTestingFramework",
    "Acknowledgement",
    "Alert",
    "AlertCounts",
    "AlertOutcome",
    "AlertRule",
    "Allowance",
    "AnalysisResult",
    "Arm",
    "Block",
    "BudgetLine",
    "CaseOutcome",
    "Champion",
    "Changes",
    "Chart",
    "CloudburstError",
    "Code",
    "ConfigurationError",
    "Contrast",
    "Core",
    "DataError",
    "DataQualityMiddleware",
    "Delivery",
    "DeliveryState",
    "Deployment",
    "DistrictChange",
    "DistrictRisk",
    "Document",
    "Draw",
    "Drift",
    "DriftReport",
    "Driver",
    "EventDefinition",
    "Exceedance",
    "Experiment",
    "ExperimentAnalysis",
    "ExperimentClosed",
    "ExperimentError",
    "ExperimentExists",
    "ExperimentResult",
    "Facts",
    "Finding",
    "Flag",
    "FlaggedWeather",
    "Forecast",
    "Found",
    "Freshness",
    "Gauge",
    "Guardrail",
    "Heading",
    "Health",
    "History",
    "Hit",
    "HourlyWeather",
    "Issue",
    "KeptReport",
    "Language",
    "Latency",
    "LeadTimes",
    "LevelMap",
    "LevelScore",
    "LevelStyle",
    "Location",
    "LookingBack",
    "Match",
    "Meant",
    "Measure",
    "Meters",
    "Miss",
    "ModelError",
    "ModelManifest",
    "ModelRetrainingPipeline",
    "ModelVariant",
    "Neighbour",
    "NotStrict",
    "Notice",
    "NoticeKind",
    "OutboxState",
    "Outline",
    "Override",
    "Paragraph",
    "PlaceDifference",
    "Plan",
    "PredictionCache",
    "QualityMetrics",
    "QualityReport",
    "Recall",
    "Recalled",
    "RecordValidation",
    "Region",
    "RegionForecast",
    "ReplayWindow",
    "ReportKind",
    "ReportRequest",
    "RetrainingResult",
    "RiskLevel",
    "Rollout",
    "Rules",
    "RunState",
    "RunStatus",
    "Scope",
    "Scorecard",
    "Section",
    "Series",
    "Shadow",
    "SideBySide",
    "Stability",
    "Stage",
    "Standing",
    "Status",
    "Step",
    "StoredVersion",
    "Table",
    "TableValidation",
    "Told",
    "TooManyAttempts",
    "TrafficSplitStrategy",
    "TrainingInProgress",
    "Trigger",
    "Truth",
    "TwoLevelCache",
    "UnfitInput",
    "UnitKey",
    "UnknownExperiment",
    "UnknownPlace",
    "Verdict",
    "VerificationReport",
    "VerifiedCases",
    "WeatherCache",
    "WeatherRecord",
    "Window",
    "analysis_result",
    "around",
    "as_geojson",
    "cached",
    "close_core",
    "districts_in",
    "districts_of",
    "document",
    "events_in",
    "export",
    "fallen_mm",
    "file_name",
    "get_cache_manager",
    "kept_reports",
    "language",
    "nearest_gauges",
    "open_core",
    "opened_core",
    "parse_json",
    "plan",
    "read_report",
    "recalled",
    "require_fit",
    "said_like",
    "search",
    "serve",
    "shares_after",
    "source_text",
    "thresholds",
    "weather_records",
]
