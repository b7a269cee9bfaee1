"""What the workflows ask of the world: one Protocol per port, implemented by adapters and by the fakes of the tests."""

from core.ports.common import Clock, OpenPeriod, Period, Progress, silent
from core.ports.models import ModelStore, Trainings
from core.ports.records import Ledger
from core.ports.services import Cache, Scheduler
from core.ports.weather import (
    Archive,
    BackfillSource,
    Budgeted,
    FeatureStore,
    FieldSource,
    QualityFiles,
    ReplayWindow,
    WeatherArchive,
    WeatherSource,
)

__all__ = [
    "Archive",
    "BackfillSource",
    "Budgeted",
    "Cache",
    "Clock",
    "FeatureStore",
    "FieldSource",
    "Ledger",
    "ModelStore",
    "OpenPeriod",
    "Period",
    "Progress",
    "QualityFiles",
    "ReplayWindow",
    "Scheduler",
    "Trainings",
    "WeatherArchive",
    "WeatherSource",
    "silent",
]
