"""One point, the map and the model that serves: what other programs ask for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder

from api.asked import region_of
from api.schemas_live import FeaturesAnswer, LiveAnswer, MapAnswer, ModelInfoAnswer, PointRequest
from core import TARGET, Core, Location, RegionForecast, as_geojson, open_core

router = APIRouter(tags=["forecasts"])


@router.post("/predict/live", response_model=LiveAnswer)
def predict_live(asked: PointRequest) -> dict[str, Any]:
    """Return what is said now of the place that speaks for a point; 422 for a point outside every region."""
    core = open_core()
    region, place = core.place_at(asked.latitude, asked.longitude)
    return point_answer(core, core.require_issue(region.id), place)


def point_answer(core: Core, issue: RegionForecast, place: Location) -> dict[str, Any]:
    """Return what an issue says of one of its places."""
    forecast = issue.of(place.id)
    assert forecast is not None  # noqa: S101 - an issue speaks of every place of its region
    said = forecast.as_dict()
    return {
        "location_id": place.id,
        "region": issue.region.id,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "probability": said["exceedance"][TARGET.key]["probability"],
        "exceedance": said["exceedance"],
        "risk_level": said["level"],
        "model_version": said["model_version"],
        "variant": said["variant"],
        "issued_at": issue.issued_at,
        "valid_from": issue.valid_from,
        "window_h": TARGET.window_h,
        "data_at": forecast.data_at,
        "data_age_s": _age_s(core, forecast.data_at),
        "freshness": said["freshness"],
        "worst_flag": said["worst_flag"],
        "source": issue.source,
        "simulated": issue.simulated,
        "reasons": said["reasons"],
        "problems": list(issue.problems),
        "notes": list(issue.notes),
    }


def _age_s(core: Core, data_at: datetime | None) -> float | None:
    return None if data_at is None else (core.clock() - data_at).total_seconds()


@router.get("/map/{region}", response_model=MapAnswer)
def region_map(region: str) -> dict[str, Any]:
    """Return the current issue of a region as GeoJSON, every place with its level and probabilities."""
    core = open_core()
    issue = core.require_issue(region_of(core, region))
    return as_geojson(issue, core.clock())


@router.get("/model/info", response_model=ModelInfoAnswer)
def model_info(region: str | None = None) -> dict[str, Any]:
    """Return the model that serves a region, with its scorecards; 503 while none can serve."""
    core, region_id = _asked(region)
    served = core.forecasting.served(region_id)
    manifest = jsonable_encoder(served.manifest, exclude={"feature_names"})
    return {
        "region": region_id,
        "version": served.manifest.version,
        "shipped": served.is_seed,
        "stands_in": served.instead,
        "manifest": manifest,
    }


@router.get("/model/features", response_model=FeaturesAnswer)
def model_features(region: str | None = None) -> dict[str, Any]:
    """Return the features that the serving model wants, in their order."""
    core, region_id = _asked(region)
    manifest = core.forecasting.served(region_id).manifest
    return {
        "region": region_id,
        "version": manifest.version,
        "feature_version": manifest.feature_version,
        "feature_names": list(manifest.feature_names),
    }


def _asked(region: str | None) -> tuple[Core, str]:
    core = open_core()
    return core, region_of(core, region)
