"""One server and one browser for all journeys; where there is no Chromium they are left out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from benchmarks.program import answering, begun, settings

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Visit = Callable[..., Page]
#: Streamlit looks for its server below the address of a page before it looks at the root, and the browser writes the
#: 404 down; an answer would make it take the page's address for its base.
PROBE = re.compile(r"/\w+/_stcore/(health|host-config)$")
#: Pieces of a page whose program is still being loaded stand as grey boxes.
STILL = "() => !document.querySelector('[data-testid=stSkeleton]')"


@pytest.fixture(scope="session")
def server_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def address(server_home: Path) -> Iterator[str]:
    log = server_home / "server.log"
    server, url = begun(settings(HOME=server_home, SIMULATED_HISTORY_DAYS=0), log)
    answering(url)
    yield url
    server.terminate()
    assert server.wait(timeout=30) == 0, log.read_text()[-2000:]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one browser for the tests of a file: its event loop must not outlive them."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


class Watched:
    """What a page asks of which host, and what its console says."""

    def __init__(self, page: Page) -> None:
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._asked)
        page.on("websocket", lambda socket: self.hosts.add(socket.url.split("/")[2]))

    def _said(self, message: ConsoleMessage) -> None:
        where = message.location.get("url", "")
        if message.type == "error" and not PROBE.search(where):
            self.errors.append(f"{message.text} {where}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.hosts.add(request.url.split("/")[2])


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Return a function that lets a reader come, with a browser of their own: nothing is shared with who came before.

    Whatever a test does, no other host may be asked and no console may tell of an error.
    """
    came: list[tuple[BrowserContext, Watched]] = []

    def visited(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1366, "height": 1000}, **options})
        opened = context.new_page()
        opened.set_default_timeout(60_000)
        came.append((context, Watched(opened)))
        return opened

    yield visited
    for context, watched in came:
        context.close()
        assert watched.errors == []
        assert watched.hosts == {address.removeprefix("http://")}


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit()


def drawn(page: Page) -> None:
    """Wait until a page has a title, is drawn, and nothing is still on its way."""
    page.locator("h1").first.wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_function(STILL)


def beyond_the_edge(page: Page) -> int:
    """Return by how many pixels a page can be scrolled sideways."""
    return page.get_by_test_id("stMain").evaluate("m => m.scrollWidth - m.clientWidth")
