"""A page drawn by AppTest as a visitor opens it: at its own address, inside the frame."""

from __future__ import annotations

from pathlib import Path

from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from ui.shell import PAGES

APP = Path(__file__).resolve().parents[2] / "app.py"
SCRIPTS = [path for path, _, _ in PAGES]


class _Forgotten(PagesManager):
    """What AppTest resets before every run, where it would take pages/ for the old form and draw no frame."""


PagesManager.uses_pages_directory = False  # as app.py says to the server before its first visitor
app_test.PagesManager = _Forgotten


def visit(page: str = SCRIPTS[0], **address: str | list[str]) -> AppTest:
    """Return the app at the address of a page, not drawn yet."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    # The map is the front page: its address has no name.
    return app if page == SCRIPTS[0] else app.switch_page(page)


def drawn(page: str = SCRIPTS[0], **address: str | list[str]) -> AppTest:
    """Return a page that was drawn once and raised nothing."""
    app = visit(page, **address).run()
    assert not app.exception
    return app
