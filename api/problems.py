"""Errors as problem+json (RFC 9457): type, title, status, detail, hint; never an echo of raw input."""

from __future__ import annotations

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
    TrainingInProgress,
    UnknownExperiment,
    UnknownPlace,
)

MEDIA_TYPE = "application/problem+json"
#: The service is not able to answer now: model, source or settings are to blame, not the request.
UNAVAILABLE = 503
UNPROCESSABLE = 422
#: What is asked for cannot be done as things stand.
CONFLICT = 409

NOT_FOUND = 404
#: Status by kind of error, the first that fits; of all others model, source or settings are to blame.
STATUS: tuple[tuple[type[CloudburstError], int], ...] = (
    (UnknownExperiment, NOT_FOUND),
    (ExperimentExists, CONFLICT),
    (ExperimentClosed, CONFLICT),
    (ExperimentError, UNPROCESSABLE),
    (UnknownPlace, UNPROCESSABLE),
)


def problem(status: int, title: str, detail: str, **more: Any) -> JSONResponse:
    """Return a problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE)


def conflict(error: CloudburstError) -> JSONResponse:
    """Return why what was asked for cannot be done as things stand."""
    return problem(CONFLICT, type(error).__name__, error.message, hint=error.hint)


def install(app: FastAPI) -> None:
    """Let every error leave as a problem document."""
    app.add_exception_handler(CloudburstError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, CloudburstError):  # pragma: no cover - the handler is registered for this type
        raise error
    if isinstance(error, TrainingInProgress):
        return problem(CONFLICT, "Training in progress", error.message, hint=error.hint, run_id=error.run_id)
    status = next((status for kind, status in STATUS if isinstance(error, kind)), UNAVAILABLE)
    return problem(status, type(error).__name__, error.message, hint=error.hint)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Say which field is wrong without repeating what was sent: NaN and lone surrogates are no JSON."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    fields = [{"field": ".".join(str(part) for part in e["loc"]), "error": e["type"]} for e in found]
    return problem(UNPROCESSABLE, "Invalid request", "A parameter does not fit.", errors=fields)


def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
    """Say that it is our fault and no more; the log has the rest."""
    return problem(500, "Internal error", "Something went wrong here; the log says what.")


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
