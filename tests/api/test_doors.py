"""What stands before pages and API: host names, addresses behind proxies, other origins, headers."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator

import pytest
import streamlit.config
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from api.addresses import FORWARDED, KnownAddress, address_of
from api.app import api
from api.browsers import PAGE_HEADERS, Told
from api.hosts import KnownHosts
from core import close_core, open_core
from core.errors import ConfigurationError
from core.settings import load_settings

FRIEND, FOREIGN = "https://met.example", "https://evil.example"


def told(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{address_of(request)} {request.url.scheme}")


def server(base_url: str = "http://localhost:8501", peer: str = "192.0.2.7") -> TestClient:
    """Return a client of a small server with the doors of the real one."""
    doors = [Middleware(Told, headers=PAGE_HEADERS), Middleware(KnownHosts), Middleware(KnownAddress)]
    app = Starlette(routes=[Route("/page", told), Mount("/api", app=api)], middleware=doors)
    return TestClient(app, base_url=base_url, client=(peer, 5000))


@pytest.fixture
def hosts() -> Iterator[None]:
    before = streamlit.config.get_option("server.allowedHosts")
    streamlit.config.set_option("server.allowedHosts", ["localhost", "127.0.0.1", "*.met.example"])
    yield
    streamlit.config.set_option("server.allowedHosts", before)


@pytest.mark.parametrize("path", ["/page", "/api/", "/api/openapi.json"])
@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("localhost:8501", True),
        ("127.0.0.1", True),
        ("LOCALHOST.", True),
        ("rain.met.example", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("met.example.evil.example", False),
        ("evil.example:8501", False),
        ("localhost@evil.example", False),
        ("", False),
    ],
)
def test_only_known_names_are_answered(hosts: None, path: str, name: str, known: bool) -> None:
    answer = server().get(path, headers={"Host": name})
    assert answer.status_code == (200 if known else 400)
    if not known:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "evil" not in answer.text


@pytest.mark.parametrize(
    ("trusted", "peer", "said", "seen"),
    [
        ("", "192.0.2.7", "", "192.0.2.7"),
        ("", "192.0.2.7", "198.51.100.1", FORWARDED),
        ("10.0.0.5", "10.0.0.5", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.5", "10.0.0.5", "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.0/24, 127.0.0.1", "127.0.0.1", "198.51.100.1, 10.0.0.9", "198.51.100.1"),
        ("10.0.0.5", "192.0.2.7", "198.51.100.1", "192.0.2.7"),
    ],
)
def test_only_trusted_proxies_say_who_asks(
    monkeypatch: pytest.MonkeyPatch, trusted: str, peer: str, said: str, seen: str
) -> None:
    monkeypatch.setenv("CLOUDBURST_TRUSTED_PROXIES", trusted)
    open_core()
    headers = {"X-Forwarded-For": said, "X-Forwarded-Proto": "https"} if said else {}
    address, _, scheme = server(peer=peer).get("/page", headers=headers).text.rpartition(" ")
    assert (address, scheme) == (seen, "https" if peer in ("10.0.0.5", "127.0.0.1") else "http")


def test_guessing_under_made_up_addresses_counts_as_one(hosts: None) -> None:
    open_core()
    codes = [
        server(peer="127.0.0.1")
        .get("/api/admin/model/history", headers={"Authorization": "Bearer x", "X-Forwarded-For": f"198.51.100.{i}"})
        .status_code
        for i in range(7)
    ]
    assert codes == [401] * 5 + [429] * 2


def test_a_change_of_settings_is_seen(hosts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    client = server(peer="10.0.0.5")
    headers = {"X-Forwarded-For": "198.51.100.1"}
    for trusted, seen in (("10.0.0.5", "198.51.100.1"), ("10.0.0.6", "10.0.0.5"), ("", FORWARDED)):
        close_core()
        monkeypatch.setenv("CLOUDBURST_TRUSTED_PROXIES", trusted)
        open_core()
        assert client.get("/page", headers=headers).text == f"{seen} http"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("TRUSTED_PROXIES", "10.0.0.5/8"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "met.example"),
        ("CORS_ORIGINS", "https://met.example/"),
        ("CORS_ORIGINS", "https://met.example, null"),
        ("PREDICT_PER_MINUTE", "-1"),
        ("ADMIN_FAILURES_PER_MINUTE", "0"),
    ],
)
def test_settings_that_would_open_more_than_meant_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"CLOUDBURST_{name}", value)
    with pytest.raises(ConfigurationError, match=name):
        load_settings()


def preflight(client: TestClient, origin: str) -> str | None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
    answer = client.options("/api/predict/live", headers={"Origin": origin, **wanted})
    allowed = answer.headers.get("access-control-allow-origin")
    assert (answer.status_code == 200) is (allowed is not None)
    return allowed


def test_only_listed_origins_may_use_the_api_from_a_browser(hosts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    open_core()
    assert preflight(server(), FRIEND) is None
    close_core()
    monkeypatch.setenv("CLOUDBURST_CORS_ORIGINS", f"http://other.example:3000, {FRIEND}")
    monkeypatch.setenv("CLOUDBURST_PREDICT_PER_MINUTE", "1")
    open_core()
    assert (preflight(server(), FRIEND), preflight(server(), FOREIGN), preflight(server(), "null")) == (
        FRIEND, None, None,
    )  # fmt: skip
    page = server(peer="192.0.2.8")
    refusals = [page.post("/api/predict/live", json={}, headers={"Origin": FRIEND}) for _ in range(2)]
    assert [r.status_code for r in refusals] == [422, 429]
    for answer in refusals:  # a page must be able to read why, and how long it must wait
        assert answer.headers["access-control-allow-origin"] == FRIEND
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in server().get("/api/", headers={"Origin": FOREIGN}).headers


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/openapi.json", "/api/admin/model/history"])
def test_answers_of_the_api_load_nothing_and_are_framed_by_nobody(hosts: None, path: str) -> None:
    headers = server().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_pages_are_framed_by_nobody_else(hosts: None) -> None:
    for answer in (server().get("/page"), server().get("/page", headers={"Host": "evil.example"})):
        assert answer.headers["content-security-policy"] == "frame-ancestors 'self'"
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"


def test_the_openapi_page_runs_its_own_script_and_no_other(hosts: None) -> None:
    page = server().get("/api/docs")
    policy = page.headers["content-security-policy"]
    scripts = re.findall(r"<script>(.+?)</script>", page.text, re.DOTALL)
    assert scripts
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    (sources,) = re.findall(r"script-src ([^;]*);", policy)
    assert "unsafe" not in sources
    assert "frame-ancestors 'none'" in policy
