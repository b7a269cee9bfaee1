"""The map of an issue for other programs: its places as shapes, and the whole as GeoJSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.domain.forecast import Forecast, RegionForecast
from core.domain.weather import Location, Region


def cell(region: Region, place: Location) -> list[list[float]]:
    """Return the ring of a grid's cell, (longitude, latitude) in degrees, shape (5, 2); empty for a station.

    It goes against the clock and ends where it begins, as RFC 7946 has it.
    """
    if region.spacing_deg is None:
        return []
    half = region.spacing_deg / 2
    west, east = round(place.longitude - half, 6), round(place.longitude + half, 6)
    south, north = round(place.latitude - half, 6), round(place.latitude + half, 6)
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def as_geojson(issue: RegionForecast, now: datetime) -> dict[str, Any]:
    """Return an issue as GeoJSON (RFC 7946): every place with its level and probabilities, and what the issue is of."""
    forecasts = {forecast.location_id: forecast for forecast in issue.forecasts}
    return {
        "type": "FeatureCollection",
        "features": [_feature(issue.region, place, forecasts[place.id]) for place in issue.region.locations],
        "made_at": now.isoformat(),
        **issue.about(now),
    }


def _feature(region: Region, place: Location, forecast: Forecast) -> dict[str, Any]:
    said = forecast.as_dict()
    ring = cell(region, place)
    return {
        "type": "Feature",
        "id": place.id,
        "geometry": {"type": "Polygon", "coordinates": [ring]}
        if ring
        else {"type": "Point", "coordinates": [place.longitude, place.latitude]},
        "properties": {
            "name": place.name,
            "level": said["level"],
            "freshness": said["freshness"],
            "model_version": said["model_version"],
            "variant": said["variant"],
            **{key: event["probability"] for key, event in said["exceedance"].items()},
        },
    }
