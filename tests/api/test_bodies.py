"""Bodies before any route: what is refused, what passes as it came, on every route that takes one."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from api.app import api
from api.bodies import METHODS, MOST_BYTES, StrictBodies
from tests.weather_posted import RECORD

CHECK = "/monitoring/data-quality/check"
JSON = {"content-type": "application/json"}
#: One route with a model of its own, one behind the quality checks, one behind the token, and none at all.
PATHS = ["/predict/live", CHECK, "/admin/retrain", "/nowhere"]


@pytest.fixture
def client() -> TestClient:
    return TestClient(api, raise_server_exceptions=False)


def refused(response: Any, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
def test_only_json_is_taken(client: TestClient, kind: str) -> None:
    for path in PATHS:
        refused(client.post(path, content=json.dumps(RECORD), headers={"content-type": kind}), 415)


def test_a_charset_is_no_reason_to_refuse(client: TestClient) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8", "content-encoding": "identity"}
    assert client.post(CHECK, content=json.dumps(RECORD), headers=headers).status_code == 200


def test_compressed_bodies_are_refused_unopened(client: TestClient) -> None:
    bomb = gzip.compress(b" " * 20_000_000)
    assert len(bomb) < MOST_BYTES
    for path in PATHS:
        refused(client.post(path, content=bomb, headers={**JSON, "content-encoding": "gzip"}), 415)


def test_large_bodies_are_refused_announced_or_not(client: TestClient) -> None:
    for path in PATHS:
        refused(client.post(path, content=b" " * 2_000_000, headers=JSON), 413)
        refused(client.post(path, content=iter([b" " * 50_000] * 40), headers=JSON), 413)
    for announced in ("-1", "x", "9" * 5000, "²"):
        assert asyncio.run(driven([b"{}"], length=announced.encode("utf-8")))[0] == 413
    padded = json.dumps(RECORD).ljust(MOST_BYTES)
    assert client.post(CHECK, content=padded, headers=JSON).status_code == 200
    refused(client.post(CHECK, content=padded + " ", headers=JSON), 413)


@pytest.mark.parametrize("text", ["NaN", "1e400", r"\ud800", '{"latitude": 30.3, "latitude": 30, "longitude": 78}'])
def test_json_is_strict_on_every_route(client: TestClient, text: str) -> None:
    body = text if text[0] == "{" else f'{{"latitude": {text}, "longitude": 78}}'
    for path in PATHS:
        answer = client.post(path, content=body, headers=JSON)
        refused(answer, 422)
        assert answer.json()["title"] == "Invalid JSON"


def test_no_route_that_takes_a_body_takes_it_another_way() -> None:
    paths = api.openapi()["paths"].values()
    taking = {method.upper() for path in paths for method, route in path.items() if "requestBody" in route}
    assert taking <= METHODS


async def driven(
    parts: list[bytes], *, pause_s: float = 0.0, gone: bool = False, length: bytes | None = None, **options: Any
) -> tuple[int, bytes]:
    """Drive the middleware before a bare application by hand; return status and body, 0 where nothing was answered."""
    messages: list[Any] = []

    async def inner(_scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": message["body"]})

    left = list(parts)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause_s)
        if not left and gone:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0) if left else b"", "more_body": bool(left) or gone}

    async def send(message: Any) -> None:
        messages.append(message)

    headers = [(b"content-type", b"application/json"), *([(b"content-length", length)] if length is not None else [])]
    scope = {"type": "http", "method": "POST", "path": "/p", "headers": headers}
    await StrictBodies(inner, **options)(scope, receive, send)
    if not messages:
        return 0, b""
    return messages[0]["status"], b"".join(m.get("body", b"") for m in messages[1:])


def test_a_body_that_drips_is_given_up() -> None:
    body = json.dumps(RECORD).encode()
    drops = [body[i : i + 1] for i in range(len(body))]
    assert asyncio.run(driven(drops, pause_s=0.02, deadline_s=0.2))[0] == 408
    assert asyncio.run(driven(drops, deadline_s=20))[0] == 200


def test_a_client_that_goes_away_is_not_answered() -> None:
    assert asyncio.run(driven([b'{"temp'], gone=True)) == (0, b"")


def test_the_body_reaches_the_route_as_it_came() -> None:
    body = json.dumps(RECORD, indent=3).encode()
    assert asyncio.run(driven([body[:40], body[40:]])) == (200, body)
    assert asyncio.run(driven([b""])) == (200, b"")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=12),
    max_leaves=12,
)


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


@settings(deadline=None)  # the machine of a test is shared
@given(body=st.binary(max_size=60) | st.text().map(lambda t: t.encode("utf-8", "surrogatepass")) | ANYTHING.map(dumped))
def test_no_body_is_an_error_of_ours(body: bytes) -> None:
    status, answer = asyncio.run(driven([body]))
    assert status in {200, 422}
    assert json.loads(answer or "0") is not None or status == 200
