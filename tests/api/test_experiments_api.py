"""The routes of experiments: a life from draft to decision, and what is refused with which status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import api
from core import open_core

TOKEN = "a token of this test"  # noqa: S105 - it opens nothing
PATH = "/admin/experiments"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("CLOUDBURST_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("CLOUDBURST_GRID_SPACING_DEG", "1.0")
    yield TestClient(api, raise_server_exceptions=False, headers={"Authorization": f"Bearer {TOKEN}"})


def asked(name: str = "summer", **more: Any) -> dict[str, Any]:
    """Return an experiment of the shipped version with itself."""
    seed = open_core().store.seed
    variants = [{"variant_id": v, "version": seed, "traffic_percentage": 50} for v in ("control", "challenger")]
    return {"experiment_id": name, "variants": variants, "why": "a test"} | more


def test_a_life_from_draft_to_decision(client: TestClient) -> None:
    made = client.post(PATH, json=asked(draft=True))
    assert (made.status_code, made.json()["stage"], made.json()["status"]) == (201, "draft", "Not started")
    assert client.post(f"{PATH}/summer/start", json={}).json()["stage"] == "running"
    open_core().forecasting.refresh(open_core().default_region)
    found = client.get(f"{PATH}/summer").json()
    assert found["status"] == "Collecting"
    assert found["variants"][0]["counts"]["pending"] == found["variants"][1]["counts"]["pending"] > 0
    assert found["winner"]["winner_variant"] is None
    ended = client.post(f"{PATH}/summer/decide", json={"winner": "challenger", "why": "for this test"}).json()
    assert ended["winner"]["winner_variant"] == "challenger"
    assert [step["action"] for step in ended["steps"]] == ["create", "start", "decide"]
    assert {step["who"] for step in ended["steps"]} == {"admin (API)"}
    assert [one["experiment_id"] for one in client.get(PATH).json()] == ["summer"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{PATH}/nobody", None, 404),
        (f"{PATH}/nobody/stop", {}, 404),
        (f"{PATH}/summer/decide", {"winner": "a stranger", "why": "x"}, 404),
        (f"{PATH}/summer/start", {}, 409),
        (f"{PATH}/summer/promote", {}, 409),
        (f"{PATH}/summer/explode", {}, 422),
        (PATH, {"experiment_id": "../etc", "variants": []}, 422),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    client: TestClient, path: str, body: dict[str, Any] | None, status: int
) -> None:
    assert client.post(PATH, json=asked()).status_code == 201
    answer = client.get(path) if body is None else client.post(path, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "etc" not in answer.text


def test_a_name_is_taken_once_and_shares_must_sum(client: TestClient) -> None:
    assert client.post(PATH, json=asked()).status_code == 201
    assert client.post(PATH, json=asked()).status_code == 409
    uneven = asked("uneven")
    uneven["variants"][0]["traffic_percentage"] = 60
    refused = client.post(PATH, json=uneven)
    assert refused.status_code == 422
    assert "110 %" in refused.json()["detail"]
