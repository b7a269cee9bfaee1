"""The screenshots of docs/screens: every page of a running instance; the foremost also dark and on a phone.

python -m tests.browser.screens http://127.0.0.1:8501 [--out docs/screens]
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS
from ui.shell import PAGES

#: Name of the picture's kind, colour scheme, width and height, px.
WIDE = ("", "light", 1500, 1000)
KINDS = (("_dark", "dark", 1500, 1000), ("_laptop", "light", 1280, 800), ("_phone", "light", 390, 844))
#: Pages that are shown in every kind.
FOREMOST = ("risk_map", "point", "alerts", "reports")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screens", description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("--out", type=Path, default=Path("docs/screens"))
    parser.add_argument("--language", default="en")
    args = parser.parse_args(arguments)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for number, (path, *_) in enumerate(PAGES):
            name = Path(path).stem
            url = f"{args.address}/{name if number else ''}?lang={args.language}"
            for kind, scheme, width, height in (WIDE, *(KINDS if name in FOREMOST else ())):
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                page.goto(url)
                page.locator("h1").first.wait_for(timeout=60_000)
                page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=60_000)
                page.wait_for_timeout(2500)
                page.screenshot(path=args.out / f"{name}{kind}.png")
                context.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
