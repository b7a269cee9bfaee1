"""The reader's language: chosen in the header, in the address bar as `?lang=hi`, kept from page to page."""

from __future__ import annotations

import streamlit as st

from core import DEFAULT_LANGUAGE, LANGUAGES, Language, language

LANGUAGE = "lang"


def current() -> Language:
    """Return the language of this session: from the address bar, else the one chosen before, else English."""
    asked = (st.query_params.get(LANGUAGE), st.session_state.get(LANGUAGE))
    found = str(next((code for code in asked if code in LANGUAGES), DEFAULT_LANGUAGE))
    st.session_state[LANGUAGE] = found
    return language(found)


def say(text: str, /, **values: object) -> str:
    """Return a text of the interface in the reader's language; the text is a literal, or a key of the catalogue."""
    return current().say(text, **values)


def pick() -> None:
    """Let the reader change the language; the address bar follows."""
    codes, now = list(LANGUAGES), current().code
    picked = st.selectbox(
        "Language / भाषा",
        codes,
        index=codes.index(now),
        format_func=lambda code: LANGUAGES[code],
        key="language picker",
        width=140,
    )
    if picked != now:
        st.session_state[LANGUAGE] = picked
        st.query_params[LANGUAGE] = picked
        st.rerun()
