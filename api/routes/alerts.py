"""The alerts that were issued, for whoever follows them."""

from __future__ import annotations

import hashlib

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import atom
from api.asked import region_of
from core import open_core

router = APIRouter(tags=["alerts"])
#: How far back the feed goes, days.
DAYS = 30
NOT_MODIFIED = 304


class AtomFeed(Response):
    """A feed, as the OpenAPI text names it."""

    media_type = atom.MEDIA_TYPE


@router.get("/alerts", response_class=AtomFeed)
def alerts(request: Request, region: str | None = None) -> Response:
    """Return the alerts of a region that stand, or changed in the last 30 days, as an Atom feed.

    Titles of the feed and of alerts that stand say where the data behind them are not fresh. Answers 304 to whoever
    names its `ETag` in `If-None-Match`, 422 for a region that is not served.
    """
    core = open_core()
    region_id = region_of(core, region)
    freshness = core.issue(region_id).forecast.freshness
    body = atom.feed(core.region(region_id), core.alerts.past.alerts(region_id, DAYS), core.alerts.source, freshness)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=NOT_MODIFIED, headers=headers)
    return AtomFeed(body, headers=headers)
