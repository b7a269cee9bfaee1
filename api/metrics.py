"""What a monitoring system reads: requests as they were answered, and the state of the house when it is asked."""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import CloudburstError, Core, Freshness, open_core

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "cloudburst_requests_total", "Answered requests of the API.", ["method", "route", "status"], registry=REGISTRY
)
SECONDS = Histogram(
    "cloudburst_request_seconds",
    "Time until the last byte of an answer of the API.",
    ["route"],
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
    registry=REGISTRY,
)
#: Numbers of the cache that only ever grow.
GROWING = ("hits", "misses", "stale", "evictions", "memory_hits", "redis_hits", "redis_failures")


class Measured:
    """ASGI middleware that counts and times every request by the pattern of its route, never by its path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and note how."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            REQUESTS.labels(scope["method"] if route != "none" else "any", route, status).inc()
            SECONDS.labels(route).observe(time.perf_counter() - begun)


class House(Collector):
    """The state of the house, read when it is asked for; what fails is left out, and nothing made up for it."""

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers of this moment."""
        try:
            core = open_core()
        except CloudburstError:
            yield GaugeMetricFamily("cloudburst_up", "1 where the house can be opened.", value=0)
            return
        yield GaugeMetricFamily("cloudburst_up", "1 where the house can be opened.", value=1)
        yield from _regions(core)
        yield from _cache(core)
        beat = core.scheduler.heartbeat_age_s()
        if beat is not None:
            text = "Seconds since the scheduler last showed a sign of life."
            yield GaugeMetricFamily("cloudburst_scheduler_heartbeat_age_seconds", text, value=beat)
        state = core.lifecycle.trainings.state()
        running = float(state is not None and state.running)
        yield GaugeMetricFamily("cloudburst_training_running", "1 while a training runs.", value=running)


def _regions(core: Core) -> Iterator[Metric]:
    age = GaugeMetricFamily("cloudburst_data_age_seconds", "Age of the newest data.", labels=["region", "source"])
    fresh = GaugeMetricFamily("cloudburst_fresh", "1 where the data of a region are fresh.", labels=["region"])
    levels = GaugeMetricFamily("cloudburst_places", "Places of the current issue by level.", labels=["region", "level"])
    generation = GaugeMetricFamily(
        "cloudburst_model_generation", "Number of the last deployment of a region.", labels=["region"]
    )
    problems = GaugeMetricFamily("cloudburst_problems", "What is wrong, by region.", labels=["region"])
    try:
        regions = core.regions()
    except CloudburstError:
        return
    for region in regions:
        try:
            issue = core.issue(region.id).forecast
            deployed = core.store.champion(core.lifecycle.source, region.id).generation
        except CloudburstError:
            continue
        if issue.data_at is not None:
            age.add_metric([region.id, issue.source], issue.age_s(core.clock()))
        fresh.add_metric([region.id], float(issue.freshness is Freshness.FRESH))
        for level, count in issue.counts().items():
            levels.add_metric([region.id, level.value], count)
        generation.add_metric([region.id], deployed)
        problems.add_metric([region.id], len(issue.problems))
    yield from (age, fresh, levels, generation, problems)


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


REGISTRY.register(House())
