"""Requests have ids: in the answer, in every line logged on the way, and in one line of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.middleware.base import BaseHTTPMiddleware

from api.app import api
from api.requests import Identified
from core import open_core
from core.domain.lifecycle import RunStatus
from tests.trainings_made import FakeTrainings
from tests.weather_posted import RECORD

TOKEN = "a token of this test"  # noqa: S105 - it opens nothing
ID = "from-outside.1"
log = structlog.get_logger()


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Give what has been logged since it was asked for last, with what is bound."""
    found: list[dict[str, Any]] = []

    def kept(_logger: object, method: str, event: dict[str, Any]) -> str:
        found.append({"level": method, **event})
        raise structlog.DropEvent

    def read() -> list[dict[str, Any]]:
        lines, found[:] = list(found), []
        return lines

    open_core()  # it configures the log
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.format_exc_info, kept],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    yield read


@pytest.fixture
def client(logged: object) -> TestClient:
    return TestClient(api)


def _small() -> FastAPI:
    app = FastAPI()

    @app.get("/sync/{name}")
    def sync(name: str) -> dict[str, str]:
        log.info("in a thread", name=name)
        return {}

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a\nb")

    app.add_middleware(Identified)
    return app


def test_the_id_reaches_what_a_route_logs_in_a_thread(logged: Callable[[], list[dict[str, Any]]]) -> None:
    client = TestClient(_small())
    ids = [client.get(f"/sync/{i}").headers["x-request-id"] for i in range(20)]
    lines = logged()
    assert len(set(ids)) == 20
    assert [line["request_id"] for line in lines if line["event"] == "in a thread"] == ids
    assert [line["request_id"] for line in lines if line["event"] == "request"] == ids
    assert "request_id" not in structlog.contextvars.get_contextvars()


def test_a_request_is_one_line_without_path_query_or_token(
    client: TestClient, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    asked = {"Authorization": f"Bearer {TOKEN}", "X-Request-ID": ID}
    answer = client.get("/admin/experiments/zanzibar?why=madrid", headers=asked)
    assert answer.status_code == 401
    assert answer.headers["x-request-id"] == ID
    lines = [line for line in logged() if line["event"] == "request"]
    (line,) = lines
    spent = line.pop("ms")
    assert 0 <= spent < 60_000
    assert line == {
        "level": "info",
        "event": "request",
        "request_id": ID,
        "method": "GET",
        "route": "/admin/experiments/{experiment_id}",
        "status": 401,
    }


def test_the_route_of_what_is_posted_is_named(client: TestClient, logged: Callable[[], list[dict[str, Any]]]) -> None:
    paths = {
        "/predict/live": {"latitude": 30.4, "longitude": 79.4},
        "/monitoring/data-quality/check": RECORD,
    }
    for path, body in paths.items():
        assert client.post(path, json=body).status_code == 200
        (line,) = [line for line in logged() if line["event"] == "request"]
        assert line["route"] == path


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_what_is_watched_is_told_at_debug_only(
    client: TestClient, logged: Callable[[], list[dict[str, Any]]], path: str
) -> None:
    client.get(path)
    assert [line["level"] for line in logged() if line["event"] == "request"] == ["debug"]


@pytest.mark.parametrize("path", ["/", "/nowhere"])
@pytest.mark.parametrize(
    "asked",
    ["short", "x" * 65, "a b c d e f g", "id\tlevel=error", 'id="12345678"', "-leading-sign", "übermäßig-lang", ""],
)
def test_an_id_that_is_not_well_formed_is_replaced(client: TestClient, path: str, asked: str) -> None:
    answer = client.get(path, headers={"X-Request-ID": asked.encode()})
    assert answer.headers["x-request-id"] != asked
    assert len(answer.headers["x-request-id"]) == 32
    assert len(answer.headers.get_list("x-request-id")) == 1


def test_what_nobody_foresaw_is_one_line_and_a_problem_with_the_id(
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    answer = TestClient(_small()).get("/broken", headers={"X-Request-ID": ID})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == ID
    failed, request = logged()
    assert (failed["event"], failed["level"], failed["request_id"]) == ("request failed", "error", ID)
    assert failed["exception"].endswith("RuntimeError: a\nb")
    assert (request["status"], request["route"]) == (500, "/broken")


def test_half_an_answer_is_broken_off(logged: Callable[[], list[dict[str, Any]]]) -> None:
    async def half(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        TestClient(Identified(half)).get("/")
    assert [line["event"] for line in logged()] == ["request failed", "request"]


def test_an_id_survives_a_middleware_that_runs_the_rest_elsewhere(
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    inner = _small()

    async def passing(request: Any, call_next: Callable[..., Any]) -> Any:
        return await call_next(request)

    inner.add_middleware(BaseHTTPMiddleware, dispatch=passing)
    TestClient(Identified(inner)).get("/sync/x", headers={"X-Request-ID": ID})
    assert {line["request_id"] for line in logged()} == {ID}


def test_a_training_and_who_asked_for_it_stand_in_one_line(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    house = open_core()
    monkeypatch.setattr(type(house.admin), "knows", lambda *_: True)
    fake = FakeTrainings()
    house.lifecycle.trainings = fake
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Request-ID": ID}
    told = client.post("/admin/retrain", json={"days_back": 30}, headers=headers).json()
    begins = [line for line in logged() if line["event"] == "training begins"]
    assert [(line["run_id"], line["request_id"]) for line in begins] == [(told["run_id"], ID)]
    fake.end(RunStatus.SKIPPED)
    assert TOKEN not in json.dumps(logged(), default=str)
