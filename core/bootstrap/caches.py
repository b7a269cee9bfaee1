"""The front door of the cache for scripts: the one of the house, and a decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from core.bootstrap import open_core
from core.caching.keys import remembered
from core.caching.two_level import DEFAULT_CATEGORY, TwoLevelCache

P = ParamSpec("P")
R = TypeVar("R")


def get_cache_manager() -> TwoLevelCache:
    """Return the cache of this process's house.

    Raises
    ------
    ConfigurationError
        If the house cannot be opened.
    """
    return open_core().cache


def cached(category: str = DEFAULT_CATEGORY, ttl: float | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator: what a function returns is kept, by its name and its plain arguments.

    Parameters
    ----------
    category
        For how long, by the settings; `ttl` (seconds) where they are not to decide.
    """
    return remembered(get_cache_manager, category, ttl)
