"""The levels before an issue that another program made, or this one before it was started anew."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from core.domain.forecast import DEFAULT_WINDOW, RiskLevel
from core.domain.units import from_datetime64
from core.errors import ConfigurationError
from core.ports import Ledger
from core.risk import MEMORY

log = structlog.get_logger()


def levels_before(ledger: Ledger, source: str, region_id: str, now: datetime) -> dict[str, tuple[RiskLevel, datetime]]:
    """Return the last known level of every place that was shown, and when; nothing where the ledger is silent."""
    since = now - MEMORY - timedelta(hours=1)  # the hour of an issue begins before it
    try:
        found = ledger.issued(source, region_id, DEFAULT_WINDOW, (since, None))
    except ConfigurationError as error:
        log.warning("the levels before are not known", region=region_id, reason=error.message)
        return {}
    said = zip(found.location_id, found.level, map(from_datetime64, found.issued_at), strict=True)  # the newest is last
    return {place: (RiskLevel(level), at) for place, level, at in said if level != RiskLevel.UNKNOWN and at <= now}
