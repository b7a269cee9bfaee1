"""Under which names this server answers: those of `server.allowedHosts`, for pages and API alike."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from api.problems import problem

FOREIGN = 400


class KnownHosts:
    """ASGI middleware that refuses what was sent to a foreign name: a page elsewhere that lets its name point here.

    Streamlit asks the same of sessions alone and answers everything else (STREAMLIT 1.67); its own rule is used, so
    that both agree on ports, patterns and an empty list, which allows every name. Sessions are left to it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer under known names only."""
        if scope["type"] == "http" and not is_host_allowed(Headers(scope=scope).get("host")):
            detail = "This server does not answer under this name; server.allowedHosts lists the names it has."
            await problem(FOREIGN, "Unknown host", detail)(scope, receive, send)
            return
        await self._app(scope, receive, send)
