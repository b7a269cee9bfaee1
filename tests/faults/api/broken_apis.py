"""Applications that are broken in one way each: the fuzzer must find every one."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.faults.api.answers_judged import PROBLEM
from tests.faults.api.requests_made import MOUNT

USUAL = ("GET", "POST")
Answering = Callable[[Scope], Response | None]


def instead(app: ASGIApp, answering: Answering) -> ASGIApp:
    """Return an application that answers some requests by itself."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        answer = answering(scope)
        await (app if answer is None else answer)(scope, receive, send)

    return broken


def echoing(app: ASGIApp) -> ASGIApp:
    """Say in the refusal what was asked for."""

    def answering(scope: Scope) -> Response | None:
        if not scope["path"].startswith(f"{MOUNT}/map/") or scope["path"].endswith("uttarakhand-himachal"):
            return None
        body = {"type": "about:blank", "title": "Refused", "status": 404, "detail": f"No {scope['path']}."}
        return JSONResponse(body, 404, media_type=PROBLEM)

    return instead(app, answering)


def failing(app: ASGIApp) -> ASGIApp:
    """Raise where a body is longer than expected."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and len(scope["query_string"]) > 2000:
            raise ValueError
        await app(scope, receive, send)

    return broken


def bare(app: ASGIApp) -> ASGIApp:
    """Refuse unusual methods in plain text."""
    return instead(app, lambda s: PlainTextResponse("No.", 405) if s["method"] not in USUAL else None)


def not_a_number(app: ASGIApp) -> ASGIApp:
    """Answer NaN."""
    answer = Response('{"age": NaN}', media_type="application/json")
    return instead(app, lambda s: answer if s["path"].endswith("/freshness") else None)


def closed(app: ASGIApp) -> ASGIApp:
    """Refuse one route whatever is asked."""
    body = {"type": "about:blank", "title": "Refused", "status": 403, "detail": "No."}
    refusal = JSONResponse(body, 403, media_type=PROBLEM)
    return instead(app, lambda s: refusal if s["path"].endswith("/model/info") else None)


def silent(app: ASGIApp) -> ASGIApp:
    """Say nothing to unusual methods."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in USUAL:
            await app(scope, receive, send)

    return broken


def splitting(app: ASGIApp) -> ASGIApp:
    """Repeat headers as they were sent."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        async def repeating(message: Message) -> None:
            if message["type"] == "http.response.start":
                odd = [(name, value) for name, value in scope["headers"] if b"\r" in value]
                message = {**message, "headers": [*message["headers"], *odd]}
            await send(message)

        await app(scope, receive, repeating)

    return broken


def undescribed(app: ASGIApp) -> ASGIApp:
    """Answer something else than the OpenAPI text says; only schemathesis looks at that."""
    return instead(app, lambda s: JSONResponse({"age": "?"}) if s["path"].endswith("/freshness") else None)


#: Enough to find all of them.
BROKEN_PATHS = ("/freshness", "/map/{region}", "/predict/live", "/model/info")
#: Each with the words in which it must be found.
VARIANTS: dict[str, tuple[Callable[[ASGIApp], ASGIApp], str]] = {
    "echoing": (echoing, "echo (GET /map/{region}"),
    "failing": (failing, "raised ValueError"),
    "bare": (bare, "405 is no problem document (elsewhere)"),
    "not a number": (not_a_number, "not strict JSON (GET /freshness"),
    "closed": (closed, "GET /model/info: never reached with success"),
    "silent": (silent, "no whole answer"),
    "splitting": (splitting, "line break in a header"),
}
