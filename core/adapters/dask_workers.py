"""Port `Workers` on Dask: processes of this machine that come and go with the work, or a cluster at an address.

What travels is code by name and values by pickle, so whoever reaches a scheduler can run anything as its user: the
local cluster listens on loopback alone and asks for a certificate that only its own processes have. A cluster at an
address is as safe as its network, or as its certificates (`tls://`, Dask's own settings).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

from core.ports import ALONE

Shared = TypeVar("Shared")
Part = TypeVar("Part")
Result = TypeVar("Result")
log = structlog.get_logger()
#: A local cluster is there after 1 s, and its processes know the libraries after 3 more; what takes less than this in
#: one process, seconds, stays there.
WORTH_S = 10.0
#: So long a scheduler may take to answer, and its first worker to be there, seconds.
CONNECT_S = 10.0
#: How often what was lost with a worker is sent again.
TRIES = 3
#: Libraries that the results depend on: a worker with another version of one is refused.
LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "dask", "distributed")
HINT = "Look at the cluster, or set CLOUDBURST_DASK=local: (this machine) or none: (this process)."


class DaskWorkers:
    """Port `Workers`. A context: the cluster is there from the first work that is worth it to the end.

    Parameters
    ----------
    address
        Scheduler, `tcp://HOST:PORT` or `tls://HOST:PORT`; empty: processes of this machine.
    count
        Processes of this machine; None: one for every core that this process may use.
    """

    def __init__(self, address: str = "", count: int | None = None) -> None:
        self._address = address
        self._count = count or len(os.sched_getaffinity(0))
        self._open = ExitStack()
        self._client: Any = None
        self._entered = False
        self._scattered: tuple[Any, Any] | None = None

    def __enter__(self) -> Self:
        """Keep the cluster until the end."""
        self._entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the cluster of this machine, or leave the one at the address."""
        self._entered = False
        self._close()

    def each(
        self, work: Callable[[Shared, Part], Result], shared: Shared, parts: Sequence[Part], effort_s: float
    ) -> Iterator[Result]:
        """Yield the result of every part, in their order, whoever did it.

        Raises
        ------
        WorkersUnavailable
            If no scheduler or no worker answers, they run another program, or are lost again and again.
        """
        if not self._address and (len(parts) < 2 or self._count < 2 or effort_s < WORTH_S):
            yield from ALONE.each(work, shared, parts)
            return
        try:
            yield from self._each(work, shared, parts)
        finally:
            if not self._entered:
                self._close()

    def _each(
        self, work: Callable[[Shared, Part], Result], shared: Shared, parts: Sequence[Part]
    ) -> Iterator[Result]:
        done = 0
        for left in reversed(range(TRIES)):
            futures: list[Any] = []
            try:
                futures = self._sent(work, shared, parts[done:])
                while futures:
                    answer = futures[0].result()
                    futures.pop(0)  # its memory is free again
                    done += 1
                    if isinstance(answer, Failed):
                        raise answer.error
                    yield answer.result
                return
            except _lost() as error:
                self._scattered = None
                log.warning("workers were lost", done=done, parts=len(parts), error=_named(error))
                if not left or not self._answers():
                    raise _gone(error) from None
            finally:
                self._dropped(futures)
