"""Every run of a page has an id of its own, and what breaks in it is one line that has it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import streamlit as st
import structlog
from streamlit.testing.v1 import AppTest

from core import close_core, serve
from tests.pages.drawn import visit
from ui import components, session


@pytest.fixture
def app() -> Iterator[AppTest]:
    serve()
    yield visit()
    close_core()


def test_two_runs_have_two_ids(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def watched(*_: object) -> None:
        seen.append(structlog.contextvars.get_contextvars()["request_id"])
        st.stop()

    monkeypatch.setattr(components, "header", watched)
    app.run().run()
    assert not app.exception
    assert len(set(seen)) == len(seen) >= 2


def test_what_breaks_a_page_is_one_line_with_the_id_of_its_run(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    def broken(*_: object) -> NoReturn:
        raise RuntimeError("broken\nfor this test")

    monkeypatch.setattr(components, "header", broken)
    capsys.readouterr()
    app.run()
    told = [line for line in capsys.readouterr().err.splitlines() if "for this test" in line]
    (line,) = told
    assert "logger=streamlit." in line
    assert "request_id=" in line
    assert r"RuntimeError: broken\nfor this test" in line
    assert line in (home / "logs" / "server.log").read_text("utf-8").splitlines()


def test_a_fragment_that_runs_alone_has_an_id() -> None:
    found: list[object] = []

    def run(first: Callable[[], object]) -> None:
        for _ in range(2):
            first()
            found.append(structlog.contextvars.get_contextvars()["request_id"])

    for first in (session.core, session.begin):
        thread = threading.Thread(target=run, args=(first,))
        thread.start()
        thread.join()
    alone, again, begun, anew = found
    assert alone == again
    assert len({alone, begun, anew}) == 3
