"""The HTTP door, driven in process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import api, start_core, stop_core
from core import VERSION, open_core
from core.adapters.seed import SEED_VERSION
from core.domain.forecast import WINDOWS, events_in
from core.errors import ModelNotFound

ROUTES = {
    "/",
    "/ready",
    "/metrics",
    "/freshness",
    "/predict",
    "/predict/live",
    "/observations",
    "/map/{region}",
    "/model/info",
    "/model/features",
    "/monitoring/cache/stats",
    "/monitoring/cache/clear",
    "/health",
    "/forecasts",
    "/forecasts/{location_id}",
    "/models",
    "/alerts",
    "/monitoring/data-quality/report",
    "/monitoring/data-quality/check",
    "/admin/retrain",
    "/admin/retrain/{run_id}",
    "/admin/retrain/{run_id}/cancel",
    "/admin/model/history",
    "/admin/model/{version}/promote",
    "/admin/model/rollback",
    "/admin/experiments",
    "/admin/experiments/{experiment_id}",
    "/admin/experiments/{experiment_id}/decide",
    "/admin/experiments/{experiment_id}/promote",
    "/admin/experiments/{experiment_id}/{action}",
}


@pytest.fixture
def client() -> TestClient:
    return TestClient(api, raise_server_exceptions=False)


def problem(response, status: int) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert {"type", "title", "detail"} <= set(body)
    return body


def test_health_says_everything_a_watcher_needs(client: TestClient) -> None:
    start_core()
    body = client.get("/health").json()
    stop_core()
    assert body["status"] == "ok"
    assert body["version"] == VERSION
    assert body["champion"] == SEED_VERSION
    assert body["champion_is_seed"] is True
    assert body["source"] == "simulator"
    assert body["simulated"] is True
    assert 0 <= body["data_age_s"] < 5400
    assert body["cache"] == "memory"
    assert 0 <= body["scheduler_heartbeat_age_s"] < 120


def test_health_without_a_scheduler_is_degraded(client: TestClient) -> None:
    body = client.get("/health").json()
    assert body["scheduler_heartbeat_age_s"] is None
    assert body["status"] == "degraded"
    assert any("scheduler does not run" in text for text in body["problems"])


def test_forecasts_carry_age_source_and_model(client: TestClient) -> None:
    body = client.get("/forecasts").json()
    assert body["source_text"] == "Simulated: 29 July"
    assert body["model_version"] == SEED_VERSION
    assert body["data_age_s"] >= 0
    first = body["forecasts"][0]
    assert set(first["exceedance"]) == {event.key for window in WINDOWS for event in events_in(window)}
    one = client.get(f"/forecasts/{first['location_id']}").json()
    assert one["forecasts"] == [first]
    assert {driver["odds_factor"] > 0 for driver in one["drivers"]} == {True}
    assert all(driver["text"].lower().startswith(driver["group"]) for driver in one["drivers"])


@pytest.mark.parametrize("path", ["/forecasts/nowhere", "/forecasts?region=atlantis"])
def test_a_place_that_is_not_served_is_422_with_a_hint(client: TestClient, path: str) -> None:
    body = problem(client.get(path), 422)
    assert body["hint"]
    assert "atlantis" not in body["detail"]


def test_an_unknown_address_is_a_problem_document(client: TestClient) -> None:
    assert "/api/docs" in str(problem(client.get("/nothing"), 404)["detail"])


def test_a_wrong_method_is_a_problem_document(client: TestClient) -> None:
    problem(client.post("/health"), 405)


def test_an_unknown_setting_is_a_problem_document(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_SORCE", "x")
    start_core()  # says it in the log and goes on: the pages and the API must be able to show it
    body = problem(client.get("/health"), 503)
    assert "CLOUDBURST_SORCE" in str(body["detail"])
    assert "CLOUDBURST_SOURCE" in str(body["hint"])


def test_a_source_that_is_not_there_is_a_problem_document(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_SOURCE", "gauges:/nowhere/at/all")
    problem(client.get("/forecasts"), 503)
    assert client.get("/health").json()["status"] == "degraded"


def test_a_pointer_that_cannot_be_believed_is_a_problem_and_the_seed_stands_in(client: TestClient, home: Path) -> None:
    open_core()
    pointer = home / "models" / "trained" / "simulator@uttarakhand-himachal.json"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    pointer.write_text("{")
    issue = client.get("/forecasts").json()
    assert issue["model_version"] == SEED_VERSION
    assert any("stands in" in text and "pointer" in text for text in issue["problems"])
    assert any("pointer" in text for text in client.get("/health").json()["problems"])
    (home / "models" / "versions" / "evil").mkdir(parents=True)
    versions = {v["version"]: v for v in client.get("/models").json()}
    assert versions["evil"]["refused"]
    assert versions[SEED_VERSION]["refused"] is None


def test_without_anybody_who_can_serve_there_is_a_problem_document(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(open_core().store), "load", _nothing)
    assert "not there" in str(problem(client.get("/forecasts"), 503)["detail"])


def _nothing(*_: object) -> None:
    raise ModelNotFound("It is not there.")


def test_the_openapi_page_needs_no_other_host(client: TestClient) -> None:
    page = client.get("/docs").text
    assert not re.findall(r"https?://", page)
    for path in re.findall(r"static/[\w./-]+", page):
        assert client.get(f"/{path}").status_code == 200
    assert set(client.get("/openapi.json").json()["paths"]) == ROUTES
