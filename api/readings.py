"""The state of the house as numbers: one part of them each, read when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import timedelta

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from core import CloudburstError, Core, DeliveryState, Freshness, RunStatus

#: Numbers of the cache that only ever grow.
GROWING = ("hits", "misses", "stale", "evictions", "memory_hits", "redis_hits", "redis_failures")
#: What the live source counts beside the ends of its calls.
NO_ENDS = ("calls", "failed_tries", "extra_fields")
#: Quality older than this is not the present one: it is measured every hour.
APPRAISED_WITHIN = timedelta(hours=3)
QUALITY = ("completeness", "validity", "consistency", "timeliness", "anomaly_rate", "overall")
#: What has not got through yet, or never will.
UNSENT = (DeliveryState.WAITING, DeliveryState.FAILED, DeliveryState.DEAD)
#: Ends of a training that nobody wanted.
BROKEN_OFF = (RunStatus.FAILED, RunStatus.INTERRUPTED)


def readings(core: Core) -> Iterator[Metric]:
    """Yield the numbers of this moment; a part that fails is left out, and nothing made up for it."""
    for part in PARTS:
        try:
            yield from list(part(core))
        except CloudburstError:
            continue


def _regions(core: Core) -> Iterator[Metric]:
    age = GaugeMetricFamily("cloudburst_data_age_seconds", "Age of the newest data.", labels=["region", "source"])
    fresh = GaugeMetricFamily("cloudburst_fresh", "1 where the data of a region are fresh.", labels=["region"])
    failing = GaugeMetricFamily(
        "cloudburst_source_failing", "1 where the source failed at the current issue.", labels=["region", "source"]
    )
    levels = GaugeMetricFamily("cloudburst_places", "Places of the current issue by level.", labels=["region", "level"])
    generation = GaugeMetricFamily(
        "cloudburst_model_generation", "Number of the last deployment of a region.", labels=["region"]
    )
    problems = GaugeMetricFamily("cloudburst_problems", "What is wrong, by region.", labels=["region"])
    for region in core.regions():
        try:
            now = core.issue(region.id)
            deployed = core.store.champion(core.lifecycle.source, region.id).generation
        except CloudburstError:
            continue
        issue = now.forecast
        if issue.data_at is not None:
            age.add_metric([region.id, issue.source], issue.age_s(core.clock()))
        fresh.add_metric([region.id], float(issue.freshness is Freshness.FRESH))
        failing.add_metric([region.id, issue.source], float(now.error is not None))
        for level, count in issue.counts().items():
            levels.add_metric([region.id, level.value], count)
        generation.add_metric([region.id], deployed)
        problems.add_metric([region.id], len(issue.problems))
    yield from (age, fresh, failing, levels, generation, problems)


def _cache(core: Core) -> Iterator[Metric]:
    stats = core.cache.stats()
    for name, value in stats.items():
        if name in GROWING:
            yield CounterMetricFamily(f"cloudburst_cache_{name}", f"Cache: {name.replace('_', ' ')}.", value=value)
        else:
            yield GaugeMetricFamily(f"cloudburst_cache_{name}", f"Cache: {name.replace('_', ' ')}.", value=value)
    looked = CounterMetricFamily(
        "cloudburst_cache_lookups", "Lookups of the cache by category and what was found.", labels=["category", "found"]
    )
    for key, count in core.cache.categories().items():
        looked.add_metric(key, count)
    yield looked
    degraded = float("fails" in core.cache.mode)
    yield GaugeMetricFamily("cloudburst_cache_degraded", "1 while the second level of the cache fails.", value=degraded)


def _source(core: Core) -> Iterator[Metric]:
    calls = core.calls()
    if not calls:
        return
    text = "Requests sent to the live source, each try counted."
    yield CounterMetricFamily("cloudburst_source_requests", text, value=calls.get("calls", 0))
    ends = CounterMetricFamily(
        "cloudburst_source_calls", "Calls of the live source by how they ended.", labels=["outcome"]
    )
    for outcome, count in calls.items():
        if outcome not in NO_ENDS:
            ends.add_metric([outcome], count)
    yield ends


def _budget(core: Core) -> Iterator[Metric]:
    spent = GaugeMetricFamily(
        "cloudburst_source_budget_spent", "Weighted calls spent in a sliding window.", labels=["window"]
    )
    limit = GaugeMetricFamily(
        "cloudburst_source_budget_limit", "Weighted calls that may be spent in it.", labels=["window"]
    )
    for line in core.budget():
        spent.add_metric([line.name], line.spent)
        limit.add_metric([line.name], line.limit)
    yield from (spent, limit)


def _quality(core: Core) -> Iterator[Metric]:
    quality = GaugeMetricFamily(
        "cloudburst_quality", "Quality of the last day's observations, 0 to 1.", labels=["region", "measure"]
    )
    fallen = GaugeMetricFamily(
        "cloudburst_quality_fallen", "Measures of quality that have fallen and not come back.", labels=["region"]
    )
    for region in core.regions():
        fallen.add_metric([region.id], len(core.quality.alerts(region.id)))
        known = core.quality.kept(region.id, APPRAISED_WITHIN)
        for measure in QUALITY if known else ():
            value = float(getattr(known[-1], measure))
            if not math.isnan(value):
                quality.add_metric([region.id, measure], value)
    yield from (quality, fallen)


def _drift(core: Core) -> Iterator[Metric]:
    alarms = GaugeMetricFamily(
        "cloudburst_drift_alarms", "Alarms of drift in the days that are watched.", labels=["region"]
    )
    share = GaugeMetricFamily(
        "cloudburst_drift_share", "Evidence of drift as a share of the threshold.", labels=["region", "variable"]
    )
    judged = GaugeMetricFamily("cloudburst_drift_judged", "Variables that could be judged.", labels=["region"])
    for region in core.regions():
        report = core.lifecycle.looked(region.id)
        if report is None:
            continue
        alarms.add_metric([region.id], len(report.shifts))
        judged.add_metric([region.id], len(report.judged))
        for found in report.variables:
            if found.share is not None:
                share.add_metric([region.id, found.variable], found.share)
    yield from (alarms, share, judged)


def _scheduler(core: Core) -> Iterator[Metric]:
    beat = core.scheduler.heartbeat_age_s()
    if beat is not None:
        text = "Seconds since the scheduler last showed a sign of life."
        yield GaugeMetricFamily("cloudburst_scheduler_heartbeat_age_seconds", text, value=beat)
        text = "1 where this program does the jobs, 0 where another one on the same ledger does."
        yield GaugeMetricFamily("cloudburst_scheduler_leads", text, value=float(core.scheduler.leads))
    every = GaugeMetricFamily("cloudburst_job_period_seconds", "From one run of a job to the next.", labels=["name"])
    ended = GaugeMetricFamily(
        "cloudburst_job_last_end_timestamp_seconds", "When the last run of a job ended.", labels=["name"]
    )
    late = GaugeMetricFamily("cloudburst_job_late_seconds", "How late the last run of a job began.", labels=["name"])
    failed = GaugeMetricFamily("cloudburst_job_failed", "1 where the last run of a job failed.", labels=["name"])
    for job in core.scheduler.jobs():
        name = [job["name"]]
        every.add_metric(name, job["every_s"])
        if job["last_run"] is not None:
            ended.add_metric(name, job["last_run"].timestamp())
            if job["late_s"] is not None:  # of what another program did only the end is known
                late.add_metric(name, job["late_s"])
            failed.add_metric(name, float(job["last_error"] is not None))
    yield from (every, ended, late, failed)


def _training(core: Core) -> Iterator[Metric]:
    state = core.lifecycle.trainings.state()
    running = float(state is not None and state.running)
    yield GaugeMetricFamily("cloudburst_training_running", "1 while a training runs.", value=running)
    failed = float(state is not None and state.status in BROKEN_OFF)
    yield GaugeMetricFamily("cloudburst_training_failed", "1 where the last training failed.", value=failed)


def _meters(core: Core) -> Iterator[Metric]:
    faults = CounterMetricFamily("cloudburst_faults", "Errors by class, where they were handled.", labels=["kind"])
    for kind, count in core.meters.faults().items():
        faults.add_metric([kind], count)
    yield faults
    seconds = GaugeMetricFamily(
        "cloudburst_door_seconds", "How long the newest uses of a door took.", labels=["door", "quantile"]
    )
    for door, latency in core.meters.latencies().items():
        for quantile, value in (("0.5", latency.p50_s), ("0.95", latency.p95_s), ("0.99", latency.p99_s)):
            seconds.add_metric([door, quantile], value)
    yield seconds


def _outbox(core: Core) -> Iterator[Metric]:
    state = core.notifying.state()
    held = GaugeMetricFamily(
        "cloudburst_notices", "Notices of the outbox by kind of channel and state.", labels=["channel", "state"]
    )
    kinds = sorted({channel.partition(" ")[0] for channel in state.channels} | {d.kind for d in state.deliveries})
    for kind in kinds:
        for name in UNSENT:
            count = sum(d.kind == kind and d.state is name for d in state.deliveries)
            held.add_metric([kind, name.value], count)
    yield held
    sent = CounterMetricFamily("cloudburst_notices_sent", "Notices that got through.", labels=["channel"])
    for kind, count in core.meters.deliveries().items():
        sent.add_metric([kind], count)
    yield sent
    yield GaugeMetricFamily("cloudburst_notices_lost", "Files of the outbox that could not be read.", value=state.lost)


def _storage(core: Core) -> Iterator[Metric]:
    room = core.storage()
    yield GaugeMetricFamily(
        "cloudburst_storage_free_bytes", "Room left on the disk of the home.", value=room.free_bytes
    )
    used = GaugeMetricFamily("cloudburst_storage_used_bytes", "What a folder of the home takes.", labels=["folder"])
    used.add_metric(["data"], room.data_bytes)
    used.add_metric(["models"], room.models_bytes)
    yield used


PARTS: tuple[Callable[[Core], Iterator[Metric]], ...] = (
    _regions,
    _cache,
    _source,
    _budget,
    _quality,
    _drift,
    _scheduler,
    _training,
    _meters,
    _outbox,
    _storage,
)
