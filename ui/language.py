"""The reader's language: chosen in the header, in the address bar as `?lang=hi`, kept from page to page."""

from __future__ import annotations

from contextvars import ContextVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import DEFAULT_LANGUAGE, LANGUAGES, Language, language, opened_core

LANGUAGE, PICKER = "lang", "language picker"
#: The language of this run of the script: asked for hundreds of times while a page is drawn.
_NOW: ContextVar[Language | None] = ContextVar("language", default=None)


def begin() -> Language:
    """Find the language of this run of the script: from the address bar, the one chosen before, else the default.

    The address bar says which one it is where it is not the default, so that a page can be shared and drawn again.
    """
    if get_script_run_ctx(suppress_warning=True) is None:
        return language(default())
    asked = (st.query_params.get(LANGUAGE), st.session_state.get(LANGUAGE), default())
    found = str(next((code for code in asked if code in LANGUAGES), DEFAULT_LANGUAGE))
    st.session_state[LANGUAGE] = found
    if found != default() and st.query_params.get(LANGUAGE) != found:
        st.query_params[LANGUAGE] = found
    _NOW.set(language(found))
    return language(found)


def current() -> Language:
    """Return the language of this session."""
    return _NOW.get() or begin()


def default() -> str:
    """Return the code of the language that is shown where none was chosen: a setting of the house."""
    house = opened_core()
    return DEFAULT_LANGUAGE if house is None else house.settings.language


def say(text: str, /, **values: object) -> str:
    """Return a text of the interface in the reader's language; the text is a literal, or a key of the catalogue."""
    return current().say(text, **values)


def address() -> dict[str, str]:
    """Return the language as it stands in the address bar; nothing where it is the default."""
    code = st.session_state.get(LANGUAGE, default())
    return {} if code == default() else {LANGUAGE: code}


def pick() -> None:
    """Let the reader change the language; the address bar follows."""
    st.session_state[PICKER] = current().code
    st.selectbox(
        "Language / भाषा", list(LANGUAGES), format_func=LANGUAGES.__getitem__, key=PICKER, on_change=_picked, width=120,
        label_visibility="collapsed",
    )  # fmt: skip


def _picked() -> None:
    code = st.session_state[PICKER]
    st.session_state[LANGUAGE] = st.query_params[LANGUAGE] = code
