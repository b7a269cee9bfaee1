"""How fast 40,000 cells are drawn on the Risk map, in a real browser: at first, of another layer, of a new issue.

Each time is from the data being there (the press of the button that puts them in place, or the choice of a layer) to
painted pixels. The goal is that of data: at first a browser reads the library that draws as well. Beside it, in the
same run and browser, a bare plotly heatmap of the same size, alone on its page.

python -m benchmarks.map_drawing [--rounds 10]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.page_speed import FLAGS, STILL
from benchmarks.program import ROOT, served, settings
from benchmarks.wide_region import NEXT, SIDE, made, wide
from core import TARGET, Changes, Standing, fallen_mm
from core.bootstrap.services import regions_named
from ui import maps
from ui.map_layers import LAYERS, Picture

GOAL_S, ROUNDS = 1.0, 10
FIRST = "first draw"
PLAIN = f"""
import numpy as np, plotly.graph_objects as go, streamlit as st
st.set_page_config(layout="wide")
st.button("{NEXT}")
z = np.random.default_rng().random(({SIDE}, {SIDE})).astype("f4")
st.plotly_chart(go.Figure(go.Heatmap(z=z), layout=dict(height=560)), key="map")
"""
#: Notes in the page when something was pressed, when messages came and how large they were, and when the picture of
#: the cells was another one and two frames had been painted since.
WATCH = """
(() => {
  const seen = window.seen = {pressed: 0, messages: [], image: "", drawn: 0};
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...a) {
      super(...a);
      this.addEventListener("message", e => {
        seen.messages.push([performance.now(), e.data.byteLength ?? e.data.size ?? e.data.length]);
      });
    }
  };
  const press = () => { seen.pressed = performance.now(); seen.messages = []; seen.drawn = 0; };
  document.addEventListener("pointerdown", press, true);
  const look = () => {
    const image = document.querySelector(".stPlotlyChart .heatmaplayer image")?.href.baseVal ?? "";
    if (image.length > 100 && image !== seen.image) {
      seen.image = image;
      requestAnimationFrame(() => requestAnimationFrame(() => { seen.drawn = performance.now(); }));
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
TAKEN = """() => {
  const messages = seen.messages.filter(m => m[0] <= seen.drawn), most = Math.max(...messages.map(m => m[1]));
  const came = messages.filter(m => m[1] == most)[0][0];
  return [seen.drawn - seen.pressed, seen.drawn - came, messages.reduce((sum, m) => sum + m[1], 0)];
}"""
#: Seconds from the press, seconds from the arrival of the figure, bytes.
Drawn = tuple[float, float, int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print seconds beside their goal; return 1 where it is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.map_drawing", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args(arguments).rounds
    print(f"{SIDE * SIDE:,} places; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    _figures()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        (plain := Path(name) / "plain.py").write_text(PLAIN, "utf-8")
        with served(settings(), Path(name) / "plain.log", app=plain) as address:
            peer = _measured(browser, address, rounds, {"new data": _pressed})
        environment = settings(HOME=Path(name), SIMULATED_HISTORY_DAYS=0)
        environment |= {"PYTHONPATH": str(ROOT), "MAP_ISSUES": str(rounds + 3)}
        with served(environment, Path(name) / "log", app=ROOT / "benchmarks" / "map_app.py") as address:
            _opened(browser, f"{address}/", 300_000).context.close()  # the house and its issues are made
            ways = {"new issue": _pressed, "another layer": _layer, "a layer seen before": _layer}
            ours = _measured(browser, address, rounds, ways)
        browser.close()
    missed = [_told(name, drawn, peer.get(name, peer["new data"])) for name, drawn in ours.items()]
    print(f"load {os.getloadavg()[0]:.1f}")
    return int(any(missed))


def _told(name: str, drawn: list[Drawn], peer: list[Drawn]) -> bool:
    """Print one line; say whether the goal is missed."""
    whole, arrived = sorted(d[0] for d in drawn), [d[1] for d in drawn]
    p95 = statistics.quantiles(whole, n=20, method="inclusive")[-1]
    middle, bare = statistics.median(whole), statistics.median(d[0] for d in peer)
    size, goal = statistics.median(d[2] for d in drawn), "" if name == FIRST else f" (goal {GOAL_S:g})"
    print(
        f"{name:20} median {middle:.2f} s, p95 {p95:.2f} s of {len(whole)}{goal}; from the arrival of its figure"
        f" {statistics.median(arrived):.2f} s; {size / 1000:,.0f} kB; bare heatmap {bare:.2f} s:"
        f" {middle / bare:.2f} times as long"
    )
    return middle > GOAL_S and name != FIRST


def _figures() -> None:
    """Print what the figure of every layer takes to build, and its size."""
    region, now = wide(regions_named("uttarakhand-himachal", 0.25)[0]), datetime.now(UTC)
    issue, before = made(region, 1, now), Standing.of(made(region, 0, now).forecast)
    standing = Standing.of(issue.forecast)
    rain = fallen_mm(issue.checked.usable(), standing.valid_from, 1)
    for layer in LAYERS:
        picture = Picture(standing, layer, TARGET, Changes(before, standing), rain)
        spent = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            figure = maps.figure(picture)
            spent.append(time.perf_counter() - begun)
        cost = f"median {statistics.median(spent):.3f} s, most {max(spent):.3f} s"
        print(f"figure of {layer:12} {cost}; {len(figure.to_json()) / 1000:,.0f} kB")


def _opened(browser: Browser, address: str, most_ms: float = 60_000) -> Page:
    page = browser.new_context(viewport={"width": 1500, "height": 1000}).new_page()
    page.set_default_timeout(most_ms)
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_function("() => seen.drawn > 0", polling=20)
    page.locator(STILL).wait_for()
    page.wait_for_timeout(800)
    return page


def _measured(
    browser: Browser, address: str, rounds: int, ways: dict[str, Callable[[Page, int], None]]
) -> dict[str, list[Drawn]]:
    found: dict[str, list[Drawn]] = {FIRST: []}
    for _ in range(rounds):
        page = _opened(browser, address)
        found[FIRST].append(_first(page))
        page.context.close()
    page = _opened(browser, address)
    for name, act in ways.items():
        found[name] = []
        for i in range(rounds):
            act(page, i)
            page.wait_for_function("() => seen.drawn > seen.pressed", polling=20)
            page.wait_for_timeout(300)
            drawn = page.evaluate(TAKEN)
            found[name].append((drawn[0] / 1000, drawn[1] / 1000, drawn[2]))
            page.locator(STILL).wait_for()
            page.wait_for_timeout(500)
    page.context.close()
    return found


def _first(page: Page) -> Drawn:
    """Return the times of a page that was just opened: from the first message of the server."""
    drawn = page.evaluate("() => { seen.pressed = seen.messages[0][0]; return (" + TAKEN + ")(); }")
    return drawn[0] / 1000, drawn[1] / 1000, drawn[2]


def _pressed(page: Page, _: int) -> None:
    page.get_by_role("button", name=NEXT).click()


def _layer(page: Page, number: int) -> None:
    """Choose the next layer by the keyboard of a closed list: the press is that of its option."""
    page.locator(".st-key-layer [role=combobox], .st-key-layer input").first.click()
    options = page.get_by_role("option")
    options.first.wait_for()
    page.wait_for_timeout(150)
    options.nth((number + 1) % len(LAYERS)).click()


if __name__ == "__main__":
    sys.exit(main())
