"""What other programs hand in: observations to keep, and what a forecast is to be made of."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from api import admin
from api.admin import Who
from api.bodies import REFUSALS
from api.routes.live import point_answer
from api.routes.quality import BODY, checked
from api.schemas_live import LiveAnswer, PredictRequest, StoredAnswer
from core import open_core, weather_records

router = APIRouter(tags=["observations"])


@router.post("/predict", response_model=LiveAnswer, responses=REFUSALS, tags=["forecasts"])
def predict(asked: PredictRequest) -> dict[str, Any]:
    """Return what the serving model makes of features, or of hourly observations of one place; nothing is kept.

    Observations are checked as the house's own, and the answer says how old they are. Features come as they are: their
    `freshness` is "no data", since nobody knows of when they are. Neighbouring places are not looked at. What is sent
    counts as real: a model that learned from simulated data does not answer.
    """
    core = open_core()
    if asked.observations is None:
        said = core.posting.from_features(asked.latitude, asked.longitude, asked.features or {})
    else:
        there = {"latitude": asked.latitude, "longitude": asked.longitude}
        records = weather_records([{**record, **there} for record in asked.observations])
        said = core.posting.forecast(asked.latitude, asked.longitude, records)
    (place,) = said.region.locations
    return point_answer(core, said, place)


@router.post(
    "/observations",
    response_model=StoredAnswer,
    status_code=201,
    responses={**REFUSALS, **admin.REFUSALS},
    openapi_extra={"requestBody": BODY},
)
def observations(request: Request, who: Who) -> dict[str, Any]:  # noqa: ARG001 - whoever asks must know the token
    """Check observations and keep them in the archive with their flags, under the source "posted".

    One record or a list of records, each with `valid_at`, inside a region. Sent twice they are kept once; of two values
    of an hour the later one counts.
    """
    posted = request.state.posted
    kept = open_core().posting.keep(posted.records)
    return {"stored": kept.rows, "places": kept.places, "quality": checked(posted)}
