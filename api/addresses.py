"""Who asks: the address behind a reverse proxy that is trusted, and one name for all behind one that is not."""

from __future__ import annotations

import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from core import opened_core

log = structlog.get_logger()

#: Under this name all are counted who come through a proxy that no setting names: it, or whoever plays one, could say
#: any address.
FORWARDED = "an unknown proxy"
FORWARDED_FOR = b"x-forwarded-for"


class KnownAddress:
    """ASGI middleware that lets `scope["client"]` be who asks, as far as it can be known.

    uvicorn believes every process of this machine when it names somebody else (its FORWARDED_ALLOW_IPS), and any such
    process could then guess tokens under as many addresses as it likes. So that without `CLOUDBURST_TRUSTED_PROXIES`
    nobody is believed; with it, uvicorn's own middleware looks behind the proxies named.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._behind: dict[tuple[str, ...], ProxyHeadersMiddleware] = {}
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the address that counts."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        core = opened_core()
        proxies = core.settings.proxies if core is not None else ()
        if proxies:
            if proxies not in self._behind:
                self._behind = {proxies: ProxyHeadersMiddleware(self._app, list(proxies))}  # type: ignore[arg-type]
            await self._behind[proxies](scope, receive, send)  # type: ignore[arg-type]
            return
        if any(name == FORWARDED_FOR for name, _ in scope["headers"]):
            self._warn()
            scope = {**scope, "client": (FORWARDED, 0)}
        await self._app(scope, receive, send)

    def _warn(self) -> None:
        if not self._warned:
            log.warning("requests come through a proxy that CLOUDBURST_TRUSTED_PROXIES does not name")
        self._warned = True


def address_of(asked: HTTPConnection) -> str:
    """Return from where this comes."""
    return asked.client.host if asked.client else "unknown"
