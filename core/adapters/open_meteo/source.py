"""The weather source `open-meteo:`: past hours, coming hours and a past to learn from, by region."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import httpx

from core.adapters.open_meteo.budget import Budget
from core.adapters.open_meteo.client import DEADLINE_S, OpenMeteoClient
from core.adapters.open_meteo.contract import BYTES_PER_100_PLACES, Endpoint, Query, chunked, weight
from core.adapters.open_meteo.plan import FORECAST_AHEAD_DAYS, LIVE_AHEAD_DAYS, LIVE_PAST_DAYS, segments
from core.adapters.open_meteo.runs import Runs
from core.adapters.open_meteo.sheet import Fetched, Sheet
from core.adapters.resilience import Deadline
from core.domain.budget import BudgetLine
from core.domain.told import tell
from core.domain.units import as_utc, floor_hour, months
from core.domain.weather import VARIABLES, HourlyWeather, Region
from core.errors import SourceRateLimited, SourceUnavailable
from core.ports import Clock

#: Answers kept: the live ones of a few regions with the days before, and those of a month of backfill that ran out
#: of budget.
KEPT = 64


class OpenMeteo:
    """Port `WeatherSource` over the service Open-Meteo (weather data by Open-Meteo.com, CC BY 4.0).

    Its values are those of weather models, never observations of a gauge: good for predictors, no truth to verify by.
    The archive of forecasts stitches the first hours of every run together: a model trained on it and served with
    forecasts 12 to 24 h ahead has seen better inputs than it will get. `previous_run` gives them as they were.

    An answer is used again within its hour, and for longer where hourly answers for all regions would spend more than
    the budget of a day (see `kept_s`).

    Parameters
    ----------
    regions
        The regions it serves.
    clock
        Tells the time; hours after it are no observations.
    base_url
        Address of a self-hosted instance or a test server (`/v1/forecast`, `/v1/archive`), "" for the public service.
    transport
        Stands in for the network in tests.
    deadline_s
        Seconds that one call of `hours` may take in all.
    places_per_request
        At most so many places in one request, up to 1,000.
    bytes_per_100_places
        Cap of a decoded answer; long periods are asked for fewer places at a time.
    budget
        Weighted calls; by default the free limits less a tenth.
    client
        Does the asking, instead of one made of `base_url`, `transport`, `deadline_s`, `bytes_per_100_places` and
        `budget`.
    """

    def __init__(
        self,
        regions: Sequence[Region],
        clock: Clock,
        *,
        base_url: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        deadline_s: float = DEADLINE_S,
        places_per_request: int = 100,
        bytes_per_100_places: int = BYTES_PER_100_PLACES,
        budget: Budget | None = None,
        client: OpenMeteoClient | None = None,
    ) -> None:
        self._regions = tuple(regions)
        self._clock = clock
        self._most = places_per_request
        self.client = client or OpenMeteoClient(
            clock,
            base_url=base_url,
            transport=transport,
            deadline_s=deadline_s,
            bytes_per_100_places=bytes_per_100_places,
            budget=budget,
        )
        self._runs = Runs(clock, self.client.newest_run)
        self._kept: OrderedDict[tuple[object, ...], Fetched] = OrderedDict()
        self._keeping = threading.Lock()
        self._asking = threading.Lock()

    @property
    def name(self) -> str:
        """Provenance."""
        return "open-meteo"

    @property
    def kept_s(self) -> float:
        """Seconds for which an answer is used again at least: answers for all regions in turn fill a day's budget.

        A day's budget also pays once for the days before the live ones, which weigh about as much.
        """
        days = LIVE_PAST_DAYS + LIVE_AHEAD_DAYS + 1
        calls = sum(weight(len(region.locations), len(VARIABLES), days) for region in self._regions)
        return 86_400 * calls / max(self.client.budget.per_day - calls, 1.0)

    @property
    def stats(self) -> Mapping[str, int]:
        """Calls, answers, extra fields and failures by kind."""
        return self.client.stats

    def budget(self) -> tuple[BudgetLine, ...]:
        """Return used and allowed weighted calls by window, for the monitoring page."""
        return self.client.budget.lines()

    def regions(self) -> tuple[Region, ...]:
        """Return the regions it serves."""
        return self._regions

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the hours from `start` to `end`, both included; NaN where the service has none and after the clock.

        Hours of the last 91 days come from `forecast`, those since 2022 from `historical-forecast`, those before from
        `archive` (ERA5, without CAPE, lifted index and inhibition).

        Raises
        ------
        SourceUnavailable, SourceRateLimited, SourceResponseInvalid
            If the service does not answer, says wait or the budget is spent, or answers nonsense.
        """
        return self._gather(region, start, min(as_utc(end), self._now()), end)

    def forecast_fields(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the hours from `start` to `end`, forecast ones included, up to 15 days ahead.

        `available_at` of a coming hour is the full hour before it was fetched: its run was out then. How old that run
        is stands in `run`.

        Raises
        ------
        SourceUnavailable, SourceRateLimited, SourceResponseInvalid
            As `hours`.
        """
        horizon = self._now() + timedelta(days=FORECAST_AHEAD_DAYS)
        return self._gather(region, start, min(as_utc(end), horizon), end)

    def previous_run(self, region: Region, start: datetime, end: datetime, days_before: int) -> HourlyWeather:
        """Return what was forecast for the hours from `start` to `end` so many days (1 to 7) before.

        A run that began `days_before` days earlier was out six hours after it began; `available_at` says so.

        Raises
        ------
        ValueError
            If `days_before` is not in 1 to 7.
        SourceUnavailable, SourceRateLimited, SourceResponseInvalid
            As `hours`.
        """
        return self.past(region, start, end, Endpoint.PREVIOUS_RUNS, days_before)

    def past(
        self, region: Region, start: datetime, end: datetime, endpoint: Endpoint | None, days_before: int | None = None
    ) -> HourlyWeather:
        """Return the hours from `start` to `end` as one endpoint has them; None: each day where `hours` asks for it.

        Raises
        ------
        ValueError
            If `days_before` does not fit the endpoint.
        SourceUnavailable, SourceRateLimited, SourceResponseInvalid
            As `hours`.
        """
        return self._gather(region, start, as_utc(end), end, endpoint=endpoint, days_before=days_before)

    def backfill(
        self,
        region: Region,
        start: datetime,
        end: datetime,
        wait: Callable[[float], None] | None = None,
        *,
        endpoint: Endpoint | None = None,
        days_before: int | None = None,
    ) -> Iterator[HourlyWeather]:
        """Yield the hours from `start` to `end` month by month, within the budget; `endpoint` as in `past`.

        With `wait` (such as `time.sleep`) it waits where the budget is spent or the service says so and goes on;
        without, SourceRateLimited is raised. Begun months are not lost: the answers so far are kept for the next try.

        Raises
        ------
        SourceUnavailable, SourceRateLimited, SourceResponseInvalid
            As `hours`.
        """
        for first, last in months(start, end):
            while True:
                try:
                    known = min(last, self._now())
                    weather = self._gather(
                        region, first, known, last, endpoint=endpoint, days_before=days_before, patient=True
                    )
                    break
                except SourceRateLimited as error:
                    if wait is None:
                        raise
                    wait(error.retry_after_s)
            yield weather

    def _gather(
        self,
        region: Region,
        start: datetime,
        known_until: datetime,
        end: datetime,
        *,
        endpoint: Endpoint | None = None,
        days_before: int | None = None,
        patient: bool = False,
    ) -> HourlyWeather:
        """Return the hours from `start` to `end`, NaN after `known_until`, put together from as many answers as needed.

        All answers share one deadline; where `patient`, each has its own.
        """
        sheet = Sheet(region, start, end, known_until)
        deadline = None if patient else self.client.deadline()
        asked_at = self._now()
        for query in self._queries(region, as_utc(start), known_until, endpoint, days_before):
            sheet.lay(self._ask(query, deadline, asked_at), query)
        return sheet.weather(self.name)

    def _queries(
        self, region: Region, start: datetime, until: datetime, only: Endpoint | None, days_before: int | None
    ) -> Iterator[Query]:
        """Yield the requests that the hours from `start` to `until` take."""
        if until < start or not region.locations:
            return
        today = self._now().date()
        whole = start.date(), until.date()
        parts = segments(*whole, today) if only is None else ((only, *whole),)
        for endpoint, first, last in parts:
            yield from chunked(
                endpoint,
                region.locations,
                first,
                last,
                days_before=days_before,
                most=self._most,
                bytes_per_100=self.client.bytes_per_100_places,
            )

    def _ask(self, query: Query, deadline: Deadline | None, asked_at: datetime) -> Fetched:
        """Return the kept answer where it is still good, a new one otherwise; who asks for the same waits for it."""
        places = tuple((place.latitude, place.longitude) for place in query.places)
        key = (query.endpoint, query.first, query.last, query.days_before, places)
        deadline = deadline or self.client.deadline()
        if (kept := self._recall(key, query)) is not None:
            return kept
        if not self._asking.acquire(timeout=deadline.left):
            raise SourceUnavailable(
                tell("Open-Meteo has been busy with others for {s:g} s.", s=deadline.seconds),
                hint="Ask again in a moment.",
            )
        try:
            if (kept := self._recall(key, query)) is not None:
                return kept
            run = self._runs.oldest(deadline) if self._reaches_now(query) else None
            fetched = Fetched(self.client.fetch(query, deadline), asked_at, run)
            with self._keeping:
                self._kept[key] = fetched
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return fetched
        finally:
            self._asking.release()

    def _recall(self, key: tuple[object, ...], query: Query) -> Fetched | None:
        with self._keeping:
            kept = self._kept.get(key)
            if kept is None or not self._fresh(kept, query):
                return None
            self._kept.move_to_end(key)
            return kept

    def _reaches_now(self, query: Query) -> bool:
        return query.endpoint is Endpoint.FORECAST and query.last >= self._now().date()

    def _fresh(self, kept: Fetched, query: Query) -> bool:
        """Tell whether asking again would bring nothing new, or more than the budget gives."""
        now = self._now()
        if query.last < kept.at.date() - timedelta(days=LIVE_PAST_DAYS):
            return True
        age = (now - kept.at).total_seconds()
        return floor_hour(now) == floor_hour(kept.at) or 0 <= age < self.kept_s

    def _now(self) -> datetime:
        return as_utc(self._clock())
