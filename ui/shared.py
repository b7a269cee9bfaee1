"""What pages make of an issue: shared by all sessions, not to be changed, and gone after minutes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import streamlit as st

P = ParamSpec("P")
R = TypeVar("R")
#: So long at the most, seconds. The next issue has keys of its own, and what was made of the last one would stay until
#: so many others have pushed it out: hours, on pages that few look at. Truths come without a new issue, too.
KEPT_S = 300


def shared(most: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return what keeps the values of a function by its arguments, `most` at once; those with `_` are no key."""
    return st.cache_resource(max_entries=most, ttl=KEPT_S, show_spinner=False)
