"""The form that asks for the token counts wrong ones, together with those sent over HTTP."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core import open_core

TOKEN = "a token of this test"  # noqa: S105 - it opens nothing


def form() -> None:
    from core import open_core
    from ui import admin

    admin.allowed(open_core(), "change")


def told(token: str) -> str:
    app = AppTest.from_function(form).run()
    app.text_input(key="admin token change").set_value(token)
    app = app.button[0].click().run()
    return app.error[0].value if app.error else ""


def test_after_five_wrong_tokens_the_form_makes_wait_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_ADMIN_TOKEN", TOKEN)
    monkeypatch.setattr("streamlit.runtime.context._get_client_context", lambda: None)  # AppTest's is a mock
    house = open_core()
    house.admin.wrong._clock = lambda: 1000.0
    assert told(TOKEN) == ""
    assert not house.admin.knows("wrong", "::1")  # over HTTP, from this machine
    assert ["not the token" in told("wrong") for _ in range(4)] == [True] * 4
    assert "Too many wrong tokens" in told("wrong")
    assert "Too many wrong tokens" in told(TOKEN)
    assert house.admin.knows(TOKEN, "192.0.2.1")
