"""Answers that are kept: as long as nothing newer was issued, and never without saying so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import api
from core import open_core
from core.errors import ModelNotFound

TOKEN = "a token of this test"  # noqa: S105 - it opens nothing


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("CLOUDBURST_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("CLOUDBURST_GRID_SPACING_DEG", "1.0")
    open_core().issue(open_core().default_region)
    yield TestClient(api, raise_server_exceptions=False)


def point(place: int = 3) -> dict[str, float]:
    where = open_core().regions()[0].locations[place]
    return {"latitude": where.latitude, "longitude": where.longitude}


def status(answer: Any) -> str:
    return str(answer.headers["cache-status"])


def test_what_is_asked_twice_is_made_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client.post("/predict/live", json=point())
    assert (status(first), first.headers["age"]) == ("cloudburst; fwd=miss; stored", "0")
    monkeypatch.setattr("api.routes.live.point_answer", None)  # whoever makes it anew fails
    turned = dict(reversed(point().items()))
    again = client.post("/predict/live", json=turned)
    assert status(again) == "cloudburst; hit; detail=memory"
    assert again.json() == first.json()
    assert again.headers["content-type"] == "application/json"
    assert int(again.headers["age"]) >= 0


def test_another_place_and_another_query_are_another_question(client: TestClient) -> None:
    answers = [client.post("/predict/live", json=point(i)) for i in (3, 4)]
    assert answers[0].json()["location_id"] != answers[1].json()["location_id"]
    assert all("miss" in status(answer) for answer in answers)
    region = open_core().default_region
    assert "miss" in status(client.get("/forecasts"))
    assert "miss" in status(client.get("/forecasts", params={"region": region}))
    assert "hit" in status(client.get("/forecasts", params={"region": region}))


def test_a_new_issue_ends_what_was_kept(client: TestClient) -> None:
    before = client.post("/predict/live", json=point()).json()
    assert "hit" in status(client.post("/predict/live", json=point()))
    open_core().forecasting.refresh(open_core().default_region)
    after = client.post("/predict/live", json=point())
    assert "miss" in status(after)
    assert after.json()["issued_at"] > before["issued_at"]


def test_an_issue_that_is_over_ends_what_was_kept(client: TestClient) -> None:
    client.get("/forecasts")
    assert "hit" in status(client.get("/forecasts"))
    open_core().cache.delete(f"issue:{open_core().default_region}")
    assert "miss" in status(client.get("/forecasts"))


def test_an_answer_is_made_anew_for_whoever_asks_for_that(client: TestClient) -> None:
    client.get("/forecasts")
    anew = client.get("/forecasts", headers={"Cache-Control": "no-cache"})
    assert status(anew) == "cloudburst; fwd=request; stored"
    assert "hit" in status(client.get("/forecasts"))


def test_whoever_has_an_answer_is_told_that_it_holds(client: TestClient) -> None:
    first = client.get("/forecasts")
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = client.get("/forecasts", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-length" not in again.headers
    assert client.get("/forecasts", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_refusal_is_not_kept(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> None:
        raise ModelNotFound("It is not there.")

    with monkeypatch.context() as broken:
        broken.setattr("core.workflows.forecasting.Forecasting.served", nothing)
        assert client.get("/forecasts").status_code == 503
    answer = client.get("/forecasts")
    assert (answer.status_code, status(answer)) == (200, "cloudburst; fwd=miss; stored")
    assert client.post("/predict/live", json={"latitude": 0, "longitude": 0}).status_code == 422


@pytest.mark.parametrize("path", ["/health", "/ready", "/freshness", "/models", "/monitoring/cache/stats", "/metrics"])
def test_what_tells_of_this_moment_is_never_kept(client: TestClient, path: str) -> None:
    for _ in range(2):
        assert "cache-status" not in client.get(path).headers


@pytest.mark.parametrize("path", ["/forecasts", "/health"])
def test_a_kept_answer_counts_as_one_of_its_route(client: TestClient, path: str) -> None:
    def counted() -> float:
        name = f'cloudburst_requests_total{{method="GET",route="{path}",status="200"}}'
        return sum(float(line.rpartition(" ")[2]) for line in metrics() if line.startswith(name))

    def metrics() -> list[str]:
        return client.get("/metrics").text.splitlines()

    before = counted()
    ids = {client.get(path).headers["x-request-id"] for _ in range(3)}
    assert (counted() - before, len(ids)) == (3, 3)


def test_a_long_answer_is_passed_on_and_not_kept(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.caching.MOST_BYTES", 100)
    for _ in range(2):
        answer = client.get("/forecasts")
        assert answer.json()["forecasts"]
        assert "cache-status" not in answer.headers


def test_forgetting_everything_forgets_answers(client: TestClient) -> None:
    client.get("/model/info")
    assert "hit" in status(client.get("/model/info"))
    client.post("/monitoring/cache/clear", headers={"Authorization": f"Bearer {TOKEN}"})
    assert "miss" in status(client.get("/model/info"))
