"""Health that is asked for again and again: kept for seconds, and never beyond what it tells of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from api import caching
from api.caching import KeptHealth
from core import Core

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class House:
    """Answers every request with how many there have been, or as it is told."""

    asked: int = 0
    status: int = 200
    broken: bool = False
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await self.may_answer.wait()
        if self.broken:
            raise RuntimeError("nobody foresaw this")
        await JSONResponse({"asked": self.asked}, status_code=self.status)(scope, receive, send)


@dataclass
class Watch:
    """The seconds that this test says, and the core that it opened."""

    now_s: float = 1000.0
    core: object = None

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    watch = Watch()
    monkeypatch.setattr(caching, "time", watch)
    monkeypatch.setattr(caching, "opened_core", lambda: watch.core)
    yield watch


class Client:
    """Asks in one event loop, as a server's client does."""

    def __init__(self) -> None:
        self.house = House()
        self.house.may_answer.set()
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(KeptHealth(self.house)), base_url="http://here")

    async def ask(self, path: str = "/health", **headers: str) -> int:
        answer = await self._http.get(path, headers=headers)
        assert answer.status_code == self.house.status
        if path == "/health" and answer.status_code == 200:
            assert answer.headers["cache-control"] == "no-store"
        return int(answer.json()["asked"])

    async def age(self) -> str:
        return (await self._http.get("/health")).headers["age"]


async def test_within_a_second_it_is_made_once(watch: Watch) -> None:
    client = Client()
    assert [await client.ask() for _ in range(3)] == [1, 1, 1]
    watch.now_s += 0.9
    assert (await client.ask(), await client.age()) == (1, "1")


async def test_after_a_second_it_is_made_anew_behind_the_answer_and_once(watch: Watch) -> None:
    client = Client()
    await client.ask()
    watch.now_s += 1.5
    client.house.may_answer.clear()
    assert [await client.ask() for _ in range(3)] == [1, 1, 1]  # nobody waits for what is being made
    client.house.may_answer.set()
    await asyncio.sleep(0.05)
    assert (await client.ask(), client.house.asked) == (2, 2)


async def test_after_three_seconds_whoever_asks_waits_for_what_holds(watch: Watch) -> None:
    client = Client()
    await client.ask()
    watch.now_s += 3.1
    assert (await client.ask(), await client.age()) == (2, "0")


async def test_another_core_ends_it(watch: Watch) -> None:
    client = Client()
    await client.ask()
    watch.core = Core
    assert await client.ask() == 2


async def test_whoever_wants_it_anew_gets_it_anew(watch: Watch) -> None:
    client = Client()
    await client.ask()
    assert await client.ask(**{"Cache-Control": "No-Cache"}) == 2


async def test_a_refusal_is_not_kept(watch: Watch) -> None:
    client = Client()
    client.house.status = 503
    assert [await client.ask(), await client.ask()] == [1, 2]
    client.house.status = 200
    assert await client.ask() == 3
    watch.now_s += 1.5
    client.house.status = 503
    assert (await client._http.get("/health")).status_code == 200  # it was well a second ago
    await asyncio.sleep(0.05)
    assert (await client._http.get("/health")).status_code == 503


async def test_an_error_behind_the_answer_is_met_by_whoever_asks_once_it_is_over(watch: Watch) -> None:
    client = Client()
    await client.ask()
    client.house.broken = True
    watch.now_s += 1.5
    assert await client.ask() == 1
    await asyncio.sleep(0.05)
    watch.now_s += 2
    with pytest.raises(RuntimeError, match="nobody foresaw"):
        await client.ask()


async def test_everything_else_is_passed_on(watch: Watch) -> None:
    client = Client()
    assert [await client.ask("/ready"), await client.ask("/health/more")] == [1, 2]
    await client._http.post("/health")
    assert client.house.asked == 3
