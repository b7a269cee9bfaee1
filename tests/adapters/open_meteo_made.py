"""The service in process, clocks and regions: what the tests of the live source share."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from core.adapters.open_meteo.source import OpenMeteo
from core.domain.weather import Location, Region
from tests.faults.source_server import good
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

        def handle(request: httpx.Request) -> httpx.Response:
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
