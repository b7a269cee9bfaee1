"""Cloudburst Watch: the core behind the doors.

`open_core()` returns the one `Core` of this process; everything a page, the API or the command line may use stands in
`__all__`.
"""

from core.bootstrap import VERSION, Core, close_core, open_core, opened_core, serve
from core.bootstrap.allowance import Draw
from core.bootstrap.caches import cached, get_cache_manager
from core.bootstrap.framework import ABTestingFramework, AnalysisResult, analysis_result
from core.bootstrap.pipeline import ModelRetrainingPipeline, RetrainingResult
from core.caching.keys import PredictionCache, WeatherCache
from core.caching.two_level import Hit, TwoLevelCache
from core.domain.budget import BudgetLine
from core.domain.changes import Changes, DistrictChange
from core.domain.districts import DistrictRisk, districts_in, districts_of
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
from core.domain.levels import LEVELS, LevelStyle
from core.domain.lifecycle import Deployment, RunState, RunStatus, Trigger, Verdict
from core.domain.maps import as_geojson
from core.domain.quality import Drift, Finding, FlaggedWeather, QualityMetrics, QualityReport
from core.domain.rain import fallen_mm
from core.domain.standing import LADDER, Standing
from core.domain.verification import Truth, VerifiedCases
from core.domain.weather import VARIABLES, Flag, HourlyWeather, Location, Outline, Region
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
from core.verification.episodes import LeadTimes, Stability
from core.verification.scorecard import MEASURES
from core.words import DEFAULT_LANGUAGE, LANGUAGES, Language, language
from core.workflows.comparing import PlaceDifference, SideBySide
from core.workflows.forecasting import Issue
from core.workflows.histories import History, Shadow
from core.workflows.looking_back import LookingBack
from core.workflows.monitoring import Health
from core.workflows.posting import require_fit, weather_records
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
    "HOURLY_EVENTS",
    "LADDER",
    "LANGUAGES",
    "LEVELS",
    "MEASURES",
    "MINI_CLOUDBURST",
    "TARGET",
    "TRANSITIONS",
    "USUAL_SPREAD_PERCENT",
    "VARIABLES",
    "VERSION",
    "WINDOWS",
    "ABTestingFramework",
    "AnalysisResult",
    "Arm",
    "BudgetLine",
    "CaseOutcome",
    "Champion",
    "Changes",
    "CloudburstError",
    "Code",
    "ConfigurationError",
    "Contrast",
    "Core",
    "DataError",
    "DataQualityMiddleware",
    "Deployment",
    "DistrictChange",
    "DistrictRisk",
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
    "Finding",
    "Flag",
    "FlaggedWeather",
    "Forecast",
    "Freshness",
    "Guardrail",
    "Health",
    "History",
    "Hit",
    "HourlyWeather",
    "Issue",
    "Language",
    "Latency",
    "LeadTimes",
    "LevelStyle",
    "Location",
    "LookingBack",
    "Measure",
    "Meters",
    "ModelError",
    "ModelManifest",
    "ModelRetrainingPipeline",
    "ModelVariant",
    "Outline",
    "PlaceDifference",
    "Plan",
    "PredictionCache",
    "QualityMetrics",
    "QualityReport",
    "RecordValidation",
    "Region",
    "RegionForecast",
    "ReplayWindow",
    "RetrainingResult",
    "RiskLevel",
    "Rollout",
    "Rules",
    "RunState",
    "RunStatus",
    "Scorecard",
    "Shadow",
    "SideBySide",
    "Stability",
    "Stage",
    "Standing",
    "Status",
    "Step",
    "StoredVersion",
    "TableValidation",
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
    "as_geojson",
    "cached",
    "close_core",
    "districts_in",
    "districts_of",
    "events_in",
    "fallen_mm",
    "get_cache_manager",
    "language",
    "open_core",
    "opened_core",
    "plan",
    "require_fit",
    "serve",
    "shares_after",
    "source_text",
    "thresholds",
    "weather_records",
]
