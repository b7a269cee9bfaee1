"""Answers that are kept: what was asked a moment ago is answered from the cache, while nothing newer was issued."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware import path_of
from core import Core, opened_core

log = structlog.get_logger()
#: What is kept: first parts of paths by method. What tells of the house at this moment is not among them.
KEPT = {
    "GET": frozenset({"forecasts", "map", "model"}),
    "POST": frozenset({"predict"}),
}
#: Whoever watches asks for this every few seconds or more often, and must be answered at once.
HEALTH = "/health"
#: From so many seconds on it is made anew behind the answer, and from so many on before it.
RENEWED_S, OVER_S = 1.0, 3.0
#: Longer answers are made anew.
MOST_BYTES = 2 * 2**20
NAME = "cloudburst"
OK, NOT_MODIFIED = 200, 304


@dataclass(frozen=True)
class _Route:
    """Stands for the route of an answer that no route has made."""

    path: str


class KeptAnswers:
    """ASGI middleware behind `StrictBodies` that keeps answers for the time of the category "api".

    A kept answer belongs to the issues that were current when it was made: it is over as soon as one of them is, also
    where its time is not. Every answer says in `Cache-Status` (RFC 9211) whether it was kept, in `Age` for how many
    seconds, and has an `ETag`; a GET with that in `If-None-Match` is answered by 304. `Cache-Control: no-cache` in a
    request makes the answer anew.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from the cache, or pass on and keep the answer."""
        core = opened_core()
        if core is None or scope["type"] != "http" or not _kept(scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = _asked(scope)
        anew = _anew(headers)
        hit = None if anew else await run_in_threadpool(core.cache.lookup, _key(core, asked))
        known = headers.get("if-none-match", "") if scope["method"] == "GET" else ""
        if hit is not None and hit.fresh:
            scope["route"] = _Route(hit.value["route"])
            status = f"{NAME}; hit; detail={hit.level}"
            await _Answer(hit.value["headers"], hit.value["body"]).send(send, status, hit.age_s, known)
            return
        answer = await _made(self._app, scope, receive, send)
        if answer is None:
            return
        value = {"headers": answer.headers, "body": answer.body, "route": getattr(scope.get("route"), "path", "none")}
        # Made by now are the issues that it speaks of: under their key it is found again.
        stored = await run_in_threadpool(lambda: core.cache.set(_key(core, asked), value, category="api"))
        status = f"{NAME}; fwd={'request' if anew else 'miss'}{'; stored' if stored else ''}"
        await answer.send(send, status, 0.0, known)


class KeptHealth:
    """ASGI middleware that answers `GET /health` from what was found at most three seconds ago, and says so in `Age`.

    An answer of health needs a thread, which waits for its turn among all that draw pages, for tens of milliseconds
    where a hundred are open; what is kept needs none. Who asks less often than every three seconds, or with
    `Cache-Control: no-cache`, gets what holds now.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: _Health | None = None
        self._renewal: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or pass on and keep the answer."""
        if scope["type"] != "http" or scope["method"] != "GET" or path_of(scope) != HEALTH:
            await self._app(scope, receive, send)
            return
        kept = self._kept
        if kept is None or kept.over or _anew(Headers(scope=scope)):
            kept = await self._make(scope, receive, send)
        elif kept.age_s > RENEWED_S and (self._renewal is None or self._renewal.done()):
            self._renewal = asyncio.create_task(self._renew({**scope}))
        if kept is not None:
            scope["route"] = _Route(HEALTH)
            await kept.send(send)

    async def _make(self, scope: Scope, receive: Receive, send: Send) -> _Health | None:
        """Return a new answer, None where it was none to keep and was passed on."""
        before, begun = opened_core(), time.monotonic()
        answer = await _made(self._app, scope, receive, send)
        core = opened_core()  # which the first answer opens
        kept = None if answer is None else _Health(answer, core, begun)
        self._kept = kept if before is None or before is core else None
        return kept

    async def _renew(self, scope: Scope) -> None:
        async def nothing() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def unheard(_message: Message) -> None:
            """Leave a refusal to whoever asks next."""

        try:
            await self._make(scope, nothing, unheard)
        except Exception:  # whoever asks once this is over meets it, with an id of the request
            log.exception("health cannot be told anew")


async def _made(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> _Answer | None:
    """Return what the inner application answers, None where it was passed on: only what went well is kept."""
    start: Message = {}
    body = bytearray()
    passed = False

    async def taken(message: Message) -> None:
        nonlocal start, passed
        if message["type"] == "http.response.start" and message["status"] == OK:
            start = message
            return
        if start and not passed:
            body.extend(message.get("body", b""))
            if len(body) <= MOST_BYTES:
                return
            passed = True
            await send(start)
            message = {**message, "body": bytes(body)}
        await send(message)

    await app(scope, receive, taken)
    return None if passed or not start else _Answer(list(start["headers"]), bytes(body))


@dataclass(frozen=True)
class _Answer:
    """An answer as it is kept: its own headers (pairs of bytes) and its body."""

    headers: list[Any]
    body: bytes

    async def send(self, send: Send, status: str, age_s: float, known: str) -> None:
        """Send it with what the cache says of it, without its body to whoever has it."""
        tag = f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'
        same = known == "*" or tag in [one.strip().removeprefix("W/") for one in known.split(",")]
        start: Message = {
            "type": "http.response.start",
            "status": NOT_MODIFIED if same else OK,
            "headers": [(bytes(name), bytes(value)) for name, value in self.headers],
        }
        headers = MutableHeaders(scope=start)
        headers["Cache-Status"] = status
        headers["Age"] = f"{max(0.0, age_s):.0f}"
        headers["ETag"] = tag
        headers["Cache-Control"] = "no-cache"  # a browser may keep it, and must ask whether it still holds
        if same:
            del headers["Content-Length"]
        await send(start)
        await send({"type": "http.response.body", "body": b"" if same else self.body})


@dataclass(frozen=True)
class _Health:
    """An answer of health, the core that it tells of, and the second of the monotonic clock at which it was asked."""

    answer: _Answer
    core: Core | None
    at_s: float

    @property
    def age_s(self) -> float:
        """Seconds since it was asked for."""
        return time.monotonic() - self.at_s

    @property
    def over(self) -> bool:
        """Say whether it tells of another core, or of too long ago."""
        return self.age_s > OVER_S or self.core is not opened_core()

    async def send(self, send: Send) -> None:
        """Send it with its age."""
        headers = [*self.answer.headers, (b"age", b"%.0f" % self.age_s), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": OK, "headers": headers})
        await send({"type": "http.response.body", "body": self.answer.body})


def _kept(scope: Scope) -> bool:
    return path_of(scope).strip("/").partition("/")[0] in KEPT.get(scope["method"], ())


def _anew(headers: Headers) -> bool:
    """Say whether who asks wants no kept answer."""
    return "no-cache" in headers.get("cache-control", "").lower()


def _asked(scope: Scope) -> str:
    """Return what is asked, in one form: the order of a query and of the fields of a body makes no difference."""
    query = sorted(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
    sent = scope.get("state", {}).get("sent")
    value = None if sent is None else sent.value
    text = json.dumps([scope["method"], path_of(scope), query, value], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _key(core: Core, asked: str) -> str:
    return f"api:{core.forecasting.state()}:{asked}"
