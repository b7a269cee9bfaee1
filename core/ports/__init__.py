"""What the workflows ask of the world: one Protocol per port, implemented by adapters and by the fakes of the tests."""

from core.ports.alerts import AlertRecords
from core.ports.experiments import ExperimentFiles, ExperimentRecords, Fold
from core.ports.models import MetricFiles, ModelStore, Trainings
from core.ports.notices import Channel, Outbox
from core.ports.records import Ledger
from core.ports.services import Cache, Scheduler
from core.ports.vocabulary import Clock, OpenPeriod, Period, Progress, silent
from core.ports.weather import (
    Archive,
    BackfillSource,
    Budgeted,
    EnsembleSource,
    FeatureStore,
    FieldSource,
    QualityFiles,
    ReplayWindow,
    WeatherArchive,
    WeatherSource,
)
from core.ports.workers import ALONE, Alone, Workers

__all__ = [
    "ALONE",
    "AlertRecords",
    "Alone",
    "Archive",
    "BackfillSource",
    "Budgeted",
    "Cache",
    "Channel",
    "Clock",
    "EnsembleSource",
    "ExperimentFiles",
    "ExperimentRecords",
    "FeatureStore",
    "FieldSource",
    "Fold",
    "Ledger",
    "MetricFiles",
    "ModelStore",
    "OpenPeriod",
    "Outbox",
    "Period",
    "Progress",
    "QualityFiles",
    "ReplayWindow",
    "Scheduler",
    "Trainings",
    "WeatherArchive",
    "WeatherSource",
    "Workers",
    "silent",
]
