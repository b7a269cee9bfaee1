"""What the live source asks: where, for which days and places, how often, and within which budget."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from core.adapters.open_meteo.budget import Budget
from core.adapters.open_meteo.contract import NAMES, Endpoint, Query, chunked, weight
from core.adapters.open_meteo.plan import segments
from core.adapters.open_meteo.source import OpenMeteo
from core.domain.weather import VARIABLES
from core.errors import ConfigurationError, SourceRateLimited
from tests.adapters.open_meteo_made import HOUR, NOW, Clock, Service, many, source
from tests.faults.source.server import answer, good, serving
from tests.weather_made import PLACES, REGION


def test_the_contract_names_every_variable_of_the_house() -> None:
    assert tuple(NAMES) == VARIABLES


def test_a_request_says_everything_that_the_service_would_guess() -> None:
    service = Service()
    source(service).hours(REGION, NOW - 30 * HOUR, NOW)
    (url,) = service.asked
    assert (url.scheme, url.host, url.path) == ("https", "api.open-meteo.com", "/v1/forecast")
    asked = {key: url.params[key] for key in ("wind_speed_unit", "timezone", "precipitation_unit", "temperature_unit")}
    assert asked == {
        "wind_speed_unit": "ms",
        "timezone": "GMT",
        "precipitation_unit": "mm",
        "temperature_unit": "celsius",
    }
    assert url.params["latitude"] == "30.1000,30.1000,30.3500"
    # Nine days weigh what one day weighs, so that the next caller finds his hours already there.
    assert service.days == [("2026-07-23", "2026-07-31")]


def test_each_day_is_asked_where_it_is_kept() -> None:
    today = date(2026, 7, 29)
    assert segments(date(2021, 12, 30), today, today) == (
        (Endpoint.ARCHIVE, date(2021, 12, 30), date(2021, 12, 31)),
        (Endpoint.HISTORICAL_FORECAST, date(2022, 1, 1), date(2026, 4, 28)),
        (Endpoint.FORECAST, date(2026, 4, 29), date(2026, 7, 22)),
        (Endpoint.FORECAST, date(2026, 7, 23), date(2026, 7, 31)),
    )
    assert segments(date(2020, 2, 29), date(2020, 2, 29), today) == (
        (Endpoint.ARCHIVE, date(2020, 2, 29), date(2020, 2, 29)),
    )
    for endpoint, first, last in segments(date(2021, 12, 30), today, today):
        assert Query(endpoint, PLACES, first, last).hours[-1] == np.datetime64(f"{last}T23")


def test_a_self_hosted_instance_serves_all_under_two_paths() -> None:
    with serving(answer()) as server:
        live = OpenMeteo((REGION,), Clock(), base_url=server.url + "/")
        live.hours(REGION, NOW - 3 * HOUR, NOW)
        live.hours(REGION, NOW - timedelta(days=365), NOW - timedelta(days=364))
        live.hours(REGION, NOW - timedelta(days=3650), NOW - timedelta(days=3649))
        live.previous_run(REGION, NOW - 3 * HOUR, NOW, 1)
        assert [asked.path for asked in server.asked] == ["/v1/forecast", "/v1/forecast", "/v1/archive", "/v1/forecast"]


@pytest.mark.parametrize(
    "url", ["ftp://a", "127.0.0.1:80", "http://", "http://u:p@host", "http://a:99999", "http://a?b"]
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="OPEN_METEO_URL") as caught:
        source(base_url=url)
    assert caught.value.hint


def test_places_are_asked_in_chunks_that_fit_under_the_cap() -> None:
    places, day = many(250).locations, date(2026, 7, 1)
    assert [len(q.places) for q in chunked(Endpoint.FORECAST, places, day, day)] == [100, 100, 50]
    assert [len(q.places) for q in chunked(Endpoint.FORECAST, places, day, day, most=1000)] == [250]
    month = chunked(Endpoint.HISTORICAL_FORECAST, places, day, date(2026, 7, 31))
    assert {len(q.places) for q in month[:-1]} == {17}
    for query in (*month, *chunked(Endpoint.FORECAST, places, day, date(2026, 7, 9))):
        assert len(json.dumps(good(query.params), separators=(",", ":"))) < 2_000_000
    assert sum(len(q.places) for q in month) == 250


def test_an_answer_is_used_again_within_its_hour() -> None:
    service, clock = Service(), Clock()
    live = source(service, clock)
    live.hours(REGION, NOW - 40 * HOUR, NOW)
    clock.now += timedelta(minutes=30)
    live.hours(REGION, NOW - 100 * HOUR, NOW)
    assert len(service.asked) == 1
    clock.now += timedelta(minutes=30)
    assert live.hours(REGION, NOW, clock.now).observed().all()
    assert len(service.asked) == 2


def test_answers_for_many_places_are_kept_longer_so_that_the_day_has_calls_enough() -> None:
    service, clock = Service(), Clock()
    # Three places weigh 4.5 calls an answer, and once a day 4.5 for the days before: 90 calls make 19 answers, not 24.
    budget = Budget(clock, {"day": (24 * HOUR, 100.0)})
    live = source(service, clock, budget=budget)
    assert live.kept_s == pytest.approx(86_400 / 19)
    for _ in range(24 * 12):
        # An hour that was still to come when the answer was fetched is there when it has come.
        assert live.hours(REGION, clock.now - 24 * HOUR, clock.now).observed().all()
        clock.now += timedelta(minutes=5)
    assert 15 <= len(service.asked) <= 20


def test_backfill_goes_month_by_month_and_waits_for_its_budget() -> None:
    clock = Clock()
    live = source(
        Service(), clock, budget=Budget(clock, {"minute": (timedelta(minutes=1), 20.0), "day": (24 * HOUR, 1e9)})
    )
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        clock.now += timedelta(seconds=seconds)

    begin = datetime(2025, 6, 15, tzinfo=UTC)
    months = list(live.backfill(REGION, begin, datetime(2025, 8, 3, 5, tzinfo=UTC), wait))
    assert [len(m.valid_at) for m in months] == [16 * 24, 31 * 24, 2 * 24 + 6]
    assert all(np.isfinite(m.values["precipitation_mm"]).all() for m in months)
    assert waits == [60.0]


def test_weights_follow_the_formula_of_the_service() -> None:
    # The service's weights: per place max(1, v/10, v/10 x days/14).
    assert weight(3, 5, 1) == 3
    assert weight(3, 15, 14) == 4.5
    assert weight(3, 15, 28) == 9


def test_the_budget_stays_a_tenth_below_every_limit() -> None:
    clock = Clock()
    budget = Budget(clock)
    for _ in range(54):
        budget.take(10)
    with pytest.raises(SourceRateLimited) as caught:
        budget.take(1)
    assert caught.value.retry_after_s == 60
    assert [(line.name, line.spent, line.limit) for line in budget.lines()] == [
        ("minute", 540, 540), ("hour", 540, 4500), ("day", 540, 9000)]  # fmt: skip
    clock.now += timedelta(seconds=60)
    budget.take(1)
    assert budget.lines()[0].spent == 1


def test_no_minute_hour_or_day_ever_holds_more_than_its_limit() -> None:
    clock, rng = Clock(), np.random.default_rng(0)
    budget, made = Budget(clock), []
    for _ in range(4000):
        clock.now += timedelta(seconds=float(rng.exponential(20)))
        calls = float(rng.uniform(1, 60))
        try:
            budget.take(calls)
            made.append((clock.now, calls))
        except SourceRateLimited as error:
            assert 0 < error.retry_after_s <= 86_400
    for length, limit in ((60, 540), (3600, 4500), (86_400, 9000)):
        at = np.array([t.timestamp() for t, _ in made])
        total = np.cumsum([0.0, *(c for _, c in made)])
        inside = total[1:] - total[np.searchsorted(at, at - length + 1e-6)]
        assert inside.max() <= limit + 1e-6


def test_a_clock_that_is_set_back_does_not_stop_the_budget() -> None:
    clock = Clock()
    budget = Budget(clock)
    budget.take(540)
    clock.now -= timedelta(days=400)
    with pytest.raises(SourceRateLimited) as caught:
        budget.take(1)
    assert caught.value.retry_after_s == 60
