"""The end of the program by SIGTERM: not ready from that moment on, what it does is done, and it is gone in time."""

from __future__ import annotations

import os
import signal
import threading

import structlog

log = structlog.get_logger()
#: Whoever sends SIGTERM waits ten seconds: what is not done by then is left as a kill would leave it, which is whole.
MOST_S = 9.0

_told = threading.Event()


def leaving() -> bool:
    """Say whether the program was told to end."""
    return _told.is_set()


def leave_when_told() -> None:
    """Let SIGTERM end this server with code 0; called by the server's own thread while it starts.

    uvicorn closes its door, lets the requests in flight be answered, and then dies of the signal that it was sent, as
    long as nothing lasts: a request without an end would keep it for ever.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if not hasattr(server, "should_exit"):
        return  # a server of another kind knows its own end

    def leave(_signal: int, _frame: object) -> None:
        server.should_exit = True  # type: ignore[union-attr]  # looked at above
        if not _told.is_set():
            _told.set()
            last = threading.Timer(MOST_S, _end)
            last.daemon = True
            last.start()

    signal.signal(signal.SIGTERM, leave)


def _end() -> None:
    log.warning("the program ends before all that it was doing is done", after_s=MOST_S)
    os._exit(0)
