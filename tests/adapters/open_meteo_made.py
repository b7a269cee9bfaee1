"""The service in process, clocks and regions: what the tests of the live source share."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from core.adapters.open_meteo.runs import MODELS
from core.adapters.open_meteo.source import OpenMeteo
from core.domain.weather import Location, Region
from tests.faults.source.server import good, run_page
from tests.weather_made import REGION

NOW = datetime(2026, 7, 29, 18, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock:
    """A clock that tests set."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Service(httpx.MockTransport):
    """The service in process: answers well, and remembers what it was asked."""

    def __init__(self, change: Callable[[Any], Any] = lambda document: document) -> None:
        self.asked: list[httpx.URL] = []
        #: When the newest run of every model came out; None: the server has no page about it.
        self.runs: dict[str, datetime | None] = dict.fromkeys(MODELS, NOW - 2 * HOUR)
        self.asked_runs: list[str] = []

        def handle(request: httpx.Request) -> httpx.Response:
            if request.url.path.startswith("/data/"):
                model = request.url.path.split("/")[2]
                self.asked_runs.append(model)
                out_at = self.runs[model]
                return httpx.Response(404) if out_at is None else httpx.Response(200, json=run_page(out_at))
            self.asked.append(request.url)
            return httpx.Response(200, content=json.dumps(change(good(request.url.params))).encode())

        super().__init__(handle)

    @property
    def days(self) -> list[tuple[str, str]]:
        return [(url.params["start_date"], url.params["end_date"]) for url in self.asked]


def source(
    service: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None, region: Region = REGION, **how: Any
) -> OpenMeteo:
    return OpenMeteo((region,), clock or Clock(), transport=service or Service(), **how)


def many(count: int) -> Region:
    places = tuple(Location(f"p{i}", f"P{i}", 28 + i % 40 * 0.1, 76 + i // 40 * 0.1) for i in range(count))
    return Region("many", "Many", "Asia/Kolkata", places)
