"""Forecasts and models: the same numbers as the pages, with their age and source."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.asked import region_of
from api.schemas import IssueAnswer, ModelAnswer, PointAnswer
from core import StoredVersion, UnknownPlace, open_core, source_text

router = APIRouter(tags=["forecasts"])


@router.get("/forecasts", response_model=IssueAnswer)
def region_forecast(region: str | None = None) -> dict[str, Any]:
    """Return the current issue of a region.

    Answers 503 with a problem document while no model can serve, 422 for a region that is not served.
    """
    return _issue(region)


@router.get("/forecasts/{location_id}", response_model=PointAnswer)
def point_forecast(location_id: str, region: str | None = None) -> dict[str, Any]:
    """Return the current issue with the forecast of one place only, and why; 422 for a place outside the region."""
    issue = _issue(region)
    found = [f for f in issue["forecasts"] if f["location_id"] == location_id]
    if not found:
        raise UnknownPlace(
            f"There is no such place in {issue['region']}.", hint="GET /api/forecasts lists the places of a region."
        )
    core = open_core()
    drivers = core.drivers(core.issue(issue["region"]), location_id)
    told = [{"group": d.group, "text": d.text, "odds_factor": d.factor} for d in drivers]
    return {**issue, "forecasts": found, "drivers": told}


@router.get("/models", response_model=list[ModelAnswer])
def models() -> list[dict[str, Any]]:
    """Return all stored versions; a refused one comes with its reason and is never loaded."""
    core = open_core()
    champion = core.health().champion
    return [_model(version, champion) for version in core.versions()]


def _issue(region: str | None) -> dict[str, Any]:
    core = open_core()
    return core.require_issue(region_of(core, region)).as_dict(core.clock())


def _model(stored: StoredVersion, champion: str | None) -> dict[str, Any]:
    manifest = stored.manifest
    return {
        "version": stored.version,
        "champion": stored.version == champion,
        "shipped": stored.shipped,
        "refused": stored.refused,
        "algorithm": manifest.algorithm if manifest else None,
        "trained_on": source_text(manifest.source) if manifest else None,
        "created_at": manifest.created_at if manifest else None,
    }
