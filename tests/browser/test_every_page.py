"""Every page in a real browser: at three widths, light and dark, for eyes, keyboards and screen readers."""

from __future__ import annotations

import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import ConsoleMessage, Page, Request

from tests.browser.conftest import CHROMIUM
from ui.shell import PAGES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"),
]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
WIDTHS = (1500, 1280, 390)
#: Streamlit looks for its server below the address of a page before it looks at the root, and the browser writes the
#: 404 down; an answer would make it take the page's address for its base.
PROBE = re.compile(r"/\w+/_stcore/(health|host-config)$")
#: What Streamlit draws and we cannot reach. Its chips write white on the primary colour, its segments write the primary
#: colour on the dark page: no colour has 4.5 to 1 in both, so the segments have it.
STREAMLITS_OWN = ["[data-testid=stMultiSelect] span[title]"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
PAPER = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
NAMES = [("" if i == 0 else Path(path).stem) for i, (path, *_) in enumerate(PAGES)]


def opened(page: Page, address: str, name: str) -> None:
    """Open a page and wait until it is drawn."""
    page.goto(f"{address}/{name}")
    page.locator("h1").first.wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(800)


def serious(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical on a page as it stands."""
    found = page.evaluate(
        "async ([exclude, rules]) => (await axe.run({include: [['body']], exclude}, {runOnly: rules})).violations",
        [[[selector] for selector in STREAMLITS_OWN], RULES],
    )
    return [
        f"{violation['id']}: {node['html'][:140]} {node['failureSummary'][:200]}"
        for violation in found
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"][:3]
    ]


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


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_well_at_every_width_light_and_dark_and_asks_no_other_host(
    page: Page, address: str, name: str
) -> None:
    watched = Watched(page)
    opened(page, address, name)
    assert page.get_by_test_id("stException").count() == 0
    page.evaluate(AXE)
    assert serious(page) == []
    light = page.evaluate(PAPER)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(700)
    assert page.evaluate(PAPER) != light, "the theme does not follow the reader's"
    assert serious(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(400)
        beyond = page.get_by_test_id("stMain").evaluate("m => m.scrollWidth - m.clientWidth")
        assert beyond <= 1, f"{beyond} px beyond the edge at {width} px"
    assert watched.errors == []
    assert watched.hosts == {address.removeprefix("http://")}
