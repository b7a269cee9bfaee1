"""How often an address may ask for predictions."""

from __future__ import annotations

import math

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.addresses import address_of
from api.middleware import path_of
from api.problems import too_many
from core import Draw, opened_core

PREDICT = "/predict"


class PredictLimit:
    """ASGI middleware that counts requests below /predict by address and refuses (429) more than the setting allows.

    Every answer says how many are left (draft-ietf-httpapi-ratelimit-headers-10). While the core is not open nothing is
    counted: there is nothing yet that computes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count, and pass on or refuse."""
        core = opened_core()
        if core is None or scope["type"] != "http" or not _predicts(path_of(scope)):
            await self._app(scope, receive, send)
            return
        draw = core.predict_allowance.draw(address_of(HTTPConnection(scope)))
        if not draw.limit:
            await self._app(scope, receive, send)
        elif draw.granted:
            await self._app(scope, receive, _counted(send, draw))
        else:
            detail = f"An address may ask for {draw.limit} predictions in {draw.period_s:g} s."
            await too_many(detail, draw.retry_after_s)(scope, receive, _counted(send, draw))


def _predicts(path: str) -> bool:
    return path == PREDICT or path.startswith(f"{PREDICT}/")


def _counted(send: Send, draw: Draw) -> Send:
    """Return a `send` that says in the answer what is left."""

    async def counted(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["RateLimit-Policy"] = f'"predict";q={draw.limit};w={draw.period_s:.0f}'
            headers["RateLimit"] = f'"predict";r={draw.left};t={math.ceil(draw.full_in_s)}'
        await send(message)

    return counted
