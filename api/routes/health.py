"""Is everything well, can forecasts be answered, and how old are the data."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from api.asked import region_of
from api.leaving import leaving
from api.problems import UNAVAILABLE
from api.schemas_live import FreshnessAnswer, ReadyAnswer
from core import VERSION, CloudburstError, Health, open_core

router = APIRouter(tags=["health"])


@router.get("/")
def index() -> dict[str, str]:
    """Return what this is, and where it is described."""
    return {"name": "Cloudburst Watch", "version": VERSION, "docs": "/api/docs", "health": "/api/health"}


@router.get("/health")
def health() -> Health:
    """Return status, version, champion, source, age of data, cache mode and scheduler heartbeat."""
    return open_core().health()


@router.get("/ready", response_model=ReadyAnswer, responses={UNAVAILABLE: {"model": ReadyAnswer}})
def ready() -> Response | dict[str, Any]:
    """Say whether forecasts can be answered now; 503 while no model or no region can be had, and when it ends."""
    if leaving():
        return JSONResponse({"ready": False, "problems": ["The program is ending."]}, status_code=UNAVAILABLE)
    try:
        core = open_core()
        core.forecasting.served(core.default_region)
    except CloudburstError as error:
        return JSONResponse({"ready": False, "problems": [error.message]}, status_code=UNAVAILABLE)
    return {"ready": True, "problems": []}


@router.get("/freshness", response_model=FreshnessAnswer)
def freshness(region: str | None = None) -> dict[str, Any]:
    """Return how old the data of a region are, and from when on they count as stale and as none."""
    core = open_core()
    issue = core.issue(region_of(core, region)).forecast
    age = issue.age_s(core.clock())
    return {
        "region": issue.region.id,
        "freshness": issue.freshness.value,
        "data_at": issue.data_at,
        "data_age_s": None if issue.data_at is None else age,
        "valid_from": issue.valid_from,
        "limits": core.ages_of(issue),
        "places": Counter(f.freshness.value for f in issue.forecasts),
    }
