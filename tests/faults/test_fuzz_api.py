"""The fuzzer of the API, a little of it: the program stands, every broken application is found."""

from __future__ import annotations

import pytest
from starlette.responses import JSONResponse

from api.app import api
from tests.faults.api.answers_judged import PROBLEM, Answer, violations
from tests.faults.api.fuzz import ENVIRONMENT, fuzz, unnoticed
from tests.faults.api.requests_made import Made, Operation

GOOD = {"type": "about:blank", "title": "Refused", "status": 404, "detail": "There is nothing."}


@pytest.fixture(autouse=True)
def house(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_some_hundred_requests_find_nothing() -> None:
    tally = fuzz(api, 250)
    assert dict(tally.violations) == {}
    assert set(tally.answers["POST /predict/live"]) >= {200, 422}


def test_every_broken_application_is_found() -> None:
    assert unnoticed(api, 100) == []


def judged(
    status: int = 404, headers: dict[str, str] | None = None, gone: bool = False, **changes: object
) -> list[str]:
    """Return what is wrong with a refusal of somebody's GET that is changed in one thing."""
    response = JSONResponse({**GOOD, **changes}, status, headers, PROBLEM)
    answer = Answer(status, [(name, value) for name, value in response.raw_headers], bytes(response.body), True)
    return violations(Made(Operation("GET", "/map/{region}"), "GET", "/api/map/zq1", "zq1", gone=gone), answer)


def test_each_fault_of_an_answer_is_told_by_its_name() -> None:
    assert judged() == []
    assert judged(detail="There is no zq1.") == ["echo"]
    assert judged(headers={"x-from": "zq1"}) == ["echo"]
    assert judged(status=503)[0] == "status 503"
    assert judged(status=422) == ["problem of another status"]
    assert judged(title=None) == ["problem without its members"]
    assert judged(headers={"x-from": "a\r\nb"}) == ["line break in a header"]
    nothing = Made(None, "GET", "/api/", "zq1")
    assert violations(nothing, Answer()) == ["no whole answer"]
    assert violations(nothing, Answer(raised="ValueError"))[0] == "raised ValueError"
    assert violations(nothing, Answer(200, [(b"content-type", b"text/plain")], b"ok", ended=True, seconds=60)) == [
        "too slow"
    ]
    assert violations(nothing, Answer(404, [(b"content-type", b"text/plain")], b"no", ended=True)) == [
        "404 is no problem document"
    ]
