"""Cloudburst Watch: the core behind the doors.

`open_core()` returns the one `Core` of this process; everything a page, the API or the command line may use stands in
`__all__`.
"""

from core.bootstrap import VERSION, Core, close_core, open_core, serve
from core.domain.forecast import (
    EVENTS,
    HOURLY_EVENTS,
    MINI_CLOUDBURST,
    TARGET,
    EventDefinition,
    Exceedance,
    Forecast,
    Freshness,
    RegionForecast,
    RiskLevel,
    source_text,
)
from core.domain.learning import Measure, ModelManifest, Scorecard, StoredVersion
from core.domain.quality import FlaggedWeather
from core.domain.weather import VARIABLES, Flag, HourlyWeather, Location, Outline, Region
from core.errors import CloudburstError, ConfigurationError, UnknownPlace
from core.verification.scorecard import MEASURES
from core.workflows.forecasting import Issue
from core.workflows.monitoring import Health

__all__ = [
    "EVENTS",
    "HOURLY_EVENTS",
    "MEASURES",
    "MINI_CLOUDBURST",
    "TARGET",
    "VARIABLES",
    "VERSION",
    "CloudburstError",
    "ConfigurationError",
    "Core",
    "EventDefinition",
    "Exceedance",
    "Flag",
    "FlaggedWeather",
    "Forecast",
    "Freshness",
    "Health",
    "HourlyWeather",
    "Issue",
    "Location",
    "Measure",
    "ModelManifest",
    "Outline",
    "Region",
    "RegionForecast",
    "RiskLevel",
    "Scorecard",
    "StoredVersion",
    "UnknownPlace",
    "close_core",
    "open_core",
    "serve",
    "source_text",
]
