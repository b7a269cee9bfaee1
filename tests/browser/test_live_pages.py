"""Pages that redraw by themselves in a real browser: what was selected and zoomed stays, and a wall display turns."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from core.adapters.ledger import SqlLedger
from core.domain.quality import QualityMetrics
from tests.browser.conftest import CHROMIUM

REGION = "uttarakhand-himachal"
DRAWN = re.compile(r"Drawn at")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"),
]


def measured(home: Path, hours: range) -> None:
    """Keep metrics of the hours so many ago."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    SqlLedger(f"sqlite:///{home / 'data' / 'ledger.sqlite'}").record_quality(
        [
            QualityMetrics(
                "simulator", REGION, None, now - timedelta(hours=h + 24), now - timedelta(hours=h),
                1 - h / 200, 0.9, 0.9, 0.95, 10.0, 0.0, 0.8 + (h % 5) / 50,
            )
            for h in hours
        ]
    )  # fmt: skip


def drawn_anew(page: Page, times: int = 1) -> None:
    for _ in range(times):
        before = page.get_by_text(DRAWN).inner_text()
        page.wait_for_function("t => !document.body.innerText.includes(t)", arg=before)
    page.wait_for_timeout(500)


def axis(chart: Locator) -> str:
    """Return what the chart says of its horizontal axis to a screen reader: it names the hours that are shown."""
    label = chart.locator("[aria-label^='X-axis']").first.get_attribute("aria-label")
    assert label
    return label


def test_a_selection_and_a_zoom_survive_redrawing_and_new_data(page: Page, address: str, server_home: Path) -> None:
    page.goto(f"{address}/monitoring?every=5+s")
    page.get_by_text(DRAWN).wait_for()
    measured(server_home, range(3, 100))
    chart = page.get_by_test_id("stVegaLiteChart")
    chart.wait_for()
    jobs = page.locator(".st-key-jobs")
    box = jobs.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + 50)  # the box of the first row
    page.get_by_text("refresh every 5 min").wait_for()
    whole = axis(chart)
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    for _ in range(4):
        page.mouse.wheel(0, -300)
        page.wait_for_timeout(100)
    drawn_anew(page)  # the last turn of the wheel has arrived by then
    zoomed = axis(chart)
    assert zoomed != whole
    measured(server_home, range(100, 120))
    drawn_anew(page, 2)
    assert axis(chart) == zoomed
    assert page.get_by_text("refresh every 5 min").is_visible()
    page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    drawn_anew(page)
    assert axis(chart) not in {zoomed, whole}  # all of it, and what has come


@pytest.mark.parametrize("turns", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_wall_display_turns_whole_pages_over(page: Page, address: str, turns: int) -> None:
    page.goto(f"{address}/?region={REGION}&wall=5")
    page.get_by_role("heading", name="Risk map").wait_for()
    assert not page.get_by_role("link", name="Models").is_visible()
    assert not page.get_by_test_id("stButtonGroup").first.is_visible()
    for title in ("Point", "Verification")[:turns]:
        page.get_by_role("heading", name=title, exact=True).wait_for()
    assert f"region={REGION}" in page.url
    page.get_by_role("button", name="End wall display").click()
    page.get_by_role("link", name="Models").wait_for()
