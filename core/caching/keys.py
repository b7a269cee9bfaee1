"""Keys: what a value depends on stands in its key, so that a new model or a new run never shows an old number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from core.caching.two_level import DEFAULT_CATEGORY, Hit, TwoLevelCache
from core.errors import ConfigurationError

P = ParamSpec("P")
R = TypeVar("R")
_PLAIN = (str, int, float, bool, bytes, datetime, type(None))


@dataclass(frozen=True)
class WeatherCache:
    """Weather by region, variables, hours, and the run of the model that made it."""

    cache: TwoLevelCache

    @staticmethod
    def key(region: str, variables: Sequence[str], hours: int, run: str = "") -> str:
        """Return the key of some weather; the order of the variables makes no difference."""
        return f"weather:{region}:{','.join(sorted(variables))}:{hours}h:{run}"

    def get(self, region: str, variables: Sequence[str], hours: int, run: str = "") -> Hit | None:
        """Return what is found, fresh or stale, with its age."""
        return self.cache.lookup(self.key(region, variables, hours, run), "weather_data")

    def set(
        self,
        value: Any,
        region: str,
        variables: Sequence[str],
        hours: int,
        *,
        run: str = "",
        fetched_at: float | None = None,
    ) -> bool:
        """Keep weather fetched at a moment, seconds since 1970; older data never overwrite newer ones."""
        key = self.key(region, variables, hours, run)
        return self.cache.set(key, value, category="weather_data", fetched_at=fetched_at)


@dataclass(frozen=True)
class PredictionCache:
    """Predictions by place, hour, and the versions of model and features."""

    cache: TwoLevelCache

    @staticmethod
    def key(location_id: str, valid_from: datetime, model_version: str, feature_version: str) -> str:
        """Return the key of a prediction."""
        return f"prediction:{location_id}:{valid_from.isoformat()}:{model_version}:{feature_version}"

    def get(self, location_id: str, valid_from: datetime, model_version: str, feature_version: str) -> Hit | None:
        """Return what is found, fresh or stale, with its age."""
        return self.cache.lookup(self.key(location_id, valid_from, model_version, feature_version), "predictions")

    def set(self, value: Any, location_id: str, valid_from: datetime, model_version: str, feature_version: str) -> bool:
        """Keep a prediction."""
        key = self.key(location_id, valid_from, model_version, feature_version)
        return self.cache.set(key, value, category="predictions")


def remembered(
    where: Callable[[], TwoLevelCache], category: str = DEFAULT_CATEGORY, ttl: float | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator: what a function returns is kept, by its name and plain arguments.

    Parameters
    ----------
    where
        Returns the cache at every call: it may be opened later than the function is defined.
    category, ttl
        For how long.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        name = f"{function.__module__}.{function.__qualname__}"

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for one in (*args, *kwargs.values()):
                _plain(one, function.__name__)
            key = f"call:{name}:{args!r}:{sorted(kwargs.items())!r}"
            value: R = where().compute(key, lambda: function(*args, **kwargs), ttl, category)
            return value

        return call

    return decorate


def _plain(value: Any, name: str) -> None:
    """Refuse an argument that does not say in a few words what it is: two of them could share a key."""
    if isinstance(value, list | tuple | frozenset):
        for one in value:
            _plain(one, name)
    elif not isinstance(value, _PLAIN):
        raise ConfigurationError(
            f"{name} is cached by its arguments, and a {type(value).__name__} is no key.",
            hint="Give it texts, numbers and moments, or cache what it returns by hand.",
        )
