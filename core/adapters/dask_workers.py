"""Port `Workers` on Dask: processes of this machine that come and go with the work, or a cluster at an address.

What travels is code by name and values by pickle, so whoever reaches a scheduler can run anything as its user: the
local cluster listens on loopback alone and asks for a certificate that only its own processes have. A cluster at an
address is as safe as its network, or as its certificates (`tls://`, Dask's own settings).
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

from core.errors import CloudburstError, WorkersUnavailable
from core.features import table
from core.ports import ALONE

Shared = TypeVar("Shared")
Part = TypeVar("Part")
Result = TypeVar("Result")
log = structlog.get_logger()
#: A local cluster is there after 1 s, and its processes know the libraries after 3 more; what takes less than this in
#: one process, seconds, stays there.
WORTH_S = 10.0
#: Cores that one process uses by itself: forests and boostings are fitted, and trees scored, by two threads. No more
#: workers than that, each in one thread, gain nothing.
OWN_CORES = 2
#: So long a scheduler may take to answer, and its first worker to be there, seconds.
CONNECT_S = 10.0
#: How often what was lost with a worker is sent again.
TRIES = 3
#: Libraries that the results depend on: a worker with another version of one is refused.
LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "dask", "distributed")
#: Scheduler and workers serve HTTP whether anybody wants it or not: without a page.
NO_PAGES: dict[str, list[str]] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
#: The program, whose digest a worker must have too.
CORE = Path(__file__).resolve().parents[1]
HINT = "Look at the cluster, or set CLOUDBURST_DASK=local: (this machine) or none: (this process)."


class DaskWorkers:
    """Port `Workers`. A context: the cluster is there from the first work that is worth it to the end.

    Parameters
    ----------
    address
        Scheduler, `tcp://HOST:PORT` or `tls://HOST:PORT`; empty: processes of this machine.
    count
        Processes of this machine; None: one for every core that this process may use and nobody else does, where those
        are more than it uses by itself.
    """

    def __init__(self, address: str = "", count: int | None = None) -> None:
        self._address = address
        self._count = count or free_cores()
        self._least = 2 if count else OWN_CORES + 1
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
        if not self._address and (len(parts) < 2 or self._count < self._least or effort_s < WORTH_S):
            yield from ALONE.each(work, shared, parts)
            return
        try:
            yield from self._each(work, shared, parts)
        finally:
            if not self._entered:
                self._close()

    def _each(self, work: Callable[[Shared, Part], Result], shared: Shared, parts: Sequence[Part]) -> Iterator[Result]:
        futures: list[Any] = []
        try:
            for number in range(len(parts)):
                lost = 0
                while True:
                    try:
                        futures = futures or self._sent(work, shared, parts[number:])
                        answer = futures[0].result()
                        break
                    except _losses() as error:
                        futures, self._scattered = [], None
                        lost += 1
                        log.warning("workers were lost", done=number, parts=len(parts), error=_named(error))
                        if self._client.status != "running":
                            raise _gone(error) from None
                        if lost == TRIES:
                            raise _deadly() from None
                    except CloudburstError:
                        raise
                    except Exception as error:  # what a worker that cannot take the work says of it has many types
                        raise _unfit(error) from None
                del futures[0]  # its memory is free again
                if isinstance(answer, Failed):
                    raise answer.error
                yield answer.result
        finally:
            if futures and self._client is not None and self._client.status == "running":
                self._client.cancel(futures)

    def _sent(self, work: Callable[[Shared, Part], Result], shared: Shared, parts: Sequence[Part]) -> list[Any]:
        """Give all parts out; return what will be their answers."""
        client = self._connected()
        if self._scattered is None or self._scattered[0] is not shared:
            self._scattered = None
            [there] = client.scatter([shared], broadcast=True, hash=False)
            self._scattered = shared, there
        return [client.submit(done, stamp(), work, self._scattered[1], part, pure=False) for part in parts]

    def _connected(self) -> Any:
        """Return the client, whose workers are there and run this very program."""
        if self._client is None:
            try:
                self._client = self._joined()
                self._client.wait_for_workers(1, timeout=CONNECT_S)
                found = self._client.run(stamp, on_error="return")
            except Exception as error:  # what Dask says of a cluster that is not there has many types
                self._close()
                where = f"at {self._address}" if self._address else "on this machine"
                raise WorkersUnavailable(f"No Dask cluster answers {where} ({_named(error)}).", hint=HINT) from None
            except BaseException:
                self._close()
                raise
            for worker, theirs in found.items():
                if differs := difference(theirs):
                    self._close()
                    raise _foreign(worker, differs)
        return self._client

    def _joined(self) -> Any:
        import dask
        import distributed as untyped

        distributed: Any = untyped
        # What goes wrong is said by this house, in its words.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        dask.config.set({"distributed.comm.timeouts.connect": f"{CONNECT_S}s", **NO_PAGES})
        options: dict[str, Any] = {"timeout": CONNECT_S, "set_as_default": False}
        if self._address:
            return self._open.enter_context(distributed.Client(self._address, **options))
        security = distributed.Security.temporary()
        cluster = distributed.LocalCluster(
            n_workers=self._count,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            protocol="tls://",
            security=security,
            dashboard_address="127.0.0.1:0",  # None would ask for port 8787 all the same
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.CRITICAL,
        )
        self._open.enter_context(cluster)
        return self._open.enter_context(
            distributed.Client(cluster, security=security, direct_to_workers=True, **options)
        )

    def _close(self) -> None:
        self._client, self._scattered = None, None
        self._open.close()


def free_cores() -> int:
    """Return how many cores this process may use that had no work in the last minute, 1 at the least.

    On two cores with five other busy processes two workers took up to four times as long as one process.
    """
    return max(1, len(os.sched_getaffinity(0)) - round(os.getloadavg()[0]))


@dataclass(frozen=True)
class Done:
    """What a part gave."""

    result: Any


@dataclass(frozen=True)
class Failed:
    """What a part raised: an error of the work, not of whoever shares it."""

    error: Exception


def done(ours: Mapping[str, str], work: Callable[[Any, Any], Any], shared: Any, part: Any) -> Done | Failed:
    """Do one part in a worker, in one thread: those of its neighbours have the other cores."""
    if differs := difference(ours):  # it came after the others had been asked
        return Failed(_foreign("one that came later", differs))
    try:
        with one_thread():
            return Done(work(shared, part))
    except Exception as error:
        return Failed(error)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let numerical libraries, and the forests of scikit-learn, work in one thread."""
    import joblib
    import threadpoolctl

    with threadpoolctl.threadpool_limits(limits=1), joblib.parallel_config("sequential"):
        yield


@cache
def stamp() -> dict[str, str]:
    """Return what this process computes with: versions of libraries, feature sets, and a digest of the program."""
    digest = hashlib.sha256()
    for path in sorted(CORE.rglob("*.py")):
        digest.update(path.relative_to(CORE).as_posix().encode() + b"\0" + path.read_bytes())
    return {
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in LIBRARIES},
        "features": ", ".join(table.FEATURE_SETS.values()),
        "program": digest.hexdigest()[:12],
    }


def difference(theirs: object) -> str:
    """Return in words how another process differs from this one; empty where it does not."""
    if not isinstance(theirs, Mapping):
        return f"it cannot run this program ({_named(theirs)})"
    ours = stamp()
    return "; ".join(f"{name} {theirs.get(name)}, here {ours[name]}" for name in ours if theirs.get(name) != ours[name])


def _losses() -> tuple[type[BaseException], ...]:
    """Return what a client says where workers or the way to them are lost."""
    from distributed.client import ClosedClientError

    return CancelledError, ClosedClientError, OSError


def _gone(error: BaseException) -> WorkersUnavailable:
    return WorkersUnavailable(f"The Dask cluster was lost in the middle of the work ({_named(error)}).", hint=HINT)


def _unfit(error: Exception) -> WorkersUnavailable:
    if _named(error) == "KilledWorker":
        return _deadly()
    return WorkersUnavailable(f"A worker cannot take the work: {_named(error)}: {str(error)[:200]}", hint=HINT)


def _deadly() -> WorkersUnavailable:
    return WorkersUnavailable(
        "A part of the work has ended every worker that tried it.",
        hint="Give the workers more memory, or do it in one process: CLOUDBURST_DASK=none:.",
    )


def _foreign(worker: str, differs: str) -> WorkersUnavailable:
    return WorkersUnavailable(
        f"The Dask worker {worker} runs another program: {differs}.",
        hint="Start the workers from the same release with the same requirements.lock.",
    )


def _named(error: object) -> str:
    return type(error).__name__
