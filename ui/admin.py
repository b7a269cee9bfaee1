"""Who may change what serves, from a page: one click on a dashboard of one's own, the token everywhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from core import CloudburstError, Core
from ui import components, login
from ui.language import say

#: Key of the session that remembers a right token; it ends with the session.
KNOWN = "admin token known"
FORWARDED = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
WHO = "dashboard"
#: Streamlit hides the address of a visitor from this machine.
LOOPBACK = "127.0.0.1"


def allowed(core: Core, what: str) -> str | None:
    """Return who acts, in words; where the token is needed and not known yet, ask for it and return None.

    Parameters
    ----------
    what
        Names the action: a page may ask in several places.
    """
    if may(core):
        name = login.name()
        return WHO if name is None else f"{WHO}: {name}"
    with st.form(f"admin {what}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        token = st.text_input(say("Admin token"), type="password", key=f"admin token {what}", width=320)
        sent = st.form_submit_button(say("Unlock"), icon=":material/lock_open:")
    st.caption(say("What changes who serves needs the token: CLOUDBURST_ADMIN_TOKEN, or the file data/admin.token."))
    if sent:
        _try(core, token)
    return None


def may(core: Core) -> bool:
    """Say whether this session may act without being asked."""
    return one_click(core) or bool(st.session_state.get(KNOWN))


def one_click(core: Core) -> bool:
    """Say whether only this machine can reach the dashboard, and nobody asked for a token.

    A proxy on this machine makes everybody local; it says so in a header, or names another origin.
    """
    if FORWARDED & {name.lower() for name in st.context.headers}:
        return False
    origin = urlsplit(st.context.headers.get("Origin", "")).hostname
    if origin is not None and origin not in LOCAL:
        return False
    hosts = st.get_option("server.allowedHosts") or [""]  # an empty list allows every host
    near = st.get_option("server.address") in LOCAL and LOCAL.issuperset(hosts)
    return near and not core.admin.configured


def _try(core: Core, token: str) -> None:
    try:
        right = core.admin.knows(token, st.context.ip_address or LOOPBACK)
    except CloudburstError as error:
        components.refusal(error)
        return
    if right:
        st.session_state[KNOWN] = True
        st.rerun()
    st.error(say("This is not the token."), icon=":material/lock:")
