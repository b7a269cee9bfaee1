"""How fast a page is there for a forecaster, in a real browser: the first map, and changes from page to page.

Beside it, in the same run and browser, a page of Streamlit's that says one line: what of the time is ours.

python -m benchmarks.page_speed [--changes 40]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.program import ask, served, settings

#: Goals, seconds: the first map that means something on a warm server, and 95 of 100 changes of the page.
FIRST_S, CHANGE_S = 2.5, 1.2
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
ROUNDS = 7
BARE = "import streamlit as st\nst.title('One line')\n"
#: The map answers clicks when its cells, an image, are there; until then its levels stand in their place.
MAP = "() => (document.querySelector('.stPlotlyChart .heatmaplayer image')?.href.baseVal.length ?? 0) > 100"
LEVELS = "() => (document.querySelector('.map-preview')?.naturalWidth ?? 0) > 0"
STILL = "[data-testid=stApp][data-test-script-state=notRunning]"
PAGES = ("Point", "Verification", "Quality", "Models", "Monitoring", "Risk map")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print seconds beside their goals; return 1 where one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page_speed", description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=40)
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        (bare := Path(name) / "bare.py").write_text(BARE, "utf-8")
        with served(settings(HOME=Path(name), SIMULATED_HISTORY_DAYS=0), Path(name) / "log") as address:
            ask(f"{address}/api/forecasts")  # the server is warm: the current issue is made
            first, answers = zip(*(_first(browser, address) for _ in range(ROUNDS)), strict=True)
            changes = _changes(browser, address, args.changes)
        with served(settings(), Path(name) / "bare.log", app=bare) as address:
            peer = [_title(browser, address) for _ in range(ROUNDS)]
        browser.close()
    p95 = statistics.quantiles(changes, n=20)[-1]
    median = statistics.median(first)
    print(f"first map: median {median:.2f} s of {ROUNDS} (goal {FIRST_S:g}), most {max(first):.2f} s")
    print(f"it answers clicks: median {statistics.median(answers):.2f} s, most {max(answers):.2f} s")
    bare_s, change_s = statistics.median(peer), statistics.median(changes)
    print(f"one line of bare Streamlit: median {bare_s:.2f} s; ours takes {median / bare_s:.2f} times as long")
    print(f"page change: median {change_s:.2f} s, p95 {p95:.2f} s of {len(changes)} (goal {CHANGE_S:g})")
    return 0 if median <= FIRST_S and p95 <= CHANGE_S else 1


def _opened(browser: Browser) -> Page:
    page = browser.new_context(viewport={"width": 1500, "height": 1000}).new_page()
    page.set_default_timeout(60_000)
    return page


def _first(browser: Browser, address: str) -> tuple[float, float]:
    """Return the seconds until the levels are seen, and until the map answers clicks."""
    page = _opened(browser)
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(f"() => ({LEVELS})() || ({MAP})()", polling=20)
    seen = time.perf_counter() - begun
    page.wait_for_function(MAP, polling=20)
    answers = time.perf_counter() - begun
    page.context.close()
    return seen, answers


def _title(browser: Browser, address: str) -> float:
    page = _opened(browser)
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator("h1").wait_for()
    spent = time.perf_counter() - begun
    page.context.close()
    return spent


def _changes(browser: Browser, address: str, count: int) -> list[float]:
    page = _opened(browser)
    page.goto(address)
    page.wait_for_function(MAP)
    spent = []
    for i in range(count):
        title = PAGES[i % len(PAGES)]
        page.locator(STILL).wait_for()
        begun = time.perf_counter()
        page.get_by_role("link", name=title, exact=True).first.click()
        page.get_by_role("heading", name=title, exact=True, level=1).wait_for()
        page.locator(STILL).wait_for()
        spent.append(time.perf_counter() - begun)
        page.wait_for_timeout(300)
    page.context.close()
    return spent


if __name__ == "__main__":
    sys.exit(main())
