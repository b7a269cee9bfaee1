"""The composition root: settings choose adapters, adapters serve workflows, workflows make the Core."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from core.adapters import keys, log_secrets, logs, seed
from core.adapters.archive import ParquetArchive
from core.adapters.experiment_files import JsonExperiments
from core.adapters.feature_store import ParquetFeatures
from core.adapters.ledger import SqlLedger
from core.adapters.ledger_experiments import SqlExperiments
from core.adapters.ledger_lease import Lease
from core.adapters.model_store import FolderModelStore
from core.adapters.quality_files import ParquetQuality
from core.adapters.scheduler import ThreadScheduler
from core.bootstrap.admin import Admin
from core.bootstrap.alerts import alerting_of
from core.bootstrap.allowance import Allowance
from core.bootstrap.house import Core
from core.bootstrap.labour import HindcastRequest, trainers_of
from core.bootstrap.life import lifecycle_of
from core.bootstrap.notices import notifying_of
from core.bootstrap.replays import Replays
from core.bootstrap.replicas import Memories, sharing_of
from core.bootstrap.services import cache_of, field_source, weather_source
from core.caching.two_level import TwoLevelCache
from core.errors import ConfigurationError
from core.features import table
from core.meters import Meters
from core.ports import Clock
from core.quality.checks import Checker
from core.quality.checks import check as all_checks
from core.risk import AgeLimits, LevelRule, Tiers
from core.settings import PROJECT_ROOT, Settings, load_settings
from core.workflows.appraising import Appraising
from core.workflows.experimenting import Experimenting
from core.workflows.forecasting import Forecasting
from core.workflows.hindcasting import Hindcasting
from core.workflows.histories import Histories
from core.workflows.materialising import Materialising
from core.workflows.monitoring import Monitoring
from core.workflows.observing import Observing
from core.workflows.replaying import Replaying
from core.workflows.serving import Serving
from core.workflows.training import Training
from core.workflows.trials import Trials
from core.workflows.verifying import Verifying

__all__ = ["HISTORY_H", "VERSION", "Core", "HindcastRequest", "close_core", "open_core", "opened_core", "serve"]

VERSION = "2.0.0"
#: A forecast looks back as far as its features do, and a day more for the checks.
HISTORY_H = table.LOOKBACK_H + 24
MEGABYTE = 1_000_000

_opened: Core | None = None
_serving = False
_opening = threading.Lock()


def open_core(settings: Settings | None = None, clock: Clock | None = None) -> Core:
    """Open the house. Without arguments all callers of one process share one Core.

    Raises
    ------
    ConfigurationError
        If a setting, a folder or a service cannot be used; the hint says what to do.
    """
    global _opened  # noqa: PLW0603 - one process, one house; guarded by the lock
    if settings is not None or clock is not None:
        return _build(settings or load_settings(), clock or _now)
    with _opening:
        if _opened is None:
            opened = _build(load_settings(), _now)
            if _serving:
                _keep_log(opened.settings)
                opened.start()
            _opened = opened
        return _opened


def opened_core() -> Core | None:
    """Return the shared Core where it is open; nobody who only counts waits for its opening."""
    return _opened


def serve() -> None:
    """From now on the shared Core of this process runs its scheduler, from the first time that it can be opened.

    Raises
    ------
    ConfigurationError
        If it cannot be opened now; a later `open_core()` tries again.
    """
    global _serving  # noqa: PLW0603
    if not _serving:
        logs.configure("INFO")  # what goes wrong before the settings are known is said as well
        logs.take_over()
    _serving = True
    open_core()


def close_core() -> None:
    """Stop the shared Core and forget it: the next `open_core()` reads the settings again."""
    global _opened, _serving
    with _opening:
        if _opened is not None:
            _opened.stop()
        _opened, _serving = None, False
        logs.close()


def _build(settings: Settings, clock: Clock) -> Core:
    for secret in settings.secrets:
        log_secrets.hide(secret)
    logs.configure(settings.log_level)
    _usable_home(settings.home)
    store = _store(settings)
    ledger = SqlLedger(settings.ledger_url)
    cache = cache_of(settings)
    meters = Meters()
    serving = Serving(store, meters, settings.challengers)
    forecasting = _forecasting(settings, clock, ledger, cache, serving)
    memories = Memories(ledger, forecasting, cache)
    scheduler = ThreadScheduler(meters=meters, turns=Lease(ledger, now=clock, look=memories.generations.look))
    files = ParquetQuality(settings.home / "data" / "quality_metrics")
    quality = Appraising(forecasting, ledger, clock, files)
    observing, tiers = forecasting.observing, forecasting.tiers
    training = Training(store, ledger, observing.check, clock, forecasting.served_features, trainers_of(settings))
    verification = Verifying(observing, ledger, clock)
    trials = Trials(_experiments(settings.home / "models", ledger, forecasting), ledger, tiers)
    forecasting.split = trials.shown
    notifying = notifying_of(settings, clock, meters)
    lifecycle = lifecycle_of(settings, forecasting, training, verification, trials, changed=memories.models_changed)
    return Core(
        settings=settings,
        clock=clock,
        forecasting=forecasting,
        hindcasting=Hindcasting(serving, observing.check, tiers, observing.fields),
        training=training,
        quality=quality,
        verification=verification,
        monitoring=Monitoring(
            forecasting, store, ledger, cache, scheduler, clock, VERSION, quality, notifying.problems
        ),
        store=store,
        scheduler=scheduler,
        generations=memories.generations,
        replays=_replays(settings, forecasting),
        lifecycle=lifecycle,
        histories=Histories(lifecycle, forecasting, verification),
        trials=trials,
        alerts=alerting_of(forecasting, ledger, verification, notifying.tell, memories.issue_changed),
        cache=cache,
        meters=meters,
        notifying=notifying,
        admin=_admin(settings),
        predict_allowance=Allowance(settings.predict_per_minute),
    )


def _forecasting(
    settings: Settings, clock: Clock, ledger: SqlLedger, cache: TwoLevelCache, serving: Serving
) -> Forecasting:
    """Return what observes and forecasts; experiments and people have no part in it yet."""
    check: Checker = partial(all_checks, plain_z=settings.quality_z == "plain")
    archive = ParquetArchive(settings.home / "data" / "processed")
    source = weather_source(settings, clock)
    fields = field_source(settings, source, archive, clock)
    return Forecasting(
        observing=Observing(source, archive, check, HISTORY_H, fields, serving.meters),
        serving=serving,
        ledger=ledger,
        cache=cache,
        tiers=_rule(settings),
        limits=_ages(settings),
        clock=clock,
        ttl_s=settings.refresh_minutes * 60,
        served_features=Materialising(ParquetFeatures(settings.home / "data" / "features")),
        challengers=settings.challengers,
        sharing=sharing_of(settings, cache),
    )


def _replays(settings: Settings, forecasting: Forecasting) -> Replays:
    """Return the stored windows, judged and forecast as live weather is."""
    serving, check, tiers = forecasting.serving, forecasting.observing.check, forecasting.tiers
    return Replays(
        settings.home / settings.replay_folder,
        Replaying(serving, check, HISTORY_H, tiers, forecasting.limits),
        forecasting.observing.regions,
        settings.grid_spacing_deg,
    )


def _keep_log(settings: Settings) -> None:
    """Let the process that serves write its log into a file: others of this home must not rotate it under its hands."""
    if settings.log_folder:
        folder = settings.home / settings.log_folder
        logs.keep(folder, int(settings.log_megabytes * MEGABYTE), settings.log_files)


def _admin(settings: Settings) -> Admin:
    wrong = Allowance(settings.admin_failures_per_minute)
    return Admin(settings.admin_token, settings.home / "data" / "admin.token", wrong)


def _store(settings: Settings) -> FolderModelStore:
    """Return the versions of this home beside the shipped one; its key is made at the first start."""
    return FolderModelStore(
        settings.home / "models",
        PROJECT_ROOT / "models",
        (seed.SEED_VERSION, seed.SEED_MANIFEST_SHA256),
        keys.secret(settings.home / "data" / "model.key"),
    )


def _experiments(models: Path, ledger: SqlLedger, forecasting: Forecasting) -> Experimenting:
    files = JsonExperiments(models / "experiments", models / "experiment_results")
    has_fields = forecasting.observing.fields is not None
    return Experimenting(SqlExperiments(ledger), files, forecasting.serving, forecasting.clock, has_fields)


def _ages(settings: Settings) -> AgeLimits:
    """Return the ages from which data are stale, and none."""
    return AgeLimits(
        amber=timedelta(minutes=settings.observation_amber_minutes),
        no_data=timedelta(hours=settings.observation_no_data_hours),
        run_amber=timedelta(hours=settings.forecast_amber_hours),
        run_no_data=timedelta(hours=settings.forecast_no_data_hours),
    )


def _rule(settings: Settings) -> Tiers:
    """Return the rule of the levels: three numbers and what they mean."""
    rule = LevelRule(settings.level_rule)
    if rule is LevelRule.COST_LOSS:
        numbers = settings.cost_loss_yellow, settings.cost_loss_orange, settings.cost_loss_red
    else:
        numbers = settings.level_yellow, settings.level_orange, settings.level_red
    return Tiers(*numbers, rule=rule, margin=settings.level_margin)


def _usable_home(home: Path) -> None:
    for name in ("models", "data"):
        try:
            (home / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"CLOUDBURST_HOME={home} cannot be used: {error.strerror}.", hint="Name a folder that can be written."
            ) from None


def _now() -> datetime:
    return datetime.now(UTC)
