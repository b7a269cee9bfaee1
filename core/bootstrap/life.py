"""The life of the models, put together: what trains, what judges, what deploys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from core.adapters.metric_files import JsonMetrics
from core.adapters.training_process import Limits, TrainingProcesses
from core.errors import ConfigurationError
from core.learning import estimators
from core.learning.promotion import Gate
from core.settings import PROJECT_ROOT, Settings, listed
from core.workflows.beginnings import Beginnings
from core.workflows.collecting import Collecting
from core.workflows.deploying import Deploying
from core.workflows.drifting import Drifting
from core.workflows.fitness import INPUTS, Needs
from core.workflows.forecasting import Forecasting
from core.workflows.judging import Judging
from core.workflows.lifecycle import Lifecycle, Plan
from core.workflows.retraining import Retraining
from core.workflows.training import Training
from core.workflows.trials import Trials
from core.workflows.verifying import Verifying

GIGABYTE = 1024**3


def lifecycle_of(
    settings: Settings,
    forecasting: Forecasting,
    training: Training,
    verification: Verifying,
    trials: Trials,
    *,
    changed: Callable[[], None],
) -> Lifecycle:
    """Return the life of the models of one house.

    Parameters
    ----------
    changed
        Called when another version serves.

    Raises
    ------
    ConfigurationError
        If a setting names an algorithm or a variable that does not exist.
    """
    observing, serving, clock = forecasting.observing, forecasting.serving, forecasting.clock
    needs = Needs(settings.retrain_min_events, settings.retrain_min_quality, _optional(settings))
    deploying = Deploying(training.store, training.ledger)
    retraining = Retraining(
        collecting=Collecting(observing, needs, forecasting.served_features),
        training=training,
        serving=serving,
        judging=Judging(gate_of(settings), forecasting.tiers),
        deploying=deploying,
        metrics=JsonMetrics(settings.home / "models" / "metrics"),
        clock=clock,
        holdout=settings.retrain_holdout,
    )
    lifecycle = Lifecycle(
        observing=observing,
        serving=serving,
        deploying=deploying,
        retraining=retraining,
        drifting=Drifting(observing, training.ledger, training.store, clock),
        beginnings=Beginnings(retraining, forecasting, verification, settings.simulated_history_days, trials),
        plan=Plan(
            estimators.algorithm(settings.retrain_algorithm).name,
            settings.retrain_days_back,
            timedelta(days=settings.retrain_every_days),
        ),
        clock=clock,
        changed=changed,
    )
    lifecycle.trainings = TrainingProcesses(
        settings.retraining_folder,
        PROJECT_ROOT,
        settings.model_dump_json(),
        limits=Limits(int(settings.retrain_memory_gb * GIGABYTE), settings.retrain_minutes * 60),
        clock=clock,
        ended=lifecycle.ended,
    )
    return lifecycle


def gate_of(settings: Settings) -> Gate:
    """Return the rules of the settings."""
    return Gate(
        accuracy=settings.gate_accuracy,
        measure=settings.gate_measure,
        gain_percent=settings.gate_gain_percent,
        confidence=settings.gate_confidence,
        pod_points=settings.gate_pod_points,
        slope=(settings.gate_slope_low, settings.gate_slope_high),
        min_events=settings.gate_min_events,
    )


def _optional(settings: Settings) -> frozenset[str]:
    """Return the variables that an archive may lack."""
    names = frozenset(listed(settings.retrain_optional))
    strange = sorted(names - set(INPUTS))
    if strange:
        raise ConfigurationError(
            f"CLOUDBURST_RETRAIN_OPTIONAL names {strange[0]!r}.", hint=f"Known are {', '.join(INPUTS)}."
        )
    return names
