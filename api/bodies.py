"""Bodies are read, capped and parsed before any route sees them: plain strict JSON of 64 KB at the most."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import UNPROCESSABLE, problem
from core import NotStrict, parse_json

#: Bytes of a body: a weather record has 300 to 600, nothing else that is asked has more.
MOST_BYTES = 64 * 1024
#: Seconds until the whole body must be here, however it drips in.
BODY_DEADLINE_S = 10.0
TOO_SLOW, TOO_LARGE, NOT_JSON = 408, 413, 415
METHODS = frozenset({"POST", "PUT", "PATCH"})
#: The refusals, for the OpenAPI text of every route that takes a body.
REFUSALS: dict[int | str, dict[str, Any]] = {
    TOO_SLOW: {"description": "The body came too slowly (problem document)"},
    TOO_LARGE: {"description": "The body is too large (problem document)"},
    NOT_JSON: {"description": "Not application/json, or compressed (problem document)"},
    UNPROCESSABLE: {
        "description": "Not strict JSON, or a field that does not fit; names the fields (problem document)"
    },
}


@dataclass(frozen=True)
class Sent:
    """A body that holds: its bytes as they came, and the value read from them."""

    body: bytes = field(repr=False)
    value: Any


class _Gone(Exception):
    """The client went away."""


class StrictBodies:
    """ASGI middleware that reads every body, refuses what does not hold, and leaves requests without one alone.

    What does not hold is refused as a problem document that never repeats it: 408 (slow), 413 (large), 415 (no plain
    JSON) or 422 (not strict JSON). What holds stands in `request.state.sent`, and reaches the route as it came. Whether
    an empty body will do is for the route to say.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int = MOST_BYTES, deadline_s: float = BODY_DEADLINE_S) -> None:
        self.app = app
        self.most_bytes = most_bytes
        self.deadline_s = deadline_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read what is posted; pass on everything else."""
        if scope["type"] != "http" or scope["method"] not in METHODS:
            await self.app(scope, receive, send)
            return
        try:
            read = await self._sent(Headers(scope=scope), receive)
        except _Gone:
            return
        if isinstance(read, Response):
            await read(scope, receive, send)
            return
        # The state of the application may be one for all requests: this one's gets a copy.
        scope["state"] = {**scope.get("state", {}), "sent": read}
        await self.app(scope, _again(read.body, receive), send)

    async def _sent(self, headers: Headers, receive: Receive) -> Sent | Response:
        """Return what was sent, or why it is refused."""
        announced = headers.get("content-length", "0")
        if not (announced.isascii() and announced.isdigit()) or len(announced) > 12 or int(announced) > self.most_bytes:
            return self._too_large()
        try:
            async with asyncio.timeout(self.deadline_s):
                body = await self._read(receive)
        except TimeoutError:
            return problem(TOO_SLOW, "Too slow", f"The body was not here within {self.deadline_s:g} s.")
        if body is None:
            return self._too_large()
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if body and (kind != "application/json" or headers.get("content-encoding", "identity").lower() != "identity"):
            return problem(NOT_JSON, "Not plain JSON", "Send application/json, not compressed.")
        try:
            return Sent(body, parse_json(body) if body else None)
        except NotStrict as error:
            return problem(UNPROCESSABLE, "Invalid JSON", str(error))

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body, nothing where it grows too large."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            body += message.get("body", b"")
            if len(body) > self.most_bytes:
                return None
            if not message.get("more_body", False):
                return bytes(body)

    def _too_large(self) -> Response:
        return problem(TOO_LARGE, "Too large", f"A body may have {self.most_bytes} bytes; send less at once.")


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that hands out the body once more, then what comes after it."""
    left = [body]

    async def replayed() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replayed
