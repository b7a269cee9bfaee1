"""What of the map's zoom stays in a real browser, and a phone that sees the map on its first screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"),
]

CELLS = ".stPlotlyChart .heatmaplayer image"
STILL = "[data-testid=stApp][data-test-script-state=notRunning]"
SHOWN = "() => document.querySelector('.stPlotlyChart .js-plotly-plot')._fullLayout.xaxis.range.map(x => +x.toFixed(4))"


def opened(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(CELLS).first.wait_for(state="attached")
    page.locator(STILL).wait_for()


def test_a_zoom_survives_the_script_while_the_picture_is_the_same(page: Page, address: str) -> None:
    opened(page, address)
    whole = page.evaluate(SHOWN)
    box = page.locator(".stPlotlyChart").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    for _ in range(3):
        page.mouse.wheel(0, -300)
        page.wait_for_timeout(200)
    page.wait_for_timeout(500)
    zoomed = page.evaluate(SHOWN)
    assert zoomed[1] - zoomed[0] < 0.9 * (whole[1] - whole[0])
    page.get_by_role("tab", name="What changed").click()
    page.get_by_text("my last look", exact=True).click()  # the whole script runs
    page.get_by_role("button", name="Seen").wait_for()
    page.locator(STILL).wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate(SHOWN) == zoomed


def test_a_phone_shows_the_top_half_of_the_map_on_its_first_screen(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, address)
    box = page.locator(".stPlotlyChart").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] / 2 <= 844
