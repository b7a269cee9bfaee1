"""The age of the model run behind the answers: asked for beside them, kept, and never made younger than it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.adapters.open_meteo.runs import MODELS, run_of
from core.adapters.open_meteo.source import OpenMeteo
from core.domain.weather import ModelRun
from core.errors import SourceRateLimited, SourceResponseInvalid
from tests.adapters.open_meteo_made import HOUR, NOW, Clock, Service, source
from tests.faults.source import server as fault
from tests.faults.source.server import run_page
from tests.weather_made import REGION


def test_the_oldest_run_of_the_mix_counts() -> None:
    service = Service()
    service.runs["ncep_gfs025"] = NOW - 11 * HOUR
    weather = source(service).hours(REGION, NOW - 3 * HOUR, NOW)
    assert weather.run == ModelRun("ncep_gfs025", NOW - 15 * HOUR, NOW - 11 * HOUR)
    assert service.asked_runs == list(MODELS)


def test_a_service_that_stands_still_grows_old_while_it_goes_on_answering() -> None:
    service, clock = Service(), Clock()
    live = source(service, clock)
    ages = []
    for _ in range(4):
        weather = live.hours(REGION, clock.now - 3 * HOUR, clock.now)
        assert weather.observed().all()
        assert weather.run is not None
        assert weather.run.out_at is not None
        ages.append(round((clock.now - weather.run.out_at) / HOUR))
        clock.now += 10 * HOUR
    assert ages == [2, 12, 22, 32]


def test_the_run_of_a_kept_answer_is_that_of_when_it_was_fetched() -> None:
    service, clock = Service(), Clock()
    live = source(service, clock)
    first = live.hours(REGION, NOW - 3 * HOUR, NOW).run
    service.runs = dict.fromkeys(MODELS, NOW + timedelta(minutes=15))
    clock.now += timedelta(minutes=20)
    assert live.hours(REGION, NOW - 3 * HOUR, NOW).run == first
    clock.now += HOUR
    newer = live.hours(REGION, NOW - 3 * HOUR, clock.now).run
    assert newer is not None
    assert newer.out_at == NOW + timedelta(minutes=15)


def test_a_past_that_does_not_reach_the_present_names_no_run() -> None:
    service = Service()
    assert source(service).hours(REGION, NOW - 900 * HOUR, NOW - 800 * HOUR).run is None
    assert service.asked_runs == []


def test_a_server_that_lacks_a_model_is_judged_by_those_it_has() -> None:
    service = Service()
    service.runs |= {"dwd_icon": None, "ncep_gfs013": NOW - 5 * HOUR}
    run = source(service).hours(REGION, NOW, NOW).run
    assert run is not None
    assert (run.model, run.out_at) == ("ncep_gfs013", NOW - 5 * HOUR)
    service.runs = dict.fromkeys(MODELS)
    assert source(service).hours(REGION, NOW, NOW).run == ModelRun()


@pytest.mark.parametrize(
    "change",
    [
        {"last_run_availability_time": None},
        {"last_run_availability_time": "1785342000"},
        {"last_run_availability_time": 1785342000.5},
        {"last_run_availability_time": True},
        {"last_run_availability_time": -1},
        {"last_run_availability_time": 10**18},
        {"last_run_availability_time": int((NOW + HOUR).timestamp())},
        {"last_run_initialisation_time": int((NOW - HOUR).timestamp())},
        {"last_run_initialisation_time": None},
    ],
)
def test_a_page_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    page: Any = run_page(NOW - 2 * HOUR)
    assert run_of(page, "dwd_icon", NOW).out_at == NOW - 2 * HOUR
    with pytest.raises(SourceResponseInvalid):
        run_of(page | change, "dwd_icon", NOW)


@pytest.mark.parametrize("page", [[], None, 3, "2026-07-29", {}])
def test_a_page_that_is_no_page_is_refused(page: Any) -> None:
    with pytest.raises(SourceResponseInvalid):
        run_of(page, "dwd_icon", NOW)


def test_a_page_that_fails_leaves_the_weather_and_an_unknown_age() -> None:
    service = Service()
    service.runs["ncep_gfs013"] = NOW + 5 * HOUR  # cannot be
    weather = source(service).hours(REGION, NOW - 3 * HOUR, NOW)
    assert weather.observed().all()
    assert weather.run == ModelRun()


def test_a_page_that_fails_later_leaves_what_was_known() -> None:
    service, clock = Service(), Clock()
    live = source(service, clock)
    live.hours(REGION, NOW, NOW)
    service.runs = dict.fromkeys(MODELS, NOW + 500 * HOUR)
    clock.now += 3 * HOUR
    run = live.hours(REGION, NOW, clock.now).run
    assert run is not None
    assert run.out_at == NOW - 2 * HOUR


def test_over_http_the_run_counts_nothing_in_the_budget() -> None:
    with fault.serving() as server:
        server.run_out_at = NOW - 3 * HOUR
        live = OpenMeteo((REGION,), Clock(), base_url=server.url)
        weather = live.hours(REGION, NOW - 3 * HOUR, NOW)
        assert weather.run is not None
        assert weather.run.out_at == NOW - 3 * HOUR
        assert server.asked_runs == [f"/data/{model}/static/meta.json" for model in MODELS]
        assert live.budget()[0].spent == 4.5


def test_a_limit_on_the_page_about_a_model_holds_for_all() -> None:
    with fault.serving() as server:
        server.run_step = fault.limited("minutely")
        live = OpenMeteo((REGION,), Clock(), base_url=server.url)
        with pytest.raises(SourceRateLimited):
            live.hours(REGION, NOW - 3 * HOUR, NOW)
        assert (len(server), len(server.asked_runs)) == (0, 1)
