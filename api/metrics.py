"""What a monitoring system reads: requests as they were answered, and the state of the house when it is asked."""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.readings import readings
from core import CloudburstError, open_core, opened_core

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
#: Others are made up by whoever asks, and each would be a series of its own.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


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
            method = scope["method"] if route != "none" and scope["method"] in METHODS else "any"
            REQUESTS.labels(method, route, status).inc()
            seconds = time.perf_counter() - begun
            SECONDS.labels(route).observe(seconds)
            core = opened_core()
            if core is not None:
                core.meters.timed("api", seconds)


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
        yield from readings(core)


REGISTRY.register(House())
