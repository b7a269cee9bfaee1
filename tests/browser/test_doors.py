"""The doors of a running server: the page of the API draws by itself, and foreign host names stay outside."""

from __future__ import annotations

import http.client
import socket

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"),
]


def test_the_openapi_page_draws_without_the_internet(page: Page, address: str) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    page.goto(f"{address}/api/docs")
    page.get_by_text("/health").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_text("scheduler_heartbeat_age_s").first.wait_for()
    assert not refused


@pytest.mark.parametrize("path", ["/", "/point", "/_stcore/health", "/api/", "/api/docs", "/api/static/swagger/NOTICE"])
def test_a_foreign_host_name_is_refused_for_pages_and_api(address: str, path: str) -> None:
    for host, status in ((address.removeprefix("http://"), 200), ("evil.example", 400)):
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        assert answer.status == status
        assert "frame-ancestors" in answer.headers["content-security-policy"]
        connection.close()


def test_a_foreign_host_name_is_refused_for_sessions(address: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            b"GET /_stcore/stream HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert b" 403 " in connection.recv(200)
