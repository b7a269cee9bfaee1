"""The FastAPI application, mounted at /api, and the start and stop of the core that it shares with the pages."""

from __future__ import annotations

import sys
from pathlib import Path

import structlog
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import problems
from api.bodies import StrictBodies
from api.browsers import API_HEADERS, Cors, Told, policy_of
from api.caching import KeptAnswers, KeptHealth
from api.leaving import leave_when_told
from api.limits import PredictLimit
from api.metrics import REGISTRY, Measured
from api.middleware import PostedObservations
from api.requests import Identified
from api.routes import admin, alerts, cache, experiments, forecasts, health, live, posting, quality
from api.sockets import without_delay
from core import FONTS, VERSION, CloudburstError, close_core, serve

log = structlog.get_logger()
#: So long a thread computes while another waits for its turn, seconds: at Python's 5 ms an answer, which takes three
#: turns, waited 90 ms in 5 of 100 cases while a hundred pages were open, at this 26 ms; shorter turns gained nothing.
TURN_S = 0.0005

# The stock /docs asks a public CDN for Swagger's files and stays blank without the internet: ours are shipped.
api = FastAPI(
    title="Cloudburst Watch",
    version=VERSION,
    description="Probabilities of extreme short-duration rain, with their age, source and model.",
    docs_url=None,
    redoc_url=None,
    redirect_slashes=False,  # a redirect repeats host and path as they were sent
    responses=problems.OTHERWISE,
)
api.include_router(health.router)
api.include_router(forecasts.router)
api.include_router(live.router)
api.include_router(alerts.router)
api.include_router(posting.router)
api.include_router(quality.router)
api.include_router(cache.router)
api.include_router(admin.router)
api.include_router(experiments.router)
# What is added last sees a request first.
api.add_middleware(PostedObservations, paths={"/monitoring/data-quality/check", "/observations"})
api.add_middleware(KeptAnswers)  # behind what reads the body: what is asked stands in it
api.add_middleware(StrictBodies)
api.add_middleware(KeptHealth)  # as far out as an answer is counted
api.add_middleware(Measured)  # around the cache: an answer from there is one as well
api.add_middleware(PredictLimit)  # before anything that costs, and before an answer from the cache
api.add_middleware(Told, headers=API_HEADERS)
api.add_middleware(Cors)  # around what refuses: a page that may read must be able to read why
api.add_middleware(Identified)  # around all others: what they refuse has an id as well
api.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
api.mount("/fonts", StaticFiles(directory=FONTS), name="fonts")  # for the theme of the pages
problems.install(api)


@api.get("/metrics", tags=["monitoring"], response_class=PlainTextResponse)
def metrics() -> Response:
    """Return the numbers of this moment in Prometheus' text format."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


@api.get("/docs", include_in_schema=False)
def docs() -> HTMLResponse:
    """Return the OpenAPI page with shipped files."""
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="Cloudburst Watch API",
        swagger_js_url="static/swagger/swagger-ui-bundle.js",
        swagger_css_url="static/swagger/swagger-ui.css",
        swagger_favicon_url="static/swagger/favicon-32x32.png",
    )
    page.headers["Content-Security-Policy"] = policy_of(bytes(page.body).decode())
    return page


def start_core() -> None:
    """Open the core and start its scheduler; where the settings do not hold, pages and API say so instead."""
    without_delay()
    sys.setswitchinterval(TURN_S)
    leave_when_told()
    try:
        serve()
    except CloudburstError as error:
        log.error("the core cannot be opened", error=error.message, hint=error.hint)


def stop_core() -> None:
    """Stop the scheduler."""
    close_core()
