"""The settings of Streamlit that keep others out are there, each with its reason."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"
TEXT = CONFIG.read_text("utf-8")
SETTINGS = tomllib.loads(TEXT)
PINNED = {
    "browser.gatherUsageStats": False,
    "server.address": "127.0.0.1",
    "server.allowedHosts": ["localhost", "127.0.0.1"],
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.allowedOrigins": [],
}
#: Megabytes that a browser may make this server hold.
CAPS = {"server.maxUploadSize": 5, "server.maxMessageSize": 20, "server.maxWidgetStateSize": 5}


def told(option: str) -> object:
    section, name = option.split(".")
    return SETTINGS[section][name]


@pytest.mark.parametrize("option", PINNED)
def test_what_keeps_others_out_is_set(option: str) -> None:
    assert told(option) == PINNED[option]


@pytest.mark.parametrize("option", CAPS)
def test_what_a_browser_may_send_is_capped(option: str) -> None:
    assert 0 < told(option) <= CAPS[option]


def test_every_option_stands_in_this_version_of_streamlit() -> None:
    """A misspelt option is silently ignored by Streamlit."""
    from streamlit import config

    known = set(config._config_options_template)
    named = {f"{section}.{name}" for section, values in SETTINGS.items() for name in values}
    assert {name for name in named if not name.startswith("theme.")} <= known


def test_every_option_outside_the_theme_has_its_reason() -> None:
    before = TEXT[: TEXT.index("[theme]")]
    assert [line for line in before.splitlines() if " = " in line and " # " not in line] == []


def test_secrets_are_never_committed() -> None:
    assert "/.streamlit/secrets.toml" in (CONFIG.parents[1] / ".gitignore").read_text("utf-8").splitlines()
