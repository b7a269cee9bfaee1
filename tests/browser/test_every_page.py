"""Every page in a real browser: at three widths, light and dark, for eyes, keyboards and screen readers."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import CHROMIUM, Visit, beyond_the_edge, drawn
from ui.shell import PAGES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"),
]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
#: Of these rules the one that sees colours.
OF_COLOURS = ["color-contrast"]
PAPER = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
NAMES = [("" if i == 0 else Path(path).stem) for i, (path, *_) in enumerate(PAGES)]
WIDE, PHONE = {"width": 1500, "height": 900}, {"width": 390, "height": 844}


def serious(page: Page, rules: list[str]) -> list[str]:
    """Return what axe-core finds serious or critical on a page as it stands."""
    found = page.evaluate("async rules => (await axe.run(document, {runOnly: rules})).violations", rules)
    return [
        f"{violation['id']}: {node['html'][:140]} {node['failureSummary'][:200]}"
        for violation in found
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"][:3]
    ]


def opened(page: Page, url: str) -> None:
    page.goto(url)
    drawn(page)
    page.evaluate(AXE)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_well_light_and_dark_on_a_desk_and_on_a_phone(visit: Visit, address: str, name: str) -> None:
    page = visit(viewport=WIDE)
    opened(page, f"{address}/{name}")
    assert page.get_by_test_id("stException").count() == 0
    assert serious(page, RULES) == []
    light = page.evaluate(PAPER)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"before => ({PAPER})() !== before", arg=light)  # the theme follows the reader's
    page.wait_for_timeout(400)  # and its colours are faded over
    assert serious(page, OF_COLOURS) == []
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        page.wait_for_timeout(300)
        assert beyond_the_edge(page) <= 1, f"at {size['width']} px"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("code", ["en", "hi"])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_well_in_every_language_at_every_width(
    visit: Visit, address: str, name: str, code: str, scheme: str
) -> None:
    page = visit(viewport=WIDE, color_scheme=scheme)
    opened(page, f"{address}/{name}?lang={code}")
    for size in (WIDE, {"width": 1280, "height": 800}, {"width": 768, "height": 1024}, PHONE):
        page.set_viewport_size(size)
        page.wait_for_timeout(800)
        assert serious(page, RULES) == [], f"at {size['width']} px"
        assert beyond_the_edge(page) <= 1, f"at {size['width']} px"
