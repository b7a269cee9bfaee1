"""Which endpoint is asked for which days."""

from __future__ import annotations

from datetime import date, timedelta

from core.adapters.open_meteo.contract import Endpoint

#: Archived forecasts begin in 2022; before there is only reanalysis.
FIRST_ARCHIVED_FORECAST = date(2022, 1, 1)
#: `forecast` goes back 92 days; one less, as the service's midnight may not be ours to the second.
FORECAST_PAST_DAYS = 91
#: It goes 16 days ahead, today included.
FORECAST_AHEAD_DAYS = 15
#: Every live request asks for these days: up to 14 days weigh what one day weighs, and so whoever asks next finds the
#: answer already there.
LIVE_PAST_DAYS, LIVE_AHEAD_DAYS = 6, 2


def segments(first: date, last: date, today: date) -> tuple[tuple[Endpoint, date, date], ...]:
    """Return which endpoint has which of the days from `first` to `last`, both included."""
    day, recent = timedelta(days=1), today - timedelta(days=FORECAST_PAST_DAYS)
    parts = [
        (Endpoint.ARCHIVE, first, min(last, FIRST_ARCHIVED_FORECAST - day)),
        (Endpoint.HISTORICAL_FORECAST, max(first, FIRST_ARCHIVED_FORECAST), min(last, recent - day)),
    ]
    begin = max(first, recent)
    live = today - timedelta(days=LIVE_PAST_DAYS), today + timedelta(days=LIVE_AHEAD_DAYS)
    if live[0] <= last <= live[1]:
        # The days before the live ones change no more: they are asked for once a day, not with every refresh.
        parts += [(Endpoint.FORECAST, begin, live[0] - day), (Endpoint.FORECAST, *live)]
    else:
        parts.append((Endpoint.FORECAST, begin, last))
    return tuple(part for part in parts if part[1] <= part[2])
