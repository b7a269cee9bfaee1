"""What a browser is told: whose pages may use the API, and what may be done with an answer."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware import HEADER as QUALITY
from api.requests import HEADER as REQUEST_ID
from core import opened_core

#: An answer of the API is never a page: it may load nothing, and nobody frames it.
API_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
#: Where one click suffices, a foreign page must not get that click by laying itself over a frame of ours.
PAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
}
#: What a page elsewhere may read of an answer beside its body.
EXPOSED = ("Retry-After", "RateLimit", "RateLimit-Policy", QUALITY, REQUEST_ID)
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class Told:
    """ASGI middleware that adds headers to every answer that does not set them itself."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    given.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, told)


class Cors:
    """ASGI middleware that lets the pages of `CLOUDBURST_CORS_ORIGINS` use the API, and no other page.

    Other origins are passed on: their browser finds no permission in the answer, and keeps it from the page. Cookies
    are never asked for; the admin token is a header, which a listed page may send.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with permission where the origin has it."""
        app, core = self._app, opened_core()
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if core is not None and origin in core.settings.origins:
            app = CORSMiddleware(
                app,
                allow_origins=[origin],
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type"],
                expose_headers=EXPOSED,
            )
        await app(scope, receive, send)


def policy_of(page: str) -> str:
    """Return the content security policy of a page of ours: files of this server, and the script that stands in it."""
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE.findall(page))
    scripts = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
