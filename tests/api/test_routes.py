"""All routes of the program are those of the README, and none that changes something is open."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import Mount, Route

from api.admin import admin
from api.app import api
from core import open_core
from tests.weather_posted import RECORD

README = Path(__file__).resolve().parents[2] / "README.md"
LISTED = {
    (method, path.removeprefix("/api")): who
    for method, path, who in re.findall(
        r"^\| `(\w+) (/api/\S*)` \| (.+?) \|", README.read_text("utf-8"), flags=re.MULTILINE
    )
}
#: What may be posted without the token: it computes and changes nothing.
HARMLESS = {"/predict", "/monitoring/data-quality/check"}
TOKEN = "a token of this test"  # noqa: S105 - it opens nothing
GUARDED = sorted(route for route, who in LISTED.items() if "token" in who)


def walked() -> dict[tuple[str, str], bool]:
    """Return every route by method and path, and whether it depends on the token."""
    found = {}
    for context in iter_route_contexts(api.routes):
        route = context.original_route
        if isinstance(route, Mount):
            continue
        assert isinstance(route, Route | APIRoute), route
        needs = [d.call for d in route.dependant.dependencies] if isinstance(route, APIRoute) else []
        for method in (context.methods or set()) - {"HEAD"}:
            found[method, context.path] = admin in needs
    return found


def test_the_readme_lists_every_route_and_who_may_use_it() -> None:
    guarded = {route: "token" in who for route, who in LISTED.items()}
    assert walked() == guarded


def test_nothing_else_is_mounted_than_the_files_of_the_openapi_page_and_the_fonts() -> None:
    assert [route.path for route in api.routes if isinstance(route, Mount)] == ["/static", "/fonts"]


def test_what_changes_something_needs_the_token() -> None:
    open_to_all = {path for (method, path), needs in walked().items() if method != "GET" and not needs}
    assert {path for path in open_to_all if not path.startswith("/predict") and path not in HARMLESS} == set()
    assert all(needs for (_, path), needs in walked().items() if path.startswith("/admin"))


@pytest.mark.parametrize("sent", [None, "", "Bearer", "Bearer ", "Bearer wrong", f"bearer {TOKEN}x", f"Basic {TOKEN}"])
def test_every_guarded_route_is_closed_without_the_token(monkeypatch: pytest.MonkeyPatch, sent: str | None) -> None:
    monkeypatch.setenv("CLOUDBURST_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("CLOUDBURST_ADMIN_FAILURES_PER_MINUTE", "1000")
    open_core()
    client = TestClient(api, headers={} if sent is None else {"Authorization": sent}, client=("127.0.0.1", 5000))
    assert GUARDED
    for method, path in GUARDED:
        asked = re.sub(r"\{action\}", "start", re.sub(r"\{(?!action)\w+\}", "abc", path))
        body = RECORD if path == "/observations" else {"why": "x"}  # what is posted is looked at first
        answer = client.request(method, asked, **({"json": body} if method == "POST" else {}))
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
