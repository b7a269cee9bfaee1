"""Login through the organisation's own provider (OpenID Connect), where `.streamlit/secrets.toml` names one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.auth_util import is_authlib_installed
from streamlit.errors import StreamlitAuthError

from core import CloudburstError, ConfigurationError
from ui import components
from ui.language import say
from ui.words import plain

#: The provider whose settings stand in `[auth]` itself; a table below it is a provider by name.
DEFAULT = "default"
INCOMPLETE = ConfigurationError(
    "This login is not configured completely.",
    hint="[auth] in .streamlit/secrets.toml needs redirect_uri, cookie_secret, client_id, client_secret and"
    " server_metadata_url.",
)


def needed() -> bool:
    """Say whether this visitor must log in before anything is shown; yes also where a login cannot work."""
    try:
        return bool(providers()) and not st.user.get("is_logged_in")
    except CloudburstError:
        return True


def ask() -> None:
    """Draw the door in the place of a page: one button for each provider, or why nobody can log in."""
    try:
        configured = providers()
    except CloudburstError as error:
        components.refusal(error)
        return
    st.title(say("Cloudburst Watch"), anchor=False)
    st.write(say("This dashboard asks who you are."))
    for provider in configured:
        label = say("Log in") if provider == DEFAULT else say("Log in with {provider}", provider=plain(provider))
        if st.button(label, icon=":material/login:", type="primary", key=f"login {provider}"):
            try:
                st.login(None if provider == DEFAULT else provider)
            except StreamlitAuthError:
                components.refusal(INCOMPLETE)


def who() -> None:
    """Draw who is logged in, and the way out; nothing where there is no login."""
    known = name()
    if known is not None:
        with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
            st.caption(say("Logged in as {known}", known=plain(known)))
            st.button(say("Log out"), icon=":material/logout:", type="tertiary", key="logout", on_click=st.logout)


def name() -> str | None:
    """Return who is logged in, None where there is no login."""
    if not st.user.get("is_logged_in"):
        return None
    return str(st.user.get("email") or st.user.get("name") or st.user.get("sub") or "somebody")


def providers() -> tuple[str, ...]:
    """Return the providers of the login; none where no login is configured.

    Raises
    ------
    CloudburstError
        If one is configured and cannot work.
    """
    auth = _section()
    if auth is None:
        return ()
    if not is_authlib_installed():
        raise ConfigurationError(
            "A login is configured, and the library it needs is not installed.",
            hint="Install what requirements.txt names (Authlib), and start anew.",
        )
    named = tuple(key for key, value in auth.items() if isinstance(value, Mapping) and key != "client_kwargs")
    return named or (DEFAULT,)


def _section() -> Mapping[str, Any] | None:
    """Return `[auth]` of the secrets, None where there is no such section or no such file."""
    try:
        section = st.secrets.get("auth")
    except (OSError, UnicodeError) as error:
        if getattr(error, "error_id", "") == "no-secrets-found":
            return None
        section = error  # a file that cannot be read must not open what it was meant to close
    if section is None or isinstance(section, Mapping):
        return section
    raise ConfigurationError(
        "The secrets cannot be read, so that nobody knows whether this dashboard asks for a login.",
        hint="Correct .streamlit/secrets.toml, or remove it, and start anew.",
    )
