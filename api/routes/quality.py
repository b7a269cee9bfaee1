"""Data quality: the report of a region's observations, and the check of observations that are posted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import AwareDatetime

from api.asked import region_of
from api.bodies import REFUSALS
from api.middleware import MOST_RECORDS, Posted
from api.problems import problem
from api.schemas import CheckAnswer, QualityReportAnswer
from core import ConfigurationError, Finding, QualityReport, WeatherRecord, open_core, source_text

router = APIRouter(prefix="/monitoring/data-quality", tags=["data quality"])

TEXTS = frozenset({"location_id", "valid_at", "available_at"})
RECORD = {
    "type": "object",
    "description": "Names of the house, or Open-Meteo's instead (temperature_2m ...); units of the house, wind in m/s. "
    "One of the two pressures is required. Unknown fields are counted.",
    "properties": {name: {"type": "string" if name in TEXTS else "number"} for name in WeatherRecord.model_fields},
    "required": [name for name, field in WeatherRecord.model_fields.items() if field.is_required()],
}
MANY = {"type": "array", "items": RECORD, "minItems": 1, "maxItems": MOST_RECORDS}
BODY = {"required": True, "content": {"application/json": {"schema": {"oneOf": [RECORD, MANY]}}}}


@router.get("/report", response_model=QualityReportAnswer)
def report(
    region: str | None = None, begin: AwareDatetime | None = None, end: AwareDatetime | None = None
) -> dict[str, Any] | Response:
    """Return the quality of a region's observations in a period, the last seven days where none is named.

    Times carry a zone. Answers 422 for a region that is not served and a period that cannot be.
    """
    core = open_core()
    region_id = region_of(core, region)
    try:
        # A moment in the first or last hours of the calendar has no name in UTC.
        first, last = (None if moment is None else moment.astimezone(UTC) for moment in (begin, end))
        found = core.quality.report(region_id, first, last)
    except ConfigurationError as error:
        return problem(422, "Invalid period", error.message, hint=error.hint)
    except OverflowError:
        return problem(422, "Invalid period", "The period lies outside the calendar.", hint="Name days of our time.")
    return _report(found)


@router.post("/check", response_model=CheckAnswer, responses=REFUSALS, openapi_extra={"requestBody": BODY})
def check(request: Request) -> dict[str, Any]:
    """Check one record or a list of records: metrics, and flags with their reasons for every record.

    The header `Data-Quality` has the overall quality. Answers 422 naming the fields where a record does not fit the
    schema. Flags are 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing.
    """
    return checked(request.state.posted)


def checked(posted: Posted) -> dict[str, Any]:
    """Return what the checks say of posted records."""
    found = posted.validation
    flags = found["flags"]
    marks = (
        [{"flags": flags, "reasons": found["anomalies"]["descriptions"]}]
        if isinstance(flags, dict)
        else [{"flags": flags.of(i), "reasons": flags.reasons(i)} for i in range(found["records"])]
    )
    return {**found, "quality_metrics": _known(found["quality_metrics"]), "flags": marks}


def _report(found: QualityReport) -> dict[str, Any]:
    source = found.checked.weather.source
    return {
        "region": found.region.id,
        "begin": found.begin,
        "end": found.end,
        "source": source,
        "simulated": source == "simulator",
        "source_text": source_text(source),
        "metrics": _known(asdict(found.metrics)),
        "places": [_known(asdict(place)) for place in found.places],
        "history": [_known(asdict(earlier)) for earlier in found.history],
        "findings": [_finding(finding) for finding in found.checked.findings if finding.where.any()],
        "alerts": found.alerts,
        "drifts": [_known(asdict(drift)) for drift in found.drifts],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "test": finding.test,
        "variable": finding.variable,
        "flag": finding.flag.name,
        "reason": finding.reason,
        "values": int(finding.where.sum()),
    }


def _known(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return numbers for JSON: what is not known is null."""
    return {name: None if isinstance(n, float) and not math.isfinite(n) else n for name, n in numbers.items()}
