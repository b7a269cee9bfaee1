"""One point, the map, the serving model, readiness, ages and the cache over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import api
from core import open_core
from core.errors import ModelNotFound

TOKEN = "a token of this test"  # noqa: S105 - it opens nothing
REGION = "uttarakhand-himachal"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("CLOUDBURST_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("CLOUDBURST_GRID_SPACING_DEG", "1.0")
    yield TestClient(api, raise_server_exceptions=False)


def nothing(*_: object, **__: object) -> None:
    raise ModelNotFound("It is not there.")


def test_a_point_is_answered_by_the_cell_that_it_lies_in(client: TestClient) -> None:
    place = open_core().regions()[0].locations[3]
    asked = {"latitude": place.latitude + 0.3, "longitude": place.longitude - 0.4}
    answer = client.post("/predict/live", json=asked).json()
    assert answer["location_id"] == place.id
    (one,) = client.get(f"/forecasts/{place.id}").json()["forecasts"]
    assert answer["exceedance"] == one["exceedance"]
    assert answer["probability"] == one["exceedance"]["p_15"]["probability"]
    assert 0 <= answer["probability"] <= 1
    assert (answer["risk_level"], answer["region"]) == (one["level"], REGION)
    assert answer["simulated"] is True
    assert answer["data_age_s"] > 0


@pytest.mark.parametrize(
    "asked",
    [
        {"latitude": 0.0, "longitude": 0.0},
        {"latitude": 91, "longitude": 78},
        {"latitude": "30", "longitude": 78},
        {"latitude": 30.5},
        {"latitude": 30.5, "longitude": 78.5, "altitude": 3},
    ],
)
def test_what_is_no_point_of_a_region_is_refused(client: TestClient, asked: dict[str, Any]) -> None:
    answer = client.post("/predict/live", json=asked)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_map_is_geojson_of_every_place(client: TestClient) -> None:
    answer = client.get(f"/map/{REGION}").json()
    region = open_core().regions()[0]
    assert answer["type"] == "FeatureCollection"
    assert [f["id"] for f in answer["features"]] == [place.id for place in region.locations]
    (ring,) = answer["features"][0]["geometry"]["coordinates"]
    assert ring[0] == ring[-1]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2
    assert area == pytest.approx(1.0)  # against the clock, one degree by one
    issued = {f["location_id"]: f for f in client.get("/forecasts").json()["forecasts"]}
    for feature in answer["features"]:
        assert feature["properties"]["level"] == issued[feature["id"]]["level"]
    assert client.get("/map/nowhere").status_code == 422


def test_the_serving_model_says_what_it_is_and_wants(client: TestClient) -> None:
    info, features = client.get("/model/info").json(), client.get("/model/features").json()
    assert info["version"] == features["version"] == open_core().store.seed
    assert info["shipped"] is True
    assert "feature_names" not in info["manifest"]
    assert len(features["feature_names"]) == len(set(features["feature_names"])) > 50


def test_it_is_ready_while_a_model_serves_and_says_so_when_none_does(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/ready").json() == {"ready": True, "problems": []}
    monkeypatch.setattr(type(open_core().forecasting.serving), "champion", nothing)
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "problems": ["It is not there."]})
    assert client.get("/health").status_code == 200


def test_freshness_tells_the_age_and_its_limits(client: TestClient) -> None:
    answer = client.get("/freshness").json()
    assert answer["freshness"] == "fresh"
    assert 0 < answer["data_age_s"] < 7200
    assert "90 min" in answer["limits"]
    assert answer["places"] == {"fresh": len(open_core().regions()[0].locations)}


def test_the_cache_is_seen_by_all_and_cleared_with_the_token(client: TestClient) -> None:
    client.get("/forecasts")
    before = client.get("/monitoring/cache/stats").json()
    assert before["mode"] == "memory"
    assert before["stats"]["entries"] >= 1
    refused = client.post("/monitoring/cache/clear")
    assert refused.status_code == 401
    assert client.get("/monitoring/cache/stats").json()["stats"]["entries"] == before["stats"]["entries"]
    cleared = client.post("/monitoring/cache/clear", headers={"Authorization": f"Bearer {TOKEN}"})
    assert cleared.json()["stats"]["entries"] == 0


def test_the_root_names_the_program_and_its_description(client: TestClient) -> None:
    assert client.get("/").json()["docs"] == "/api/docs"
