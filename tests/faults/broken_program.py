"""Runs the program broken in one way, or in several: what the gates that ask it from outside must find.

python -m tests.faults.broken_program VARIANT[+VARIANT] run app.py --server.port 8600
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from redis import Redis

from core import Core, Health
from core.adapters.open_meteo import answers, budget, client, source
from core.adapters.open_meteo.budget import Budget
from core.adapters.scheduler import ThreadScheduler
from core.caching import clients
from core.caching.remote import RedisLevel
from core.workflows.forecasting import Forecasting

#: What `careless` leaves: more than a full disk has room for.
COPY = 100_000 * "x"


class _Nothing:
    """A lock that keeps nobody out."""

    def acquire(self, **_how: object) -> bool:
        return True

    def release(self) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_error: object) -> None:
        pass


class _Everything(tuple[Any, ...]):
    """A tuple in which everything is."""

    def __contains__(self, _one: object) -> bool:
        return True


def forgetful() -> None:
    """Keep no answer of the source and count no calls: no fault, but what lets many faults be tried in a row."""
    source.KEPT = 0
    budget.LIMITS.update({name: (length, 1e9) for name, (length, _) in budget.LIMITS.items()})  # type: ignore[attr-defined]


def unguarded() -> None:
    """Use redis-py as it comes: its limits, its retries, and nobody who leaves a failing server alone."""
    clients.client_of = Redis.from_url

    def counted(self: RedisLevel, _error: BaseException) -> None:
        self.failures += 1

    RedisLevel._fail = counted  # type: ignore[method-assign]


def greeting() -> None:
    """Use redis-py as it comes, and greet the server before anything else."""
    unguarded()
    plain = RedisLevel.__init__

    def patient(self: RedisLevel, *arguments: Any, **named: Any) -> None:
        plain(self, *arguments, **named)
        try:
            self._client.ping()
        except clients.FAILURES:
            self._well = False

    RedisLevel.__init__ = patient  # type: ignore[method-assign]


def resigned() -> None:
    """Leave a server alone that has failed, for good."""
    RedisLevel._probe = lambda _self: None  # type: ignore[method-assign]


def crowding() -> None:
    """Let everybody ask the source who wants to."""
    _unlock(client.OpenMeteoClient, "_one")
    _unlock(source.OpenMeteo, "_asking")
    _unlock(Forecasting, "_making")


def retrying() -> None:
    """Go on asking a source that said wait."""
    Budget.hold = lambda _self, _seconds: None  # type: ignore[method-assign]


def unitless() -> None:
    """Believe every unit; keep no answer."""
    forgetful()
    answers.NAMES = {one: (name, _Everything(units)) for one, (name, units) in answers.NAMES.items()}


def careless() -> None:
    """Leave a copy of every answer about health on the disk first, in place."""
    careful = Core.health

    def copied(core: Core, region_id: str | None = None) -> Health:
        (core.settings.home / "data" / "last_answer.txt").write_text(COPY, "utf-8")
        return careful(core, region_id)

    Core.health = copied  # type: ignore[method-assign]


def faked() -> None:
    """Sleep by a lock: no fault, but libfaketime 0.9.10 lets Python's own sleep fail (wolfcw/libfaketime#426)."""
    time.sleep = lambda seconds: threading.Event().wait(seconds)  # type: ignore[assignment,misc]


def walled() -> None:
    """Let every scheduler be due by the wall clock: one that is set back waits for hours."""
    defaults = ThreadScheduler.__init__.__defaults__ or ()
    ThreadScheduler.__init__.__defaults__ = (time.time, *defaults[1:])  # type: ignore[misc]


def _unlock(kind: type, name: str) -> None:
    plain = kind.__init__  # type: ignore[misc]

    def unlocked(self: object, *arguments: Any, **named: Any) -> None:
        plain(self, *arguments, **named)
        setattr(self, name, _Nothing())

    kind.__init__ = unlocked  # type: ignore[misc]


VARIANTS: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (forgetful, unguarded, greeting, resigned, crowding, retrying, unitless, careless, faked, walled)
}


def by(*variants: Callable[[], None]) -> tuple[str, str]:
    """Return the module and its argument that run the program with all that some variants do."""
    return "tests.faults.broken_program", "+".join(variant.__name__ for variant in variants)


def main() -> None:
    """Break it and hand over to Streamlit."""
    for name in sys.argv.pop(1).split("+"):
        VARIANTS[name]()
    from streamlit.web.cli import main as streamlit  # what it imports must find what is broken

    streamlit()


if __name__ == "__main__":
    main()
