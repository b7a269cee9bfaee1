"""Memory that the C library keeps: what a job needs for a moment leaves holes, which stay held."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> bool:
    """Give whole pages of holes back to the system; say whether the C library can (glibc does, in some 10 ms).

    It looks at all arenas, malloc_trim(3); nothing that is in use moves.
    """
    if not sys.platform.startswith("linux"):
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    return trim is not None and trim(0) >= 0
