"""Every request has an id: it stands in the answer, in every line logged on its way, and in one line of its own."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import unexpected

log = structlog.get_logger()
HEADER = "X-Request-ID"
#: An id of somebody else's is taken where it cannot be mistaken for anything else; others get a new one.
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
#: Asked every few seconds by whoever watches: logged at DEBUG only.
WATCHED = frozenset({"/health", "/ready", "/metrics"})


class Identified:
    """ASGI middleware, the outermost: names a request, logs how it was answered, and answers what nobody foresaw.

    The line has the method, the pattern of the route, the status and the milliseconds until the last byte; never a
    path, a query or a body, which may hold anything.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get(HEADER, "")
        request_id = asked if WELL_FORMED.fullmatch(asked) else uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._answer(scope, receive, send, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        begun, status, mount = time.perf_counter(), 0, scope.get("route")

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, named)
        except Exception as error:
            log.exception("request failed")
            if status:  # half an answer cannot be taken back: the server breaks the connection off
                raise
            await unexpected(error, request_id)(scope, receive, named)
        finally:
            found = scope.get("route")  # that of the mount is no route of ours
            route = "none" if found is mount else getattr(found, "path", "none")
            say = log.debug if route in WATCHED else log.info
            spent_ms = round(1000 * (time.perf_counter() - begun), 1)
            say("request", method=scope["method"], route=route, status=status, ms=spent_ms)
