"""The forecaster's way in a real browser: open the map, click a cell, read the point page; no other host is asked."""

from __future__ import annotations

import http.client
import re
import socket

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"),
]


def test_the_first_visitor_of_a_shared_address_sees_its_place_in_the_frame(page: Page, address: str) -> None:
    page.goto(f"{address}/point?region=uttarakhand-himachal&place=uh-30.375-79.375")
    page.get_by_role("heading", name=re.compile(r"Chamoli 30.38N 79.38E")).wait_for()
    page.get_by_role("link", name="Risk map").wait_for()
    page.get_by_text("Age of data").wait_for()


def test_map_to_point_without_any_other_host(page: Page, address: str) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "//" in request.url else None)
    page.goto(address)
    page.get_by_role("heading", name="Risk map").wait_for()
    drag_layer = page.locator(".stPlotlyChart .nsewdrag").first
    drag_layer.wait_for()
    page.wait_for_timeout(1500)
    box = drag_layer.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.get_by_role("heading", name="Point", exact=True).wait_for()
    assert re.search(r"/point\?.*place=uh-", page.url)
    page.get_by_role("heading", name=re.compile(r"\d+N \d|[0-9.]+N [0-9.]+E: (Green|Yellow|Orange|Red)")).wait_for()
    page.get_by_text("Simulated: 29 July").first.wait_for()
    page.get_by_text("is not verified").first.wait_for()
    assert hosts == {address.removeprefix("http://")}


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
