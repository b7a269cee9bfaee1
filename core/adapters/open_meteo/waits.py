"""How long to wait: by the service's words, or by a Retry-After header where something on the way sends one."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from core.domain.units import as_utc

#: Waits by the service's words (open-meteo issue 1493); it sends no Retry-After of its own.
MINUTE_S, CONCURRENT_S = 60.0, 5.0
#: No wait is longer: the daily count begins anew at midnight UTC.
LONGEST_WAIT_S = 86_400.0


def seconds_of(header: str | None, now: datetime) -> float | None:
    """Return the wait of a Retry-After header (RFC 9110, 10.2.3) in seconds, at most a day; None where it says none.

    A moment in the past, a negative number and nonsense say nothing.

    >>> at = datetime(2026, 7, 29, 18, 20, tzinfo=UTC)
    >>> [seconds_of(text, at) for text in ("120", "-5", "9" * 30, "Wed, 29 Jul 2026 18:21:00 GMT")]
    [120.0, None, 86400.0, 60.0]
    """
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return min(seconds, LONGEST_WAIT_S) if math.isfinite(seconds) and seconds > 0 else None


def wait_of(reason: str, now: datetime) -> float | None:
    """Return the wait in seconds that lies in the words of a limit, None where they speak of something else.

    >>> at = datetime(2026, 7, 29, 18, 20, tzinfo=UTC)
    >>> wait_of("Hourly API request limit exceeded. Please try again in the next hour.", at)
    2400.0
    """
    words = reason.lower()
    if "concurrent" in words:
        return CONCURRENT_S
    if "limit exceeded" not in words:
        return None
    now = as_utc(now)
    hour = now.replace(minute=0, second=0, microsecond=0)
    if "hourly" in words:
        return max(1.0, (hour + timedelta(hours=1) - now).total_seconds())
    if "daily" in words or "monthly" in words:
        return max(1.0, (hour.replace(hour=0) + timedelta(days=1) - now).total_seconds())
    return MINUTE_S
