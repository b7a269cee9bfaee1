"""Posted observations: what is refused before any route, what is answered; and the report of a region's quality."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import Response
from starlette.routing import Mount, Router

from api.app import api
from api.bodies import StrictBodies
from api.middleware import HEADER, MOST_RECORDS, PostedObservations
from api.routes import quality as quality_routes
from core import ConfigurationError, Flag
from core.quality import schema
from tests.weather_posted import BY_ALIAS, RECORD, record

CHECK = "/monitoring/data-quality/check"
REPORT = "/monitoring/data-quality/report"
JSON = {"content-type": "application/json"}


@pytest.fixture
def client() -> TestClient:
    return TestClient(api, raise_server_exceptions=False)


def refused(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert HEADER not in response.headers
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    return body


def test_a_good_record_passes_by_either_name(client: TestClient) -> None:
    for sent in (RECORD, BY_ALIAS):
        answer = client.post(CHECK, json=sent)
        assert answer.status_code == 200, answer.text
        assert answer.headers[HEADER] == "1.000"
        body = answer.json()
        assert body["passed"] is True
        assert set(body["flags"][0]["flags"].values()) == {Flag.PASS}


def test_flagged_values_are_answered_not_refused(client: TestClient) -> None:
    answer = client.post(CHECK, json=[record(), record(precipitation_mm=-1.0), record(extra=1, more="x")])
    body = answer.json()
    assert answer.status_code == 200
    assert (body["passed"], body["records"], body["failed_records"]) == (False, 3, 1)
    assert body["flags"][1]["flags"]["precipitation_mm"] == Flag.FAIL
    assert body["flags"][1]["reasons"][0].startswith("precipitation_mm: outside")
    assert body["flags"][0]["reasons"] == []
    assert body["quality_metrics"]["extra_fields"] == 2
    assert float(answer.headers[HEADER]) == pytest.approx(26 / 27, abs=1e-3)


def test_what_does_not_fit_is_named_and_never_repeated(client: TestClient) -> None:
    sent = [record(), record(temperature_c="secret", cloud_cover_pct=..., latitude=123456789.5)]
    answer = client.post(CHECK, json=sent)
    body = refused(answer, 422)
    assert {(e["record"], e["field"]) for e in body["errors"]} == {
        (1, "temperature_c"),
        (1, "cloud_cover_pct"),
        (1, "latitude"),
    }
    assert {e["error"] for e in body["errors"]} == {schema.NO_NUMBER, schema.MISSING, schema.OUTSIDE}
    assert "secret" not in answer.text
    assert "123456789" not in answer.text
    many = refused(client.post(CHECK, json=[{}] * MOST_RECORDS), 422)
    assert len(many["errors"]) == 50
    assert many["total"] == 9 * MOST_RECORDS


WITH_RECORD = json.dumps(RECORD)[:-1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (WITH_RECORD + ', "cape": NaN}', "NaN"),
        (WITH_RECORD + ', "x": -Infinity}', "NaN"),
        (WITH_RECORD + ', "x": [1e400]}', "too large"),
        (WITH_RECORD + f', "x": {"9" * 5000}' + "}", "too large"),
        (WITH_RECORD + r', "x": "\ud800"}', "half"),
        (WITH_RECORD + r', "\udfff": 1}', "half"),
        (WITH_RECORD + ', "x": 1, "x": 2}', "twice"),
        (WITH_RECORD + ', "x": ' + "[" * 40 + "]" * 40 + "}", "deep"),
        ("[" * 60_000, "deep"),
        ('{"a":' * 10_000, "deep"),
        (WITH_RECORD, "not JSON"),
        ("", "no weather record"),
        ("\ufeff{}", "not JSON"),
        ("3", "no weather record"),
        ("[3]", "no weather record"),
        ("null", "no weather record"),
        ("[]", "1 to 100"),
        (json.dumps([{}] * (MOST_RECORDS + 1)), "1 to 100"),
        (b"\xff\xfe", "UTF-8"),
    ],
    ids=lambda v: v[-20:] if isinstance(v, str | bytes) else None,
)
def test_json_that_is_not_strict_is_refused(client: TestClient, body: str | bytes, said: str) -> None:
    assert said in refused(client.post(CHECK, content=body, headers=JSON), 422)["detail"]


def test_a_route_finds_the_records_also_below_a_mount() -> None:
    app = FastAPI()
    seen: list[Any] = []

    @app.post("/predict")
    def predict(request: Request) -> str:
        seen.append(request.state.posted)
        return "ok"

    @app.post("/other")
    async def other(request: Request) -> int:
        return len(await request.body())

    app.add_middleware(PostedObservations, paths={"/predict"})
    app.add_middleware(StrictBodies)
    client = TestClient(Router([Mount("/api", app=app)]))
    assert client.post("/api/predict", json=RECORD).headers[HEADER] == "1.000"
    assert seen[0].records[0].temperature_c == RECORD["temperature_c"]
    assert client.post("/api/predict", json={}).status_code == 422
    assert client.post("/api/other", json="x" * 998).json() == 1000


def test_another_method_is_refused_by_the_route(client: TestClient) -> None:
    refused(client.get(CHECK), 405)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.just("\ud800"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(sorted(BY_ALIAS)) | st.text(max_size=5), inner, max_size=12)
    ),
    max_leaves=12,
)


@settings(deadline=None)  # the machine of a test is shared
@given(value=ANYTHING)
def test_no_value_is_an_error_of_ours(value: Any) -> None:
    taken = PostedObservations(api, paths=())._take(value)
    assert not isinstance(taken, Response) or taken.status_code == 422


def test_the_report_tells_metrics_places_and_findings_with_their_source(client: TestClient) -> None:
    body = client.get(REPORT).json()
    assert body["region"] == "uttarakhand-himachal"
    assert body["simulated"] is True
    assert body["source_text"].startswith("Simulated")
    assert 0.9 < body["metrics"]["completeness"] <= 1
    assert len(body["places"]) > 50
    assert {p["location_id"] for p in body["places"]} != {None}
    assert isinstance(body["alerts"], list)
    assert all(f["values"] > 0 for f in body["findings"])


def test_what_a_report_does_not_know_is_null(client: TestClient) -> None:
    body = client.get(REPORT, params={"begin": "2001-01-01T00:00Z", "end": "2001-01-02T00:00Z"}).json()
    assert body["metrics"]["validity"] is None
    assert body["metrics"]["completeness"] in (0, None)
    assert {f["flag"] for f in body["findings"]} <= {"MISSING"}


@pytest.mark.parametrize(
    "query",
    [
        {"begin": "2026-07-02T00:00Z", "end": "2026-07-01T00:00Z"},
        {"begin": "2001-01-01T00:00Z"},
        {"begin": "2026-07-01T00:00"},
        {"begin": "0001-01-01T00:00+14:00"},
        {"end": "9999-12-31T23:59-14:00"},
        {"begin": "nan"},
        {"region": "atlantis"},
        {"region": "\x00"},
    ],
    ids=lambda q: "&".join(q.values()),
)
def test_a_report_that_cannot_be_is_refused(client: TestClient, query: dict[str, str]) -> None:
    body = refused(client.get(REPORT, params=query), 422)
    assert "atlantis" not in json.dumps(body)


def test_the_description_names_every_field(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"][CHECK]["post"]["requestBody"]
    one = described["content"]["application/json"]["schema"]["oneOf"][0]
    assert set(one["properties"]) == set(schema.FIELDS)
    assert set(one["required"]) == set(schema.REQUIRED)


def test_posted_hours_are_held_against_the_clock(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    far = record(valid_at="2099-07-29T18:00Z")
    body = client.post(CHECK, json=far).json()  # by the clock of the core
    assert body["passed"] is False
    assert "precipitation_mm: lies in the future" in body["flags"][0]["reasons"]
    assert client.post(CHECK, json=record(valid_at="2020-07-29T18:00Z")).json()["passed"] is True
    for now, passes in ((datetime(2099, 7, 29, 17, tzinfo=UTC), True), (datetime(2099, 7, 29, 16, tzinfo=UTC), False)):
        app = FastAPI()
        app.include_router(quality_routes.router)
        app.add_middleware(PostedObservations, paths={CHECK}, clock=lambda now=now: now)
        app.add_middleware(StrictBodies)
        assert TestClient(app).post(CHECK, json=far).json()["passed"] is passes

    def closed() -> Any:
        raise ConfigurationError("A setting does not hold.", hint="Mend it.")

    monkeypatch.setattr("api.middleware.open_core", closed)
    assert refused(client.post(CHECK, json=far), 503)["hint"] == "Mend it."
    assert client.post(CHECK, json=RECORD).status_code == 200  # says no time: no clock is needed
