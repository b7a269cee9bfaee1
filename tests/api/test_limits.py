"""Who asks too often, or guesses, waits; nobody else does."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from api.app import api
from core import open_core

TOKEN = "a token of this test"  # noqa: S105 - it opens nothing
GUESS = "wrong"
#: Answered 404 to whoever knows the token.
GUARDED = "/admin/retrain/nobody"
#: Counted before it is answered, 422.
PREDICT = "/predict/live"

From = Callable[..., TestClient]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> From:
    monkeypatch.setenv("CLOUDBURST_ADMIN_TOKEN", TOKEN)

    def coming(address: str = "192.0.2.1", token: str | None = None) -> TestClient:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return TestClient(api, raise_server_exceptions=False, headers=headers, client=(address, 5000))

    return coming


def test_after_five_wrong_tokens_an_address_waits_even_with_the_right_one(client: From) -> None:
    open_core().admin.wrong._clock = lambda: 1000.0
    assert [client(token=GUESS).get(GUARDED).status_code for _ in range(7)] == [401] * 5 + [429] * 2
    answer = client(token=TOKEN).get(GUARDED)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "12"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "wrong tokens" in answer.json()["detail"]
    assert client("192.0.2.2", TOKEN).get(GUARDED).status_code == 404


def test_right_and_missing_tokens_do_not_count(client: From) -> None:
    assert {client().get(GUARDED).status_code for _ in range(9)} == {401}
    assert {client(token=TOKEN).get(GUARDED).status_code for _ in range(9)} == {404}


def test_guesses_at_the_same_moment_are_counted_one_by_one(client: From, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = open_core().admin
    admin.wrong._clock = lambda: 1000.0
    monkeypatch.setattr(type(admin), "_token", lambda _: time.sleep(0.01) or TOKEN)  # as a slow disk

    def guess(i: int) -> str:
        try:
            return str(admin.knows(f"guess {i}", "192.0.2.9"))
        except Exception as error:
            return type(error).__name__

    with ThreadPoolExecutor(16) as threads:
        told = list(threads.map(guess, range(64)))
    assert (told.count("False"), told.count("TooManyAttempts")) == (5, 59)


def test_predictions_are_limited_by_address_and_say_what_is_left(client: From, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_PREDICT_PER_MINUTE", "3")
    open_core().predict_allowance._clock = lambda: 1000.0
    answers = [client().post(PREDICT, json={}) for _ in range(4)]
    assert [a.status_code for a in answers] == [422, 422, 422, 429]
    assert [a.headers["ratelimit"].partition(";t=")[0] for a in answers] == [f'"predict";r={r}' for r in (2, 1, 0, 0)]
    assert answers[0].headers["ratelimit-policy"] == '"predict";q=3;w=60'
    assert answers[3].headers["retry-after"] == "20"
    assert answers[3].headers["content-type"] == "application/problem+json"
    assert client("192.0.2.2").post(PREDICT, json={}).status_code == 422
    assert client().get("/").status_code == 200


@pytest.mark.parametrize("path", ["/predict", "/predict/", "/predict/no/such/route"])
def test_every_path_below_predict_counts(client: From, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("CLOUDBURST_PREDICT_PER_MINUTE", "1")
    open_core()
    client().post(path, json={})
    assert client().post(PREDICT, json={}).status_code == 429


def test_zero_is_no_limit(client: From, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_PREDICT_PER_MINUTE", "0")
    open_core()
    answer = client().post(PREDICT, json={})
    assert answer.status_code == 422
    assert "ratelimit" not in answer.headers
