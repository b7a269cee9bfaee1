"""Posted observations are validated before any route sees them: size, time, JSON, schema, quality."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import UNAVAILABLE, problem
from api.strict_json import NotStrict, parse
from core import CloudburstError, DataQualityMiddleware, RecordValidation, TableValidation, open_core

#: Bytes of a body: a record has 300 to 600.
MOST_BYTES = 64 * 1024
MOST_RECORDS = 100
#: Seconds until the whole body must be here, however it drips in.
BODY_DEADLINE_S = 10.0
#: Fields named in one refusal; the total stands beside them.
MOST_ERRORS = 50
HEADER = "Data-Quality"
TOO_SLOW, TOO_LARGE, NOT_JSON, UNFIT = 408, 413, 415, 422
#: The refusals, for the OpenAPI text of a route behind the middleware.
REFUSALS: dict[int | str, dict[str, Any]] = {
    TOO_SLOW: {"description": "The body came too slowly (problem document)"},
    TOO_LARGE: {"description": "The body is too large (problem document)"},
    NOT_JSON: {"description": "Not application/json, or compressed (problem document)"},
    UNFIT: {"description": "Not strict JSON, or a record that does not fit; names the fields (problem document)"},
}


@dataclass(frozen=True)
class Posted:
    """What was posted and holds: the body as it came, the records read from it, and what the checks say."""

    body: bytes = field(repr=False)
    records: tuple[Any, ...]
    validation: RecordValidation | TableValidation


class _Gone(Exception):
    """The client went away."""


class PostedObservations:
    """ASGI middleware that validates what is posted to some paths and leaves everything else alone.

    What does not hold is refused as a problem document that names the fields and never repeats a value: 408 (slow), 413
    (large), 415 (no plain JSON) or 422. What fits the schema reaches the route as `request.state.posted`, and its
    answer carries the overall quality in the header `Data-Quality`. Values that the checks flag are no reason to
    refuse: that is for the route to judge.

    Parameters
    ----------
    app
        What to protect.
    paths
        Paths below the mount whose POST bodies are one record or a list of records.
    clock
        Says what time it is (UTC); without one the clock of the core, asked when a record says its time.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        paths: Collection[str],
        most_bytes: int = MOST_BYTES,
        most_records: int = MOST_RECORDS,
        deadline_s: float = BODY_DEADLINE_S,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.app = app
        self.paths = frozenset(paths)
        self.most_bytes = most_bytes
        self.most_records = most_records
        self.deadline_s = deadline_s
        self.quality = DataQualityMiddleware(clock=clock or _now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Validate a POST to one of the paths; pass on everything else."""
        if scope["type"] != "http" or scope["method"] != "POST" or _path(scope) not in self.paths:
            await self.app(scope, receive, send)
            return
        try:
            body = await self._body(Headers(scope=scope), receive)
        except _Gone:
            return
        taken = body if isinstance(body, Response) else await run_in_threadpool(self._take, body)
        if isinstance(taken, Response):
            await taken(scope, receive, send)
            return
        # The state of the application may be one for all requests: this one's gets a copy.
        known = {**scope, "state": {**scope.get("state", {}), "posted": taken}}
        await self.app(known, _again(taken.body, receive), _marked(send, taken))

    async def _body(self, headers: Headers, receive: Receive) -> bytes | Response:
        """Return the body, or why it is refused."""
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" or headers.get("content-encoding", "identity").lower() != "identity":
            return problem(NOT_JSON, "Not plain JSON", "Send application/json, not compressed.")
        announced = headers.get("content-length", "0")
        if not (announced.isascii() and announced.isdigit()) or len(announced) > 12 or int(announced) > self.most_bytes:
            return self._too_large()
        try:
            async with asyncio.timeout(self.deadline_s):
                return await self._read(receive)
        except TimeoutError:
            detail = f"The body was not here within {self.deadline_s:g} s."
            return problem(TOO_SLOW, "Too slow", detail)

    async def _read(self, receive: Receive) -> bytes | Response:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            body += message.get("body", b"")
            if len(body) > self.most_bytes:
                return self._too_large()
            if not message.get("more_body", False):
                return bytes(body)

    def _too_large(self) -> Response:
        return problem(TOO_LARGE, "Too large", f"A body may have {self.most_bytes} bytes; send fewer records at once.")

    def _take(self, body: bytes) -> Posted | Response:
        """Return what was posted, or why it is refused."""
        try:
            value = parse(body)
            if isinstance(value, list) and not 1 <= len(value) <= self.most_records:
                detail = f"1 to {self.most_records} records can be sent at once."
                return problem(UNFIT, "Invalid observations", detail)
            readings = self.quality.read(value)
        except NotStrict as error:
            return problem(UNFIT, "Invalid JSON", str(error))
        except CloudburstError as error:
            return problem(UNFIT, "Invalid observations", error.message, hint="Send one record or a list of records.")
        errors = [
            {"record": i, "field": misfit.field, "error": misfit.reason}
            for i, reading in enumerate(readings)
            for misfit in reading.misfits
        ]
        if errors:
            detail = f"{len(errors)} field{'s do' if len(errors) > 1 else ' does'} not fit."
            return problem(UNFIT, "Invalid observations", detail, errors=errors[:MOST_ERRORS], total=len(errors))
        try:
            one = isinstance(value, dict)
            validation = self.quality.judge_one(readings[0]) if one else self.quality.judge(readings)
        except CloudburstError as error:  # the core, whose clock is asked, cannot be opened
            return problem(UNAVAILABLE, type(error).__name__, error.message, hint=error.hint)
        return Posted(body, tuple(reading.record for reading in readings), validation)


def _now() -> datetime:
    return open_core().clock()


def _path(scope: Scope) -> str:
    """Return the path below the mount."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that hands out the body once more, then what comes after it."""
    left = [body]

    async def replayed() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replayed


def _marked(send: Send, posted: Posted) -> Send:
    """Return a `send` that adds the overall quality to the answer."""
    overall = posted.validation["quality_metrics"]["overall_quality"]

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start" and math.isfinite(overall):
            MutableHeaders(scope=message)[HEADER] = f"{overall:.3f}"
        await send(message)

    return marked
