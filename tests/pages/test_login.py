"""Where a login is configured nothing is shown before it; where none is, nothing changes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from streamlit.errors import StreamlitAuthError
from streamlit.runtime.secrets import Secrets
from streamlit.testing.v1 import AppTest

import core
from tests.pages.drawn import SCRIPTS, drawn
from ui import admin

COMPLETE = """
[auth]
redirect_uri = "http://localhost:8501/oauth2callback"
cookie_secret = "a secret of this test, by no chance"
client_id = "cloudburst"
client_secret = "another"
server_metadata_url = "http://127.0.0.1:9/.well-known/openid-configuration"
client_kwargs = { prompt = "login" }
"""
NAMED = COMPLETE + '\n[auth.weather]\nclient_id = "a"\n\n[auth.navy]\nclient_id = "b"\n'


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """Return what the visitor and the secrets are; `asked` collects the logins begun."""
    file = tmp_path / "secrets.toml"
    found = SimpleNamespace(file=file, asked=[], left=[], user={})
    monkeypatch.setattr("streamlit.config.get_option", _reading(file, st.get_option))
    monkeypatch.setattr(st, "secrets", Secrets())
    monkeypatch.setattr(st, "user", found.user)
    monkeypatch.setattr(st, "login", found.asked.append)
    monkeypatch.setattr(st, "logout", lambda: found.left.append(True))
    monkeypatch.setattr("ui.login.is_authlib_installed", lambda: True)
    return found


def _reading(file: Path, get_option: Any) -> Any:
    return lambda name: [str(file)] if name == "secrets.files" else get_option(name)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_without_a_login_configured_nobody_is_asked(door: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.login.is_authlib_installed", lambda: False)
    app = drawn()
    assert [title.value for title in app.title] == ["Risk map"]
    assert not {"Log in", "Log out"} & set(labels(app))


@pytest.mark.parametrize("page", [SCRIPTS[0], "pages/models.py", "pages/monitoring.py"])
def test_before_the_login_no_page_shows_anything(
    door: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setattr(core.bootstrap, "_build", _never)
    door.file.write_text(COMPLETE)
    app = drawn(page)
    assert ([title.value for title in app.title], labels(app)) == (["Cloudburst Watch"], ["Log in"])
    assert not [*app.metric, *app.dataframe, *app.get("plotly_chart"), *app.error]
    app.button(key="login default").click().run()
    assert door.asked == [None]


def _never(*_: Any) -> None:
    raise AssertionError("a page was begun")


def test_every_provider_by_name_has_its_button(door: SimpleNamespace) -> None:
    door.file.write_text(NAMED)
    app = drawn()
    assert labels(app) == ["Log in with weather", "Log in with navy"]
    app.button(key="login navy").click().run()
    assert door.asked == ["navy"]


def test_who_is_logged_in_is_shown_acts_by_name_and_may_leave(
    door: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.file.write_text(COMPLETE)
    door.user |= {"is_logged_in": True, "email": "rana@met.example"}
    app = drawn()
    assert [title.value for title in app.title] == ["Risk map"]
    assert any("rana@met.example" in caption.value for caption in app.caption)
    app.button(key="logout").click().run()
    assert door.left == [True]
    monkeypatch.setattr(admin, "may", lambda _: True)
    assert admin.allowed(core.open_core(), "change") == "dashboard: rana@met.example"


@pytest.mark.parametrize(
    ("secrets", "library", "said"),
    [
        (COMPLETE, False, "library"),
        ("[auth\n", True, "cannot be read"),
        ('auth = "yes"\n', True, "cannot be read"),
        (b"\xff\xfe", True, "cannot be read"),
    ],
)
def test_what_cannot_work_stays_closed_and_says_why(
    door: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, secrets: str | bytes, library: bool, said: str
) -> None:
    monkeypatch.setattr(core.bootstrap, "_build", _never)
    monkeypatch.setattr("ui.login.is_authlib_installed", lambda: library)
    door.file.write_bytes(secrets if isinstance(secrets, bytes) else secrets.encode())
    app = drawn()
    assert said in app.error[0].value
    assert not [*app.title, *app.button]


@pytest.mark.parametrize("secrets", ["[auth]\n", '[auth]\nclient_id = "a"\n'])
def test_a_login_that_is_not_complete_stays_closed(
    door: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, secrets: str
) -> None:
    def refused(_: str | None) -> None:
        raise StreamlitAuthError("not complete")

    monkeypatch.setattr(core.bootstrap, "_build", _never)
    monkeypatch.setattr(st, "login", refused)
    door.file.write_text(secrets)
    app = drawn().button(key="login default").click().run()
    assert "not configured completely" in app.error[0].value
