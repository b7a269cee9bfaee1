"""Errors as problem+json (RFC 9457): type, title, status, detail, hint; never an echo of raw input."""

from __future__ import annotations

import math
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core import (
    CloudburstError,
    ExperimentClosed,
    ExperimentError,
    ExperimentExists,
    TooManyAttempts,
    TrainingInProgress,
    UnfitInput,
    UnknownExperiment,
    UnknownPlace,
    opened_core,
)

MEDIA_TYPE = "application/problem+json"
#: The service is not able to answer now: model, source or settings are to blame, not the request.
UNAVAILABLE = 503
UNPROCESSABLE = 422
#: What is asked for cannot be done as things stand.
CONFLICT = 409
#: The address must wait.
TOO_MANY = 429

NOT_FOUND = 404
#: Status by kind of error, the first that fits; of all others model, source or settings are to blame.
STATUS: tuple[tuple[type[CloudburstError], int], ...] = (
    (UnknownExperiment, NOT_FOUND),
    (ExperimentExists, CONFLICT),
    (ExperimentClosed, CONFLICT),
    (ExperimentError, UNPROCESSABLE),
    (UnknownPlace, UNPROCESSABLE),
    (UnfitInput, UNPROCESSABLE),
)

#: For the OpenAPI text: whatever is not answered as described there is a problem document.
OTHERWISE: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Why it is refused or failed (RFC 9457)",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer", "minimum": 400, "maximum": 599},
                        "detail": {"type": "string"},
                        "hint": {"type": "string"},
                    },
                    "required": ["type", "title", "status", "detail"],
                }
            }
        },
    }
}


def problem(status: int, title: str, detail: str, **more: Any) -> JSONResponse:
    """Return a problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE)


def too_many(detail: str, retry_after_s: float, **more: Any) -> JSONResponse:
    """Return that this address must wait, and how long."""
    answer = problem(TOO_MANY, "Too many requests", detail, **more)
    answer.headers["Retry-After"] = str(math.ceil(retry_after_s))
    return answer


def conflict(error: CloudburstError) -> JSONResponse:
    """Return why what was asked for cannot be done as things stand."""
    return problem(CONFLICT, type(error).__name__, error.message, hint=error.hint)


def unexpected(error: Exception, request_id: str) -> JSONResponse:
    """Return that it is our fault and no more; the log has the rest below the id."""
    _count(error)
    return problem(500, "Internal error", "Something went wrong here; the log says what.", request_id=request_id)


def install(app: FastAPI) -> None:
    """Let every error that was foreseen leave as a problem document."""
    app.add_exception_handler(CloudburstError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, CloudburstError):  # pragma: no cover - the handler is registered for this type
        raise error
    if isinstance(error, TrainingInProgress):
        return problem(CONFLICT, "Training in progress", error.message, hint=error.hint, run_id=error.run_id)
    if isinstance(error, TooManyAttempts):
        return too_many(error.message, error.retry_after_s, hint=error.hint)
    status = next((status for kind, status in STATUS if isinstance(error, kind)), UNAVAILABLE)
    if status == UNAVAILABLE:
        _count(error)
    named = {k: error.context[k] for k in ("errors", "total") if k in error.context}
    return problem(status, type(error).__name__, error.message, hint=error.hint, **named)


def _count(error: Exception) -> None:
    """Count an error that is ours."""
    core = opened_core()
    if core is not None:
        core.meters.failed(type(error).__name__)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Say which field is wrong without repeating what was sent: NaN and lone surrogates are no JSON."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    fields = [{"field": ".".join(_ours(e)), "error": e["type"]} for e in found]
    return problem(UNPROCESSABLE, "Invalid request", "A parameter does not fit.", errors=fields)


def _ours(error: dict[str, Any]) -> list[str]:
    """Return where something is wrong, in names of ours: that of an unknown field is not."""
    known = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    return [str(part) for part in known]


def _http(_request: Request, error: Exception) -> JSONResponse:
    """Say what was refused; only what we wrote ourselves as detail is repeated."""
    if not isinstance(error, HTTPException):  # pragma: no cover - the handler is registered for this type
        raise error
    nothing = error.status_code == 404
    detail = "There is nothing at this address; see /api/docs." if nothing else "The request was refused."
    ours = error.detail if error.detail.endswith(".") else detail  # the frameworks' own details are no sentences
    answer = problem(error.status_code, "Not found" if nothing else "Refused", ours)
    answer.headers.update(error.headers or {})
    return answer
